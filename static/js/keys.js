/* Keyboard: `data-key="n"` or `data-key="g f"` on a link or button is pressed by those keys.
   Rows of a list (`data-rows`) are walked with j, k and the arrows; Enter opens the row's link.
   Single letters rest while a field has the focus, while a dialog is open, and for whoever has
   switched them off. */
const PAUSE = 1200; // ms allowed between the two keys of a sequence
let first = "";
let since = 0;

const typing = (node) => node.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
const visible = (node) => node.checkVisibility?.() ?? node.offsetParent !== null;
const scope = () => document.querySelector("dialog[open]") ?? document;

const find = (keys) =>
  [...scope().querySelectorAll("[data-key]")].find((node) => node.dataset.key === keys && (visible(node) || node.matches("a")));

function press(node) {
  if (node.matches("input[type=radio], input[type=checkbox]")) {
    node.click();
    node.focus();
  } else if (node.matches("input, textarea, select")) {
    node.focus();
    node.select?.();
  } else if (!node.disabled && node.getAttribute("aria-disabled") !== "true") {
    node.click();
  }
}

function walk(step) {
  const rows = [...document.querySelectorAll("[data-rows] tr:has(th a, td a), [data-rows] > li:has(a)")].filter(visible);
  if (!rows.length) return false;
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
  next.querySelector("th a, td a, a").focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
}

function fillList(dialog) {
  const list = dialog.querySelector("[data-keys-list]");
  const entries = [...document.querySelectorAll("[data-key]")].filter((node) => !dialog.contains(node));
  const seen = new Set();
  list.querySelectorAll("[data-found]").forEach((node) => node.remove());
  for (const node of list.children) node.hidden = !document.querySelector("[data-rows]");
  for (const node of entries) {
    const { key } = node.dataset;
    const label = node.getAttribute("aria-label") ?? node.querySelector("span")?.textContent ?? node.textContent;
    const named = node.dataset.keyLabel ?? node.labels?.[0]?.textContent ?? node.querySelector(".label")?.textContent ?? label;
    if (seen.has(key) || !named?.trim()) continue;
    seen.add(key);
    const term = document.createElement("dt");
    const chord = /^(Ctrl|Alt) /.test(key);
    for (const part of key.split(" ")) {
      const box = document.createElement("kbd");
      box.textContent = chord && part.length === 1 ? part.toUpperCase() : part.replace("Escape", "Esc");
      term.append(box);
    }
    const text = document.createElement("dd");
    text.textContent = named.trim();
    term.dataset.found = text.dataset.found = "";
    list.append(term, text);
  }
}

const nameOf = (event) => (event.ctrlKey || event.metaKey ? "Ctrl " : event.altKey ? "Alt " : "") + event.key;

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  const chord = event.ctrlKey || event.metaKey || event.altKey;
  const special = chord || event.key === "Escape";
  if (!special && event.key.length === 1 && document.body.dataset.keys === "off") return;
  if (!special && (typing(event.target) || document.querySelector("dialog[open], :popover-open"))) return;

  const name = nameOf(event);
  const sequence = first && Date.now() - since < PAUSE ? `${first} ${name}` : "";
  const target = (sequence && find(sequence)) || find(name);
  first = "";
  if (target) {
    event.preventDefault();
    press(target);
  } else if (!special && name.length === 1 && document.querySelector(`[data-key^="${CSS.escape(name)} "]`)) {
    first = name;
    since = Date.now();
  } else if (["j", "ArrowDown"].includes(name)) {
    if (walk(1)) event.preventDefault();
  } else if (["k", "ArrowUp"].includes(name)) {
    if (walk(-1)) event.preventDefault();
  }
});

document.addEventListener("click", (event) => {
  if (event.target.closest('[data-dialog="keys"]')) fillList(document.getElementById("keys"));
}, true);

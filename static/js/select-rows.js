/* Selected rows of a list: checkboxes with `form="bulk"`, added up in the bar `#bulk` in whole öre
   with BigInt, each currency by itself. Space selects the row that has the focus, Shift with an
   arrow extends, Shift with a click takes all between. Without script the server adds up. */
const english = document.documentElement.lang.startsWith("en");
const boxes = () => [...document.querySelectorAll('[data-rows] input[form="bulk"]')];
const rowOf = (node) => node?.closest?.("[data-rows] tr");
const boxOf = (row) => row?.querySelector('input[form="bulk"]');
let last = null; // the box clicked before this one

const digits = new Intl.NumberFormat(english ? "en" : "sv", { minimumFractionDigits: 2 });

/** Öre as text; the formatter is given the decimals as text, so that nothing becomes a float. */
function money(cents, currency) {
  const text = String(cents < 0n ? -cents : cents).padStart(3, "0");
  const amount = `${cents < 0n ? "\u2212" : ""}${digits.format(`${text.slice(0, -2)}.${text.slice(-2)}`)}`;
  if (!currency) return amount;
  return english ? `${currency}\u00a0${amount}` : `${amount}\u00a0${currency}`;
}

function written(sums, home) {
  const names = [...sums.keys()].sort((a, b) => (b === home) - (a === home) || a.localeCompare(b));
  return names.map((name) => money(sums.get(name), name === home ? "" : name)).join(" · ") || money(0n);
}

function added(rows, part) {
  const sums = new Map();
  for (const { dataset } of rows) sums.set(dataset.currency, (sums.get(dataset.currency) ?? 0n) + BigInt(dataset[part]));
  return sums;
}

function show() {
  const bar = document.getElementById("bulk");
  if (!bar) return;
  const all = boxes();
  const rows = [];
  for (const box of all) {
    rowOf(box).classList.toggle("selected", box.checked);
    if (box.checked) rows.push(rowOf(box));
  }
  const fill = (name, text) => { bar.querySelector(`[data-${name}]`).textContent = text; };
  fill("count", rows.length);
  fill("companies", new Set(rows.map((row) => row.dataset.company)).size);
  fill("total", written(added(rows, "total"), bar.dataset.home));
  fill("open", written(added(rows, "open"), bar.dataset.home));
  bar.classList.toggle("is-empty", rows.length === 0);
  const whole = document.querySelector("[data-pick-all]");
  if (whole) {
    whole.checked = rows.length > 0 && rows.length === all.length;
    whole.indeterminate = rows.length > 0 && rows.length < all.length;
  }
}

function set(picked, value) {
  for (const box of picked) box.checked = value;
  show();
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-pick-all]")) set(boxes(), event.target.checked);
  else if (event.target.form?.id === "bulk") show();
  else if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-pick-none]")) return set(boxes(), false);
  const box = event.target;
  if (!box.matches?.('input[form="bulk"]')) return;
  const all = boxes();
  if (event.shiftKey && all.includes(last)) {
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    set(all.slice(from, to + 1), box.checked);
  }
  last = box;
});

document.addEventListener("keydown", (event) => {
  const box = boxOf(rowOf(event.target));
  if (!box || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " " && event.target !== box) {
    event.preventDefault();
    set([box], !box.checked);
  } else if (event.shiftKey && ["ArrowDown", "ArrowUp"].includes(event.key)) {
    // keys.js has walked on by now: the focus stands in the next row.
    set([box, boxOf(rowOf(document.activeElement))].filter(Boolean), true);
  }
});

// A file is sent and the page stays: the button is not working any more.
document.addEventListener("submit", (event) => {
  if (event.target.id === "bulk") setTimeout(() => event.submitter?.removeAttribute("aria-busy"), 500);
});

document.addEventListener("combobox:picked", (event) => {
  if (event.target.closest(".list-form")) event.target.form.requestSubmit();
});

// A menu closes when something else is used, or with Escape.
const menus = () => document.querySelectorAll("details.menu-anchor[open]");
for (const name of ["pointerdown", "focusin"]) {
  document.addEventListener(name, (event) => {
    for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
  });
}
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  for (const menu of menus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
    event.preventDefault();
  }
});

document.addEventListener("htmx:afterSettle", show);
show();

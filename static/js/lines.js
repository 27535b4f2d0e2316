/* Lines of the invoice editor: Enter adds one, Alt+arrows move, Alt+K copies, × removes.
   A line is a <tbody data-line>; the server takes the lines in the order of the page, so
   moving one needs no renaming. Without script the same buttons submit the form. */
const table = () => document.getElementById("lines");
const lines = () => [...table().querySelectorAll("[data-line]")];
const fieldsOf = (line) => [...line.querySelectorAll("[data-part]")];

let next = Date.now() % 100000;

/** Give a line's fields a number that no other line has. */
function rename(line) {
  next = (next % 999999) + 1;
  for (const node of line.querySelectorAll("[name^='lines-'], [id^='id_lines-']")) {
    for (const name of ["name", "id"]) {
      const value = node.getAttribute(name);
      if (value) node.setAttribute(name, value.replace(/lines-(NEW|\d+)-/, `lines-${next}-`));
    }
    node.removeAttribute("aria-describedby");
    node.removeAttribute("aria-invalid");
    const list = node.getAttribute("aria-controls");
    if (list) node.setAttribute("aria-controls", list.replace(/lines-(NEW|\d+)-/, `lines-${next}-`));
  }
  for (const list of line.querySelectorAll("[role=listbox]")) list.replaceChildren();
}

function changed() {
  lines().forEach((line, place) => {
    const number = line.querySelector(".line-number");
    const hidden = number.querySelector("input");
    number.replaceChildren(String(place + 1), ...(hidden ? [hidden] : []));
  });
  table().dispatchEvent(new CustomEvent("lines-changed", { bubbles: true }));
}

function focusOn(line, part = "description") {
  const field = fieldsOf(line).find((node) => node.dataset.part === part) ?? fieldsOf(line).find((node) => node.type !== "hidden");
  field?.focus();
  field?.select?.();
}

function add(after) {
  const line = document.getElementById("line-template").content.firstElementChild.cloneNode(true);
  rename(line);
  if (after) after.after(line);
  else table().querySelector("tfoot").before(line);
  window.htmx?.process(line);
  changed();
  focusOn(line);
}

function copy(line) {
  const twin = line.cloneNode(true);
  const values = fieldsOf(line).map((node) => node.value);
  fieldsOf(twin).forEach((node, at) => { node.value = values[at]; });
  twin.querySelector(".line-errors")?.remove();
  rename(twin);
  line.after(twin);
  window.htmx?.process(twin);
  changed();
  focusOn(twin);
}

function move(line, step) {
  const all = lines();
  const other = all[all.indexOf(line) + step];
  if (!other) return;
  const active = document.activeElement;
  if (step < 0) other.before(line);
  else other.after(line);
  active?.focus();
  changed();
}

function remove(line) {
  const all = lines();
  const at = all.indexOf(line);
  line.remove();
  const near = all[at + 1] ?? all[at - 1];
  if (near) focusOn(near);
  else add(null);
  changed();
}

document.addEventListener("keydown", (event) => {
  const line = event.target.closest?.("[data-line]");
  if (!line || event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey) return;
  const typing = event.target.matches("input, select");
  if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) move(line, event.key === "ArrowUp" ? -1 : 1);
  else if (event.altKey && event.key.toLowerCase() === "k") copy(line);
  else if (event.key === "Enter" && typing && !event.altKey && !event.shiftKey) add(line);
  else return;
  event.preventDefault();
});

document.addEventListener("click", (event) => {
  const adds = event.target.closest?.("[data-add-line]");
  const removes = event.target.closest?.("[data-remove-line]");
  if (!adds && !removes) return;
  event.preventDefault();
  if (adds) add(lines().at(-1) ?? null);
  else remove(removes.closest("[data-line]"));
});

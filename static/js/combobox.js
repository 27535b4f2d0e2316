/* A text field with a list from the server. Markup: components/combobox.html.
   htmx fetches the options (role=option) as one types; here are arrows, Enter, Escape and the pick.
   Without script the field is a plain one beside a button, and the server does the search. */
const listOf = (field) => document.getElementById(field.getAttribute("aria-controls"));
const optionsOf = (field) => [...listOf(field).querySelectorAll("[role=option]")];

function mark(field, option) {
  for (const other of optionsOf(field)) other.setAttribute("aria-selected", String(other === option));
  if (option) {
    field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else {
    field.removeAttribute("aria-activedescendant");
  }
}

function show(field) {
  const options = optionsOf(field);
  listOf(field).hidden = listOf(field).childElementCount === 0; // "no hits" is shown too
  field.setAttribute("aria-expanded", String(options.length > 0));
  mark(field, "free" in field.dataset ? null : options[0]); // free text is not replaced by Enter
}

function hide(field) {
  listOf(field).hidden = true;
  field.setAttribute("aria-expanded", "false");
  field.removeAttribute("aria-activedescendant");
}

function pick(field, option) {
  hide(field);
  if (option.matches("a, button")) return option.click();
  field.value = option.dataset.label ?? option.firstElementChild?.textContent.trim() ?? option.textContent.trim();
  const kept = document.getElementById(field.dataset.valueField);
  if (kept) kept.value = option.dataset.value;
  field.dispatchEvent(new CustomEvent("combobox:picked", { bubbles: true, detail: { value: option.dataset.value, option } }));
}

document.addEventListener("keydown", (event) => {
  const field = event.target;
  if (!field.matches?.("[role=combobox]") || event.altKey) return;
  const options = optionsOf(field);
  const open = field.getAttribute("aria-expanded") === "true";
  const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    if (!options.length) return;
    event.preventDefault();
    if (!open) return show(field);
    const step = event.key === "ArrowDown" ? 1 : -1;
    mark(field, options[(at + step + options.length) % options.length]);
  } else if (event.key === "Enter" && open && at >= 0) {
    event.preventDefault();
    pick(field, options[at]);
  } else if (event.key === "Escape" && open) {
    event.preventDefault();
    hide(field);
  }
});

document.addEventListener("input", (event) => {
  const field = event.target;
  if (!field.matches?.("[role=combobox]")) return;
  // What was picked before no longer holds once the text changes.
  const kept = document.getElementById(field.dataset.valueField);
  if (kept) kept.value = "";
});

document.addEventListener("mousedown", (event) => {
  const option = event.target.closest?.("[role=option]");
  const list = option?.closest("[role=listbox]");
  if (!list || option.matches("a, button")) return;
  event.preventDefault(); // keeps the focus in the field
  pick(document.querySelector(`[aria-controls="${CSS.escape(list.id)}"]`), option);
});

document.addEventListener("focusout", (event) => {
  const field = event.target;
  if (field.matches?.("[role=combobox]") && !listOf(field).contains(event.relatedTarget)) hide(field);
});

document.addEventListener("htmx:afterSwap", (event) => {
  const list = event.target.closest?.("[role=listbox]") ?? event.target.querySelector?.("[role=listbox]");
  const field = list && document.querySelector(`[role=combobox][aria-controls="${CSS.escape(list.id)}"]`);
  if (field && field === document.activeElement) show(field);
});

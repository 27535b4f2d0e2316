/* The list of errors takes the focus when the page arrives or htmx swaps it in.
   The cursor is not lost when a swapped part held the focus: the same id takes it again. */
const focusErrors = (root) => {
  const list = root.matches?.("[data-focus]") ? root : root.querySelector?.("[data-focus]");
  list?.focus();
  return Boolean(list);
};

focusErrors(document);

let held = "";
document.addEventListener("htmx:beforeSwap", (event) => {
  const active = document.activeElement;
  held = event.detail.target?.contains(active) ? active.id : "";
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (!focusErrors(event.target) && held && document.activeElement === document.body) {
    document.getElementById(held)?.focus();
  }
  held = "";
});

// A link in the list of errors leads into the field itself, not only to its place on the page.
document.addEventListener("click", (event) => {
  const link = event.target.closest('.error-summary a[href^="#"]');
  const field = link && document.getElementById(link.hash.slice(1));
  if (field) {
    event.preventDefault();
    field.focus();
    field.scrollIntoView({ block: "center" });
  }
});

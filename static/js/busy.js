/* A form that is being sent: its button keeps its width, shows that it works and is deaf to a
   second click. The server refuses the second one too; this only spares it the question. */
const buttonOf = (form, submitter) => submitter ?? form.querySelector(".btn:not([type=button])");

function start(button) {
  button.style.minWidth = `${button.getBoundingClientRect().width}px`;
  button.setAttribute("aria-busy", "true");
}

function stop(button) {
  button.style.minWidth = "";
  button.removeAttribute("aria-busy");
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "dialog" || event.defaultPrevented) return;
  const button = buttonOf(form, event.submitter);
  if (!button?.matches(".btn")) return;
  if (button.getAttribute("aria-busy") === "true") {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  start(button);
}, true);

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt?.closest?.("form");
  form?.querySelectorAll('[aria-busy="true"]').forEach(stop);
});

// A page taken from the back-forward cache still shows the button as it was left.
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll('.btn[aria-busy="true"]').forEach(stop);
});

/* The choice of appearance holds at once; the form is posted quietly so that the cookie keeps it. */
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-theme-form]") || !event.submitter) return;
  event.preventDefault();
  const { value } = event.submitter;
  document.documentElement.dataset.theme = value;
  for (const button of form.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button === event.submitter));
  }
  for (const use of document.querySelectorAll(".theme-icon use")) {
    use.setAttribute("href", event.submitter.querySelector("use").getAttribute("href"));
  }
  const body = new FormData(form, event.submitter);
  const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => null);
  if (!answer || answer.status >= 400) form.requestSubmit(event.submitter);
});

/* The list of runs marks the one that stands beside it, whichever of the two was fetched last. */
document.addEventListener("htmx:afterSettle", () => {
  const open = document.getElementById("run")?.dataset.run;
  for (const link of document.querySelectorAll("#runs .run-link")) {
    if (open && link.id === `run-${open}`) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
});

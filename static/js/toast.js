/* Toasts leave when their animation ends, which rests while one is hovered or focused.
   The server adds one to an htmx answer with the header HX-Trigger: {"toast": "text"}. */
const box = () => document.getElementById("toasts");

function leaveWhenDone(toast) {
  toast.addEventListener("animationend", (event) => {
    if (event.target === toast) toast.remove();
  });
}

function add(text) {
  const toast = document.createElement("div");
  toast.className = "toast";
  const words = document.createElement("span");
  words.className = "grow";
  words.textContent = text;
  toast.append(words);
  leaveWhenDone(toast);
  box()?.append(toast);
}

box()?.querySelectorAll(".toast").forEach(leaveWhenDone);
document.addEventListener("toast", (event) => add(event.detail.value ?? String(event.detail)));

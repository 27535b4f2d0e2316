/* A draft saves itself a little after each change, one save at a time, and says so beside the
   heading; the page tells now and then that it is looked at, and shows who else has the draft open.
   Nothing is kept in the browser: what is not saved yet is in the fields, and is tried again. */
const AFTER = 2000; // ms of quiet after a change
const AGAIN = 10000; // ms before a save that failed is tried again
const LOOKED_AT = 15000; // ms between two signs that somebody looks at the draft

const form = () => document.getElementById("editor");
const state = () => document.getElementById("save-state");
const words = () => state()?.dataset ?? {};

let timer = 0;
let under = null; // the save that is under way
let dirty = false;
let over = false; // leaving, or somebody else has saved: nothing is saved any more
let seq = Number(form()?.querySelector("[name=seq]")?.value) || 0; // a page shown again goes on counting

function tell(text, kind = "") {
  if (!state()) return;
  state().textContent = text;
  state().dataset.kind = kind;
}

function later(delay) {
  clearTimeout(timer);
  timer = setTimeout(save, delay);
}

/** The form as it stands, with its place among this page's saves. */
function content() {
  seq += 1;
  const field = form().querySelector("[name=seq]");
  if (field) field.value = String(seq);
  const data = new FormData(form());
  data.set("action", "autosave");
  return data;
}

function keep({ told, version, address, opened }) {
  tell(told);
  if (!address) return;
  form().querySelector("[name=version]").value = version;
  form().dataset.opened = opened;
  if (form().getAttribute("action") === address) return;
  form().setAttribute("action", address);
  history.replaceState(history.state, "", address);
}

async function save() {
  if (under || over || !dirty || !form()?.hasAttribute("data-autosave")) return;
  dirty = false;
  under = new AbortController();
  try {
    const answer = await fetch(form().getAttribute("action"), { method: "POST", body: content(), signal: under.signal, redirect: "error" });
    const found = await answer.json();
    if (answer.status === 409) {
      over = true;
      tell(found.told, "bad");
    } else if (answer.ok) keep(found);
    else throw new Error(String(answer.status));
  } catch {
    if (over) return;
    dirty = true;
    tell(words().failed, "bad");
    under = null;
    later(AGAIN);
    return;
  }
  under = null;
  if (dirty) later(AFTER);
}

function changed(event) {
  if (over || !event.target.closest?.("#editor") || event.target.closest("#new-customer")) return;
  dirty = true;
  later(AFTER);
}
for (const name of ["input", "change", "lines-changed", "combobox:picked"]) document.addEventListener(name, changed);

// A button of the form saves, or sends, all of it; nothing older may arrive after that.
document.addEventListener("submit", (event) => {
  if (event.target !== form()) return;
  over = true;
  clearTimeout(timer);
  under?.abort();
  seq += 1;
  const field = form().querySelector("[name=seq]");
  if (field) field.value = String(seq);
});
window.addEventListener("pagehide", () => {
  if (dirty && !over && form()?.hasAttribute("data-autosave")) navigator.sendBeacon(form().getAttribute("action"), content());
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload(); // an older state of the draft than the one that is kept
});

async function look() {
  const address = form()?.dataset.opened;
  if (!address || document.hidden) return;
  try {
    const body = new FormData();
    body.set("csrfmiddlewaretoken", form().querySelector("[name=csrfmiddlewaretoken]").value);
    const answer = await fetch(address, { method: "POST", body, redirect: "error" });
    const place = document.getElementById("others");
    const { others } = await answer.json();
    if (place.textContent !== others) place.textContent = others;
    place.hidden = !others;
  } catch {
    // The next look tells.
  }
}
setInterval(look, LOOKED_AT);

/* The head of the invoice editor: due date from date and terms, terms of the customer picked,
   and the form for a new customer, opened from the list. */
const byId = (id) => document.getElementById(id);
const DAY = 24 * 3600 * 1000;

/** 2026-11-20, 20261120 or 261120 as milliseconds UTC; NaN for anything else. */
function dayOf(text) {
  const found = /^(?:(\d{2})?(\d{2}))-?(\d{2})-?(\d{2})$/.exec(text.trim());
  if (!found) return NaN;
  const [, century = "20", year, month, day] = found;
  return Date.parse(`${century}${year}-${month}-${day}T00:00:00Z`);
}
const iso = (moment) => new Date(moment).toISOString().slice(0, 10);

function setDue() {
  const day = dayOf(byId("id_invoice_date").value);
  const terms = byId("id_terms").value;
  if (Number.isNaN(day) || !/^\d{1,3}$/.test(terms)) return;
  byId("id_due_date").value = iso(day + Number(terms) * DAY);
}

function setTerms() {
  const [day, due] = [dayOf(byId("id_invoice_date").value), dayOf(byId("id_due_date").value)];
  if (!Number.isNaN(day) && due >= day) byId("id_terms").value = String(Math.round((due - day) / DAY));
}

let ownTerms = Boolean(byId("id_terms")?.value);

document.addEventListener("change", (event) => {
  const { id } = event.target;
  if (event.target.matches("[data-day]")) {
    const day = dayOf(event.target.value);
    if (!Number.isNaN(day)) event.target.value = iso(day);
  }
  if (id === "id_terms") ownTerms = true;
  if (id === "id_terms" || id === "id_invoice_date") setDue();
  if (id === "id_due_date") {
    ownTerms = true;
    setTerms();
  }
});

// The customer's own terms hold until a person writes others.
document.addEventListener("htmx:afterSettle", () => {
  const terms = byId("customer-line")?.dataset.terms;
  if (!terms || ownTerms || byId("id_terms").value === terms) return;
  byId("id_terms").value = terms;
  setDue();
});

function openCustomer() {
  const part = byId("new-customer");
  part.open = true;
  const typed = byId("id_customer_text").value.trim();
  const name = byId("id_new-name");
  if (typed && !name.value) name.value = typed;
  part.scrollIntoView({ block: "nearest" });
  name.focus();
}

document.addEventListener("click", (event) => {
  if (!event.target.closest?.('a[href$="#new-customer"]')) return;
  event.preventDefault();
  openCustomer();
});

// Enter in the new customer's fields creates the customer, it does not save the invoice.
document.addEventListener("keydown", (event) => {
  const part = event.target.closest?.("#new-customer");
  if (!part || event.key !== "Enter" || event.ctrlKey || !event.target.matches("input, select")) return;
  event.preventDefault();
  part.querySelector('button[value="new_customer"]').click();
});

/* An item picked in a line's description fills the rest of the line. The list comes from the
   server as one types (combobox.js); what was typed stands until one picks. */
const FILLED = ["product", "unit", "unit_price", "tax_rate", "account"];

document.addEventListener("combobox:picked", (event) => {
  const line = event.target.closest?.("[data-line]");
  if (!line) return;
  const { dataset } = event.detail.option;
  for (const name of FILLED) {
    const field = line.querySelector(`[data-part="${name}"]`);
    if (field && dataset[name] !== undefined) field.value = dataset[name];
  }
  line.querySelector('[data-part="quantity"]')?.focus();
  line.querySelector('[data-part="quantity"]')?.select();
  event.target.dispatchEvent(new Event("change", { bubbles: true }));
});

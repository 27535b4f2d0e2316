/* Totals of the invoice editor while one types, in whole öre with BigInt: each line rounded by
   itself, VAT on the summed net of each rate, halves away from zero, and the discount one line for
   each rate. The server says the same. */
const english = document.documentElement.lang.startsWith("en");

/** Text as a whole number of 10^-decimals, or null where it is no such number. */
export function units(text, decimals) {
  const plain = text.replace(/[\s\u00a0\u202f\u2009]/g, "").replace(/\u2212/g, "-").replace(",", ".");
  const found = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(plain);
  if (!found || !(found[2] || found[3])) return null;
  const [, sign, whole, part = ""] = found;
  if (part.replace(/0+$/, "").length > decimals) return null;
  const value = BigInt((whole || "0") + part.slice(0, decimals).padEnd(decimals, "0"));
  return sign === "-" ? -value : value;
}

/** value / by, halves away from zero. */
export function divided(value, by) {
  const size = value < 0n ? -value : value;
  const result = (2n * size + by) / (2n * by);
  return value < 0n ? -result : result;
}

/** Öre as money: 1 234 567,50 in Swedish, 1,234,567.50 in English. */
export function money(value) {
  const text = (value < 0n ? -value : value).toString().padStart(3, "0");
  const whole = text.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, english ? "," : "\u00a0");
  return `${value < 0n ? "\u2212" : ""}${whole}${english ? "." : ","}${text.slice(-2)}`;
}

function inCurrency(value, currency) {
  if (english) return `${currency}\u00a0${money(value)}`;
  return `${money(value)}\u00a0${currency === "SEK" ? "kr" : currency}`;
}

function netOf(line) {
  const part = (name) => line.querySelector(`[data-part="${name}"]`)?.value.trim() ?? "";
  const price = units(part("unit_price"), 2);
  const quantity = units(part("quantity") || "1", 3);
  if (price === null || quantity === null) return null;
  return { net: divided(quantity * price, 1000n), rate: part("tax_rate") };
}

/** What comes off each rate's net (öre, above 0): per cent of each, or an amount shared among
    them, whose last öre go where most was lost in rounding. */
export function shares(nets, amount, isPercent) {
  const rates = [...nets.keys()].filter((rate) => nets.get(rate) > 0n).sort((a, b) => b - a);
  if (isPercent) return new Map(rates.map((rate) => [rate, divided(nets.get(rate) * amount, 10000n)]));
  const whole = rates.reduce((sum, rate) => sum + nets.get(rate), 0n);
  const parts = rates.map((rate) => ({ rate, part: (nets.get(rate) * amount) / whole, lost: (nets.get(rate) * amount) % whole }));
  let left = amount - parts.reduce((sum, { part }) => sum + part, 0n);
  for (const each of [...parts].sort((a, b) => (a.lost === b.lost ? b.rate - a.rate : a.lost < b.lost ? 1 : -1))) {
    if (left-- > 0n) each.part += 1n;
  }
  return new Map(parts.map(({ rate, part }) => [rate, part]));
}

/** Take the discount off the nets, and show its lines. */
function discount(nets) {
  const [field, kind] = ["id_discount", "id_discount_kind"].map((id) => document.getElementById(id));
  const amount = units(field?.value ?? "", 2);
  const isPercent = kind?.value === "percent";
  const fits = amount !== null && amount > 0n && !(isPercent && amount > 10000n);
  const off = fits ? shares(nets, amount, isPercent) : new Map();
  for (const row of document.querySelectorAll("[data-discount]")) {
    const share = off.get(row.dataset.discount) ?? 0n;
    row.hidden = share === 0n;
    row.querySelector("[data-discount-text]").textContent = isPercent ? `${row.dataset.label} ${field.value.trim().replace(/([.,]\d*?)0+$/, "$1").replace(/[.,]$/, "")}\u00a0%` : row.dataset.label;
    row.querySelector("[data-discount-net]").textContent = money(-share);
    if (share) nets.set(row.dataset.discount, nets.get(row.dataset.discount) - share);
  }
}

function show(name, text) {
  const place = document.querySelector(name);
  if (place) place.textContent = text;
}

/** What the Tax Agency pays of it: ROT or RUT, all people together. */
function deduction() {
  if (!document.querySelector("[name='reduction-type']:checked")?.value) return 0n;
  return [...document.querySelectorAll("[data-deduction]")].reduce((sum, { value }) => sum + (units(value, 2) ?? 0n), 0n);
}

export function recalculate() {
  const nets = new Map();
  for (const line of document.querySelectorAll("#lines [data-line]")) {
    const place = line.querySelector("[data-net]");
    if (!place) continue;
    const found = netOf(line);
    place.textContent = found ? money(found.net) : "\u2013";
    const described = line.querySelector('[data-part="description"]')?.value.trim();
    if (found && described) nets.set(found.rate, (nets.get(found.rate) ?? 0n) + found.net);
  }
  discount(nets);
  let net = 0n;
  let tax = 0n;
  for (const place of document.querySelectorAll("#totals [data-rate]")) place.hidden = !nets.has(place.dataset.rate);
  for (const [rate, sum] of nets) {
    const part = divided(sum * BigInt(rate), 100n);
    net += sum;
    tax += part;
    show(`#totals [data-rate-net="${rate}"]`, money(sum));
    show(`#totals [data-rate-tax="${rate}"]`, money(part));
  }
  show('#totals [data-total="net"]', money(net));
  const currency = document.getElementById("id_currency")?.value.trim().toUpperCase() || "SEK";
  const deducted = deduction();
  for (const place of document.querySelectorAll("#totals [data-reduced]")) place.hidden = deducted === 0n;
  show('#totals [data-total="gross"]', money(net + tax));
  show('#totals [data-total="deduction"]', money(deducted));
  show('#totals [data-total="total"]', inCurrency(net + tax - deducted, currency));
  const rate = units(document.getElementById("id_rate")?.value ?? "", 8);
  const known = currency !== "SEK" && rate !== null && rate > 0n;
  for (const place of document.querySelectorAll("#totals [data-home]")) place.hidden = !known;
  if (known) show('#totals dd[data-home]', inCurrency(divided((net + tax) * rate, 100000000n), "SEK"));
}

for (const name of ["input", "change", "lines-changed"]) {
  document.addEventListener(name, (event) => {
    if (event.target.closest?.("#editor")) recalculate();
  });
}
// The answer is older than what was typed since it was asked for: put right before it is painted.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "preview") recalculate();
});

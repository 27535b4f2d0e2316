/* Amounts (`input.money`) are typed with comma, point or spaces, and shown formatted on blur.
   What cannot be read as an amount is left as typed: the server says what is wrong with it. */
const english = document.documentElement.lang.startsWith("en");

/** The amount as a plain number text ("-1234.50"), or null where the text is none. */
function read(text) {
  const plain = text.replace(/[\s\u00a0\u202f\u2009]/g, "").replace(/\u2212/g, "-").replace(",", ".");
  return /^-?\d+(\.\d{0,2})?$/.test(plain) ? plain : null;
}

function format(plain) {
  const [whole, cents = ""] = plain.replace("-", "").split(".");
  const groups = whole.replace(/^0+(?=\d)/, "").replace(/\B(?=(\d{3})+$)/g, english ? " " : "\u00a0");
  return `${plain.startsWith("-") ? "\u2212" : ""}${groups}${english ? "." : ","}${cents.padEnd(2, "0")}`;
}

document.addEventListener("focusout", (event) => {
  const field = event.target;
  if (!field.matches?.("input.money") || field.readOnly || !field.value.trim()) return;
  const plain = read(field.value);
  if (plain !== null) field.value = format(plain);
});

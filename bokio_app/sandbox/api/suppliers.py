"""Suppliers: list, read, create, replace, delete."""

from bokio_app.sandbox import bank_numbers, refusals
from bokio_app.sandbox.api import lists, shapes
from bokio_app.sandbox.api.customers import read_address
from bokio_app.sandbox.api.reader import Reader
from bokio_app.sandbox.api.registry import Context, operation
from bokio_app.sandbox.models import Supplier

PROPERTIES = {
    "name": lists.text("name"),
    "vatNumber": lists.text("vat_number"),
    "orgNumber": lists.text("org_number"),
}
SUPPLIERS = "/suppliers"
SUPPLIER = "/suppliers/{supplierId}"
LONGEST_NAME = 200
LONGEST_NUMBER = 40
# What Bokio's own bank can pay; any company may name the others.
PAYABLE = ("SEK", "EUR", "NOK", "USD", "DKK", "GBP", "PLN", "RON", "CZK", "HUF", "ISK", "CHF")
CURRENCIES = (
    *("SEK", "GBP", "EUR", "USD", "NOK", "DKK", "AUD", "BRL", "CAD", "CHF", "CNY", "CZK"),
    *("HKD", "HUF", "IDR", "INR", "ISK", "JPY", "KRW", "MAD", "MXN", "NZD", "PLN", "RUB"),
    *("SAR", "SGD", "THB", "TRY", "ZAR"),
)
NUMBERS_OF_A_TYPE = {
    "bankgiro": ("bankgiroNumber",),
    "plusgiro": ("plusgiroNumber",),
    "transfer": ("clearingNumber", "accountNumber"),
    "internationalPayment": ("iban", "bic"),
}


@operation("GET", SUPPLIERS, "get-suppliers", scope="suppliers:read")
def suppliers(context: Context) -> object:
    rows = lists.filtered(
        context.company.suppliers.all(), context.call.query.get("query", ""), PROPERTIES
    )
    return lists.page(rows, context.call.query, _shape)


@operation("POST", SUPPLIERS, "post-supplier", scope="suppliers:write", creates=True)
def create(context: Context) -> object:
    row = Supplier(company=context.company, made_by=context.application)
    _fill(row, Reader(context.body()))
    row.save()
    return _shape(row)


@operation("GET", SUPPLIER, "get-supplier-by-id", scope="suppliers:read")
def supplier(context: Context) -> object:
    return _shape(_find(context))


@operation("PUT", SUPPLIER, "put-supplier", scope="suppliers:write")
def replace(context: Context) -> object:
    """Replace the whole supplier. Invoices that exist keep their currency."""
    row = _find(context)
    _fill(row, Reader(context.body()))
    row.save()
    return _shape(row)


@operation("DELETE", SUPPLIER, "delete-supplier", scope="suppliers:write")
def delete(context: Context) -> None:
    row = _find(context)
    if row.made_by_id != context.application.pk:
        raise refusals.not_allowed("Only the integration that added a supplier can delete it")
    if row.invoices.exists():
        raise refusals.not_allowed("A supplier with invoices cannot be deleted")
    row.delete()


def _find(context: Context) -> Supplier:
    supplier_id = context.id("supplierId", "supplier")
    row = context.company.suppliers.filter(uuid=supplier_id).first()
    if row is None:
        raise refusals.not_found("supplier", supplier_id)
    return row


def _fill(row: Supplier, body: Reader) -> None:
    body.read_only("id")
    row.name = body.text("name", required=True, longest=LONGEST_NAME)
    row.org_number = body.text("orgNumber", longest=LONGEST_NUMBER)
    row.vat_number = body.text("vatNumber", longest=LONGEST_NUMBER)
    currencies = PAYABLE if row.company.has_bank_account else CURRENCIES
    row.currency = body.choice("currency", currencies, default="SEK")
    row.address = read_address(body, "address", complete=False)
    row.payment_details = _payment_details(body)
    body.finish()


def _payment_details(body: Reader) -> dict[str, str] | None:
    inner = body.object("paymentDetails")
    if inner is None:
        return None
    kind = inner.choice("type", tuple(NUMBERS_OF_A_TYPE), required=True)
    details = {"type": kind}
    if inner.sound("type"):
        details |= {name: bank_numbers.read(inner, name) for name in NUMBERS_OF_A_TYPE[kind]}
        inner.done()
    return details


def _shape(row: Supplier) -> shapes.Json:
    data: shapes.Json = {
        "id": str(row.uuid),
        "name": row.name,
        "orgNumber": row.org_number,
        "vatNumber": row.vat_number,
        "currency": row.currency,
    }
    if row.address:
        data["address"] = row.address
    if row.payment_details:
        data["paymentDetails"] = row.payment_details
    return data

"""Finding invoices, and what they share with credit notes: fields, filters and metadata."""

import re
import uuid
from collections.abc import Mapping
from decimal import Decimal

from django.db.models import Q, QuerySet

from bokio_app.sandbox import refusals
from bokio_app.sandbox.api import lists, shapes
from bokio_app.sandbox.api.reader import Reader
from bokio_app.sandbox.api.registry import Context
from bokio_app.sandbox.models import Invoice
from bokio_app.sandbox.prepared import Prepared

MOST_METADATA = 10
LONGEST_METADATA_VALUE = 250
METADATA_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,24}\Z")
METADATA_PROPERTY = "metadata."
CURRENCY = re.compile(r"[A-Z]{3}\Z")
LARGEST_RATE = 1_000_000
NOTHING = Q(pk=None)
EVERYTHING = ~NOTHING


def invoices(context: Context) -> QuerySet[Invoice]:
    """The company's invoices, with what the API shows of other tables."""
    return context.company.invoices.select_related("customer", "entry")


_one_invoice = Prepared(
    lambda: Invoice.objects.select_related("customer", "entry").filter(
        company=0, uuid=uuid.UUID(int=0)
    )
)


def find_invoice(context: Context) -> Invoice:
    """The invoice of the path, or a 404 `Refusal`."""
    invoice_id = context.id("invoiceId", "invoice")
    row = _one_invoice.first(context.company.pk, invoice_id)
    if row is None:
        raise refusals.not_found("invoice", invoice_id)
    row.company = context.company
    return row


def properties(*, customer: str, date: str) -> Mapping[str, lists.Property]:
    """The filterable properties, of which two have other columns in each table."""
    return {
        "customerRef": lists.identity(customer),
        **{name: lists.text(f"references__{name}") for name in shapes.REFERENCES},
        "currency": lists.text("currency"),
        "totalAmount": lists.number("total"),
        "status": lists.choice("status"),
        "invoiceDate": lists.day(date),
        "dueDate": lists.day("due_date"),
    }


def fixed_condition(name: str, operator: str, value: str) -> Q | None:
    """The properties that say the same about every document of the sandbox.

    All are of the type `invoice`, and none belongs to a project: what a project is in the API,
    beyond this filter, is not published.
    """
    if name not in ("type", "projectId") or operator not in ("==", "!="):
        return None
    if name == "projectId":
        _require_uuid(name, value)
        holds = False
    else:
        holds = value == "invoice"
    return EVERYTHING if holds == (operator == "==") else NOTHING


def _require_uuid(name: str, value: str) -> None:
    try:
        uuid.UUID(value)
    except ValueError:
        raise refusals.bad_query(f"{value!r} does not fit the property {name}") from None


def read_references(body: Reader) -> dict[str, str]:
    """Empty where nothing is given: filters would find a null as the text `null`."""
    return {name: body.text(name, longest=200) for name in shapes.REFERENCES}


def read_currency(body: Reader) -> tuple[str, Decimal]:
    """The currency and its rate in SEK, which are SEK and 1 unless they are given."""
    currency = body.text("currency", default="SEK", longest=3)
    if not CURRENCY.match(currency):
        body.note("currency", "The currency must be three capital letters")
    rate = body.number("currencyRate", default=Decimal(1), decimals=8)
    if not 0 < rate <= LARGEST_RATE or (currency == "SEK" and rate != 1):
        body.note("currencyRate", "The currency rate does not fit the currency")
    return currency, rate


def read_metadata(body: Reader) -> dict[str, str]:
    inner = body.object("metadata")
    if inner is None:
        return {}
    if len(inner.data) > MOST_METADATA:
        body.note("metadata", f"At most {MOST_METADATA} keys are allowed")
    values: dict[str, str] = {}
    for key in inner.data:
        if not METADATA_KEY.match(key):
            inner.note(key, "A key has at most 25 letters, digits and underscores")
        values[key] = inner.text(key, longest=LONGEST_METADATA_VALUE)
    return values

"""Writing and changing a draft invoice as a person does, line by line."""

import datetime as dt
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from bokio_app.sandbox import clock, invoicing
from bokio_app.sandbox.lines import LONGEST_DESCRIPTION, LONGEST_UNIT, TAX_RATES, fresh_id
from bokio_app.sandbox.models import Company, Customer, Invoice
from bokio_app.sandbox.pages import fields
from bokio_app.sandbox.pages.access import for_company
from bokio_app.sandbox.pages.acts import attempt, status_of
from bokio_app.sandbox.pages.lists import company_page
from bokio_app.sandbox.wire import plain

BLANK_LINES = 3
MOST_LINES = 200
SOLD = (("services", _("Service")), ("goods", _("Goods")), ("", _("Text only")))
# What an invoice's references are called on the form and, as the API names them, in the books.
REFERENCES = {
    "buyer_reference": "buyerReference",
    "order_number_reference": "orderNumberReference",
}
UNITS = ("unspecified", "hour", "day", "piece", "week", "month", "kilogram", "meter", "mile")


class DraftForm(forms.Form):
    """The head of a draft."""

    customer = forms.ModelChoiceField(Customer.objects.none(), label=_("Customer"), required=False)
    invoice_date = fields.day(label=_("Invoice date"))
    due_date = fields.day(label=_("Due date"))
    buyer_reference = forms.CharField(label=_("Buyer's reference"), max_length=200, required=False)
    order_number_reference = forms.CharField(
        label=_("Order number"), max_length=200, required=False
    )
    rounding = forms.BooleanField(label=_("Round the total to whole kronor"), required=False)

    def __init__(self, company: Company, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        fields.offer_rows(self, "customer", company.customers.order_by("name"))

    def clean(self) -> None:
        super().clean()
        start, end = (self.cleaned_data.get(name) for name in ("invoice_date", "due_date"))
        if start and end and end < start:
            self.add_error("due_date", gettext("The due date is before the invoice date."))

    def put_on(self, row: Invoice) -> None:
        data = self.cleaned_data
        row.customer = data["customer"]
        row.customer_name = row.customer.name if row.customer else ""
        row.invoice_date, row.due_date = data["invoice_date"], data["due_date"]
        row.rounding = data["rounding"]
        changed = {kept: data[shown] for shown, kept in REFERENCES.items()}
        row.references = {**row.references, **changed}


class LineForm(forms.Form):
    """One line. An empty one is left out, and an old one whose text is emptied is taken away."""

    use_required_attribute = False
    line = forms.IntegerField(widget=forms.HiddenInput, required=False)
    description = forms.CharField(
        label=_("Description"), max_length=LONGEST_DESCRIPTION, required=False
    )
    sold = forms.ChoiceField(label=_("Kind"), choices=SOLD, initial="services", required=False)
    quantity = fields.exact(label=_("Quantity"), required=False)
    unit = forms.CharField(
        label=_("Unit"),
        max_length=LONGEST_UNIT,
        required=False,
        widget=forms.TextInput(attrs={"list": "units"}),
    )
    price = fields.exact(label=_("Price"), required=False)
    rate = forms.TypedChoiceField(
        label=_("VAT"),
        choices=[(rate, f"{rate} %") for rate in reversed(TAX_RATES)],
        coerce=int,
        initial=25,
    )

    def clean(self) -> None:
        super().clean()
        data = self.cleaned_data
        if not data.get("description"):
            if data.get("price") is not None:
                self.add_error("description", gettext("A line with a price needs a description."))
        elif data.get("sold") and data.get("price") is None and "price" not in self.errors:
            self.add_error("price", gettext("Give the price of one, without VAT."))

    def as_line(self, old: dict[int, dict[str, Any]]) -> dict[str, Any] | None:
        """The line as it is kept, on top of what the old one had that is not on the form."""
        data = self.cleaned_data
        if not data.get("description"):
            return None
        kept = old.get(data["line"] or 0) or {"id": fresh_id(), "itemRef": None}
        if not data["sold"]:
            return {
                "id": kept["id"],
                "description": data["description"],
                "itemType": "descriptionOnlyItem",
                "itemRef": kept.get("itemRef"),
            }
        quantity = Decimal(1) if data["quantity"] is None else data["quantity"]
        standard = {"bookkeepingAccountNumber": None, "taxReduction": None}
        return {
            **standard,
            **kept,
            "description": data["description"],
            "itemType": "salesItem",
            "productType": data["sold"],
            "unitType": data["unit"] or "unspecified",
            "quantity": plain(quantity),
            "unitPrice": plain(data["price"]),
            "taxRate": str(data["rate"]),
        }


Lines = forms.formset_factory(
    LineForm, extra=BLANK_LINES, max_num=MOST_LINES, absolute_max=MOST_LINES
)


def _as_shown(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines of an invoice as the form's initial values."""
    return [
        {
            "line": line["id"],
            "description": line["description"],
            "sold": line.get("productType", ""),
            "quantity": Decimal(line["quantity"]) if "quantity" in line else None,
            "unit": line.get("unitType", ""),
            "price": Decimal(line["unitPrice"]) if "unitPrice" in line else None,
            "rate": int(Decimal(line.get("taxRate", "25"))),
        }
        for line in lines
    ]


@require_http_methods(["GET", "POST"])
@for_company
def new(request: HttpRequest, company: Company) -> HttpResponse:
    """A draft of the company's own, which no application made."""
    today = clock.today()
    row = Invoice(
        company=company,
        invoice_date=today,
        due_date=today + dt.timedelta(days=company.payment_days),
        rounding=company.whole_krona_rounding,
    )
    return _edit(request, company, row)


@require_http_methods(["GET", "POST"])
@for_company
def edit(request: HttpRequest, company: Company, invoice_id: uuid.UUID) -> HttpResponse:
    rows = company.invoices.select_related("company", "customer", "entry")
    return _edit(request, company, get_object_or_404(rows, uuid=invoice_id))


def _edit(request: HttpRequest, company: Company, row: Invoice) -> HttpResponse:
    head = DraftForm(company, request.POST or None, initial=_head_of(row))
    lines = Lines(request.POST or None, initial=_as_shown(row.lines), prefix="lines")
    refused = None
    if request.method == "POST" and head.is_valid() and lines.is_valid():
        refused = attempt(lambda: _save(row, head, lines))
        if refused is None:
            messages.success(request, gettext("The draft is saved."))
            return redirect("invoice", company.uuid, row.uuid)
    context = {"invoice": row, "head": head, "lines": lines, "refused": refused, "units": UNITS}
    status = status_of(refused, typed=head.is_bound)
    return company_page(request, company, "invoices", "draft", context, status=status)


def _head_of(row: Invoice) -> dict[str, Any]:
    return {
        "customer": row.customer_id,
        "invoice_date": row.invoice_date,
        "due_date": row.due_date,
        "rounding": row.rounding,
        **{shown: row.references.get(kept) for shown, kept in REFERENCES.items()},
    }


def _save(row: Invoice, head: DraftForm, lines: "forms.BaseFormSet[LineForm]") -> None:
    """Put head and lines on the draft as it stands now, which may no longer be one."""
    if row.pk:
        row.refresh_from_db()
    invoicing.require_draft(row)
    head.put_on(row)
    old = {line["id"]: line for line in row.lines}
    made = (form.as_line(old) for form in lines.forms)
    row.lines = [line for line in made if line]
    invoicing.recalculate(row)
    row.save()

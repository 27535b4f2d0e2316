"""What the invoice editor holds between a request and the page: forms, lines, totals, entry."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.core.money import ZERO, Row, Totals, rounded, totals
from bokio_app.core.templatetags.ui import Mistake, mistakes
from bokio_app.ledger.models import FiscalYear
from bokio_app.ledger.queries import account_names, fiscal_year_of

from . import expected
from .forms import CustomerForm, DiscountForm, InvoiceForm, LineForm, as_typed, is_blank
from .models import Customer, Invoice, LineItem
from .services import DraftInput, LineInput

MOST_LINES = 300
LINE_KEY = re.compile(r"lines-(\d{1,6})-type")
NEW_LINE = {"type": LineItem.Type.SALES, "quantity": "1", "tax_rate": "25"}
NEW_TEXT = {"type": LineItem.Type.TEXT}

RawLine = Mapping[str, str]


class Editor:
    """One draft of one company, as typed. `quiet` shows what was typed without judging it."""

    def __init__(
        self,
        connection: Connection,
        *,
        head: Mapping[str, Any],
        rows: Sequence[RawLine],
        invoice: Invoice | None = None,
        quiet: bool = True,
    ) -> None:
        self.connection, self.invoice, self.quiet = connection, invoice, quiet
        self.rows = list(rows)[:MOST_LINES]
        self.accounts = account_names(connection)
        self.form = (
            InvoiceForm(initial=dict(head), connection=connection)
            if quiet
            else InvoiceForm(head, connection=connection)
        )
        self.lines = [self._line(row, number) for number, row in enumerate(self.rows, start=1)]
        self.discount = DiscountForm(prefix="discount", use_required_attribute=False)
        self.customer_form = CustomerForm(prefix="new", connection=connection)
        self.customer_open = False
        self.notes: list[Mistake] = []

    def _line(self, row: RawLine, number: int, *, quiet: bool | None = None) -> LineForm:
        prefix = f"lines-{number - 1}"
        quiet = self.quiet if quiet is None else quiet
        if quiet:
            return LineForm(initial=row, prefix=prefix, number=number, accounts=self.accounts)
        data = {f"{prefix}-{name}": value for name, value in row.items()}
        return LineForm(data, prefix=prefix, number=number, accounts=self.accounts)

    @property
    def empty_line(self) -> LineForm:
        """What the script copies for a new line."""
        return LineForm(initial=NEW_LINE, prefix="lines-NEW", accounts=self.accounts)

    @property
    def empty_text(self) -> LineForm:
        return LineForm(initial=NEW_TEXT, prefix="lines-NEW", accounts=self.accounts)

    # --- What was typed ------------------------------------------------------------------
    def is_valid(self) -> bool:
        return all([self.form.is_valid(), *(line.is_valid() for line in self.lines)])

    @property
    def draft(self) -> DraftInput:
        """The draft for the services, of a valid editor."""
        values = self.form.cleaned_data
        return DraftInput(
            customer=values["customer"],
            invoice_date=values["invoice_date"],
            due_date=values["due_date"],
            your_reference=values["your_reference"],
            lines=[line.line for line in self.lines if not line.is_blank],
        )

    @cached_property
    def readable_lines(self) -> list[LineInput]:
        """The lines whose amount can be read as they stand; totals leave the others out."""
        forms = [self._line(row, n, quiet=False) for n, row in enumerate(self.rows, start=1)]
        return [form.line for form in forms if not form.is_blank and form.is_readable]

    @cached_property
    def customer(self) -> Customer | None:
        """The customer picked, if any."""
        found = str(self.form["customer"].value() or "")
        try:
            return self.connection.customers.filter(pk=uuid.UUID(found)).first()
        except ValueError:
            return None

    @cached_property
    def totals(self) -> Totals:
        sold = (line for line in self.readable_lines if line.is_sales)
        return totals(Row(net=line.net, tax_rate=line.tax_rate) for line in sold)

    @property
    def tax_rows(self) -> list[tuple[int, Decimal, Decimal, bool]]:
        """Percent, net, VAT and whether any line has it, for every rate there is."""
        found = self.totals.tax_by_rate
        return [
            (rate, *found.get(rate, (ZERO, ZERO)), rate in found) for rate in LineItem.TAX_RATES
        ]

    @property
    def sales_accounts(self) -> list[tuple[int, str]]:
        """What the account field proposes."""
        return [(number, name) for number, name in self.accounts.items() if 3000 <= number < 4000]

    @cached_property
    def entry(self) -> expected.Entry:
        return expected.invoice_entry(
            self.readable_lines, customer=self.customer, names=self.accounts
        )

    @cached_property
    def year(self) -> FiscalYear | None:
        """The fiscal year of today, for the company's place in the top bar."""
        return fiscal_year_of(self.connection, clock.today())

    @cached_property
    def is_cash(self) -> bool:
        return bool(self.year and self.year.is_cash)

    # --- What is wrong with it -----------------------------------------------------------
    @property
    def mistakes(self) -> list[Mistake]:
        """Everything to put right, in the order of the page, as links to the fields."""
        parts: list[Any] = [] if self.quiet else [self.form, *self.lines]
        return [*self.notes, *mistakes([*parts, self.customer_form, self.discount])]

    def add_problems(self, problems: Iterable[tuple[str, str]]) -> None:
        """Put what `problems.problems_of` found on its fields. The editor must not be quiet."""
        for field, code in problems:
            text = problem_text(field, code)
            part, _dot, rest = field.partition(".")
            if part == "lines" and rest:
                self._on_line(int(rest.partition(".")[0]), "account", text)
            elif part == "lines":
                self.notes.append(Mistake(text, "id_lines-0-description"))
            else:
                self._on_head("customer_text" if part == "customer" else part, text)

    def add_refusals(self, refusals: Iterable[Sequence[str]]) -> None:
        """Put Bokio's messages on the fields that its pointers name; others stand at the top."""
        for pointer, message in refusals:
            text = _("Bokio: %(message)s") % {"message": message}
            path = [part for part in pointer.strip("#/").split("/") if part]
            name = path[-1] if path else ""
            if len(path) > 2 and path[0] == "lineItems" and path[1].isdigit():
                if name in LINE_POINTERS and self._on_line(int(path[1]), LINE_POINTERS[name], text):
                    continue
                self.notes.append(Mistake(text))
            elif path and path[0] in HEAD_POINTERS:
                self._on_head(HEAD_POINTERS[path[0]], text)
            elif name in CUSTOMER_POINTERS and self._on_customer(CUSTOMER_POINTERS[name], text):
                continue
            else:
                self.notes.append(Mistake(text))

    def _on_line(self, position: int, name: str, text: str) -> bool:
        if position >= len(self.lines):
            return False
        line = self.lines[position]
        line.is_valid()
        line.add_error(name, text)
        return True

    def _on_head(self, name: str, text: str) -> None:
        self.form.is_valid()
        self.form.add_error(name, text)

    def _on_customer(self, name: str, text: str) -> bool:
        customer = self.customer
        if customer is None or customer.remote_id:
            return False
        if not self.customer_open:
            self.edit_customer(customer)
        self.customer_form.add_error(name, text)
        return True

    # --- What people do to it ------------------------------------------------------------
    def add_discount(self, data: QueryDict) -> bool:
        """Turn the discount typed into a line of its own. False, with errors, if it cannot be."""
        self.discount = DiscountForm(data, prefix="discount", use_required_attribute=False)
        if not self.discount.is_valid():
            return False
        values = self.discount.cleaned_data
        rate: int = values["tax_rate"]
        sold = [line for line in self.readable_lines if line.is_sales and line.tax_rate == rate]
        amount: Decimal = values["amount"]
        text = _("Discount")
        if values["kind"] == "percent":
            net = sum((line.net for line in sold), ZERO)
            text = _("Discount %(percent)s %%") % {"percent": as_typed(amount, decimals=None)}
            amount = rounded(net * amount / 100)
            if amount <= 0:
                message = _("No line with this VAT rate has anything to discount.")
                self.discount.add_error("amount", message)
                return False
        above = sold or [line for line in self.readable_lines if line.is_sales]
        row = {
            **NEW_LINE,
            "description": text,
            "product": above[-1].product if above else LineItem.Product.SERVICES,
            "unit": LineItem.Unit.UNSPECIFIED,
            "unit_price": as_typed(-amount),
            "tax_rate": str(rate),
            "account": str(expected.DISCOUNTS),
        }
        self.discount = DiscountForm(prefix="discount", use_required_attribute=False)
        self.set_rows([*without_last_blanks(self.rows), row])
        return True

    def set_rows(self, rows: Sequence[RawLine]) -> None:
        """Show other lines than those the editor was made with."""
        self.rows = list(rows)[:MOST_LINES]
        self.lines = [self._line(row, number) for number, row in enumerate(self.rows, start=1)]
        for name in ("readable_lines", "totals", "entry"):
            self.__dict__.pop(name, None)

    def pick(self, customer: Customer) -> None:
        """Make this the invoice's customer; terms nobody has touched become the customer's."""
        values = {name: self.form[name].value() for name in self.form.fields}
        values |= {
            "customer": str(customer.pk),
            "customer_text": customer.name,
            "customer_choice": "",
        }
        self.form = InvoiceForm(initial=values, connection=self.connection)
        self.quiet = True
        self.set_rows(self.rows)
        self.__dict__.pop("customer", None)

    def edit_customer(self, customer: Customer) -> None:
        """Open the customer's form, filled in, so that it can be corrected."""
        values = {f"new-{name}": getattr(customer, name) for name in CustomerForm.Meta.fields}
        values["new-id"] = str(customer.pk)
        self.customer_form = CustomerForm(
            values, prefix="new", connection=self.connection, instance=customer
        )
        self.customer_form.is_valid()
        self.customer_open = True


LINE_POINTERS = {
    "description": "description",
    "quantity": "quantity",
    "unitPrice": "unit_price",
    "unitType": "unit",
    "taxRate": "tax_rate",
    "productType": "product",
    "bookkeepingAccountNumber": "account",
}
HEAD_POINTERS = {
    "customerRef": "customer_text",
    "invoiceDate": "invoice_date",
    "dueDate": "due_date",
    "buyerReference": "your_reference",
}
CUSTOMER_POINTERS = {
    "name": "name",
    "type": "type",
    "orgNumber": "org_number",
    "vatNumber": "vat_number",
    "email": "email",
    "paymentTerms": "payment_terms",
    "line1": "line1",
    "line2": "line2",
    "postalCode": "postal_code",
    "city": "city",
    "country": "country",
}


def problem_text(field: str, code: str) -> str:
    """A problem of `problems.problems_of` in words that say what to do."""
    if code == "missing":
        return {
            "customer": _("Choose the customer."),
            "customer.address": _("The customer needs an address before Bokio can publish."),
        }.get(field, _("The invoice needs at least one line with a price."))
    return {
        "no_fiscal_year": _("The company has no fiscal year for this date."),
        "closed_year": _("The fiscal year of this date is closed. Choose a date in an open one."),
        "before_invoice_date": _("The due date is before the invoice date."),
        "unknown_account": _("This account is not in the chart. Choose one that is."),
        "not_positive": _("The total must be above 0. To pay money back, credit an invoice."),
    }[code]


def rows_of(data: QueryDict) -> list[RawLine]:
    """The lines as typed, in the order in which they stand on the page."""
    numbers = [found[1] for key in data if (found := LINE_KEY.fullmatch(key))]
    return [
        {name: data.get(f"lines-{number}-{name}", "") for name in LineForm.FIELDS}
        for number in numbers
    ]


def without_last_blanks(rows: Sequence[RawLine]) -> list[RawLine]:
    kept = list(rows)
    while kept and is_blank(kept[-1]):
        kept.pop()
    return kept


def blank(connection: Connection) -> Editor:
    """An invoice not begun."""
    head = {
        "draft_id": str(uuid.uuid4()),
        "request_key": str(uuid.uuid4()),
        "version": 0,
        "invoice_date": clock.today().isoformat(),
    }
    return Editor(connection, head=head, rows=[NEW_LINE])


def typed(
    connection: Connection, data: QueryDict, *, invoice: Invoice | None, quiet: bool
) -> Editor:
    """What a person sent."""
    head = {name: data.get(name, "") for name in InvoiceForm.base_fields}
    return Editor(connection, head=head, rows=rows_of(data), invoice=invoice, quiet=quiet)


def stored(invoice: Invoice) -> Editor:
    """A draft as it was saved."""
    day, due, customer = invoice.invoice_date, invoice.due_date, invoice.customer
    terms = str((due - day) // timedelta(days=1)) if due else ""
    head = {
        "request_key": str(uuid.uuid4()),
        "version": invoice.version,
        "customer": str(customer.pk) if customer else "",
        "customer_text": customer.name if customer else "",
        "invoice_date": day.isoformat(),
        "terms": terms,
        "terms_seen": terms,
        "due_date": due.isoformat() if due else "",
        "due_seen": due.isoformat() if due else "",
        "your_reference": invoice.your_reference,
    }
    rows = [
        {
            "type": line.type,
            "description": line.description,
            "product": line.product,
            "quantity": as_typed(line.quantity, decimals=None),
            "unit": line.unit,
            "unit_price": as_typed(line.unit_price),
            "tax_rate": str(line.tax_rate),
            "account": str(line.account or ""),
        }
        for line in invoice.lines.all()
    ]
    return Editor(
        invoice.connection, head=head, rows=rows or [NEW_LINE], invoice=invoice, quiet=False
    )

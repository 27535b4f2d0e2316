"""What the invoice editor holds between a request and the page: forms, lines, totals, entry."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.forms import BoundField
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.core.money import ZERO, Row, Totals, rounded, totals
from bokio_app.core.personal import is_personal_number
from bokio_app.core.templatetags.ui import Mistake, mistakes
from bokio_app.ledger import prediction
from bokio_app.ledger.models import FiscalYear
from bokio_app.ledger.queries import account_names, fiscal_year_of

from . import expected
from .currencies import HOME
from .discounts import discount_lines
from .forms import CustomerForm, LineForm, is_blank
from .head import InvoiceForm
from .inputs import DraftInput, LineInput
from .items_offered import Found, find, row_of_item
from .models import Customer, Invoice, LineItem
from .more import InvoiceMore
from .reduction_form import RawReduction, ReductionPart
from .refusals import CUSTOMER_POINTERS, HEAD_POINTERS, LINE_POINTERS, problem_text

ONE = Decimal(1)
MOST_LINES = 300
NEW_LINE = {"type": LineItem.Type.SALES, "quantity": "1", "tax_rate": "25"}
NEW_TEXT = {"type": LineItem.Type.TEXT}

MORE_FIELDS = ("order_number", "project", "contract", *InvoiceMore.ADDRESS)

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
        reduction: RawReduction | None = None,
    ) -> None:
        self.connection, self.invoice, self.quiet = connection, invoice, quiet
        self.rows = list(rows)[:MOST_LINES]
        self.accounts = account_names(connection)
        self.items_url = reverse("invoicing:items", args=[connection.pk])
        self.item_text, self.found_items = "", list[Found]()
        self.form = (
            InvoiceForm(initial=dict(head), connection=connection)
            if quiet
            else InvoiceForm(head, connection=connection)
        )
        self.lines = [self._line(row, number) for number, row in enumerate(self.rows, start=1)]
        self.customer_form = CustomerForm(prefix="new", connection=connection)
        self.customer_open = False
        self.notes: list[Mistake] = []
        self.reduction = ReductionPart(reduction or RawReduction(), quiet=quiet)

    def _line(self, row: RawLine, number: int, *, quiet: bool | None = None) -> LineForm:
        prefix = f"lines-{number - 1}"
        quiet = self.quiet if quiet is None else quiet
        if quiet:
            return self._form(initial=row, prefix=prefix, number=number)
        data = {f"{prefix}-{name}": value for name, value in row.items()}
        return self._form(data, prefix=prefix, number=number)

    def _form(self, *args: Any, **options: Any) -> LineForm:
        return LineForm(*args, accounts=self.accounts, items_url=self.items_url, **options)

    @property
    def empty_line(self) -> LineForm:
        """What the script copies for a new line."""
        return self._form(initial=NEW_LINE, prefix="lines-NEW")

    # --- What was typed ------------------------------------------------------------------
    def is_valid(self) -> bool:
        parts = [self.form.is_valid(), *(line.is_valid() for line in self.lines)]
        return self._reduction_fits() and all(parts)

    def _reduction_fits(self) -> bool:
        return self.reduction.is_valid(
            currency=self.currency, total=self.totals.total, lines=self.typed_lines
        )

    @cached_property
    def is_whole(self) -> bool:
        """Whether the draft could be saved as it stands; of a quiet editor too."""
        forms = [self._line(row, n, quiet=False) for n, row in enumerate(self.rows, start=1)]
        parts = [not self.readable_head.errors, *(form.is_valid() for form in forms)]
        return self._reduction_fits() and all(parts)

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
            discount=self.form.found_discount,
            currency=values["currency"],
            more=self.form.found_more,
            reduction=self.reduction.value,
        )

    @property
    def readable_draft(self) -> DraftInput:
        """As much of the draft as can be read, for keeping one that is not whole yet."""
        head = self.readable_head
        values = head.cleaned_data
        return DraftInput(
            customer=values.get("customer"),
            invoice_date=values.get("invoice_date") or clock.today(),
            due_date=values.get("due_date"),
            your_reference=values.get("your_reference", ""),
            lines=self.typed_lines,
            discount=head.found_discount,
            currency=self.currency,
            more=head.found_more,
            reduction=self.reduction.value,
        )

    @property
    def as_it_stands(self) -> dict[str, Any]:
        """The head and the lines as typed, to be shown again; without a personal number that
        somebody looked a customer up by, which is not to lie open in a row.
        """
        head = {name: str(self.form[name].value() or "") for name in self.form.fields}
        if is_personal_number(head["customer_text"]):
            head["customer_text"] = ""
        return {"head": head, "rows": [dict(row) for row in self.rows]}

    @property
    def is_begun(self) -> bool:
        """Whether there is anything worth keeping in it."""
        words = ("customer_text", "your_reference", *MORE_FIELDS)
        typed = self.reduction.is_on or any(self.form[name].value() for name in words)
        return typed or not all(map(is_blank, self.rows))

    @cached_property
    def typed_lines(self) -> list[LineInput]:
        """The lines whose amount can be read as they stand; totals leave the others out."""
        forms = [self._line(row, n, quiet=False) for n, row in enumerate(self.rows, start=1)]
        return [form.line for form in forms if not form.is_blank and form.is_readable]

    @cached_property
    def readable_head(self) -> InvoiceForm:
        """The head, judged; of a quiet editor too, which does not show the judgement."""
        if not self.quiet:
            self.form.is_valid()
            return self.form
        typed = {name: self.form[name].value() for name in self.form.fields}
        form = InvoiceForm(typed, connection=self.connection)
        form.is_valid()
        return form

    @cached_property
    def discount_lines(self) -> list[LineInput]:
        """What the discount becomes, below the lines."""
        return discount_lines(self.typed_lines, self.readable_head.found_discount)

    @property
    def discount_rows(self) -> list[tuple[int, LineInput | None]]:
        """The discount's line of every VAT rate there is, where it has one."""
        found = {line.tax_rate: line for line in self.discount_lines}
        return [(rate, found.get(rate)) for rate in LineItem.TAX_RATES]

    @property
    def discount_account(self) -> int:
        return expected.DISCOUNTS

    @property
    def discount_field(self) -> str:
        return beside(self.form["discount"])

    @property
    def discount_kind_field(self) -> str:
        return beside(self.form["discount_kind"])

    @property
    def currency(self) -> str:
        return self.readable_head.cleaned_data.get("currency") or HOME

    @property
    def total_home(self) -> Decimal | None:
        """The total in SEK, of an invoice in another currency whose rate is known."""
        rate = self.readable_head.cleaned_data.get("rate")
        if self.currency == HOME or not rate:
            return None
        return rounded(self.totals.total * rate)

    @property
    def currencies(self) -> tuple[str, ...]:
        """What the field for the currency proposes."""
        return (HOME, "EUR", "NOK", "DKK", "USD", "GBP", "CHF")

    @property
    def more_is_open(self) -> bool:
        """Whether the part that most invoices leave empty has something to show."""
        return any(self.form[name].value() or self.form[name].errors for name in MORE_FIELDS)

    @property
    def readable_lines(self) -> list[LineInput]:
        return [*self.typed_lines, *self.discount_lines]

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
    def deduction(self) -> Decimal:
        """What the Tax Agency pays, SEK."""
        value = self.reduction.value
        return value.deduction if value else ZERO

    @property
    def to_pay(self) -> Decimal:
        """What the customer pays, in the invoice's currency."""
        return self.totals.total - self.deduction

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
        rate = self.readable_head.cleaned_data.get("rate")
        lines = self.readable_lines if self.currency == HOME or rate else []
        sale = expected.sale_of(
            lines, customer=self.customer, rate=rate or ONE, deduction=self.deduction
        )
        return prediction.invoice_entry(sale, names=self.accounts)

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
        parts: list[Any] = [] if self.quiet else [self.form, *self.reduction.forms, *self.lines]
        return [*self.notes, *mistakes([*parts, self.customer_form])]

    def add_problems(self, problems: Iterable[tuple[str, str]]) -> None:
        """Put what `problems.problems_of` found on its fields. The editor must not be quiet."""
        for field, code in problems:
            text = problem_text(field, code)
            part, _dot, rest = field.partition(".")
            if part == "lines" and rest:
                if not self._on_line(int(rest.partition(".")[0]), "account", text):
                    self._on_head("discount", text)
            elif part == "typed":
                continue  # the fields say themselves what is not finished
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
    def find_items(self, text: str) -> None:
        """Show the items that hold the text, each with a button; a single one becomes a line."""
        self.item_text = text
        self.found_items = find(self.connection, text)
        if len(self.found_items) == 1:
            self.add_item(str(self.found_items[0].pk))

    def add_item(self, pk: str) -> None:
        """Add a line that says what the item says."""
        item = self.connection.items.filter(pk=pk, gone_at=None).first() if pk.isdigit() else None
        if item:
            self.set_rows([*without_last_blanks(self.rows), row_of_item(item)])
            self.item_text, self.found_items = "", []

    def set_rows(self, rows: Sequence[RawLine]) -> None:
        """Show other lines than those the editor was made with."""
        self.rows = list(rows)[:MOST_LINES]
        self.lines = [self._line(row, number) for number, row in enumerate(self.rows, start=1)]
        for name in ("typed_lines", "discount_lines", "totals", "entry"):
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


def beside(field: BoundField) -> str:
    """A field without a label of its own above, as the lines have theirs."""
    css = f"input {field.field.widget.attrs.get('class', '')}".strip()
    attrs: dict[str, str | bool] = {"class": css, "aria-label": str(field.label)}
    if field.errors:
        attrs |= {"aria-invalid": "true", "aria-describedby": f"{field.auto_id}_error"}
    return field.as_widget(attrs=attrs)


def without_last_blanks(rows: Sequence[RawLine]) -> list[RawLine]:
    kept = list(rows)
    while kept and is_blank(kept[-1]):
        kept.pop()
    return kept

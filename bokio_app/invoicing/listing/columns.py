"""The columns of the list: what each shows of a row on the page, and says of it in a file.

Rows are written here and not in a template: a page has a thousand cells, and looking up variables
and addresses for each would take most of the page's time. What comes from outside passes `escape`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from html import escape
from typing import TYPE_CHECKING
from uuid import UUID

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, gettext_lazy, ngettext

from bokio_app.core.formats import DASH, money
from bokio_app.core.templatetags.ui import glyph, known

from .rows import Row

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

NOBODY = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Column:
    """`css` is of its cells, `sort` names the order that its head asks for; `is_fixed` columns
    cannot be left out. `write` makes the content of a cell, `plain` that of a file.
    """

    name: str
    label: StrPromise
    write: Callable[[Row], str]
    plain: Callable[[Row], object]
    css: str = ""
    sort: str = ""
    is_fixed: bool = False
    is_wanted: bool = True
    is_number: bool = False

    @property
    def head_css(self) -> str:
        """Of its head: where the cells are hidden or stand at the right, the head is too."""
        kept = {"rank-2", "rank-3"} & set(self.css.split())
        return " ".join([*(["num"] if self.is_number else []), *sorted(kept)])

    def cell(self, row: Row) -> str:
        """The whole cell."""
        content = self.write(row)
        if self.name == "number":
            return f'<th scope="row" class="{self.css}">{content}</th>'
        is_zero = content == DASH or (self.name == "open" and not row.invoice.open_amount)
        return f'<td class="{self.css}{" zero" if is_zero else ""}">{content}</td>'


def written(
    rows: Iterable[Row], columns: Sequence[Column], *, picked: Collection[UUID], can_pick: bool
) -> SafeString:
    """The rows as HTML, with a box to select each by."""
    select = escape(gettext("Select"))
    parts = []
    for row in rows:
        parts.append(_opening(row))
        parts.append(f'<td class="pick">{_box(row, select, picked) if can_pick else ""}</td>')
        parts.extend(column.cell(row) for column in columns)
        parts.append("</tr>\n")
    return mark_safe("".join(parts))  # noqa: S308  each part has escaped what it holds


def _opening(row: Row) -> str:
    invoice = row.invoice
    css = ' class="settled"' if row.is_settled else ""
    return (
        f'<tr{css} data-company="{invoice.connection_id}"'
        f' data-currency="{escape(invoice.currency)}" data-total="{row.total_in_cents}"'
        f' data-open="{row.open_in_cents}">'
    )


def _box(row: Row, select: str, picked: Collection[UUID]) -> str:
    named = escape(f"{row.invoice.number} {_customer_name(row)}")
    checked = " checked" if row.invoice.pk in picked else ""
    return (
        f'<input type="checkbox" name="invoice" form="bulk" value="{row.invoice.pk}"'
        f' aria-label="{select} {named}"{checked}>'
    )


def chosen(names: Iterable[str], *, one_company: bool) -> list[Column]:
    """The columns named, in their usual order, with those that are never left out."""
    wanted = set(names) or {column.name for column in COLUMNS if column.is_wanted}
    return [
        column
        for column in COLUMNS
        if (column.is_fixed or column.name in wanted)
        and not (one_company and column.name == "company")
    ]


# --- What stands in the cells --------------------------------------------------------------
@cache
def _address() -> tuple[str, str]:
    before, after = reverse("invoicing:detail", args=[NOBODY]).split(NOBODY)
    return before, after


def link_to(row: Row) -> str:
    """The address of the invoice."""
    before, after = _address()
    return f"{before}{row.invoice.pk}{after}"


def _number(row: Row) -> str:
    name = row.invoice.number or gettext("Draft")
    company = escape(str(row.invoice.connection))
    return f'{_link(row, name)}<span class="on-phone"> · {company}</span>'


def _link(row: Row, text: str) -> str:
    return f'<a class="plain-link" href="{link_to(row)}">{escape(text)}</a>'


def _customer_name(row: Row) -> str:
    return row.invoice.customer.name if row.invoice.customer else ""


def _customer(row: Row) -> str:
    return _link(row, _customer_name(row) or DASH)


def _state(row: Row) -> str:
    if row.state != "overdue" or not row.days:
        return _drawn(row.state, get_language())
    late = ngettext("%(days)s day", "%(days)s days", row.days) % {"days": row.days}
    return glyph(row.state, detail=late)


@cache  # a page shows few of them a hundred times
def _drawn(state: str, _language: str | None) -> str:
    return glyph(state)


def _state_word(row: Row) -> object:
    return known(row.state).word


def _entry(row: Row) -> str:
    return escape(row.entry) or (gettext("Recorded") if row.invoice.is_recorded else DASH)


def _total(row: Row) -> str:
    return _money(row, row.invoice.total)


def _open(row: Row) -> str:
    return DASH if row.invoice.is_draft else _money(row, row.invoice.open_amount)


def _money(row: Row, amount: Decimal) -> str:
    currency = row.invoice.currency
    return escape(money(amount, "" if currency == "SEK" else currency))


def _text(name: str) -> Callable[[Row], str]:
    return lambda row: str(getattr(row.invoice, name) or "")


def _shown(name: str) -> Callable[[Row], str]:
    return lambda row: escape(str(getattr(row.invoice, name) or DASH))


COLUMNS = (
    Column(
        "number",
        gettext_lazy("No."),
        _number,
        _text("number"),
        css="at-sub nowrap nums",
        sort="number",
        is_fixed=True,
    ),
    Column(
        "customer",
        gettext_lazy("Customer"),
        _customer,
        _customer_name,
        css="at-head",
        sort="customer",
        is_fixed=True,
    ),
    Column(
        "company",
        gettext_lazy("Company"),
        _shown("connection"),
        _text("connection"),
        css="t2 rank-2",
        sort="company",
    ),
    Column(
        "date",
        gettext_lazy("Invoice date"),
        _shown("invoice_date"),
        _text("invoice_date"),
        css="t2 nowrap nums rank-2",
        sort="date",
    ),
    Column(
        "due",
        gettext_lazy("Due"),
        _shown("due_date"),
        _text("due_date"),
        css="t2 nowrap nums rank-3",
        sort="due",
    ),
    Column("state", gettext_lazy("Status"), _state, _state_word, css="at-state", is_fixed=True),
    Column(
        "entry", gettext_lazy("Journal entry"), _entry, lambda row: row.entry, css="nums rank-3"
    ),
    Column(
        "reference",
        gettext_lazy("Your reference"),
        _shown("your_reference"),
        _text("your_reference"),
        css="t2 rank-3",
        is_wanted=False,
    ),
    Column(
        "ocr", gettext_lazy("OCR"), _shown("ocr"), _text("ocr"), css="nums rank-3", is_wanted=False
    ),
    Column(
        "total",
        gettext_lazy("Total, SEK"),
        _total,
        lambda row: row.invoice.total,
        css="money at-amount",
        sort="total",
        is_fixed=True,
        is_number=True,
    ),
    Column(
        "open",
        gettext_lazy("Open, SEK"),
        _open,
        lambda row: "" if row.invoice.is_draft else row.invoice.open_amount,
        css="money rank-2",
        sort="open",
        is_number=True,
    ),
)
BY_NAME: Mapping[str, Column] = {column.name: column for column in COLUMNS}

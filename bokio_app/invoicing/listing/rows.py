"""A page of the list, each row with the one state that needs action first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bokio_app.flows.models import Flow
from bokio_app.invoicing.models import Invoice
from bokio_app.invoicing.queries import OPEN_STATES, state_of
from bokio_app.ledger.models import JournalEntry
from bokio_app.tenants.models import Tenant

from .asked import Asked
from .matching import invoices_of
from .order import ordered, place_of

PAGE = 100
FIELDS = (
    *("id", "tenant_id", "number", "ocr", "status", "invoice_date", "due_date", "your_reference"),
    *("currency", "total", "open_amount", "journal_entry_id", "created_at"),
    *("connection__name", "connection__company_id", "customer__name"),
)


@dataclass(frozen=True)
class Row:
    """One invoice of the list. `entry` is the number of its journal entry, once it is read."""

    invoice: Invoice
    state: str
    days: int
    entry: str

    @property
    def is_settled(self) -> bool:
        return self.state in {"paid", "credited"}

    @property
    def total_in_cents(self) -> int:
        """For scripts, which have no decimal numbers."""
        return int(self.invoice.total * 100)

    @property
    def open_in_cents(self) -> int:
        """As `total_in_cents`; a draft owes nothing yet."""
        return 0 if self.invoice.is_draft else int(self.invoice.open_amount * 100)


@dataclass(frozen=True)
class Page:
    """A page of the list; `next` is the place where the following one begins."""

    rows: Sequence[Row]
    next: str


def find(tenant: Tenant, asked: Asked) -> Page:
    """One page of what was asked for, in three queries whatever it holds."""
    found = ordered(invoices_of(tenant, asked), asked.sort, after=asked.after)
    invoices = list(found.select_related("customer", "connection").only(*FIELDS)[: PAGE + 1])
    more, invoices = len(invoices) > PAGE, invoices[:PAGE]
    return Page(rows=rows_of(invoices), next=place_of(invoices[-1], asked.sort) if more else "")


def rows_of(invoices: Sequence[Invoice]) -> list[Row]:
    """The invoices with their journal entries and the flows that work on them."""
    numbers = _entries(invoices)
    flows = _flows(invoices)
    return [
        Row(
            invoice=each,
            state=state_of(each, flow_state=flows.get(each.resource_key, "")),
            days=each.overdue_days,
            entry=numbers.get(each.journal_entry_id, ""),
        )
        for each in invoices
    ]


def _entries(invoices: Iterable[Invoice]) -> dict[str, str]:
    recorded = [each for each in invoices if each.journal_entry_id]
    found = JournalEntry.objects.filter(
        connection__in={each.connection_id for each in recorded},
        remote_id__in=[each.journal_entry_id for each in recorded],
    )
    return dict(found.values_list("remote_id", "number")) if recorded else {}


def _flows(invoices: Iterable[Invoice]) -> dict[str, str]:
    found = Flow.objects.filter(
        tenant__in={each.tenant_id for each in invoices},
        state__in=OPEN_STATES,
        resource_key__in=[each.resource_key for each in invoices],
    )
    return dict(found.order_by("pk").values_list("resource_key", "state"))

"""All that the page of one invoice shows, gathered in a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from bokio_app.core.formats import money
from bokio_app.core.money import ZERO, Totals, totals
from bokio_app.flows.explain import LACKS_SCOPE, explain_stop
from bokio_app.flows.models import Flow, FlowState, Step
from bokio_app.ledger.models import FiscalYear, JournalEntry
from bokio_app.ledger.queries import account_names, entries, fiscal_year_of

from . import attaching, bokios_total, crediting, history, lost, services, tax_reduction
from .comparing import Books, Comparison
from .models import Attachment, CreditNote, Invoice, LineItem
from .problems import problems_of
from .queries import states_of
from .tax_reduction import Reduction

READING = "read_invoice"
MOVING = (FlowState.READY, FlowState.RUNNING, FlowState.PARKED)


@dataclass(frozen=True)
class OpenRow:
    """One thing that makes up the open amount; `entry` is the number of its journal entry."""

    day: date | None
    label: str
    amount: Decimal
    entry: str
    is_recorded: bool
    is_pending: bool = False
    at: datetime | None = None
    url: str = ""
    undo_url: str = ""  # where it is taken back, or said how it is corrected


def flows_of(invoice: Invoice) -> list[Flow]:
    """Those that changed or change the invoice, and readings still under way; newest first.

    A page reads them before the invoice: of a flow that has ended by then, the invoice has all.
    """
    mine = Q(resource_key=invoice.resource_key)
    readings = Q(kind=READING, state__in=MOVING, business_key__startswith=f"{invoice.pk}:")
    found = Flow.objects.filter(mine | readings, connection_id=invoice.connection_id)
    return list(
        found.select_related("created_by")
        .prefetch_related("steps__attempts")
        .order_by("-created_at", "-pk")
    )


class Overview:
    """One invoice with its payments, books, flows and history."""

    def __init__(self, invoice: Invoice, flows: list[Flow]) -> None:
        """`flows` are `flows_of(invoice)`, read before the invoice was."""
        self.invoice, self.connection, self.flows = invoice, invoice.connection, flows
        self.states = states_of(invoice)
        self.list_url = reverse("invoicing:company_list", args=[self.connection.pk])
        self.check_url = f"{reverse('invoicing:edit', args=[invoice.pk])}?check"

    @property
    def open_sum(self) -> str:
        return money(self.invoice.open_amount, self.invoice.currency)

    @cached_property
    def lines(self) -> list[LineItem]:
        return list(self.invoice.lines.all())

    @property
    def rounding(self) -> Decimal:
        """How much Bokio's total differs from the lines: what whole kronor round away."""
        return self.invoice.total - self.line_sums.total

    @cached_property
    def line_sums(self) -> Totals:
        return totals(line.row for line in self.lines if line.is_sales)

    @property
    def tax_by_rate(self) -> list[tuple[int, tuple[Decimal, Decimal]]]:
        """Percent with (net, VAT), highest first."""
        return list(self.line_sums.tax_by_rate.items())

    # --- Flows ---------------------------------------------------------------------------
    @cached_property
    def moving(self) -> Flow | None:
        """The flow whose progress is shown: the oldest that workers go on with by themselves."""
        changing = [each for each in self.flows if each.kind != READING and each.is_moving]
        return changing[-1] if changing else None

    @cached_property
    def stuck(self) -> Flow | None:
        return next((each for each in self.flows if each.state == FlowState.STUCK), None)

    @cached_property
    def stuck_step(self) -> Step | None:
        """The step at which the stuck flow stands."""
        if self.stuck is None:
            return None
        at = self.stuck.cursor
        return next((step for step in self.stuck.steps.all() if step.pos == at), None)

    @cached_property
    def is_lost(self) -> bool:
        """Bokio no longer has the draft: it can be sent there as a new one."""
        return self.stuck is not None and lost.was_lost(self.stuck)

    @property
    def is_correctable(self) -> bool:
        """Whether another draft would help: what the company has not allowed, none would."""
        stuck = self.stuck
        return stuck is not None and self.is_editable and stuck.stuck_code != LACKS_SCOPE

    @property
    def is_total_in_doubt(self) -> bool:
        """Bokio's total is another one than ours: a person says whether it is published."""
        return bokios_total.is_in_doubt(self.stuck)

    @property
    def stuck_title(self) -> str:
        step = self.stuck_step
        return explain_stop(self.stuck, step).title if self.stuck and step else ""

    @property
    def stuck_meaning(self) -> str:
        step = self.stuck_step
        return explain_stop(self.stuck, step).meaning if self.stuck and step else ""

    @property
    def is_settling(self) -> bool:
        """Nothing is shown to move, but a reading is under way that will change the page."""
        return self.moving is None and any(each.is_moving for each in self.flows)

    @cached_property
    def is_editable(self) -> bool:
        return self.invoice.is_draft and services.is_editable(self.invoice)

    @cached_property
    def may_go_on(self) -> bool:
        return services.may_go_on(self.invoice)

    @cached_property
    def problems(self) -> list[tuple[str, str]]:
        return problems_of(self.invoice) if self.is_editable else []

    @property
    def may_pay(self) -> bool:
        invoice = self.invoice
        credited = invoice.status == Invoice.Status.CREDITED
        return not invoice.is_draft and not credited and invoice.open_amount > 0

    # --- Files ---------------------------------------------------------------------------
    @cached_property
    def attachments(self) -> list[Attachment]:
        rows = self.invoice.attachments.select_related("document", "added_by")
        return list(rows.defer("document__content"))

    @cached_property
    def no_files(self) -> str:
        """Why the invoice takes no files now, in words; empty if it does."""
        return str(attaching.WHY[code]) if (code := attaching.hindrance(self.invoice)) else ""

    # --- Books ---------------------------------------------------------------------------
    @cached_property
    def year(self) -> FiscalYear | None:
        """The fiscal year of the invoice date."""
        return fiscal_year_of(self.connection, self.invoice.invoice_date)

    @cached_property
    def names(self) -> dict[int, str]:
        return account_names(self.connection)

    @cached_property
    def payments(self) -> list[Any]:
        """Rows of the folder above, reached from the invoice."""
        return list(self.invoice.payments.all())

    @cached_property
    def settlements(self) -> list[Any]:
        return list(self.invoice.settlements.all())

    @cached_property
    def notes(self) -> list[CreditNote]:
        return crediting.notes_of(self.invoice)

    @property
    def credit_notes(self) -> list[CreditNote]:
        """The published ones that take it back, oldest first."""
        return [note for note in self.notes if not note.is_draft]

    @property
    def drafted_notes(self) -> list[CreditNote]:
        """Those that are still drafts, unless a flow is at work on them."""
        return [] if self.moving or self.stuck else [each for each in self.notes if each.is_draft]

    @property
    def may_credit(self) -> bool:
        """Whether its page of crediting has something to offer."""
        invoice = self.invoice
        at_bokio = not invoice.is_draft and not invoice.is_gone
        return at_bokio and invoice.status != Invoice.Status.CREDITED and not self.moving

    @cached_property
    def entries(self) -> dict[str, JournalEntry]:
        """Those read so far of the invoice and all that closes it, by Bokio's id."""
        rows: list[Any] = [
            self.invoice,
            *self.payments,
            *self.settlements,
            *self.credit_notes,
        ]
        found = entries(self.connection, [row.journal_entry_id for row in rows])
        return {entry.remote_id: entry for entry in found}

    @cached_property
    def entry_number(self) -> str:
        """The number of the invoice's own entry, once it is read."""
        return self._number(self.invoice.journal_entry_id)

    def _number(self, remote_id: str) -> str:
        entry = self.entries.get(remote_id)
        return entry.number if entry else ""

    @cached_property
    def open_rows(self) -> list[OpenRow]:
        """What the open amount is made of, oldest first."""
        rows = [
            *(self._open_row(row, _payment_label(row), "payment") for row in self.payments),
            *(self._open_row(row, str(row.label), "settlement") for row in self.settlements),
        ]
        rows += [
            OpenRow(
                day=note.credit_date,
                label=_("Credit note %(number)s") % {"number": note.number},
                amount=-note.total,
                entry=self._number(note.journal_entry_id),
                is_recorded=bool(note.journal_entry_id),
                at=note.published_at,
                url=reverse("credit_notes:detail", args=[note.pk]),
            )
            for note in self.credit_notes
        ]
        return sorted(rows, key=lambda row: (row.day, row.at is None, row.at))

    def _open_row(self, row: Any, label: str, kind: str) -> OpenRow:
        undo = reverse(f"payments:take_{kind}_back", args=[self.invoice.pk, row.pk])
        return OpenRow(
            day=row.date,
            label=label,
            amount=-row.amount,
            entry=self._number(row.journal_entry_id),
            is_recorded=row.is_recorded,
            is_pending=not row.remote_id,
            at=row.created_at,
            undo_url=undo if row.remote_id and not self.moving else "",
        )

    @cached_property
    def reduction(self) -> Reduction | None:
        """ROT or RUT of an invoice that was written here."""
        return tax_reduction.kept(self.invoice.pk)

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """The journal entries of the invoice and all that settles it, beside what we expected."""
        books = Books(
            self.invoice,
            self.lines,
            is_cash=self.is_cash,
            names=self.names,
            entries=self.entries,
            deduction=self.reduction.deduction if self.reduction else ZERO,
        )
        return books.comparisons(self.payments, self.settlements, self.credit_notes)

    @property
    def doubts(self) -> list[str]:
        """Why some of the accounts that we expect are not known for sure, each once."""
        return list(dict.fromkeys(why for each in self.comparisons for why in each.doubts))

    @property
    def same(self) -> int:
        return sum(each.verdict == "same" for each in self.comparisons)

    @property
    def differing(self) -> int:
        return sum(each.verdict == "differs" for each in self.comparisons)

    @cached_property
    def is_cash(self) -> bool:
        return bool(self.year and self.year.is_cash)

    # --- History -------------------------------------------------------------------------
    @cached_property
    def events(self) -> list[history.Happening]:
        changing = [flow for flow in self.flows if flow.kind != READING]
        return history.of_invoice(self.invoice, changing, self.entries)


def _payment_label(row: Any) -> str:
    return _("Payment, account %(account)s") % {"account": row.account}

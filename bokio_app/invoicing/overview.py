"""All that the page of one invoice shows, gathered in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from bokio_app.core.formats import money
from bokio_app.core.money import ZERO, totals
from bokio_app.flows.explain import LACKS_SCOPE, explain_stop
from bokio_app.flows.models import Flow, FlowState, Step
from bokio_app.ledger.models import FiscalYear, JournalEntry
from bokio_app.ledger.queries import account_names, entries, fiscal_year_of

from . import expected, history, lost, services
from .models import Invoice, LineItem
from .problems import problems_of
from .queries import states_of

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


@dataclass(frozen=True)
class ComparedRow:
    """One account, as expected and as recorded; both sides debit and credit in SEK."""

    account: int
    name: str
    wanted: tuple[Decimal, Decimal] | None
    found: tuple[Decimal, Decimal] | None

    @property
    def is_same(self) -> bool:
        return self.wanted == self.found


@dataclass(frozen=True)
class Comparison:
    """A journal entry beside the one we expected. `verdict`: same, differs, waiting, unread,
    unknown (nothing to hold it against).
    """

    title: str
    day: date | None
    rows: Sequence[ComparedRow]
    verdict: str
    number: str = ""


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
        self.list_url = f"{reverse('invoicing:list')}?company={self.connection.pk}"
        self.check_url = f"{reverse('invoicing:edit', args=[invoice.pk])}?check"

    @property
    def open_sum(self) -> str:
        return money(self.invoice.open_amount, self.invoice.currency)

    @cached_property
    def lines(self) -> list[LineItem]:
        return list(self.invoice.lines.all())

    @property
    def tax_by_rate(self) -> list[tuple[int, tuple[Decimal, Decimal]]]:
        """Percent with (net, VAT), highest first."""
        sold = (line.row for line in self.lines if line.is_sales)
        return list(totals(sold).tax_by_rate.items())

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
    def entries(self) -> dict[str, JournalEntry]:
        """Those read so far of the invoice, its payments and its settlements, by Bokio's id."""
        rows: list[Any] = [self.invoice, *self.payments, *self.settlements]
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
        paid = [
            (row, _("Payment, account %(account)s") % {"account": row.account})
            for row in self.payments
        ]
        kept = [(row, str(row.label)) for row in self.settlements]
        rows = sorted(paid + kept, key=lambda pair: (pair[0].date, pair[0].created_at))
        return [
            OpenRow(
                day=row.date,
                label=label,
                amount=-row.amount,
                entry=self._number(row.journal_entry_id),
                is_recorded=row.is_recorded,
                is_pending=not row.remote_id,
            )
            for row, label in rows
        ]

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """The journal entries of the invoice and all that settles it, beside what we expected."""
        if self.invoice.is_draft and not self.invoice.total:
            return []
        found = [self._of_invoice()] if not self.is_cash else []
        paid = [(row, _("Payment"), self._payment_entry(row)) for row in self.payments]
        kept = [(row, str(row.label), self._fee_entry(row)) for row in self.settlements]
        rows = sorted(paid + kept, key=lambda each: (each[0].date, each[0].created_at))
        return found + [
            self._compare(title, row.date, entry, row.journal_entry_id)
            for row, title, entry in rows
        ]

    @property
    def same(self) -> int:
        return sum(each.verdict == "same" for each in self.comparisons)

    @property
    def differing(self) -> int:
        return sum(each.verdict == "differs" for each in self.comparisons)

    @cached_property
    def is_cash(self) -> bool:
        return bool(self.year and self.year.is_cash)

    def _of_invoice(self) -> Comparison:
        invoice = self.invoice
        entry = expected.invoice_entry(self.lines, customer=invoice.customer, names=self.names)
        title = (
            _("Invoice %(number)s") % {"number": invoice.number} if invoice.number else _("Invoice")
        )
        return self._compare(title, invoice.invoice_date, entry, invoice.journal_entry_id)

    def _payment_entry(self, row: Any) -> expected.Entry | None:
        if self.is_cash:
            return None
        return expected.payment_entry(row.amount, account=row.account, names=self.names)

    def _fee_entry(self, row: Any) -> expected.Entry | None:
        if row.type != "bankFee":
            return None
        return expected.fee_entry(row.amount, names=self.names)

    def _compare(
        self, title: str, day: date, wanted: expected.Entry | None, remote_id: str
    ) -> Comparison:
        found = self.entries.get(remote_id)
        ours = _sides(wanted.rows if wanted else ())
        theirs = _sides(found.items.all() if found else ())
        rows = [
            ComparedRow(
                account=account,
                name=self.names.get(account, ""),
                wanted=ours.get(account),
                found=theirs.get(account),
            )
            for account in dict.fromkeys([*ours, *theirs])
        ]
        if found and wanted:
            verdict = "same" if ours == theirs else "differs"
        elif found:
            verdict = "unknown"
        else:
            verdict = "unread" if remote_id else "waiting"
        return Comparison(
            title=title,
            day=found.date if found else day,
            rows=rows,
            verdict=verdict,
            number=found.number if found else "",
        )

    # --- History -------------------------------------------------------------------------
    @cached_property
    def events(self) -> list[history.Happening]:
        changing = [flow for flow in self.flows if flow.kind != READING]
        return history.of_invoice(self.invoice, changing, self.entries)


def _sides(rows: Iterable[Any]) -> dict[int, tuple[Decimal, Decimal]]:
    """Debit and credit per account."""
    sums: dict[int, tuple[Decimal, Decimal]] = {}
    for row in rows:
        debit, credit = sums.get(row.account, (ZERO, ZERO))
        sums[row.account] = (debit + row.debit, credit + row.credit)
    return sums

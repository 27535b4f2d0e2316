"""Journal entries of an invoice and all that closes it, as expected and as Bokio wrote them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from bokio_app.core.money import ZERO
from bokio_app.ledger import prediction
from bokio_app.ledger.models import JournalEntry
from bokio_app.ledger.prediction import Entry, EntryRow, Sale
from bokio_app.ledger.prediction.entries import Side

from .expected import rate_of, sale_of
from .models import CreditNote, Invoice, LineItem

Sides = tuple[Decimal, Decimal]


@dataclass(frozen=True)
class ComparedRow:
    """One account, as expected and as recorded; both sides debit and credit in SEK. `why` says
    in words what is not known for sure of what we expect.
    """

    account: int
    name: str
    wanted: Sides | None
    found: Sides | None
    why: str = ""

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

    @property
    def doubts(self) -> list[str]:
        """What is not known for sure, each once; nothing once the books have borne it out."""
        if self.verdict == "same":
            return []
        return list(dict.fromkeys(row.why for row in self.rows if row.why))


class Books:
    """What an invoice's books should hold, and what they do hold.

    `entries` are those read so far, by Bokio's id; `names` is the company's chart.
    """

    def __init__(
        self,
        invoice: Invoice,
        lines: Sequence[LineItem],
        *,
        is_cash: bool,
        names: Mapping[int, str],
        entries: Mapping[str, JournalEntry],
        deduction: Decimal = ZERO,
    ) -> None:
        self.invoice, self.is_cash = invoice, is_cash
        self.names, self.entries = names, entries
        total = None if invoice.is_ours else invoice.total
        # What it comes to in SEK cannot be told before Bokio has said at which rate.
        self.sale: Sale | None = None
        if rate := rate_of(invoice):
            self.sale = sale_of(
                lines, customer=invoice.customer, total=total, rate=rate, deduction=deduction
            )

    def comparisons(
        self, payments: Iterable[Any], settlements: Iterable[Any], notes: Sequence[CreditNote]
    ) -> list[Comparison]:
        """The invoice first, then what closes it, oldest first."""
        if self.invoice.is_draft and not self.invoice.total:
            return []
        found = [] if self.is_cash else [self._of_invoice()]
        rows: list[Any] = sorted([*payments, *settlements], key=lambda e: (e.date, e.created_at))
        before = ZERO
        for row in rows:
            found.append(self._of_receipt(row, before=before, has_notes=bool(notes)))
            before += row.amount
        if not self.is_cash:
            found += [self._of_note(note, alone=len(notes) == 1) for note in notes]
        return found

    def _of_invoice(self) -> Comparison:
        invoice = self.invoice
        entry = None
        if self.sale:
            entry = prediction.invoice_entry(self.sale, names=self.names)
        title = (
            _("Invoice %(number)s") % {"number": invoice.number} if invoice.number else _("Invoice")
        )
        return self.compare(title, invoice.invoice_date, entry, invoice.journal_entry_id)

    def _of_note(self, note: CreditNote, *, alone: bool) -> Comparison:
        """Of one over a part, the lines are not known."""
        entry = None
        if self.sale and alone and note.total == self.invoice.total:
            entry = prediction.credit_note_entry(self.sale, names=self.names)
        title = _("Credit note %(number)s") % {"number": note.number}
        return self.compare(title, note.credit_date, entry, note.journal_entry_id)

    def _of_receipt(self, row: Any, *, before: Decimal, has_notes: bool) -> Comparison:
        """`before` is what came in earlier, which the cash method divides the sale by."""
        is_payment = not hasattr(row, "vat_scheme")
        sides = [Side(row.account, row.amount)] if is_payment else _settlement(row)
        owed = Side(prediction.RECEIVABLES, -row.amount)
        entry: Entry | None = None
        if sides and not self.is_cash:
            entry = prediction.as_entry([*sides, owed], self.names)
        elif sides and self.sale and not has_notes:
            entry = prediction.cash_entry(sides, sale=self.sale, before=before, names=self.names)
        title = _("Payment") if is_payment else str(row.label)
        return self.compare(title, row.date, entry, row.journal_entry_id)

    def compare(self, title: str, day: date, wanted: Entry | None, remote_id: str) -> Comparison:
        """The journal entry with this id of Bokio's beside what was expected."""
        found = self.entries.get(remote_id)
        ours = _sides(wanted.rows if wanted else ())
        theirs = _sides(found.items.all() if found else ())
        expected = {row.account: row for row in wanted.rows} if wanted else {}
        rows = [
            ComparedRow(
                account=account,
                name=self._name(account, expected.get(account)),
                wanted=ours.get(account),
                found=theirs.get(account),
                why=expected[account].why if account in expected else "",
            )
            for account in dict.fromkeys([*ours, *theirs])
        ]
        return Comparison(
            title=title,
            day=found.date if found else day,
            rows=rows,
            verdict=_verdict(found, wanted, same=ours == theirs, is_recorded=bool(remote_id)),
            number=found.number if found else "",
        )

    def _name(self, account: int, expected: EntryRow | None) -> str:
        return expected.name if expected else self.names.get(account, "")


def _verdict(
    found: JournalEntry | None, wanted: Entry | None, *, same: bool, is_recorded: bool
) -> str:
    if found and wanted:
        return "same" if same else "differs"
    if found:
        return "unknown"
    return "unread" if is_recorded else "waiting"


def _settlement(row: Any) -> list[Side]:
    return prediction.settlement_sides(row.type, row.amount, vat_scheme=row.vat_scheme)


def _sides(rows: Iterable[Any]) -> dict[int, Sides]:
    """Debit and credit per account."""
    sums: dict[int, Sides] = {}
    for row in rows:
        debit, credit = sums.get(row.account, (ZERO, ZERO))
        sums[row.account] = (debit + row.debit, credit + row.credit)
    return sums

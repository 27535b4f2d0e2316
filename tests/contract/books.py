"""A company's books as the API tells them at one moment, and what must hold in them.

The sums are worked out by `ledger_model` alone.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.contract import ledger_model as model

Json = dict[str, Any]


def phase(document: Json) -> str:
    """Draft, published or recorded. A receipt, which is never a draft, has no number."""
    if document.get("invoiceNumber", "") is None:
        return "draft"
    return "recorded" if document["journalEntryRef"] else "published"


def sells(line: Json) -> bool:
    return line["itemType"] == "salesItem" and line["unitPrice"] > 0


def path_of(receipt: Json) -> str:
    kind = "settlements" if "type" in receipt else "payments"
    return f"invoices/{receipt['invoiceId']}/{kind}/{receipt['id']}"


def day_of(receipt: Json) -> str:
    return str(_details(receipt)["date"])


def _details(receipt: Json) -> Json:
    """Day and amount: a payment has them itself, a settlement in a part of its own."""
    details: Json = receipt.get("invoiceSettlementDetails", receipt)
    return details


@dataclass(frozen=True)
class Books:
    """By id, receipts (payments and settlements) by path. Credit notes are no invoices here."""

    invoices: Mapping[str, Json]
    notes: Mapping[str, Json]
    entries: Mapping[str, Json]
    receipts: Mapping[str, Json]

    def in_phases(self, kind: str, *wanted: str) -> list[Json]:
        """The invoices, notes or receipts in one of these phases; without phases, all."""
        documents: list[Json] = list(getattr(self, kind).values())
        return [each for each in documents if not wanted or phase(each) in wanted]

    def notes_of(self, invoice_id: str) -> list[Json]:
        return [each for each in self.notes.values() if each["invoiceRef"]["id"] == invoice_id]

    def parts(self, invoice: Json) -> tuple[Decimal, Decimal, Decimal]:
        """What was paid, settled and credited, in SEK."""
        ours = [each for each in self.receipts.values() if each["invoiceId"] == invoice["id"]]
        paid = sum((r["sumBaseCurrency"] for r in ours if "type" not in r), model.ZERO)
        details = [_details(each) for each in ours if "type" in each]
        settled = sum((each["sumBaseCurrency"] for each in details), model.ZERO)
        notes = [each for each in self.notes_of(invoice["id"]) if phase(each) != "draft"]
        return Decimal(paid), Decimal(settled), sum(map(model.owed, notes), model.ZERO)

    def outstanding(self, invoice: Json) -> Decimal:
        return model.owed(invoice) - sum(self.parts(invoice), model.ZERO)

    def check(self, *, cash: bool, today: dt.date) -> None:
        """Assert all that must hold, with one accounting method for every year."""
        self._check_entries()
        self._check_documents(today)
        self._check_numbers()
        if cash:
            self._check_what_is_owed_back()
        else:
            self._check_receivables()

    def _check_entries(self) -> None:
        for entry in self.entries.values():
            rows = model.rows_of(entry)
            assert rows, entry
            assert sum(rows.values()) == 0, entry
            assert all(item["debit"] >= 0 and item["credit"] >= 0 for item in entry["items"])

    def _check_documents(self, today: dt.date) -> None:
        for invoice in self.invoices.values():
            lines, whole = invoice["lineItems"], invoice["totalRoundingEnabled"]
            assert invoice["totalAmount"] == model.total(lines, whole_kronor=whole), invoice
            assert invoice["totalTax"] == sum(model.vat_by_rate(lines).values())
            paid, settled, credited = self.parts(invoice)
            allowed = model.statuses(invoice, paid, settled, credited, today)
            assert invoice["status"] in allowed, (invoice, paid, settled, credited)
            if invoice["journalEntryRef"] and invoice["currency"] == "SEK":
                entry = self.entries[invoice["journalEntryRef"]["id"]]
                assert entry["date"] == invoice["invoiceDate"]
                assert model.rows_of(entry) == model.entry_of_invoice(invoice)

    def _check_numbers(self) -> None:
        """One series without gaps, in which nothing that was not published has a place."""
        documents = [*self.invoices.values(), *self.notes.values()]
        numbers = [
            number
            for _, number in sorted(
                (each["publishedDateTime"], int(each["invoiceNumber"]))
                for each in documents
                if phase(each) != "draft"
            )
        ]
        assert numbers == [numbers[0] + place for place in range(len(numbers))]
        for invoice in self.invoices.values():
            reference = invoice["paymentReference"]
            assert (reference is None) is (invoice["invoiceNumber"] is None)
            assert reference is None or model.has_check_digit(reference), invoice

    def _check_receivables(self) -> None:
        """On every day, 1510 is what is open of all that is recorded."""
        moved = [row for row in self._receivables() if row[1]]
        expected = self._recorded_movements()
        assert _last_of(model.balances_by_day(moved)) == _last_of(model.balances_by_day(expected))

    def _check_what_is_owed_back(self) -> None:
        """By the cash method 1510 holds nothing, but what came in beyond what a sale left to pay.

        A credit note that comes after the money moves nothing, so it may be less than that.
        """
        balance = sum((amount for _, amount in self._receivables()), model.ZERO)
        beyond = sum(map(self._received_beyond, self.invoices.values()), model.ZERO)
        assert -beyond <= balance <= 0

    def _received_beyond(self, invoice: Json) -> Decimal:
        """How much more the recorded receipts come to than the invoice less its credit notes."""
        recorded = sum(
            (
                _details(each)["sumBaseCurrency"]
                for each in self.receipts.values()
                if each["invoiceId"] == invoice["id"] and each["journalEntryRef"]
            ),
            model.ZERO,
        )
        notes = [each for each in self.notes_of(invoice["id"]) if phase(each) != "draft"]
        whole = sum(each["totalAmount"] for each in notes) >= invoice["totalAmount"]
        left = model.owed(invoice) - sum(map(model.owed, notes), model.ZERO)
        return max(recorded - (model.ZERO if whole else left), model.ZERO)

    def _receivables(self) -> list[tuple[str, Decimal]]:
        return [
            (entry["date"], model.rows_of(entry).get(model.RECEIVABLES, model.ZERO))
            for entry in self.entries.values()
        ]

    def _recorded_movements(self) -> list[tuple[str, Decimal]]:
        invoices = [(each["invoiceDate"], each, 1) for each in self.invoices.values()]
        notes = [(each["creditDate"], each, -1) for each in self.notes.values()]
        rows = [
            (day, sign * model.owed(document))
            for day, document, sign in [*invoices, *notes]
            if document["journalEntryRef"]
        ]
        rows += [
            (day_of(each), -Decimal(_details(each)["sumBaseCurrency"]))
            for each in self.receipts.values()
            if each["journalEntryRef"]
        ]
        return rows


def _last_of(balances: dict[str, Decimal]) -> dict[str, Decimal]:
    """Days on which the balance is another than the day before."""
    found, last = {}, model.ZERO
    for day, balance in balances.items():
        if balance != last:
            found[day] = last = balance
    return found

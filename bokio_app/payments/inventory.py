"""Counting invoices with all that belongs to them: payments, settlements and credit notes.

An invoice tells how much was paid, whether that is too much, and which notes take it back. So one
read, of many invoices at once, counts everything; only what does not agree is read itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Sum

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.errors import NotFound
from bokio_app.bokio.filters import F
from bokio_app.bokio.invoices import Invoice as RemoteInvoice
from bokio_app.bokio.invoices import InvoiceStatus
from bokio_app.bokio.paging import PAGE_SIZE
from bokio_app.bokio.payments import Payment as RemotePayment
from bokio_app.bokio.settlements import Settlement as RemoteSettlement
from bokio_app.connections.models import Connection
from bokio_app.core.money import ZERO
from bokio_app.flows.inventory.counting import (
    MARKS_PER_CALL,
    Difference,
    Facts,
    Inventory,
    Marked,
    Seen,
    any_of,
    compare,
    register,
    unbound,
)
from bokio_app.flows.inventory.rows import Finding
from bokio_app.flows.models import RemoteBinding, Step, StepState
from bokio_app.flows.patterns import within
from bokio_app.flows.references import references_in
from bokio_app.invoicing.changes import AddLineItem, DeleteDraft, UpdateDraft
from bokio_app.invoicing.credit import CreditInvoice
from bokio_app.invoicing.drafts import remote_line
from bokio_app.invoicing.flows import OP_KEY, CreateInvoice
from bokio_app.invoicing.models import Invoice

from .bank import PrepareBankPayment
from .flows import CreatePayment, CreateSettlement
from .taking_back import DeletePayment, DeleteSettlement

MARK = f"metadata.{OP_KEY}"
TAKEN_BACK = {
    CreatePayment.name: (DeletePayment.name, "remote_payment"),
    CreateSettlement.name: (DeleteSettlement.name, "remote_settlement"),
}


@dataclass(frozen=True)
class Subject:
    """An invoice to count: its mark (empty when no step of ours has made it), Bokio's id (empty
    when it was not made), and the steps that made something of it.
    """

    mark: str
    remote_id: str
    steps: list[Step]

    def of(self, *ops: str) -> list[Step]:
        return [step for step in self.steps if step.op in ops]


@register
class Invoices(Inventory):
    """By the key in their metadata, many in a call; one that somebody else made, by itself.

    What is left of one call for each invoice goes to lists of whole days: there stands, too,
    what carries a key that no step has any more.
    """

    object_type = CreateInvoice.object_type
    ops = (
        CreateInvoice.name,
        AddLineItem.name,
        CreditInvoice.name,
        CreatePayment.name,
        CreateSettlement.name,
    )

    def parts(self, steps: Sequence[Step]) -> Iterator[dict[str, Any]]:
        subjects = _subjects(steps)
        marked = [each for each in subjects if each.mark]
        for start in range(0, len(marked), MARKS_PER_CALL):
            chunk = marked[start : start + MARKS_PER_CALL]
            yield {"steps": [step.pk for each in chunk for step in each.steps]}
        for each in subjects:
            if not each.mark:
                yield {"steps": [step.pk for step in each.steps]}
        calls = -(-len(marked) // MARKS_PER_CALL)
        days = sorted({step.payload["invoice_date"] for step in steps if step.op == self.ops[0]})
        left = len(marked) - calls
        for day in days[-left:] if left else []:
            yield {"day": day, "pages": max(left // len(days), 1)}

    def differences(
        self, connection: Connection, part: dict[str, Any], bokio: Bokio
    ) -> Iterator[Difference]:
        if "day" in part:
            yield from _strangers(part, bokio)
            return
        subjects = _subjects(list(Step.objects.filter(pk__in=part["steps"])))
        found = _find(subjects, bokio)
        for subject in subjects:
            here = found[subject.mark or subject.remote_id]
            yield from _itself(connection, subject, here)
            for invoice in here:
                if str(invoice.id) == subject.remote_id:
                    yield from _receipts(connection, subject, invoice, bokio)
                    yield from _notes(connection, subject, invoice, bokio)
                    yield from _lines(subject, invoice)


def _subjects(steps: Sequence[Step]) -> list[Subject]:
    """The invoices that the steps are about."""
    flows = {step.flow_id for step in steps}
    made = {
        step.flow_id: step for step in Step.objects.filter(flow__in=flows, op=CreateInvoice.name)
    }
    told = {
        str(step.payload.get("remote_invoice", "")) for step in steps if step.flow_id not in made
    }
    bindings = RemoteBinding.objects.filter(
        object_type=CreateInvoice.object_type, remote_id__in=told
    ).select_related("step")
    makers = {binding.remote_id: binding.step for binding in bindings}
    of_invoice: dict[tuple[str, str], list[Step]] = defaultdict(list)
    for step in steps:
        remote_id = str(step.payload.get("remote_invoice", ""))
        maker = made.get(step.flow_id) or makers.get(remote_id)
        key = (str(maker.op_key), maker.remote_id) if maker else ("", remote_id)
        of_invoice[key].append(step)
    return [Subject(*key, steps=each) for key, each in of_invoice.items()]


def _find(subjects: Sequence[Subject], bokio: Bokio) -> dict[str, list[RemoteInvoice]]:
    """What Bokio holds, by mark, or by id where there is none."""
    found: dict[str, list[RemoteInvoice]] = defaultdict(list)
    if marks := [each.mark for each in subjects if each.mark]:
        for invoice in bokio.invoices.find(any_of([F(MARK) == mark for mark in marks])):
            # A credit note carries the metadata of its invoice, and is listed beside it.
            if invoice.status != InvoiceStatus.CREDIT:
                found[invoice.metadata[OP_KEY]].append(invoice)
    for each in subjects:
        if not each.mark:
            try:
                found[each.remote_id].append(bokio.invoices.get(UUID(each.remote_id)))
            except NotFound:
                continue  # nothing of ours is in a thing that was another's and is gone
    return found


def _itself(
    connection: Connection, subject: Subject, found: list[RemoteInvoice]
) -> Iterator[Difference]:
    seen = [Seen(str(each.id), subject.mark, {"total": each.total}) for each in found]
    for step in subject.of(CreateInvoice.name):
        wanted = {"total": Decimal(str(step.result["total"]))} if step.result else {}
        differences = compare(connection, step, seen, wanted, object_type=CreateInvoice.object_type)
        yield from (each for each in differences if _is_told(step, each))


def _is_told(step: Step, difference: Difference) -> bool:
    """Not what a later step of ours has changed or taken away."""
    if difference.kind == Finding.Kind.SURPLUS:
        return True
    return not Step.objects.filter(
        op__in=(UpdateDraft.name, AddLineItem.name, DeleteDraft.name),
        state=StepState.DONE,
        flow__connection=step.flow.connection_id,
        payload__remote_invoice=step.remote_id,
    ).exists()


# --- Lines that were added one by one --------------------------------------------------------
def _lines(subject: Subject, invoice: RemoteInvoice) -> Iterator[Difference]:
    """Lines like one that a step has added, new since then and no step's; those that are gone or
    other now are seen in the invoice's total.
    """
    steps = subject.of(AddLineItem.name)
    ours = {str(step.result.get("remote_id", "")) for step in steps}
    changed = Step.objects.filter(
        op=UpdateDraft.name,
        state=StepState.DONE,
        flow__connection__in={step.flow.connection_id for step in steps},
        payload__remote_invoice=subject.remote_id,
    )
    if not steps or changed.exists():  # which gives every line a number anew
        return
    told: set[str] = set()
    for step in steps:
        wanted, known = remote_line(step.payload["line"]).to_json(), {*(step.baseline or []), *ours}
        for line in invoice.line_items:
            mark = str(line.id)
            if mark not in known | told and within(wanted, line.to_json()):
                told.add(mark)
                seen = {"description": line.description}
                place = f"{invoice.id}:{mark}"
                yield Difference(Finding.Kind.SURPLUS, "line_item", place, step, {}, seen)


# --- What came in ----------------------------------------------------------------------------
def _receipts(
    connection: Connection, subject: Subject, invoice: RemoteInvoice, bokio: Bokio
) -> Iterator[Difference]:
    steps = subject.of(CreatePayment.name, CreateSettlement.name)
    kept = [step for step in steps if not _was_taken_back(step)]
    row = Invoice.objects.filter(connection=connection, remote_id=str(invoice.id)).first()
    if not kept or (row and _agrees(row, invoice, kept)):
        return
    lists: dict[str, Sequence[RemotePayment | RemoteSettlement]] = {
        CreatePayment.name: bokio.payments.list(invoice.id),
        CreateSettlement.name: bokio.settlements.list(invoice.id),
    }
    told: set[str] = set()
    for step in kept:
        wanted = {"amount": Decimal(str(step.payload["amount"])), "date": step.payload["date"]}
        seen = [
            Seen(str(each.id), "", {"amount": each.amount, "date": each.date.isoformat()})
            for each in lists[step.op]
        ]
        like = [each for each in seen if each.remote_id == step.remote_id or each.facts == wanted]
        kind = "payment" if step.op == CreatePayment.name else "settlement"
        for each in compare(connection, step, like, wanted, object_type=kind):
            if each.remote_id not in told:
                told.add(each.remote_id)
                yield each


def _agrees(row: Invoice, remote: RemoteInvoice, steps: Sequence[Step]) -> bool:
    """Whether the invoice as Bokio tells it fits our rows: what was paid, by whom ever, is what
    we know of, no fee is one too many, and nothing that a step made has gone.
    """
    rows = {
        CreatePayment.name: row.payments.exclude(remote_id=""),
        CreateSettlement.name: row.settlements.exclude(remote_id=""),
    }
    for step in steps:
        if step.remote_id and not rows[step.op].filter(remote_id=step.remote_id).exists():
            return False
    paid, fees = (rows[op].aggregate(sum=Sum("amount"))["sum"] or ZERO for op in rows)
    if remote.status == InvoiceStatus.OVERPAID and paid + fees <= remote.total:
        return False
    # What Bokio calls paid of an invoice in another currency is not told in SEK everywhere.
    return remote.currency != "SEK" or remote.paid == paid


def _was_taken_back(step: Step) -> bool:
    op, key = TAKEN_BACK[step.op]
    taken = Step.objects.filter(op=op, flow__connection=step.flow.connection_id)
    deleted = taken.filter(state=StepState.DONE, **{f"payload__{key}": step.remote_id})
    return bool(step.remote_id) and deleted.exists()


# --- What took it back -----------------------------------------------------------------------
def _notes(
    connection: Connection, subject: Subject, invoice: RemoteInvoice, bokio: Bokio
) -> Iterator[Difference]:
    """People credit parts of an invoice, too: only a note over the whole is one too many."""
    kind, ids = CreditInvoice.object_type, [str(each) for each in invoice.credit_note_ids]
    for step in subject.of(CreditInvoice.name):
        seen = [Seen(each, "") for each in ids]
        others = unbound(
            connection, kind, [each for each in seen if each.remote_id != step.remote_id]
        )
        notes = [bokio.credit_notes.get(UUID(each.remote_id)) for each in others]
        whole = [
            Seen(str(note.id), "", {"total": note.total})
            for note in notes
            if note.total == invoice.total
        ]
        mine = [each for each in seen if each.remote_id == step.remote_id]
        yield from compare(connection, step, [*mine, *whole], {}, object_type=kind)


# --- What carries a key of nobody's ----------------------------------------------------------
def _strangers(part: dict[str, Any], bokio: Bokio) -> Iterator[Difference]:
    day = date.fromisoformat(part["day"])
    listed = islice(bokio.invoices.find(F("invoiceDate") == day), part["pages"] * PAGE_SIZE)
    marked = {
        str(each.id): (key, each.total)
        for each in listed
        if each.status != InvoiceStatus.CREDIT and (key := _key(each.metadata.get(OP_KEY)))
    }
    keys = {key for key, _total in marked.values()}
    known = set(Step.objects.filter(op_key__in=keys).values_list("op_key", flat=True))
    for remote_id, (key, total) in marked.items():
        if key not in known:
            seen = {"total": total, OP_KEY: str(key)}
            kind = CreateInvoice.object_type
            yield Difference(Finding.Kind.SURPLUS, kind, remote_id, None, {}, seen)


def _key(text: str | None) -> UUID | None:
    """A key that can be ours; somebody else may use the same name for something else."""
    try:
        return UUID(text or "")
    except ValueError:
        return None


# --- What was prepared at the bank -----------------------------------------------------------
@register
class BankPayments(Marked):
    """By the reference in the company's own note; the list cannot be filtered by that."""

    object_type = PrepareBankPayment.object_type
    ops = (PrepareBankPayment.name,)

    def find(self, bokio: Bokio, steps: Sequence[Step]) -> Iterator[Seen]:
        amounts = {Decimal(step.payload["amount"]) for step in steps}
        where = any_of([F("amount") == amount for amount in amounts])
        for each in bokio.bank_payments.find(where):
            for mark in references_in(each.note)[-1:]:
                yield Seen(str(each.id), mark, {"amount": each.amount})

    def wanted(self, step: Step) -> Facts:
        return {"amount": Decimal(step.payload["amount"])}

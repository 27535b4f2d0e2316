"""The account afterwards: Bokio's books and our rows against what was wanted, to the öre.

Every difference is one `Finding`; for one that concerns an invoice its rows tell the story.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q

from bokio_app.audit.models import Event
from bokio_app.flows.models import Attempt, Flow, FlowState, RemoteBinding, Step, StepState
from bokio_app.flows.operations import reads_only
from bokio_app.invoicing.models import Invoice
from tests.support.sandbox_client import SandboxClient

from .feeding import invoices_of
from .wanted import Company, Wanted

OBJECTS = {
    "invoice": "invoices",
    "payment": "payments",
    "settlement": "settlements",
    "credit_note": "creditNotes",
}


@dataclass(frozen=True)
class Finding:
    """Something that is not as it must be. `kind` is `lost`, `doubled`, `wrong` or `open`."""

    kind: str
    what: str
    story: str = ""


def findings(
    sandbox: SandboxClient, companies: Iterable[Company], wanted: Sequence[Wanted]
) -> list[Finding]:
    """Everything that is not as it must be, company by company and then in our own rows."""
    ours = invoices_of(wanted)
    found: list[Finding] = []
    for company in companies:
        books = Books(sandbox.books(company.id), company)
        mine = [each for each in wanted if each.company == company.id]
        found += books.compare(mine, ours)
        found += _bindings(books)
    return [*found, *_flows(), *_audit()]


class Books:
    """One company's books as the sandbox holds them."""

    def __init__(self, data: Any, company: Company) -> None:
        self.data, self.company = data, company
        self.receipts: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for name in ("payments", "settlements"):
            for each in data[name]:
                self.receipts[name, each["invoiceId"]].append(each)
        self.notes = {each["id"]: each for each in data["creditNotes"]}
        self.entries = {each["id"] for each in data["journalEntries"]}

    def compare(self, wanted: Sequence[Wanted], ours: dict[str, str]) -> Iterator[Finding]:
        """Each wanted invoice by itself, then what is there beyond them, then the sums."""
        by_mark: dict[str, list[Any]] = defaultdict(list)
        for each in self.data["invoices"]:
            mark = each["metadata"].get("externalId") or each["metadata"].get("invoice")
            by_mark[str(mark)].append(each)
        for one in wanted:
            found = by_mark.pop(ours.get(one.reference, one.reference), [])
            yield from self._invoice(one, found)
        for mark in by_mark:
            yield Finding("doubled", f"an invoice that nobody wanted: {mark}")
        yield from self._customers(wanted)
        yield from self._numbers()
        yield from self._entries(wanted)
        yield from self._sums(wanted)

    def _invoice(self, wanted: Wanted, found: Sequence[Any]) -> Iterator[Finding]:
        if not found:
            yield Finding("lost", f"{wanted.reference}: no invoice", story(wanted))
            return
        if len(found) > 1:
            yield Finding("doubled", f"{wanted.reference}: {len(found)} invoices", story(wanted))
            return
        invoice = found[0]
        expected = {
            "total": wanted.total,
            "status": "credited" if wanted.credited else "paid",
            "recorded": True,
            "payments": [] if wanted.credited else [(wanted.day, wanted.payment, wanted.bank)],
            "settlements": [(wanted.day, wanted.fee, "bankFee")] if wanted.fee else [],
            "credited": [wanted.total] if wanted.credited else [],
        }
        seen = self._seen(invoice)
        for name, right in expected.items():
            if seen[name] != right:
                kind = _kind(seen[name], right)
                what = f"{wanted.reference}: {name} is {seen[name]}, wanted {right}"
                yield Finding(kind, what, story(wanted))

    def _seen(self, invoice: Any) -> dict[str, Any]:
        payments = self.receipts["payments", invoice["id"]]
        settlements = self.receipts["settlements", invoice["id"]]
        notes = [self.notes[each["id"]] for each in invoice["creditNoteRefs"]]
        return {
            "total": Decimal(invoice["totalAmount"]),
            "status": invoice["status"],
            "recorded": bool(invoice["journalEntryRef"]),
            "payments": [
                (each["date"], Decimal(each["sumBaseCurrency"]), each["bookkeepingAccountNumber"])
                for each in payments
            ],
            "settlements": [
                (
                    each["invoiceSettlementDetails"]["date"],
                    Decimal(each["invoiceSettlementDetails"]["sumBaseCurrency"]),
                    each["type"],
                )
                for each in settlements
            ],
            "credited": [Decimal(each["totalAmount"]) for each in notes],
        }

    def _customers(self, wanted: Sequence[Wanted]) -> Iterator[Finding]:
        new = {each.buyer.org_number for each in wanted if not each.buyer.remote_id}
        known = set(self.company.customers)
        made = Counter(
            each["orgNumber"] for each in self.data["customers"] if each["id"] not in known
        )
        for number in new | set(made):
            if made[number] != 1 or number not in new:
                kind = "lost" if made[number] == 0 else "doubled"
                yield Finding(kind, f"customer {number}: {made[number]} times in Bokio")

    def _numbers(self) -> Iterator[Finding]:
        documents = [*self.data["invoices"], *self.data["creditNotes"]]
        numbers = Counter(each.get("invoiceNumber") for each in documents)
        for number, count in numbers.items():
            if number is None:
                yield Finding("lost", f"{count} documents without a number")
            elif count > 1:
                yield Finding("doubled", f"number {number} on {count} documents")

    def _entries(self, wanted: Sequence[Wanted]) -> Iterator[Finding]:
        """One journal entry per record: each belongs to one thing, and none is left over."""
        things = [each for name in OBJECTS.values() for each in self.data[name]]
        used = Counter(each["journalEntryRef"]["id"] for each in things if each["journalEntryRef"])
        expected = sum(each.entries for each in wanted)
        shared = any(count > 1 for count in used.values())
        if len(self.entries) != expected or set(used) != self.entries or shared:
            kind = "doubled" if len(self.entries) > expected else "lost"
            what = f"{len(self.entries)} journal entries for {expected} records"
            yield Finding(kind, f"company {self.company.id}: {what}")

    def _sums(self, wanted: Sequence[Wanted]) -> Iterator[Finding]:
        right: Counter[int] = Counter()
        for each in wanted:
            for account, amount in each.bookings().items():
                right[account] += amount
        seen = {int(number): Decimal(sum_) for number, sum_ in self.data["balances"].items()}
        for account in sorted(set(right) | set(seen)):
            if seen.get(account, Decimal(0)) != right[account]:
                what = f"account {account} is {seen.get(account)}, wanted {right[account]}"
                yield Finding("wrong", f"company {self.company.id}: {what}")


def story(wanted: Wanted) -> str:
    """What our rows say of a wanted invoice: its flows, steps and every attempt."""
    flows = Flow.objects.filter(
        Q(bulk_line__reference=wanted.reference) | Q(request_key__startswith=f"{wanted.reference}:")
    )
    return "\n".join(_story(flow) for flow in flows) or "    no flow of ours"


def _story(flow: Flow) -> str:
    where = f"{flow.state} {flow.wait_reason} {flow.stuck_code} fence {flow.fence}"
    until = f"lease until {flow.lease_until}, not before {flow.not_before}"
    lines = [f"    {flow.kind} {flow.public_id}: {where}, {until}"]
    for step in flow.steps.order_by("pos"):
        lines.append(
            f"      {step.pos} {step.op}: {step.state} by {step.resolved_by or '-'}, intent"
            f" {step.intent_at}, settles {step.settle_at}, {step.remote_id} {step.error_code}"
        )
        lines += [
            f"        {each.at:%H:%M:%S.%f} fence {each.fence} {each.outcome} {each.status}"
            f" {each.code} {each.milliseconds} ms"
            for each in step.attempts.all()
        ]
    return "\n".join(lines)


def _kind(seen: Any, right: Any) -> str:
    if isinstance(right, list) and len(seen) != len(right):
        return "lost" if len(seen) < len(right) else "doubled"
    return "lost" if right is True else "wrong"


def _bindings(books: Books) -> Iterator[Finding]:
    """One step for each object, and no step that names one which Bokio does not have."""
    rows = RemoteBinding.objects.filter(connection__company_id=books.company.id)
    for kind, name in OBJECTS.items():
        there = {each["id"] for each in books.data[name]}
        bound = set(rows.filter(object_type=kind).values_list("remote_id", flat=True))
        if there != bound:
            what = f"{len(there - bound)} without a step, {len(bound - there)} not in Bokio"
            yield Finding("wrong", f"company {books.company.id}: {name}: {what}")


def _flows() -> Iterator[Finding]:
    for flow in Flow.objects.exclude(state=FlowState.DONE):
        what = f"{flow.kind} {flow.public_id} is {flow.state} {flow.stuck_code}"
        yield Finding("open", what, _story(flow))
    unfinished = Step.objects.exclude(state__in=[StepState.DONE, StepState.SKIPPED])
    for step in unfinished.filter(flow__state=FlowState.DONE):
        yield Finding("wrong", f"{step} is {step.state} in a flow that is done")
    stray = Invoice.objects.filter(connection__flows__kind="run_invoice", number="").distinct()
    for invoice in stray:
        yield Finding("lost", f"our invoice {invoice.pk} has no number")


def _audit() -> Iterator[Finding]:
    """Each flow began once, ended once, and nobody had to decide anything. Readings that nobody has
    asked for leave no trail.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    events = Event.objects.filter(subject__startswith="flow:").values_list("subject", "action")
    for subject, action in events:
        counts[subject][action] += 1
    right = Counter({"flow.started": 1, "flow.done": 1})
    for flow in Flow.objects.filter(state=FlowState.DONE):
        seen = counts[f"flow:{flow.public_id}"]
        if seen != right and (seen or flow.created_by_id or not _only_reads(flow)):
            yield Finding("wrong", f"the audit trail of {flow.public_id} holds {dict(seen)}")


def _only_reads(flow: Flow) -> bool:
    return reads_only(flow.steps.values_list("op", flat=True))


@dataclass(frozen=True)
class Tally:
    """How the work was done: counts over all flows of the scene."""

    flows: dict[str, int]
    steps: dict[str, int]
    attempts: dict[str, int]
    most_attempts: int


def tally() -> Tally:
    """Count flows by kind, steps by what settled them, attempts by outcome."""

    def count(rows: Any, name: str) -> dict[str, int]:
        grouped = rows.order_by().values(name).annotate(count=Count("pk"))
        return dict(grouped.values_list(name, "count"))

    most = Step.objects.order_by("-attempt").values_list("attempt", flat=True).first()
    return Tally(
        flows=count(Flow.objects.all(), "kind"),
        steps=count(Step.objects.filter(state=StepState.DONE), "resolved_by"),
        attempts=count(Attempt.objects.all(), "outcome"),
        most_attempts=most or 0,
    )

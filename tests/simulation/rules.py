"""What must be true after every run, whatever went wrong in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bokio_app.flows.models import Flow, FlowState, RemoteBinding, Step, StepState
from bokio_app.flows.operations import OPERATIONS
from bokio_app.invoicing.models import Invoice

if TYPE_CHECKING:
    from tests.simulation.run import Run
    from tests.simulation.wishes import Wish
    from tests.simulation.witness import Witness

WINDOW = 60.0
MADE = {
    "invoices": ("invoice", "create_invoice"),
    "payments": ("payment", "create_payment"),
    "settlements": ("settlement", "create_settlement"),
    "creditNotes": ("credit_note", "credit_invoice"),
    "customers": ("customer", "ensure_customer"),
}
RECORDED = {
    "record_invoice": "invoices",
    "record_payment": "payments",
    "record_settlement": "settlements",
    "record_credit_note": "creditNotes",
}


def broken(run: Run, witness: Witness, wishes: list[Wish]) -> Iterator[str]:
    """Each rule that was not kept, in a sentence."""
    books = {each.pk: run.harness.sandbox.books(str(each.company_id)) for each in run.companies}
    yield from one_effect_each(witness)
    yield from done_means_done(witness, wishes)
    yield from one_customer_each(witness)
    yield from within_the_limit(run, witness)
    yield from bound_once(books)
    yield from nothing_unowned(run, books)
    yield from as_wanted(books, wishes)
    yield from at_rest_or_told()


def one_effect_each(witness: Witness) -> Iterator[str]:
    """However often a step was sent, Bokio carried it out once at most."""
    for (step, op), count in witness.effects.items():
        if count > 1:
            yield f"{op} of step {step} took effect {count} times"


def done_means_done(witness: Witness, wishes: list[Wish]) -> Iterator[str]:
    """A flow of one operation is done when that took effect, and at no other time."""
    for wish in wishes:
        if wish.single and wish.flow:
            step = wish.flow.steps.select_related("flow").get()
            took_effect = witness.effects[str(step.op_key), wish.single] == 1
            if step.state == StepState.DONE and not took_effect:
                yield f"{wish.name} is done, and nothing was"


def one_customer_each(witness: Witness) -> Iterator[str]:
    """However many flows need a customer, it is made once."""
    made: Counter[str] = Counter()
    for (key, op), count in witness.effects.items():
        if op == "ensure_customer":
            made[Step.objects.get(op_key=key).payload["customer"]] += count
    for customer, count in made.items():
        if count > 1:
            yield f"customer {customer} was made {count} times"


def within_the_limit(run: Run, witness: Witness) -> Iterator[str]:
    """No sixty seconds saw more arrivals of one company than its limit, as far as we can know."""
    from django.conf import settings

    for moments in witness.counted():
        for place, moment in enumerate(moments[settings.BOKIO_RATE_LIMIT :]):
            if moment - moments[place] < WINDOW:
                yield f"more than {settings.BOKIO_RATE_LIMIT} calls of a company in 60 s"
                break


def bound_once(books: dict[Any, Any]) -> Iterator[str]:
    """A step that is done has its one object, or Bokio's books say that it is done."""
    bindings = Counter(RemoteBinding.objects.values_list("step_id", flat=True))
    ended = Step.objects.filter(state=StepState.DONE, flow__connection__in=books)
    done = ended.select_related("flow")
    for step in done:
        operation = OPERATIONS[step.op]
        if operation.reads_only:
            continue
        if operation.object_type and step.remote_id and bindings[step.pk] != 1:
            yield f"{step} is done with {bindings[step.pk]} bindings"
        if step.op in RECORDED:
            yield from _recorded(step, books[step.flow.connection_id])


def _recorded(step: Step, books: Any) -> Iterator[str]:
    entry = step.result.get("journal_entry_id")
    if entry and not any(each["id"] == entry for each in books["journalEntries"]):
        yield f"{step} is done, but its journal entry {entry} is not there"


def nothing_unowned(run: Run, books: dict[Any, Any]) -> Iterator[str]:
    """Every object at Bokio is a step's, or could be that of a step which is still unclear."""
    bound = set(RemoteBinding.objects.values_list("connection", "object_type", "remote_id"))
    unsettled: Counter[tuple[Any, str]] = Counter()
    for connection, op, remote, state in Step.objects.values_list(
        "flow__connection", "op", "remote_id", "state"
    ):
        bound.add((connection, op, remote))  # a customer is bound to no step: others take it over
        unsettled[connection, op] += state in {StepState.SENT, StepState.UNKNOWN}
    for connection, held in books.items():
        for kind, (object_type, op) in MADE.items():
            theirs = [
                each["id"]
                for each in held[kind]
                if (connection, object_type, each["id"]) not in bound
                and (connection, op, each["id"]) not in bound
                and each["id"] not in run.stocked.before
            ]
            unclear = unsettled[connection, op]
            if len(theirs) > unclear:
                yield f"{len(theirs)} {kind} belong to no step ({unclear} steps are unclear)"


def as_wanted(books: dict[Any, Any], wishes: list[Wish]) -> Iterator[str]:
    """What is booked is what was wanted, to the öre: all of it where the flow is done, and never
    more.
    """
    most: Counter[tuple[str, str, Decimal]] = Counter()
    least: Counter[tuple[str, str, Decimal]] = Counter()
    for wish in wishes:
        if wish.flow is None:
            continue
        wanted = [(row, kind, _sek(amount)) for row, kind, amount in wish.books]
        most.update(wanted)
        if Flow.objects.get(pk=wish.flow.pk).state == FlowState.DONE:
            least.update(wanted)
    held = _held(books, {row for row, _kind, _amount in most})
    for key in [each for each in held if each[1] == "invoice" and not most[each]]:
        del held[key]  # it was there before, to be paid now
    for key in {*most, *held}:
        if not least[key] <= held[key] <= most[key]:
            yield f"{key[1]} of {key[2]}: wanted {least[key]} to {most[key]}, booked {held[key]}"


def _held(books: dict[Any, Any], rows: set[str]) -> Counter[tuple[str, str, Decimal]]:
    """What Bokio holds for these invoices of ours."""
    held: Counter[tuple[str, str, Decimal]] = Counter()
    for invoice in Invoice.objects.filter(pk__in=rows).exclude(remote_id=""):
        there, key, remote = books[invoice.connection_id], str(invoice.pk), invoice.remote_id
        for found in there["invoices"]:
            if found["id"] == remote and found["journalEntryRef"]:
                held[key, "invoice", _sek(found["totalAmount"])] += 1
        for found in there["payments"]:
            if found["invoiceId"] == remote and found["journalEntryRef"]:
                held[key, "payment", _sek(found["sumBaseCurrency"])] += 1
        for found in there["settlements"]:
            if found["invoiceId"] == remote and found["journalEntryRef"]:
                amount = found["invoiceSettlementDetails"]["sumBaseCurrency"]
                held[key, "settlement", _sek(amount)] += 1
        for found in there["creditNotes"]:
            if found["invoiceRef"]["id"] == remote and found["journalEntryRef"]:
                held[key, "credit", _sek(found["totalAmount"])] += 1
    return held


def _sek(amount: Any) -> Decimal:
    return Decimal(str(amount)).quantize(Decimal("0.01"))


def at_rest_or_told() -> Iterator[str]:
    """Every flow has ended, is stuck with a reason, or says what it waits for."""
    for flow in Flow.objects.all():
        if flow.state in {FlowState.DONE, FlowState.CANCELLED}:
            continue
        if flow.state == FlowState.STUCK and flow.stuck_code:
            continue
        if flow.state in {FlowState.READY, FlowState.PARKED} and flow.wait_reason:
            continue
        yield f"{flow} is {flow.state} and does not say why"

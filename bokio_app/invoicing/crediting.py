"""Taking an invoice back: what is still creditable, and the flows that credit, finish, delete."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.functional import cached_property

from bokio_app.audit.services import record
from bokio_app.core import clock
from bokio_app.core.money import ZERO, totals
from bokio_app.flows import services as flows
from bokio_app.flows.models import Flow
from bokio_app.ledger.queries import fiscal_year_of
from bokio_app.tenants.models import User

from .credit import CREDIT, DELETE, FINISH, Line, said_by
from .inputs import LineInput
from .models import CreditNote, Invoice, LineItem
from .queries import OPEN_STATES
from .services import is_cash

KINDS = (CREDIT, FINISH, DELETE)
NEEDS = ("credit-notes:read", "credit-notes:write")
NOTHING = Decimal(0)


class CannotCredit(Exception):
    """Nothing is started. `problems` are (field, code) pairs; see `problems_of`."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__(problems)
        self.problems = problems


@dataclass(frozen=True)
class Amount:
    """What is taken back, in the invoice's currency."""

    net: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        return self.net + self.tax


@dataclass(frozen=True)
class CreditLine:
    """A line of an invoice, and the quantities of it that notes have taken back and have left."""

    line: LineItem
    credited: Decimal
    left: Decimal

    def takes(self, quantity: Decimal) -> bool:
        """Whether so much of it can be credited: none, or in the direction of what is left."""
        return 0 <= quantity <= self.left or self.left <= quantity <= 0


class Creditable:
    """An invoice with its credit notes: what is left to credit. Three queries."""

    def __init__(self, invoice: Invoice) -> None:
        self.invoice = invoice

    @cached_property
    def notes(self) -> list[CreditNote]:
        """Those that Bokio has, oldest first, drafts too."""
        return notes_of(self.invoice)

    @property
    def published(self) -> list[CreditNote]:
        return [note for note in self.notes if not note.is_draft]

    @property
    def draft(self) -> CreditNote | None:
        return next((note for note in self.notes if note.is_draft), None)

    @cached_property
    def left(self) -> Amount:
        """What no published note has taken back."""
        net = self.invoice.net - sum((note.net for note in self.published), ZERO)
        return Amount(net, self.invoice.tax - sum((note.tax for note in self.published), ZERO))

    @cached_property
    def lines(self) -> list[CreditLine] | None:
        """The sold lines; None when the notes cannot be laid against them line by line."""
        taken = _taken(self.published)
        found: list[CreditLine] = []
        for line in self.invoice.lines.all():
            if taken is None or not line.is_sales:
                continue
            key = said_by(line.description, line.unit_price, line.tax_rate)
            credited = min(taken.get(key, NOTHING), line.quantity, key=abs)
            if credited:
                taken[key] -= credited
            found.append(CreditLine(line, credited, line.quantity - credited))
        if taken is None or any(taken.values()) or not found:
            return None
        return found

    @cached_property
    def rest(self) -> dict[int, Decimal]:
        """All that is left, by line."""
        return {each.line.pk: each.left for each in self.lines or ()}

    def is_rest(self, wanted: Mapping[int, Decimal]) -> bool:
        """Whether nothing is left afterwards."""
        return all(wanted.get(pk, NOTHING) == left for pk, left in self.rest.items())

    def amount(self, wanted: Mapping[int, Decimal]) -> Amount:
        """What these quantities by line come to; the last note takes what is left, to the öre."""
        if self.is_rest(wanted):
            return self.left
        sums = totals(each.row for each in self.sold(wanted))
        return Amount(sums.net, sums.tax)

    def sold(self, wanted: Mapping[int, Decimal]) -> list[LineInput]:
        """The lines with the quantities that are wanted; those of which none is are left out."""
        return [
            replace(_input(each.line), quantity=wanted[each.line.pk])
            for each in self.lines or ()
            if wanted.get(each.line.pk)
        ]


def notes_of(invoice: Invoice) -> list[CreditNote]:
    """The invoice's credit notes at Bokio, oldest first."""
    if not invoice.remote_id:
        return []
    mine = CreditNote.objects.filter(
        connection_id=invoice.connection_id, remote_invoice=invoice.remote_id, gone_at=None
    )
    return list(mine.order_by("credit_date", "pk"))


def lines_of(note: CreditNote) -> list[LineInput]:
    """The lines of a note, as far as they have been read."""
    return [
        LineInput(
            **{
                **row,
                "quantity": Decimal(row["quantity"]),
                "unit_price": Decimal(row["unit_price"]),
            }
        )
        for row in note.lines or ()
    ]


def problems_of(found: Creditable) -> list[tuple[str, str]]:
    """Why nothing of it can be credited now, as (field, code); judged from our own copy alone.

    Codes: `not_published`, `gone`, `credited`, `draft_exists`, `under_way`, `no_permission`,
    `no_fiscal_year`, `closed_year`. The field is empty.
    """
    invoice = found.invoice
    if invoice.is_draft or invoice.is_ours:
        return [("", "not_published")]
    if invoice.is_gone:
        return [("", "gone")]
    problems = []
    if flow_under_way(invoice):
        problems.append(("", "under_way"))
    elif found.draft:
        problems.append(("", "draft_exists"))
    elif invoice.status == Invoice.Status.CREDITED or found.left.total <= 0:
        problems.append(("", "credited"))
    return problems + _permission(invoice) + _books_today(invoice)


def _permission(invoice: Invoice) -> list[tuple[str, str]]:
    has_all = set(NEEDS) <= set(invoice.connection.scopes)
    return [] if has_all else [("", "no_permission")]


def _books_today(invoice: Invoice) -> list[tuple[str, str]]:
    """What keeps Bokio from recording a note of today."""
    year = fiscal_year_of(invoice.connection, clock.today())
    if year is None:
        return [("", "no_fiscal_year")]
    return [] if year.is_open else [("", "closed_year")]


def is_crediting(flow: Flow) -> bool:
    """Whether the flow credits an invoice of ours, or works on one of its notes."""
    return flow.kind in KINDS and flow.resource_key.startswith("invoice:")


def flow_under_way(invoice: Invoice) -> Flow | None:
    """The flow that credits this invoice, or works on one of its notes, and has not ended."""
    return Flow.objects.filter(
        connection_id=invoice.connection_id,
        resource_key=invoice.resource_key,
        kind__in=KINDS,
        state__in=OPEN_STATES,
    ).first()


def credit(
    invoice: Invoice,
    wanted: Mapping[int, Decimal],
    *,
    seen: Decimal,
    by: User,
    request_key: str,
) -> tuple[Flow, bool]:
    """Credit these quantities by line (all that is left, where lines are not known), in one flow:
    draft, lower to the part, publish, record, each exactly once.

    `seen` is the amount that the person agreed to. `request_key` comes with the form: sent again,
    the flow that exists is returned with False. Raises `CannotCredit`, with these codes too:
    `changed_meanwhile`, `nothing`, and `too_much` on a line (its key).
    """
    with transaction.atomic():
        invoice = Invoice.objects.select_for_update().get(pk=invoice.pk)
        earlier = Flow.objects.filter(tenant_id=invoice.tenant_id, request_key=request_key).first()
        if earlier:
            return earlier, False
        found = Creditable(invoice)
        if problems := problems_of(found) or quantity_problems(found, wanted):
            raise CannotCredit(problems)
        amount = found.amount(wanted)
        if amount.total != seen:
            raise CannotCredit([("", "changed_meanwhile")])
        _audit(invoice, "invoice.credited", by=by, amount=str(amount.total))
        return flows.start(
            CREDIT,
            connection=invoice.connection,
            steps=_steps(found, wanted, amount),
            business_key=f"{invoice.pk}:{request_key}"[:80],
            resource_key=invoice.resource_key,
            request_key=request_key,
            by=by,
        )


def quantity_problems(found: Creditable, wanted: Mapping[int, Decimal]) -> list[tuple[str, str]]:
    """What is wrong with the quantities: `too_much` on a line, `nothing` for the whole."""
    problems = [
        (str(each.line.pk), "too_much")
        for each in found.lines or ()
        if not each.takes(wanted.get(each.line.pk, NOTHING))
    ]
    if not problems and not 0 < found.amount(wanted).total <= found.left.total:
        problems.append(("", "nothing"))
    return problems


def _steps(found: Creditable, wanted: Mapping[int, Decimal], amount: Amount) -> list[flows.NewStep]:
    invoice = found.invoice
    ours = {"invoice": str(invoice.pk), "remote_invoice": invoice.remote_id}
    agreed = {**ours, "total": amount.total}
    steps = [flows.NewStep("credit_invoice", {**ours, "left": found.left.total})]
    if found.lines and (found.published or not found.is_rest(wanted)):
        lines = [
            {
                "description": each.description,
                "unit_price": each.unit_price,
                "tax_rate": each.tax_rate,
                "quantity": each.quantity,
            }
            for each in found.sold(wanted)
        ]
        steps.append(flows.NewStep("credit_part", {**agreed, "lines": lines}))
    return [*steps, flows.NewStep("publish_credit_note", agreed), _record(invoice, ours)]


def _record(invoice: Invoice, payload: Mapping[str, Any]) -> flows.NewStep:
    cash = is_cash(invoice) and not invoice.is_recorded
    return flows.NewStep("record_credit_note", {**payload, "cash": cash})


def may_record(note: CreditNote, invoice: Invoice) -> bool:
    """Whether a published note still lacks the entry that it is to have."""
    unrecorded = not note.is_draft and not note.is_recorded
    return unrecorded and (invoice.is_recorded or not is_cash(invoice))


def finish(note: CreditNote, invoice: Invoice, *, by: User, request_key: str) -> tuple[Flow, bool]:
    """Publish a drafted note and record it, or record a published one.

    A draft that was changed in Bokio meanwhile, and comes to another amount, is not published.
    Asked twice, it is the same flow. Raises `CannotCredit`.
    """
    with transaction.atomic():
        invoice, note = _locked(invoice, note, request_key=request_key)
        if problems := _books_today(invoice):
            raise CannotCredit(problems)
        payload = _payload(note, invoice)
        steps = [_record(invoice, payload)]
        if note.is_draft:
            publish = {**payload, "total": note.total}
            steps.insert(0, flows.NewStep("publish_credit_note", publish))
        elif not may_record(note, invoice):
            raise CannotCredit([("", "recorded")])
        done = "publish" if note.is_draft else "record"
        flow, is_new = _start(
            FINISH, note, invoice, steps, done=done, by=by, request_key=request_key
        )
        if is_new:
            _audit(invoice, "credit_note.finished", by=by, note=note.remote_id)
        return flow, is_new


def delete(note: CreditNote, invoice: Invoice, *, by: User, request_key: str) -> tuple[Flow, bool]:
    """Delete a drafted note in Bokio. Asked twice, it is the same flow. Raises `CannotCredit`."""
    with transaction.atomic():
        invoice, note = _locked(invoice, note, request_key=request_key)
        if not note.is_draft:
            raise CannotCredit([("", "not_draft")])
        steps = [flows.NewStep("delete_credit_note", _payload(note, invoice))]
        flow, is_new = _start(
            DELETE, note, invoice, steps, done="delete", by=by, request_key=request_key
        )
        if is_new:
            _audit(invoice, "credit_note.deleted", by=by, note=note.remote_id)
        return flow, is_new


def _locked(invoice: Invoice, note: CreditNote, *, request_key: str) -> tuple[Invoice, CreditNote]:
    """Both as they are now, the invoice held, if they may be worked on by this request."""
    invoice = Invoice.objects.select_for_update().get(pk=invoice.pk)
    note = CreditNote.objects.get(pk=note.pk)
    at_work = flow_under_way(invoice)
    problems = _permission(invoice)
    if at_work and at_work.request_key != request_key:
        problems.append(("", "under_way"))
    if note.gone_at:
        problems.append(("", "gone"))
    if problems:
        raise CannotCredit(problems)
    return invoice, note


def _payload(note: CreditNote, invoice: Invoice) -> dict[str, Any]:
    return {
        "invoice": str(invoice.pk),
        "remote_invoice": invoice.remote_id,
        "remote_id": note.remote_id,
    }


def _start(
    kind: str,
    note: CreditNote,
    invoice: Invoice,
    steps: list[flows.NewStep],
    *,
    done: str,
    by: User,
    request_key: str,
) -> tuple[Flow, bool]:
    return flows.start(
        kind,
        connection=invoice.connection,
        steps=steps,
        business_key=f"{note.pk}:{done}:{request_key}"[:80],
        resource_key=invoice.resource_key,
        request_key=request_key,
        by=by,
    )


def _taken(notes: Iterable[CreditNote]) -> dict[Line, Decimal] | None:
    """The quantities that notes take back, by line; None if one has not been read line by line."""
    taken: dict[Line, Decimal] = {}
    for note in notes:
        if note.lines is None:
            return None
        for line in lines_of(note):
            if line.is_sales:
                key = said_by(line.description, line.unit_price, line.tax_rate)
                taken[key] = taken.get(key, NOTHING) + line.quantity
    return taken


def _input(line: LineItem) -> LineInput:
    return LineInput(**{each.name: getattr(line, each.name) for each in fields(LineInput)})


def _audit(invoice: Invoice, action: str, *, by: User, **data: Any) -> None:
    record(
        action,
        tenant=invoice.tenant_id,
        subject="invoice",
        subject_id=invoice.pk,
        actor=by,
        **data,
    )

"""What people can do with customers and invoices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4, uuid5

from django.db import IntegrityError, transaction
from django.db.models import Q

from bokio_app.audit.services import line, record, record_all
from bokio_app.connections.models import Connection
from bokio_app.flows import services as flows
from bokio_app.flows.models import Flow, FlowState, StepState
from bokio_app.ledger.queries import fiscal_year_of
from bokio_app.tenants.models import User

from . import attaching, tax_reduction, writing
from .currencies import HOME
from .discounts import without_discount
from .inputs import Discount, DraftInput, LineInput, More, NewDraft
from .models import Customer, Invoice, LineItem
from .more import InvoiceMore
from .payloads import payloads_of
from .problems import problems_of
from .rows import dated, fill, more_of, replace_rows, row_of_more
from .writing import Page

SEND_INVOICE = "send_invoice"
RUN_INVOICE = "run_invoice"  # ordered from outside: also pays, settles or credits it
ORDERED_FOR_ANOTHER = "ordered_for_another"


class EditConflict(Exception):
    """Somebody else has saved the draft since this person opened it."""

    def __init__(self, current: Invoice) -> None:
        super().__init__()
        self.current = current


class NotEditable(Exception):
    """The invoice exists at Bokio, or is on its way there."""

    def __init__(self, invoice: Invoice | None = None) -> None:
        super().__init__()
        self.invoice = invoice


class NotReady(Exception):
    """The draft cannot be sent yet. `problems` are (field, code) pairs; see `problems`."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__(problems)
        self.problems = problems


def create_customer(connection: Connection, *, by: User | None, **values: Any) -> Customer:
    """Keep a new customer here; Bokio gets it with the first invoice."""
    customer = Customer(tenant_id=connection.tenant_id, connection=connection, **values)
    keep_customers([customer], by=by)
    return customer


def keep_customers(customers: Sequence[Customer], *, by: User | None) -> None:
    """Keep new customers, with few statements for all. Raises `IntegrityError`."""
    with transaction.atomic():
        Customer.objects.bulk_create(customers)
        record_all(
            line(
                "customer.created",
                tenant=each.tenant_id,
                subject="customer",
                subject_id=each.pk,
                actor=by,
            )
            for each in customers
        )


def update_customer(customer: Customer, *, by: User, **values: Any) -> Customer:
    """Correct a customer that Bokio does not have yet. Raises `NotEditable`."""
    with transaction.atomic():
        customer = Customer.objects.select_for_update().get(pk=customer.pk)
        if customer.remote_id:
            raise NotEditable
        if "more" not in values and customer.contacts:  # the first of them has the address
            first = {**customer.contacts[0], "email": values.get("email", customer.email)}
            values["more"] = {**customer.more, "contacts": [first, *customer.contacts[1:]]}
        for name, value in values.items():
            setattr(customer, name, value)
        customer.save()
        record(
            "customer.saved",
            tenant=customer.tenant_id,
            subject="customer",
            subject_id=customer.pk,
            actor=by,
        )
    return customer


def create_draft(
    connection: Connection,
    draft: DraftInput,
    *,
    by: User | None,
    draft_id: UUID | None = None,
    page: Page | None = None,
) -> Invoice:
    """Keep a new draft here. Nothing is sent to Bokio.

    `draft_id` comes with the form: sent again, the draft that exists is returned, or saved when
    `page` made it. Raises `EditConflict` when that one says something else by now.
    """
    pk = uuid5(draft_id, str(connection.pk)) if draft_id else uuid4()
    new = new_draft(connection, draft, by=by, pk=pk)
    try:
        with transaction.atomic():
            keep_drafts([new], by=by)
            if draft.reduction:
                tax_reduction.keep(new.invoice.pk, draft.reduction)
            if page:
                writing.note(new.invoice, page, by=by)
    except IntegrityError:
        earlier = Invoice.objects.filter(pk=pk).first()
        if earlier is None:
            raise
        half = writing.typed_of(earlier) or (page and not page.is_whole)
        if draft_of(earlier) != dated(draft) or half:
            if page and by and writing.was_last(earlier, page):
                return save_draft(earlier, draft, version=earlier.version, by=by, page=page)
            raise EditConflict(earlier) from None
        return earlier
    return new.invoice


def new_draft(
    connection: Connection, draft: DraftInput, *, by: User | None, pk: UUID | None = None
) -> NewDraft:
    """What `keep_drafts` keeps of the draft. Nothing is written."""
    invoice = Invoice(
        pk=pk or uuid4(), tenant_id=connection.tenant_id, connection=connection, created_by=by
    )
    lines = fill(invoice, draft)
    return NewDraft(invoice, lines, row_of_more(invoice, draft))


def keep_drafts(drafts: Sequence[NewDraft], *, by: User | None) -> None:
    """Keep new drafts here, with few statements for all. Raises `IntegrityError`."""
    with transaction.atomic():
        Invoice.objects.bulk_create([each.invoice for each in drafts])
        LineItem.objects.bulk_create([item for each in drafts for item in each.lines])
        InvoiceMore.objects.bulk_create([each.more for each in drafts if each.more])
        record_all(_audit_line("invoice.drafted", each.invoice, by=by) for each in drafts)


def save_draft(
    invoice: Invoice, draft: DraftInput, *, version: int, by: User, page: Page | None = None
) -> Invoice:
    """Replace a draft that is still ours alone.

    `version` is the one that the person's page showed; the same form sent twice saves once, and
    `page` is not in its own way. Raises `EditConflict`, `NotEditable`.
    """
    page = page or Page()
    with transaction.atomic():
        invoice = Invoice.objects.select_for_update().get(pk=invoice.pk)
        kept = draft_of(invoice)
        same = page.is_whole and kept == dated(draft) and not writing.typed_of(invoice)
        if invoice.version != version and same:
            return invoice
        if not is_editable(invoice, holding=True):
            raise NotEditable(invoice)
        if invoice.version != version and not writing.was_last(invoice, page):
            raise EditConflict(invoice)
        if page.by_itself and writing.is_late(invoice, page):  # a person means what he presses
            return invoice
        invoice.version += 1
        replace_rows(invoice, draft)
        if writing.note(invoice, page, by=by):
            _audit("invoice.draft_saved", invoice, by=by, version=invoice.version)
    return invoice


def delete_draft(invoice: Invoice, *, by: User) -> None:
    """Remove a draft that never left us. Raises `NotEditable`."""
    with transaction.atomic():
        invoice = Invoice.objects.select_for_update().get(pk=invoice.pk)
        if not is_editable(invoice) or sending_flow(invoice):
            raise NotEditable
        _audit("invoice.draft_deleted", invoice, by=by)
        attaching.forget_all(invoice)
        invoice.delete()


def sending_flow(invoice: Invoice, *, holding: bool = False) -> Flow | None:
    """The flow that sends, or has sent, this invoice.

    With `holding` a stuck one is locked for the transaction, against a retry. No other is: a
    worker writes flow before invoice, and whoever has the invoice must not wait for its flow.
    """
    of_invoice = Flow.objects.filter(tenant_id=invoice.tenant_id, business_key=str(invoice.pk))
    sends = Q(kind=SEND_INVOICE) & ~Q(state=FlowState.CANCELLED)
    # An order that has ended did what it was to do; what is left can be done by a flow of its own.
    ordered = Q(kind=RUN_INVOICE) & ~Q(state__in=[FlowState.CANCELLED, FlowState.DONE])
    mine = of_invoice.filter(sends | ordered)
    if holding:
        mine.select_for_update().filter(state=FlowState.STUCK).first()
    return mine.first()


def is_editable(invoice: Invoice, *, holding: bool = False) -> bool:
    """True while nothing of it can be at Bokio: not sent, or refused before anything was made.

    With `holding` it stays so until the transaction ends: no retry gets in between.
    """
    if not invoice.is_ours:
        return False
    flow = sending_flow(invoice, holding=holding)
    if flow is None:
        return True
    created = flow.steps.get(op="create_invoice")
    return flow.state == FlowState.STUCK and created.state == StepState.PENDING


def start_sending(invoice: Invoice, *, by: User, request_key: str = "") -> tuple[Flow, bool]:
    """Publish and record: customer, draft with all lines, publish, record, each exactly once.

    Asked for again, the flow that exists is returned with False; a flow that Bokio's refusal of
    the data has stopped goes on with the corrected draft; after a cancelled flow a new one does
    what is left. Raises `NotReady`, `NotEditable`.
    """
    with transaction.atomic():
        invoice = Invoice.objects.select_for_update().get(pk=invoice.pk)
        flow = sending_flow(invoice, holding=True)
        if may_go_on(invoice):
            return _start(invoice, _payloads_left(invoice), by=by, request_key=request_key)
        if not is_editable(invoice):
            if flow is None:
                raise NotEditable
            return flow, False
        if problems := problems_of(invoice) or _unfinished(invoice):
            raise NotReady(problems)
        more = InvoiceMore.objects.filter(invoice=invoice).first()
        payloads = payloads_of(
            invoice,
            invoice.lines.all(),
            cash=is_cash(invoice),
            more=more,
            reduction=tax_reduction.kept(invoice.pk),
        )
        if flow and _is_for_another_customer(flow, invoice):
            if flow.kind != SEND_INVOICE:
                raise NotReady([("customer", ORDERED_FOR_ANOTHER)])
            flows.abandon(flow, by=by, reason="another customer")
            flow = None
        if flow is None:
            return _start(invoice, payloads, by=by, request_key=request_key)
        flows.correct(flow, _keeping(flow, payloads), by=by)
        return flow, True


def _is_for_another_customer(flow: Flow, invoice: Invoice) -> bool:
    """Whether the flow has the customer at Bokio already, and the draft now goes to another."""
    step = flow.steps.filter(op="ensure_customer").first()
    if step is None:
        return invoice.customer is not None and not invoice.customer.remote_id
    wanted = str(step.payload["customer"])
    return step.state != StepState.PENDING and wanted != str(invoice.customer_id)


def _unfinished(invoice: Invoice) -> list[tuple[str, str]]:
    """A draft that stands half typed is not sent: what is missing in it could be a line."""
    if writing.typed_of(invoice):
        return [("typed", "unfinished")]
    if invoice.currency != HOME and draft_of(invoice).more.rate == 1:
        return [("rate", "no_rate")]
    return []


def may_go_on(invoice: Invoice) -> bool:
    """True for what a cancelled flow has left at Bokio: not published, or not recorded."""
    if invoice.is_ours or invoice.status == Invoice.Status.GONE or sending_flow(invoice):
        return False
    return invoice.is_draft or not (invoice.is_recorded or is_cash(invoice))


def _start(
    invoice: Invoice, payloads: dict[str, dict[str, Any]], *, by: User, request_key: str
) -> tuple[Flow, bool]:
    steps = [flows.NewStep(op, payload) for op, payload in payloads.items()]
    if invoice.is_draft:  # its files too, while Bokio takes them
        at = next(place for place, step in enumerate(steps) if step.op == "publish_invoice")
        steps[at:at] = attaching.steps_of(invoice)
    return flows.start(
        SEND_INVOICE,
        connection=invoice.connection,
        steps=steps,
        business_key=str(invoice.pk),
        resource_key=invoice.resource_key,
        request_key=request_key,
        by=by,
    )


def is_cash(invoice: Invoice) -> bool:
    """Whether the invoice's year follows the cash method: then it is not recorded by itself."""
    year = fiscal_year_of(invoice.connection, invoice.invoice_date)
    return bool(year and year.is_cash)


def _payloads_left(invoice: Invoice) -> dict[str, dict[str, Any]]:
    """What remains to be done with an invoice that Bokio has; proofs skip what is done there."""
    reference = {"invoice": str(invoice.pk), "remote_id": invoice.remote_id}
    record_step = {"record_invoice": {**reference, "cash": is_cash(invoice)}}
    return ({"publish_invoice": reference} if invoice.is_draft else {}) | record_step


def _keeping(flow: Flow, payloads: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Corrected payloads, with what an order said beyond what the editor shows."""
    kept = {}
    for op, ordered in flow.steps.values_list("op", "payload"):
        payload = payloads.get(op)
        if payload and payload.get("customer") != ordered.get("customer"):
            kept[op] = payload  # what was ordered of one customer is not said of another
        elif payload:
            kept[op] = {**ordered, **payload}
            if "reduction" not in payload:
                kept[op].pop("reduction", None)
            if "invoice" in payload and "more" in ordered and "more" in payload:
                kept[op]["more"] = {**ordered["more"], **payload["more"]}
    return {op: kept.get(op, payload) for op, payload in payloads.items()}


def draft_of(invoice: Invoice) -> DraftInput:
    """The invoice as the editor would give it."""
    row = InvoiceMore.objects.filter(invoice=invoice).first()
    discount = Discount(row.discount, row.discount_kind) if row and row.discount else None
    kept = [
        LineInput(**{each.name: getattr(line, each.name) for each in fields(LineInput)})
        for line in invoice.lines.all()
    ]
    lines, discount = without_discount(kept, discount)
    more = more_of(row) if row else _ordered(invoice)
    if more.rate == 1 and invoice.currency_rate:
        more = replace(more, rate=invoice.currency_rate)
    return DraftInput(
        customer=invoice.customer,
        invoice_date=invoice.invoice_date,
        due_date=invoice.due_date,
        your_reference=invoice.your_reference,
        lines=lines,
        discount=discount,
        currency=invoice.currency,
        more=more,
        reduction=tax_reduction.kept(invoice.pk),
    )


def _ordered(invoice: Invoice) -> More:
    """What an order said of an invoice that no person has edited; it stands in its flow alone."""
    flow = sending_flow(invoice)
    step = flow.steps.filter(op="create_invoice").first() if flow else None
    ordered = step.payload.get("more", {}) if step else {}
    address = ordered.get("delivery_address") or {}
    names = ("order_number", "project", "contract")
    return More(
        rate=Decimal(ordered.get("currency_rate", 1)),
        **{name: ordered.get(name, "") for name in names},
        **{name: address.get(name) or "" for name in InvoiceMore.ADDRESS},
    )


def _audit(action: str, invoice: Invoice, *, by: User | None, **data: Any) -> None:
    record_all([_audit_line(action, invoice, by=by, **data)])


def _audit_line(action: str, invoice: Invoice, *, by: User | None, **data: Any) -> dict[str, Any]:
    return line(
        action,
        tenant=invoice.tenant_id,
        subject="invoice",
        subject_id=invoice.pk,
        actor=by,
        **data,
    )

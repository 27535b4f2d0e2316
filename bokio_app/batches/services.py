"""Taking an order: our rows and one durable flow for all of it, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from bokio_app.connections.models import Connection, State
from bokio_app.flows import services as flows
from bokio_app.flows.models import Lane
from bokio_app.invoicing import numbers
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.models import Customer, Invoice
from bokio_app.invoicing.problems import Sendable
from bokio_app.ledger.queries import books_of
from bokio_app.payments.models import Payment, Settlement
from bokio_app.tenants.models import Tenant

from . import checks
from .checks import Refused
from .models import BulkLine
from .orders import AddressPart, CustomerPart, InvoicePart, Order
from .sync import read_unknown_customer

__all__ = ["Accepted", "Refused", "accept"]

OTHER_CONTENT = "reference: was used before, with other content"
NOT_CONNECTED = "company: is not connected in this workspace"


@dataclass(frozen=True)
class Accepted:
    """An order that is kept. `new` is False when its reference was accepted before."""

    line: BulkLine
    connection: Connection
    new: bool


def accept(tenant: Tenant, order: Order) -> Accepted:
    """Keep an order with everything that shall happen, or find that it is kept already.

    Bokio is not called: workers do that. Raises `Refused`.
    """
    try:
        return _accept(tenant, order)
    except IntegrityError:
        # A reading has just brought the customer that we were making a row for.
        return _accept(tenant, order)


def _accept(tenant: Tenant, order: Order) -> Accepted:
    if line := _earlier(tenant, order):
        return Accepted(line, line.flow.connection, new=False)
    with transaction.atomic():
        # One acceptance at a time in a workspace: neither a reference nor a new customer is met
        # twice, however many files are read at once. Flows that run do not wait for this.
        Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
        if line := _earlier(tenant, order):
            return Accepted(line, line.flow.connection, new=False)
        connection = _connection(tenant, order)
        return Accepted(_keep(tenant, connection, order), connection, new=True)


def _earlier(tenant: Tenant, order: Order) -> BulkLine | None:
    found = (
        BulkLine.objects.filter(tenant=tenant, reference=order.reference)
        .select_related("flow__connection")
        .first()
    )
    if found and found.content_hash != order.content_hash:
        raise Refused(OTHER_CONTENT)
    return found


def _connection(tenant: Tenant, order: Order) -> Connection:
    live = tenant.connections.exclude(state=State.ENDED)
    connection = live.filter(company_id=order.company).first()
    if connection is None:
        raise Refused(NOT_CONNECTED)
    return connection


def _keep(tenant: Tenant, connection: Connection, order: Order) -> BulkLine:
    customer = _customer(connection, order.customer)
    draft = draft_of(order, customer)
    checks.check(order, sendable(draft), books_of(connection), scopes=connection.scopes)
    invoice = _invoice(connection, order, draft)
    flow, _started = flows.start(
        invoicing.RUN_INVOICE,
        connection=connection,
        steps=[*_sending(order, invoice), *_receipts(order, invoice), *_credit(order, invoice)],
        business_key=str(invoice.pk),
        resource_key=invoice.resource_key,
        lane=Lane.BATCH,
        by=None,
        rings=False,
    )
    return BulkLine.objects.create(
        tenant=tenant,
        reference=order.reference,
        content_hash=order.content_hash,
        invoice=invoice,
        flow=flow,
    )


# --- Whom it goes to -------------------------------------------------------------------------
def _customer(connection: Connection, part: CustomerPart) -> Customer:
    """The row of the customer: one that says the same, or a new one."""
    if part.id:
        known = connection.customers.filter(remote_id=str(part.id)).first()
        return known or _unknown_customer(connection, str(part.id))
    values = customer_values(part)
    same = connection.customers.filter(**values).order_by("-remote_id", "created_at").first()
    return same or invoicing.create_customer(connection, by=None, **values)


def _unknown_customer(connection: Connection, remote_id: str) -> Customer:
    """A row for one that Bokio must have: what it is called comes with a reading."""
    read_unknown_customer(connection)
    return invoicing.create_customer(connection, by=None, remote_id=remote_id, name=remote_id)


def customer_values(part: CustomerPart) -> dict[str, Any]:
    """The fields of the customer's row. Raises `Refused` for a number that cannot be one."""
    address = part.address or AddressPart("", "", "")
    try:
        org_number = part.org_number
        if address.country == "SE":
            org_number = numbers.organisation_number(org_number)
        vat_number = numbers.vat_number(part.vat_number)
    except ValidationError as error:
        raise Refused(f"customer: {error.messages[0]}") from None
    return {
        "name": part.name,
        "type": part.type,
        "org_number": org_number,
        "vat_number": vat_number,
        "email": next((each.email for each in part.contacts if each.email), ""),
        "line1": address.line1,
        "line2": address.line2,
        "postal_code": address.postal_code,
        "city": address.city,
        "country": address.country,
        "payment_terms": part.payment_terms,
    }


# --- The invoice -----------------------------------------------------------------------------
def draft_of(order: Order, customer: Customer) -> invoicing.DraftInput:
    """What the order makes a draft of."""
    part = order.invoice
    return invoicing.DraftInput(
        customer=customer,
        invoice_date=part.invoice_date,
        due_date=part.due_date,
        your_reference=part.buyer_reference,
        lines=[invoicing.LineInput(**asdict(line)) for line in part.lines],
    )


def sendable(draft: invoicing.DraftInput) -> Sendable:
    """The draft as it will be when it is kept, for judging it."""
    draft = invoicing.dated(draft)
    return Sendable(draft.customer, draft.invoice_date, draft.due_date, draft.lines)


def _invoice(connection: Connection, order: Order, draft: invoicing.DraftInput) -> Invoice:
    invoice = invoicing.create_draft(connection, draft, by=None)
    if order.invoice.currency != invoice.currency:
        invoice.currency = order.invoice.currency
        invoice.save(update_fields=["currency"])
    return invoice


def _sending(order: Order, invoice: Invoice) -> list[flows.NewStep]:
    """Up to where the order goes; a customer whom Bokio has needs no step."""
    payloads = invoicing.payloads_of(invoice)
    payloads["ensure_customer"]["more"] = _more_of_customer(order.customer)
    payloads["create_invoice"] |= {
        # The editor's guess is not sent: Bokio knows the customer's terms.
        "due_date": order.invoice.due_date,
        "external_id": order.reference,
        "more": _more_of_invoice(order.invoice),
    }
    wanted = {
        "ensure_customer": not (invoice.customer and invoice.customer.remote_id),
        "create_invoice": True,
        "publish_invoice": order.publish,
        "record_invoice": order.record,
    }
    return [flows.NewStep(op, payload) for op, payload in payloads.items() if wanted[op]]


def _more_of_customer(part: CustomerPart) -> dict[str, Any]:
    """What our row of a customer does not hold."""
    return _filled(
        contacts=[asdict(each) for each in part.contacts],
        language=part.language,
        customer_number=part.customer_number,
        construction_reverse_charge=part.construction_reverse_charge,
    )


def _more_of_invoice(part: InvoicePart) -> dict[str, Any]:
    """What our row of an invoice does not hold."""
    return _filled(
        currency_rate=part.currency_rate,
        order_number=part.order_number,
        project=part.project,
        contract=part.contract,
        delivery_address=asdict(part.delivery_address) if part.delivery_address else None,
        total_rounding=part.total_rounding,
        metadata=part.metadata,
    )


def _filled(**values: Any) -> dict[str, Any]:
    return {key: each for key, each in values.items() if each not in (None, "", [], {})}


# --- What closes it, or takes it back --------------------------------------------------------
def _receipts(order: Order, invoice: Invoice) -> Iterable[flows.NewStep]:
    ours = {"invoice": str(invoice.pk)}
    for part in order.settlements:
        fee = Settlement.objects.create(
            invoice=invoice, type=part.type, date=part.date, amount=part.amount
        )
        mine = {**ours, "settlement": str(fee.pk)}
        facts = {"type": part.type, "date": part.date, "amount": part.amount}
        scheme = _filled(vat_scheme=part.vat_scheme)
        yield flows.NewStep("create_settlement", {**mine, **facts, **scheme})
        if part.record:
            yield flows.NewStep("record_settlement", mine)
    for received in order.payments:
        payment = Payment.objects.create(
            invoice=invoice, date=received.date, amount=received.amount, account=received.account
        )
        mine = {**ours, "payment": str(payment.pk)}
        facts = {"date": received.date, "amount": received.amount, "account": received.account}
        yield flows.NewStep("create_payment", {**mine, **facts})
        if received.record:
            yield flows.NewStep("record_payment", mine)


def _credit(order: Order, invoice: Invoice) -> Iterable[flows.NewStep]:
    if order.credit is None:
        return
    ours = {"invoice": str(invoice.pk)}
    yield flows.NewStep("credit_invoice", ours)
    if order.credit.publish:
        yield flows.NewStep("publish_credit_note", ours)
    if order.credit.record:
        cash = invoicing.is_cash(invoice)
        yield flows.NewStep("record_credit_note", {**ours, "cash": cash})

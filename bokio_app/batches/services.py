"""Taking orders: our rows and one durable flow for all of each, many of them in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import IntegrityError, transaction

from bokio_app.connections.models import Connection
from bokio_app.connections.queries import open_for_work
from bokio_app.flows import services as flows
from bokio_app.flows.models import Lane
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.inputs import DraftInput, LineInput, NewDraft
from bokio_app.invoicing.models import Customer, Invoice
from bokio_app.invoicing.problems import Sendable
from bokio_app.invoicing.rows import dated
from bokio_app.ledger.queries import books_of_all
from bokio_app.payments.models import Payment, Settlement
from bokio_app.tenants.models import Tenant

from . import checks, steps
from .checks import Refused
from .customers import Customers
from .models import BulkLine
from .orders import Order
from .sync import read_unknown_customer

__all__ = ["Accepted", "Refused", "accept", "accept_all"]

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
    [verdict] = accept_all(tenant, [order])
    if isinstance(verdict, Refused):
        raise verdict
    return verdict


def accept_all(tenant: Tenant, orders: Sequence[Order]) -> list[Accepted | Refused]:
    """The same for several orders, in one transaction: all that are taken are kept together, and
    one that is refused leaves the others. The verdicts stand in the order of the orders.
    """
    try:
        return _accept_all(tenant, orders)
    except IntegrityError:
        # A reading has just brought a customer that we were making a row for.
        return _accept_all(tenant, orders)


def _accept_all(tenant: Tenant, orders: Sequence[Order]) -> list[Accepted | Refused]:
    if len(known := _kept(tenant, orders)) == len(orders):
        return [_as_before(known[order.reference], order) for order in orders]
    with transaction.atomic():
        # One acceptance at a time in a workspace: neither a reference nor a new customer is met
        # twice, however many files are read at once. Flows that run do not wait for this.
        Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
        taking = Taking(tenant, orders)
        verdicts = [taking.take(order) for order in orders]
        taking.keep()
    return verdicts


def _kept(tenant: Tenant, orders: Sequence[Order]) -> dict[str, BulkLine]:
    """The lines that were accepted with the orders' references."""
    found = BulkLine.objects.filter(
        tenant=tenant, reference__in={order.reference for order in orders}
    ).select_related("flow__connection")
    return {line.reference: line for line in found}


def _as_before(line: BulkLine, order: Order) -> Accepted | Refused:
    if line.content_hash != order.content_hash:
        return Refused(OTHER_CONTENT)
    return Accepted(line, line.flow.connection, new=False)


class Taking:
    """Orders that are kept together: what they have in common is read once, and every table is
    written once. Lives within a transaction that holds the workspace.
    """

    def __init__(self, tenant: Tenant, orders: Sequence[Order]) -> None:
        self._tenant = tenant
        self._before = _kept(tenant, orders)
        live = open_for_work(tenant)
        companies = {order.company for order in orders}
        self._connections = {
            each.company_id: each for each in live.filter(company_id__in=companies)
        }
        self._books = books_of_all(self._connections.values())
        self._customers = Customers(self._connections.values(), orders)
        self._accepted: dict[str, Accepted] = {}
        self._drafts: list[NewDraft] = []
        self._settlements: list[Settlement] = []
        self._payments: list[Payment] = []
        self._flows: list[flows.NewFlow] = []

    def take(self, order: Order) -> Accepted | Refused:
        """Say of an order whether it is taken, and hold what `keep` is to write for it."""
        if line := self._before.get(order.reference):
            return _as_before(line, order)
        content_hash = order.content_hash
        if earlier := self._accepted.get(order.reference):
            is_same = earlier.line.content_hash == content_hash
            return replace(earlier, new=False) if is_same else Refused(OTHER_CONTENT)
        try:
            connection, draft = self._judge(order)
        except Refused as refusal:
            return refusal
        invoice = self._hold(order, connection, draft)
        line = BulkLine(
            tenant=self._tenant,
            reference=order.reference,
            content_hash=content_hash,
            invoice=invoice,
        )
        self._accepted[order.reference] = Accepted(line, connection, new=True)
        return self._accepted[order.reference]

    def _judge(self, order: Order) -> tuple[Connection, DraftInput]:
        """Raises `Refused`."""
        connection = self._connections.get(order.company)
        if connection is None:
            raise Refused(NOT_CONNECTED)
        draft = draft_of(order, self._customers.find(connection, order.customer))
        books = self._books[connection.pk]
        checks.check(order, sendable(draft), books, scopes=connection.scopes)
        return connection, draft

    def _hold(self, order: Order, connection: Connection, draft: DraftInput) -> Invoice:
        if draft.customer:
            self._customers.take(draft.customer)
        new = invoicing.new_draft(connection, draft, by=None)
        invoice = new.invoice
        invoice.currency = order.invoice.currency
        cash = self._books[connection.pk].is_cash(invoice.invoice_date)
        settlements = steps.settlements_of(order, invoice)
        payments = steps.payments_of(order, invoice)
        flow = flows.NewFlow(
            invoicing.RUN_INVOICE,
            connection=connection,
            steps=[
                *steps.sending(order, new, cash=cash),
                *steps.closing(order, invoice, settlements, payments),
                *steps.taking_back(order, invoice, cash=cash),
            ],
            business_key=str(invoice.pk),
            resource_key=invoice.resource_key,
            lane=Lane.BATCH,
        )
        self._drafts.append(new)
        self._settlements += settlements
        self._payments += payments
        self._flows.append(flow)
        return invoice

    def keep(self) -> None:
        """Write everything that was taken."""
        if not self._accepted:
            return
        for connection in self._customers.of_strangers():
            read_unknown_customer(connection)
        if new := [*self._customers.new.values()]:
            invoicing.keep_customers(new, by=None)
        invoicing.keep_drafts(self._drafts, by=None)
        Settlement.objects.bulk_create(self._settlements)
        Payment.objects.bulk_create(self._payments)
        lines = [each.line for each in self._accepted.values()]
        for line, flow in zip(lines, flows.start_all(self._flows, by=None), strict=True):
            line.flow = flow
        BulkLine.objects.bulk_create(lines)


def draft_of(order: Order, customer: Customer) -> DraftInput:
    """What the order makes a draft of."""
    part = order.invoice
    return DraftInput(
        customer=customer,
        invoice_date=part.invoice_date,
        due_date=part.due_date,
        your_reference=part.buyer_reference,
        lines=[LineInput(**vars(line)) for line in part.lines],
    )


def sendable(draft: DraftInput) -> Sendable:
    """The draft as it will be when it is kept, for judging it."""
    draft = dated(draft)
    return Sendable(draft.customer, draft.invoice_date, draft.due_date, draft.lines)

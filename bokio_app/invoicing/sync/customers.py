"""Reading customers from Bokio into our own rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.customers import Customer as RemoteCustomer
from bokio_app.bokio.customers import CustomerDraft
from bokio_app.bokio.errors import NotFound
from bokio_app.bokio.paging import Page
from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.flows import services as flows
from bokio_app.flows.listing.merging import key_of, merge
from bokio_app.flows.listing.reading import ReadPage
from bokio_app.flows.models import Flow, Lane
from bokio_app.flows.operations import Done, Operation, StepContext, register, register_kind
from bokio_app.flows.patterns import GONE, fingerprint, plain
from bokio_app.flows.readings import asked_at
from bokio_app.invoicing.models import Customer
from bokio_app.tenants.models import User

READ_CUSTOMERS = register_kind("read_customers", _("Read customers"))


@register
class ReadCustomers(Operation):
    """All customers of the company in one step, for work that cannot go on without them."""

    name = "read_customers"
    scopes = ("customers:read",)
    label = _("Customers")
    reads_only = True

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        customers = list(bokio.customers.find())
        return Done({"count": len(customers)}, read=customers)

    def apply(self, ctx: StepContext, done: Done) -> None:
        _keep(ctx.flow, done.read, asked_at(ctx))


@register
class ListCustomers(ReadPage[RemoteCustomer]):
    """One page of the customers. One that Bokio no longer has keeps its row, and is not offered."""

    name = "list_customers"
    scopes = ("customers:read",)
    label = _("Customers")

    def ask(self, bokio: Bokio, number: int) -> Page[RemoteCustomer]:
        return bokio.customers.find().page(number)

    def keep(self, ctx: StepContext, rows: Sequence[RemoteCustomer], asked: datetime) -> None:
        _keep(ctx.flow, rows, asked)

    def held(self, connection_id: UUID) -> QuerySet[Customer]:
        return Customer.objects.filter(connection_id=connection_id, gone_at=None)

    def lose(self, connection_id: UUID, remote_ids: Collection[str]) -> None:
        if remote_ids:
            mine = Customer.objects.filter(connection_id=connection_id)
            mine.filter(remote_id__in=remote_ids, gone_at=None).update(gone_at=clock.now())


@register
class ReadCustomer(Operation):
    """One customer, as a whole. Payload: `remote_customer`, or none after `ensure_customer`."""

    name = "read_customer"
    scopes = ("customers:read",)
    label = _("Customer read")
    reads_only = True

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        remote_id = _wanted(ctx)
        try:
            found = bokio.customers.get(UUID(remote_id))
        except NotFound as error:
            if error.code != GONE:
                raise
            return Done({"remote_id": remote_id})
        return Done({"name": found.name}, read=found)

    def apply(self, ctx: StepContext, done: Done) -> None:
        if done.read:
            _keep(ctx.flow, [done.read], asked_at(ctx))
            return
        lost = Customer.objects.filter(connection_id=ctx.flow.connection_id, gone_at=None)
        lost.filter(remote_id=_wanted(ctx)).update(gone_at=clock.now())


def _wanted(ctx: StepContext) -> str:
    """Bokio's id. A step that had nothing to create was skipped, and left none: our row has it."""
    if told := ctx.payload.get("remote_customer"):
        return str(told)
    if made := ctx.results.get("ensure_customer", {}).get("remote_id"):
        return str(made)
    ensured = ctx.flow.steps.get(op="ensure_customer")
    mine = Customer.objects.filter(connection_id=ctx.flow.connection_id)
    return mine.get(pk=ensured.payload["customer"]).remote_id


def _keep(flow: Flow, found: Sequence[RemoteCustomer], asked: datetime) -> None:
    def make(remote_id: str, _values: object) -> Customer:
        return Customer(
            tenant_id=flow.tenant_id, connection_id=flow.connection_id, remote_id=remote_id
        )

    rows = Customer.objects.filter(connection_id=flow.connection_id)
    merge(rows, {key_of(each): values_of(each) for each in found}, asked=asked, make=make)


def values_of(remote: RemoteCustomer) -> dict[str, Any]:
    """What a row holds of a customer of Bokio's."""
    address = remote.address
    email = next((each.email for each in remote.contacts if each.email), "")
    is_person = remote.type == Customer.Type.PRIVATE  # whose numbers nothing here needs
    return {
        "name": remote.name[:200],
        "type": (remote.type or Customer.Type.COMPANY)[:10],
        "org_number": "" if is_person else remote.org_number[:40],
        "vat_number": "" if is_person else remote.vat_number[:40],
        "email": email[:254],
        "line1": (address.line1 if address else "")[:200],
        "line2": ((address.line2 if address else "") or "")[:200],
        "postal_code": (address.postal_code if address else "")[:20],
        "city": (address.city if address else "")[:100],
        "country": ((address.country if address else "") or "SE")[:2],
        "payment_terms": remote.payment_terms[:40],
        "more": _more(remote, hides=is_person and bool(remote.org_number or remote.vat_number)),
        "mark": fingerprint(CustomerDraft.from_customer(remote).to_json()),
    }


def _more(remote: RemoteCustomer, *, hides: bool) -> dict[str, Any]:
    """The parts that invoices do not need, and a change must give back; those that say nothing
    are left out.
    """
    parts: dict[str, Any] = {
        "contacts": [
            {
                "id": str(each.id) if each.id else None,
                "name": each.name,
                "email": each.email,
                "phone": each.phone,
                "is_default": each.is_default,
                **({"extra": plain(each.extra)} if each.extra else {}),
            }
            for each in remote.contacts
        ],
        "language": remote.language,
        "customer_number": remote.customer_number,
        "subdivision": remote.address.subdivision if remote.address else None,
        "extra": plain(remote.extra),
        "hides": hides,
    }
    told = {key: value for key, value in parts.items() if value}
    if remote.construction_reverse_charge is not None:
        told["construction_reverse_charge"] = remote.construction_reverse_charge
    return told


def read_customers(connection: Connection, by: User | None, occasion: str) -> None:
    """Read the company's customers anew, in the background."""
    flows.start(
        READ_CUSTOMERS,
        connection=connection,
        steps=[flows.NewStep(ReadCustomers.name, {})],
        business_key=f"{connection.pk}:{occasion}",
        lane=Lane.SYNC,
        by=by,
    )

"""What people do to customers and items. What Bokio has is changed by flows, the rest at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from bokio_app.audit.services import record
from bokio_app.connections.models import Connection
from bokio_app.flows import services as flows
from bokio_app.flows.explain import LACKS_SCOPE
from bokio_app.flows.models import Flow, FlowState, Step, StepState
from bokio_app.flows.operations import StepContext, register_kind
from bokio_app.flows.sealed import is_sealed, unseal
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.models import Customer, Invoice, Item
from bokio_app.invoicing.payloads import CUSTOMER_FIELDS, customer_payload
from bokio_app.tenants.models import User

Values = dict[str, Any]

CREATE_CUSTOMER = register_kind("create_customer", _("Customer created"))
ITEM_FIELDS = ("description", "type", "product", "unit", "unit_price", "tax_rate", "account")


class ChangedMeanwhile(Exception):
    """Our copy says something else by now than what the person had before them."""


class Busy(Exception):
    """A run is at work on it, or has stopped where only its own page can help."""


class NumberElsewhere(Exception):
    """Bokio has a person's number that is not kept here: a change from here would remove it."""


class HasInvoices(Exception):
    """A customer with invoices cannot be deleted."""


@dataclass(frozen=True)
class Standing:
    """The flow that works on a customer or an item, and where it stands."""

    flow: Flow
    step: Step | None

    @property
    def is_moving(self) -> bool:
        return self.flow.is_moving

    @property
    def is_stuck(self) -> bool:
        return self.flow.state == FlowState.STUCK

    @property
    def is_harmless(self) -> bool:
        """Stopped before anything was sent, or by a refusal: it can be put right or dropped."""
        return self.is_stuck and bool(self.step and self.step.state == StepState.PENDING)

    @property
    def is_correctable(self) -> bool:
        """Harmless, and about values that a form holds; a permission that lacks is none."""
        if self.flow.stuck_code == LACKS_SCOPE:
            return False
        ops = {"ensure_customer", "update_customer", "create_item", "update_item"}
        return self.is_harmless and bool(self.step and self.step.op in ops)

    @property
    def refusals(self) -> Sequence[Sequence[str]]:
        """What Bokio said against the values, as (pointer, message)."""
        if self.step is None or not self.is_correctable or self.was_overtaken:
            return []
        message = self.step.error_message
        return self.step.error_fields or ([["", message]] if message else [])

    @property
    def was_overtaken(self) -> bool:
        """Somebody has changed the thing in Bokio since it was read here."""
        return self.is_stuck and bool(self.step and self.step.error_code == "changed-meanwhile")

    @property
    def seen(self) -> str:
        """The fingerprint of what the flow goes by."""
        return str(self.step.payload.get("seen", "")) if self.step else ""

    def values(self, names: Sequence[str]) -> Values:
        """What the flow wants to make of it, with numbers as they were typed."""
        assert self.step is not None  # noqa: S101  only asked of a correctable one
        payload = self.step.payload
        ctx = StepContext(self.flow, self.step, {})
        return {
            name: unseal(payload[name], ctx) if is_sealed(payload[name]) else payload[name]
            for name in names
            if name in payload
        }


def standing_of(connection: Connection, resource_key: str) -> Standing | None:
    """The oldest flow that is not at its end; None if there is none."""
    mine = Flow.objects.filter(connection=connection, resource_key=resource_key)
    flow = (
        mine.exclude(state__in=[FlowState.DONE, FlowState.CANCELLED])
        .exclude(kind="read_customer")
        .order_by("created_at", "pk")
        .prefetch_related("steps")
        .first()
    )
    return standing(flow) if flow else None


def standing(flow: Flow) -> Standing:
    """Where a flow stands."""
    at = flow.cursor
    return Standing(flow, next((each for each in flow.steps.all() if each.pos == at), None))


def customer_key(customer_id: UUID) -> str:
    """What flows hold while they work on a customer."""
    return f"customer:{customer_id}"


def item_key(item: Item) -> str:
    """What flows hold while they work on an item."""
    return f"item:{item.pk}"


# --- Customers -----------------------------------------------------------------------------
def create_customer(
    connection: Connection, values: Values, *, by: User, request_key: UUID, send: bool
) -> Customer:
    """Keep a new customer; with `send` have Bokio keep it too, else it goes there with its first
    invoice. The same form sent twice makes one.
    """
    pk = uuid5(request_key, str(connection.pk))
    customer = Customer(pk=pk, tenant_id=connection.tenant_id, connection=connection, **values)
    try:
        invoicing.keep_customers([customer], by=by)
    except IntegrityError:
        customer = Customer.objects.get(pk=pk, connection=connection)
    if send:
        start_creating(customer, by=by)
    return customer


def start_creating(customer: Customer, *, by: User) -> None:
    """Have Bokio keep a customer of ours."""
    if customer.remote_id:
        return
    flows.start(
        CREATE_CUSTOMER,
        connection=customer.connection,
        steps=[
            flows.NewStep("ensure_customer", _creation(customer)),
            flows.NewStep("read_customer", {}),
        ],
        business_key=str(customer.pk),
        resource_key=customer_key(customer.pk),
        by=by,
    )


def _creation(customer: Customer) -> Values:
    return {"customer": str(customer.pk), "remote_id": "", **customer_payload(customer)}


def save_customer(
    customer: Customer, values: Values, *, mark: str, by: User, request_key: str
) -> None:
    """Change a customer: at once what is ours, by a flow what Bokio has. What a refusal has
    stopped goes on with the new values. `mark` is the fingerprint that the page showed.

    Raises `ChangedMeanwhile`, `Busy`, `NumberElsewhere`.
    """
    with transaction.atomic():
        row = Customer.objects.select_for_update().get(pk=customer.pk)
        if Flow.objects.filter(tenant_id=row.tenant_id, request_key=request_key).exists():
            return
        stands = standing_of(row.connection, customer_key(row.pk))
        if stands and not stands.is_correctable:
            raise Busy
        if not row.remote_id:
            row = invoicing.update_customer(row, by=by, **values)
            if stands:
                _correct(stands, {"ensure_customer": _creation(row)}, by=by)
            return
        if row.hides_number:
            raise NumberElsewhere
        if row.mark != mark or not mark:
            raise ChangedMeanwhile
        payload = {
            "remote_customer": row.remote_id,
            "seen": mark,
            **customer_payload(Customer(**values)),
        }
        _start_or_correct("update_customer", row, payload, stands, by=by, request_key=request_key)


def _start_or_correct(
    op: str,
    row: Customer | Item,
    payload: Values,
    stands: Standing | None,
    *,
    by: User,
    request_key: str,
) -> None:
    if stands:
        _correct(stands, {op: payload}, by=by)
        return
    key = customer_key(row.pk) if isinstance(row, Customer) else item_key(row)
    flows.start(
        op,
        connection=row.connection,
        steps=[flows.NewStep(op, payload)],
        business_key=f"{row.pk}:{request_key}",
        resource_key=key,
        request_key=request_key,
        by=by,
    )


def delete_customer(customer: Customer, *, by: User, request_key: str) -> bool:
    """Delete a customer without invoices: at once what is ours, by a flow what Bokio has; True
    when it is gone by now. Raises `HasInvoices`, `Busy`.
    """
    with transaction.atomic():
        row = Customer.objects.select_for_update().get(pk=customer.pk)
        if Flow.objects.filter(tenant_id=row.tenant_id, request_key=request_key).exists():
            return False
        stands = standing_of(row.connection, customer_key(row.pk))
        if stands and not stands.is_harmless:
            raise Busy
        if has_invoices(row):
            raise HasInvoices
        if stands:
            give_up(stands, by=by)
        if row.remote_id:
            payload = {"remote_customer": row.remote_id}
            _start_or_correct("delete_customer", row, payload, None, by=by, request_key=request_key)
            return False
        record(
            "customer.deleted",
            tenant=row.tenant_id,
            subject="customer",
            subject_id=row.pk,
            actor=by,
        )
        row.delete()
    return True


def has_invoices(customer: Customer) -> bool:
    """Whether an invoice, a draft of ours too, names the customer."""
    mine = Invoice.objects.filter(customer=customer)
    return (mine.exclude(status=Invoice.Status.GONE) if customer.remote_id else mine).exists()


def read_customer(customer: Customer, *, by: User, request_key: str) -> None:
    """Read the customer as a whole from Bokio, in the background.

    It waits for no change of the customer: one that has stopped may need what is read.
    """
    flows.start(
        "read_customer",
        connection=customer.connection,
        steps=[flows.NewStep("read_customer", {"remote_customer": customer.remote_id})],
        business_key=f"{customer.pk}:{request_key}",
        request_key=f"{customer.pk}:{request_key}",
        by=by,
    )


def held(customer: Customer, stands: Standing | None) -> Values:
    """What a form begins with: what a stopped change wanted, else what our row says."""
    names = (*CUSTOMER_FIELDS, "more")
    row = {name: getattr(customer, name) for name in names}
    row["more"] = {**customer.more, "contacts": contacts_of(customer)}
    return row | (stands.values(names) if stands and stands.is_correctable else {})


def contacts_of(customer: Customer) -> list[Values]:
    """People at the customer; one whom an invoice has named only has an address."""
    if customer.contacts or not customer.email:
        return customer.contacts
    alone = {"id": None, "name": customer.name, "email": customer.email, "phone": ""}
    return [{**alone, "is_default": True}]


# --- Items ---------------------------------------------------------------------------------
def create_item(connection: Connection, values: Values, *, by: User, request_key: str) -> Flow:
    """Start making an item at Bokio; our row comes with its answer."""
    flow, _new = flows.start(
        "create_item",
        connection=connection,
        steps=[flows.NewStep("create_item", values)],
        business_key=request_key,
        request_key=request_key,
        by=by,
    )
    return flow


def correct_item(flow: Flow, values: Values, *, by: User) -> None:
    """Let a stopped creation go on with other values. Raises `Busy`."""
    stands = standing(flow)
    if not stands.is_correctable:
        raise Busy
    _correct(stands, {"create_item": values}, by=by)


def save_item(item: Item, values: Values, *, mark: str, by: User, request_key: str) -> None:
    """Change an item by a flow. Raises `ChangedMeanwhile`, `Busy`; see `save_customer`."""
    with transaction.atomic():
        row = Item.objects.select_for_update().get(pk=item.pk)
        if Flow.objects.filter(tenant_id=row.tenant_id, request_key=request_key).exists():
            return
        stands = standing_of(row.connection, item_key(row))
        if stands and not stands.is_correctable:
            raise Busy
        if row.mark != mark:
            raise ChangedMeanwhile
        payload = {"item": row.remote_id, "seen": mark or None, **values}
        _start_or_correct("update_item", row, payload, stands, by=by, request_key=request_key)


def delete_item(item: Item, *, by: User, request_key: str) -> None:
    """Start deleting an item at Bokio. Raises `Busy`."""
    with transaction.atomic():
        row = Item.objects.select_for_update().get(pk=item.pk)
        if Flow.objects.filter(tenant_id=row.tenant_id, request_key=request_key).exists():
            return
        stands = standing_of(row.connection, item_key(row))
        if stands and not stands.is_harmless:
            raise Busy
        if stands:
            give_up(stands, by=by)
        payload = {"item": row.remote_id}
        _start_or_correct("delete_item", row, payload, None, by=by, request_key=request_key)


def give_up(stands: Standing, *, by: User) -> None:
    """Drop a change that has stopped without effect. Raises `Busy`."""
    if not stands.is_harmless:
        raise Busy
    try:
        flows.cancel(stands.flow, by=by)
    except flows.NotStuck:
        raise Busy from None


def _correct(stands: Standing, payloads: dict[str, Values], *, by: User) -> None:
    try:
        flows.correct(stands.flow, payloads, by=by)
    except flows.NotStuck:
        raise Busy from None


def item_values(row: Mapping[str, Any] | Item) -> Values:
    """An item's fields, of a row or of a payload."""
    read = row.get if isinstance(row, Mapping) else row.__getattribute__
    return {name: read(name) for name in ITEM_FIELDS}

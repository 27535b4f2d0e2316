"""The step that has an invoice's customer at Bokio: adopt the one that is there, else create it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from bokio_app.bokio.addresses import Address
from bokio_app.bokio.client import Bokio
from bokio_app.bokio.customers import Customer as RemoteCustomer
from bokio_app.bokio.customers import CustomerDraft
from bokio_app.bokio.filters import F, Filter, FilterError
from bokio_app.flows.models import FlowState, Step, StepState, WaitReason
from bokio_app.flows.operations import (
    Ambiguous,
    Done,
    Operation,
    Proof,
    StepContext,
    exactly_one,
    register,
)
from bokio_app.flows.sealed import is_sealed, unseal

from .drafts import customer_draft
from .models import Customer, Invoice

CLOCK_DIFFERENCE = timedelta(minutes=2)
NOWHERE = Address("", "", "")


@register
class EnsureCustomer(Operation):
    """Have the customer at Bokio: adopt the one that is there, else create it."""

    name = "ensure_customer"
    scopes = ("customers:read", "customers:write")
    label = _("Customer in Bokio")
    looks_first = True
    meets_others = True
    by_filter = True

    def skip(self, ctx: StepContext) -> str:
        customer = Customer.objects.filter(pk=ctx.payload["customer"]).first()
        return "known" if customer and customer.remote_id else ""

    def waits_for(self, ctx: StepContext) -> str:
        """Two flows never create one customer at the same time, even over an unclear outcome."""
        if _has_become_another(ctx):
            return WaitReason.CUSTOMER_BUSY
        others = Step.objects.filter(
            op=self.name,
            state__in=[StepState.SENT, StepState.UNKNOWN],
            flow__connection_id=ctx.flow.connection_id,
        ).exclude(flow__state=FlowState.CANCELLED)
        # Of two rows for one company or person, too.
        rows = [str(pk) for pk in _with_number(ctx).values_list("pk", flat=True)]
        same = Q(payload__customer__in=[ctx.payload["customer"], *rows])
        number = ctx.payload["org_number"]
        if number and isinstance(number, str):
            same |= Q(payload__org_number=number)
        others = others.filter(same)
        return WaitReason.CUSTOMER_BUSY if others.exclude(pk=ctx.step.pk).exists() else ""

    def before(self, ctx: StepContext, bokio: Bokio) -> Done | list[str]:
        where = _by_number(ctx.payload)
        ours = set(_ids_with_number(ctx))  # asked first: what comes meanwhile is not among them
        if where is None:
            return _of_ours(ctx) or sorted(ours)
        found = list(bokio.customers.find(where))
        same = [each for each in found if _is_wanted(each, ctx)]
        if same:
            return _customer_done(same[0])
        return sorted(ours.union(str(each.id) for each in found))

    def is_overtaken(self, ctx: StepContext) -> bool:
        """Another row of ours with this number has come to Bokio since we looked there."""
        return not set(_ids_with_number(ctx)) <= set(ctx.step.baseline or [])

    def address(self, ctx: StepContext) -> str:
        return "POST customers"

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        return _customer_done(bokio.customers.create(customer_draft(ctx)))

    def prove(self, ctx: StepContext, bokio: Bokio) -> Proof:
        where = _by_number(ctx.payload)
        if where is None:
            where = F("modifiedDateTime") >= _begun(ctx) - CLOCK_DIFFERENCE
        found = list(bokio.customers.find(where))
        same = [each for each in found if _is_wanted(each, ctx)]
        if _by_number(ctx.payload) is None:
            return exactly_one(map(_customer_done, _not_others(ctx, same)), what=str(_("customer")))
        before = ctx.step.baseline
        new = [each for each in found if before is not None and str(each.id) not in before]
        if new and not same:  # a person may have changed what the lost attempt made
            why = str(_("The customer in Bokio differs from ours."))
            return Ambiguous(why, [dict(_customer_done(each).result) for each in new])
        return exactly_one(map(_customer_done, same), what=str(_("customer")))

    def apply(self, ctx: StepContext, done: Done) -> None:
        """Give our row Bokio's id; where another row has it already, become that row."""
        mine = Customer.objects.filter(pk=ctx.payload["customer"])
        same = Customer.objects.filter(
            connection_id=ctx.flow.connection_id, remote_id=done.remote_id
        ).exclude(pk=ctx.payload["customer"])
        if twin := same.first():
            _merge(mine, into=twin)
            return
        try:
            with transaction.atomic():
                mine.update(remote_id=done.remote_id)
        except IntegrityError:  # a reading was quicker by a moment
            _merge(mine, into=same.get())


def _begun(ctx: StepContext) -> datetime:
    """Before this, nothing of the step's was at Bokio, even where a restore lost its intent."""
    return ctx.step.intent_at or ctx.flow.created_at


def _not_others(ctx: StepContext, found: list[RemoteCustomer]) -> list[RemoteCustomer]:
    """People have no number that tells them apart: leave out those that our other rows held
    before this step began. A row that came later is a reading's copy of what the step made.
    """
    held = Customer.objects.filter(
        connection_id=ctx.flow.connection_id,
        remote_id__in=[str(each.id) for each in found],
        created_at__lt=_begun(ctx),
    ).exclude(pk=ctx.payload["customer"])
    others = set(held.values_list("remote_id", flat=True))
    return [each for each in found if str(each.id) not in others]


def _has_become_another(ctx: StepContext) -> bool:
    """While the flow was held, its row was merged into another: it must be read anew."""
    mine = Customer.objects.filter(pk=ctx.payload["customer"])
    if mine.exists():
        return False
    kept = Step.objects.filter(pk=ctx.step.pk).values_list("payload__customer", flat=True).first()
    return bool(kept != ctx.payload["customer"])


def _merge(mine: QuerySet[Customer], *, into: Customer) -> None:
    """Two rows are one customer of Bokio's: invoices and waiting steps move to `into`."""
    for row in mine:
        Invoice.objects.filter(customer=row).update(customer=into)
        waiting = Step.objects.filter(
            op=EnsureCustomer.name,
            state=StepState.PENDING,
            flow__connection_id=row.connection_id,
            payload__customer=str(row.pk),
        )
        for step in waiting:
            step.payload = {**step.payload, "customer": str(into.pk)}
            step.save(update_fields=["payload"])
        row.delete()


def _by_number(payload: dict[str, Any]) -> Filter | None:
    """A search by organisation number; None without one, or with one that is personal."""
    number = payload["org_number"]
    if not number or is_sealed(number) or payload["type"] == Customer.Type.PRIVATE:
        return None
    try:
        return F("orgNumber") == str(number)
    except FilterError:
        return None


def _with_number(ctx: StepContext) -> QuerySet[Customer]:
    """All our rows with the payload's number, a personal one as well; none without one."""
    rows = Customer.objects.filter(connection_id=ctx.flow.connection_id)
    number = unseal(ctx.payload["org_number"], ctx)
    return rows.filter(org_number=number) if number else rows.none()


def _ids_with_number(ctx: StepContext) -> Iterable[str]:
    """Bokio's ids of all our rows with the payload's number."""
    return _with_number(ctx).exclude(remote_id="").values_list("remote_id", flat=True)


def _of_ours(ctx: StepContext) -> Done | None:
    """A customer of Bokio's that another row of ours knows to be this one.

    Bokio is not searched by a personal number, which would stand in an address. So two rows for
    one sole trader become one here.
    """
    wanted = customer_draft(ctx)
    known = _with_number(ctx).exclude(remote_id="")
    for row in known.order_by("created_at"):
        if _same_customer(row, wanted, Address(row.line1, row.postal_code, row.city)):
            return Done({"remote_id": row.remote_id, "name": row.name}, remote_id=row.remote_id)
    return None


def _is_wanted(found: RemoteCustomer, ctx: StepContext) -> bool:
    return _same_customer(found, customer_draft(ctx), found.address)


def _same_customer(
    found: RemoteCustomer | Customer, wanted: CustomerDraft, address: Address | None
) -> bool:
    """Whether one that Bokio has is the wanted one, by what tells customers apart."""
    there, ours = address or NOWHERE, wanted.address or NOWHERE
    return (
        found.name == wanted.name
        and found.type == wanted.type
        and found.org_number == wanted.org_number
        and found.vat_number == wanted.vat_number
        and (there.line1, there.postal_code, there.city)
        == (ours.line1, ours.postal_code, ours.city)
    )


def _customer_done(customer: RemoteCustomer) -> Done:
    found = {"remote_id": str(customer.id), "name": customer.name}
    return Done(found, remote_id=str(customer.id))

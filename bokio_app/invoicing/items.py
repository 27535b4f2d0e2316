"""The steps that keep what a company sells again and again: create, change and delete an item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.filters import F, FilterError
from bokio_app.bokio.items import Item, ItemDraft
from bokio_app.core import clock
from bokio_app.flows.operations import (
    Done,
    Operation,
    Proof,
    StepContext,
    equal_or_unclear,
    register,
    register_kind,
)
from bokio_app.flows.patterns import Delete, Json, Replace, remote, unclaimed, within

from .models import Item as Row
from .sync.items import values_of


@register
class CreateItem(Operation):
    """Make an item. Payload: `description`, `type`, `product`, `unit`, `unit_price`, `tax_rate`,
    `account` (or None), as a line of an invoice has them.

    Bokio takes two alike and has no field for a mark, so the ids of equal items are noted before.
    """

    name = "create_item"
    scopes = ("items:read", "items:write")
    label = gettext_lazy("Item created")
    object_type = "item"
    looks_first = True
    by_filter = True

    def before(self, ctx: StepContext, bokio: Bokio) -> Done | list[str]:
        return [str(each.id) for each in _equal(ctx, bokio)]

    def address(self, ctx: StepContext) -> str:
        return "POST items"

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        return _read(bokio.items.create(item_draft(ctx.payload)))

    def prove(self, ctx: StepContext, bokio: Bokio) -> Proof:
        found = map(_read, _equal(ctx, bokio))
        return unclaimed(ctx, found, object_type=self.object_type, what=str(_("item")))

    def fetch(self, ctx: StepContext, bokio: Bokio, remote_id: UUID) -> Proof:
        found = bokio.items.get(remote_id)
        equal = within(item_draft(ctx.payload).to_json(), ItemDraft.from_item(found).to_json())
        why = _("The item in Bokio differs from ours.")
        return equal_or_unclear(_read(found), equal=equal, why=why)

    def apply(self, ctx: StepContext, done: Done) -> None:
        _keep(ctx, done.read)


@register
class UpdateItem(Replace[Item]):
    """Change an item. Payload: `item` (Bokio's id), `seen` (or none), and all of `CreateItem`."""

    name = "update_item"
    scopes = ("items:read", "items:write")
    label = gettext_lazy("Item changed")

    def read(self, ctx: StepContext, bokio: Bokio) -> Item:
        return bokio.items.get(remote(ctx, "item"))

    def address(self, ctx: StepContext) -> str:
        return f"PUT items/{ctx.payload['item']}"

    def put(self, ctx: StepContext, bokio: Bokio) -> Item:
        return bokio.items.update(remote(ctx, "item"), item_draft(ctx.payload))

    def wanted(self, ctx: StepContext) -> Json:
        return item_draft(ctx.payload).to_json()

    def held(self, found: Item) -> Json:
        return ItemDraft.from_item(found).to_json()

    def done(self, found: Item) -> Done:
        return Done(_done(found).result, read=found)

    def apply(self, ctx: StepContext, done: Done) -> None:
        _keep(ctx, done.read)


@register
class DeleteItem(Delete):
    """Take an item away. Payload: `item`, Bokio's id."""

    name = "delete_item"
    scopes = ("items:read", "items:write")
    label = gettext_lazy("Item deleted")

    def read(self, ctx: StepContext, bokio: Bokio) -> object:
        return bokio.items.get(remote(ctx, "item"))

    def address(self, ctx: StepContext) -> str:
        return f"DELETE items/{ctx.payload['item']}"

    def remove(self, ctx: StepContext, bokio: Bokio) -> None:
        bokio.items.delete(remote(ctx, "item"))

    def apply(self, ctx: StepContext, done: Done) -> None:
        mine = Row.objects.filter(connection_id=ctx.flow.connection_id, gone_at=None)
        mine.filter(remote_id=ctx.payload["item"]).update(gone_at=clock.now())


for _operation in (CreateItem, UpdateItem, DeleteItem):
    register_kind(_operation.name, _operation.label)


def item_draft(payload: Mapping[str, Any]) -> ItemDraft:
    """The item that a step's payload wants."""
    return ItemDraft(
        description=payload["description"],
        item_type=payload["type"],
        product_type=payload["product"],
        unit_type=payload["unit"],
        unit_price=Decimal(payload["unit_price"]),
        tax_rate=Decimal(payload["tax_rate"]),
        account=payload["account"],
    )


def _equal(ctx: StepContext, bokio: Bokio) -> Iterator[Item]:
    """Items of the company with the content that is wanted."""
    draft = item_draft(ctx.payload)
    try:
        found = bokio.items.find(F("description") == draft.description)
    except FilterError:  # a description may hold characters that a filter cannot carry
        found = bokio.items.find()
    wanted = draft.to_json()
    return (each for each in found if within(wanted, ItemDraft.from_item(each).to_json()))


def _read(found: Item) -> Done:
    return replace(_done(found), read=found)


def _keep(ctx: StepContext, found: Item) -> None:
    """Our row becomes what Bokio has now; no reading that asked before this puts the old back."""
    Row.objects.update_or_create(
        connection_id=ctx.flow.connection_id,
        remote_id=str(found.id),
        defaults=values_of(found) | {"read_at": clock.now(), "gone_at": None},
        create_defaults=values_of(found)
        | {"read_at": clock.now(), "tenant_id": ctx.flow.tenant_id},
    )


def _done(found: Item) -> Done:
    result = {
        "remote_id": str(found.id),
        "description": found.description,
        "unit_price": found.unit_price,
    }
    return Done(result, remote_id=str(found.id))

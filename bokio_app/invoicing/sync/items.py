"""Reading items from Bokio into our own rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.items import Item as RemoteItem
from bokio_app.bokio.items import ItemDraft
from bokio_app.bokio.paging import Page
from bokio_app.core import clock
from bokio_app.core.money import rounded
from bokio_app.flows.listing.merging import key_of, merge
from bokio_app.flows.listing.reading import ReadPage
from bokio_app.flows.operations import StepContext, register
from bokio_app.flows.patterns import fingerprint
from bokio_app.invoicing.models import Item


@register
class ListItems(ReadPage[RemoteItem]):
    """One page of the items."""

    name = "list_items"
    scopes = ("items:read",)
    label = _("Items")

    def ask(self, bokio: Bokio, number: int) -> Page[RemoteItem]:
        return bokio.items.find().page(number)

    def keep(self, ctx: StepContext, rows: Sequence[RemoteItem], asked: datetime) -> None:
        flow = ctx.flow

        def make(remote_id: str, _values: object) -> Item:
            return Item(
                tenant_id=flow.tenant_id, connection_id=flow.connection_id, remote_id=remote_id
            )

        mine = Item.objects.filter(connection_id=flow.connection_id)
        merge(mine, {key_of(each): values_of(each) for each in rows}, asked=asked, make=make)

    def held(self, connection_id: UUID) -> QuerySet[Item]:
        return Item.objects.filter(connection_id=connection_id, gone_at=None)

    def lose(self, connection_id: UUID, remote_ids: Collection[str]) -> None:
        if remote_ids:
            mine = Item.objects.filter(connection_id=connection_id, gone_at=None)
            mine.filter(remote_id__in=remote_ids).update(gone_at=clock.now())


def values_of(remote: RemoteItem) -> dict[str, Any]:
    """What a row holds of an item of Bokio's."""
    return {
        "type": remote.item_type[:20],
        "product": remote.product_type[:10],
        "description": remote.description[:500],
        "unit": remote.unit_type[:20],
        "unit_price": rounded(remote.unit_price),
        "tax_rate": max(int(remote.tax_rate), 0),
        "account": remote.account,
        "mark": fingerprint(ItemDraft.from_item(remote).to_json()),
    }

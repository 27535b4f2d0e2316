"""Counting the items that our steps have made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.filters import F, Filter, FilterError
from bokio_app.bokio.items import Item, ItemDraft
from bokio_app.connections.models import Connection
from bokio_app.flows.inventory.counting import (
    Difference,
    Inventory,
    Seen,
    any_of,
    compare,
    register,
)
from bokio_app.flows.inventory.rows import Finding
from bokio_app.flows.models import Step, StepState
from bokio_app.flows.patterns import within

from .items import CreateItem, DeleteItem, UpdateItem, item_draft


@register
class Items(Inventory):
    """By their description, since they have no field for a mark: what is equal, was not there
    before and is no step's. One that was changed or deleted since is not missed.
    """

    object_type = CreateItem.object_type
    ops = (CreateItem.name,)

    def differences(
        self, connection: Connection, part: dict[str, Any], bokio: Bokio
    ) -> Iterator[Difference]:
        steps = list(Step.objects.filter(pk__in=part["steps"]))
        found: dict[str, list[Item]] = defaultdict(list)
        for item in bokio.items.find(_of(steps)):
            found[item.description].append(item)
        for step in steps:
            wanted, known = item_draft(step.payload), set(step.baseline or [])
            equal = [
                Seen(str(item.id), "", {"description": item.description})
                for item in found[wanted.description]
                if str(item.id) not in known
                and within(wanted.to_json(), ItemDraft.from_item(item).to_json())
            ]
            for each in compare(connection, step, equal, {}, object_type=self.object_type):
                if each.kind == Finding.Kind.SURPLUS or not _has_been_changed(step):
                    yield each


def _of(steps: list[Step]) -> Filter | None:
    """The items with these descriptions; all, where one of them does not fit into a filter."""
    try:
        return any_of(
            [F("description") == text for text in {s.payload["description"] for s in steps}]
        )
    except FilterError:
        return None


def _has_been_changed(step: Step) -> bool:
    """By a later step of ours."""
    return Step.objects.filter(
        op__in=(UpdateItem.name, DeleteItem.name),
        state=StepState.DONE,
        flow__connection=step.flow.connection_id,
        payload__item=step.remote_id,
    ).exists()

"""Journal entries and tags as the tests send them."""

from typing import Any

from tests.sandbox.conftest import Api

DAY = "2024-10-10"


def item(account: int, *, debit: object = 0, credit: object = 0, **more: object) -> dict[str, Any]:
    return {"account": account, "debit": debit, "credit": credit, **more}


def entry(**changes: object) -> dict[str, Any]:
    items = [item(1930, debit=200), item(3011, credit=160), item(2611, credit=40)]
    return {"title": "Kaffe till kontoret", "date": DAY, "items": items} | changes


def make(api: Api, **changes: object) -> Any:
    return api.ok("POST", "journal-entries", entry(**changes))


def make_tag(api: Api, name: str = "Bryggan", *, alias: str = "@") -> dict[str, str]:
    """A tag in a group of its own, as `tagId` and `tagGroupId`."""
    group = api.ok("POST", "tag-groups", {"name": "Projekt", "alias": alias})
    made = api.ok("POST", f"tag-groups/{group['id']}/tags", {"name": name})
    return {"tagId": made["id"], "tagGroupId": group["id"]}


def use(tag: dict[str, str], weight: object = 1) -> dict[str, object]:
    return {"tagId": tag["tagId"], "weight": weight}

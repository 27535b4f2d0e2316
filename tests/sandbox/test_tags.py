"""Tag groups and tags: what must be unique, and what may be deleted."""

import uuid
from typing import Any
from urllib.parse import quote

import pytest

from tests.sandbox.conftest import Api
from tests.sandbox.entries import make, use


def group(api: Api, **changes: object) -> Any:
    body: dict[str, object] = {"name": "Projekt", "alias": "@"}
    return api.ok("POST", "tag-groups", body | changes)


def add_tag(api: Api, made: Any, name: str) -> Any:
    return api.ok("POST", f"tag-groups/{made['id']}/tags", {"name": name})


def test_a_group_shows_its_tags(api: Api):
    made = group(api, dimensionNumber=6)
    assert made["dimensionNumber"] == 6
    assert made["tags"] == []

    tags = [add_tag(api, made, name) for name in ("Bryggan", "Kajen")]

    assert api.ok("GET", f"tag-groups/{made['id']}") == made | {"tags": tags}


def test_a_group_without_a_dimension_number_gets_a_free_one(api: Api):
    numbers = [group(api, alias=alias)["dimensionNumber"] for alias in ("a", "b")]
    taken = group(api, alias="c", dimensionNumber=7)["dimensionNumber"]

    assert len({*numbers, taken}) == 3


@pytest.mark.parametrize(
    "changes, pointer",
    [
        ({"name": ""}, "#/name"),
        ({"alias": None}, "#/alias"),
        ({"alias": "abcd"}, "#/alias"),
        ({"dimensionNumber": 0}, "#/dimensionNumber"),
        ({"dimensionNumber": 1.5}, "#/dimensionNumber"),
        ({"dimensionNumber": 2**31}, "#/dimensionNumber"),
    ],
)
def test_a_group_that_is_wrong_is_refused(api: Api, changes: dict[str, object], pointer: str):
    body = {"name": "Projekt", "alias": "@"} | changes

    assert api.pointers("POST", "tag-groups", body) == [pointer]
    assert api.ok("GET", "tag-groups")["totalItems"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {"name": "Annat", "alias": "@"},
        {"name": "Annat", "alias": "x", "dimensionNumber": 6},
    ],
)
def test_alias_and_dimension_number_are_used_once(api: Api, body: dict[str, object]):
    group(api, dimensionNumber=6)

    refusal = api.refused("POST", "tag-groups", body, status=400)

    assert (refusal["code"], "errors" in refusal) == ("validation-error", False)
    assert api.ok("GET", "tag-groups")["totalItems"] == 1


def test_a_group_can_be_renamed_but_keeps_its_dimension_number(api: Api):
    made = group(api, dimensionNumber=6)
    group(api, alias="x")
    path = f"tag-groups/{made['id']}"

    changed = api.ok("PUT", path, {"name": "Bygge", "alias": "#", "dimensionNumber": 9})

    assert changed == made | {"name": "Bygge", "alias": "#"}
    assert api.ok("PUT", path, {"name": "Bygge", "alias": "#"}) == changed
    assert api.refused("PUT", path, {"name": "B", "alias": "x"}, status=400)["code"] == (
        "validation-error"
    )


def test_names_are_unique_within_a_group_only(api: Api):
    first, second = group(api), group(api, alias="x")
    tag = add_tag(api, first, "Bryggan")
    other = add_tag(api, first, "Kajen")
    add_tag(api, second, "Bryggan")
    path = f"tag-groups/{first['id']}/tags"

    for method, where in (("POST", path), ("PUT", f"{path}/{other['id']}")):
        refusal = api.refused(method, where, {"name": "Bryggan"}, status=400)
        assert (refusal["code"], "errors" in refusal) == ("validation-error", False)
    renamed = api.ok("PUT", f"{path}/{tag['id']}", {"name": "Bron"})
    assert renamed == {"id": tag["id"], "name": "Bron"}


@pytest.mark.parametrize("on_item", [False, True])
def test_what_is_used_on_an_entry_stays_until_it_is_taken_off(api: Api, on_item: bool):
    made = group(api)
    tag = add_tag(api, made, "Bryggan")
    entry = make(api)
    uses = [use({"tagId": tag["id"]})]
    on = {"items": [{"id": entry["items"][0]["id"], "tags": uses}]} if on_item else {"tags": uses}
    api.ok("PUT", f"journal-entries/{entry['id']}/tags", on)
    paths = (f"tag-groups/{made['id']}/tags/{tag['id']}", f"tag-groups/{made['id']}")

    for path in paths:
        assert api.refused("DELETE", path, status=400)["code"] == "validation-error"

    api.ok("PUT", f"journal-entries/{entry['id']}/tags", {"tags": [], "items": []})
    for path in paths:
        assert api.call("DELETE", path).status == 204
    assert api.ok("GET", "tag-groups")["totalItems"] == 0


def test_a_group_takes_its_unused_tags_with_it(api: Api):
    made = group(api)
    add_tag(api, made, "Bryggan")

    assert api.call("DELETE", f"tag-groups/{made['id']}").status == 204
    assert api.refused("GET", f"tag-groups/{made['id']}", status=404)["code"] == "not-found"


@pytest.mark.parametrize(
    "query, hits",
    [
        ("name==Projekt", 1),
        ("name~o", 2),
        ("dimensionNumber==6", 1),
        ("dimensionNumber>6", 1),
        ("dimensionNumber<=7", 2),
    ],
)
def test_groups_are_found_by_name_and_dimension(api: Api, query: str, hits: int):
    group(api, dimensionNumber=6)
    group(api, name="Kostnadsställe", alias="x", dimensionNumber=7)

    assert api.ok("GET", f"tag-groups?query={quote(query)}")["totalItems"] == hits


def test_a_page_of_groups_holds_twenty(api: Api):
    for number in range(21):
        group(api, alias=str(number))

    page = api.ok("GET", "tag-groups")

    assert (len(page["items"]), page["totalPages"]) == (20, 2)


def test_a_tag_is_found_in_its_own_group_alone(api: Api):
    first, second = group(api), group(api, alias="x")
    tag = add_tag(api, first, "Bryggan")
    nothing = uuid.uuid4()

    for path in (
        f"tag-groups/{second['id']}/tags/{tag['id']}",
        f"tag-groups/{first['id']}/tags/{nothing}",
        f"tag-groups/{nothing}/tags/{tag['id']}",
    ):
        assert api.refused("DELETE", path, status=404)["code"] == "not-found"

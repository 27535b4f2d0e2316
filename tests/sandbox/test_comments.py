"""Comments on journal entries: whose they are, and who may change them."""

import uuid

import pytest

from tests.sandbox.conftest import Api
from tests.sandbox.entries import make
from tests.sandbox.others import another_integration


@pytest.fixture
def comments(api: Api) -> str:
    """The path of the comments of an entry made through the API."""
    return f"journal-entries/{make(api)['id']}/comments"


def test_a_comment_bears_the_name_of_the_integration(api: Api, comments: str):
    made = api.ok("POST", comments, {"content": "Kvitto saknas"})

    assert made["content"] == "Kvitto saknas"
    assert made["authorName"] == "bokio_app"
    assert made["createdDatetime"] == made["updatedDatetime"]
    assert api.ok("GET", f"{comments}/{made['id']}") == made


def test_comments_come_as_a_bare_list_with_the_oldest_first(api: Api, comments: str):
    assert api.ok("GET", comments) == []
    for text in ("ett", "två", "tre"):
        api.ok("POST", comments, {"content": text})

    assert [row["content"] for row in api.ok("GET", comments)] == ["ett", "två", "tre"]


def test_a_changed_comment_keeps_its_place_and_says_when(api: Api, comments: str):
    made = api.ok("POST", comments, {"content": "ett"})
    api.ok("POST", comments, {"content": "två"})
    api.sandbox.move_clock(60)

    changed = api.ok("PUT", f"{comments}/{made['id']}", {"content": "ett, rättat"})

    assert changed["createdDatetime"] == made["createdDatetime"]
    assert changed["updatedDatetime"] > made["updatedDatetime"]
    assert [row["content"] for row in api.ok("GET", comments)] == ["ett, rättat", "två"]


def test_a_deleted_comment_is_gone(api: Api, comments: str):
    path = f"{comments}/{api.ok('POST', comments, {'content': 'ett'})['id']}"

    assert api.call("DELETE", path).status == 204
    assert api.ok("GET", comments) == []
    assert api.refused("DELETE", path, status=404)["code"] == "not-found"


@pytest.mark.parametrize("content", ["", "   ", None, 5, "x" * 2001])
def test_a_comment_has_some_text_but_not_too_much(api: Api, comments: str, content: object):
    assert api.pointers("POST", comments, {"content": content}) == ["#/content"]
    assert api.ok("GET", comments) == []


def test_an_entry_that_records_an_invoice_takes_no_comment(api: Api):
    recorded = api.ok("POST", f"invoices/{api.published()['id']}/record")
    path = f"journal-entries/{recorded['journalEntryRef']['id']}/comments"

    refusal = api.refused("POST", path, {"content": "ett"}, status=400)

    assert refusal["code"] == "operation-not-allowed"
    assert api.ok("GET", path) == []


def test_a_comment_is_found_on_its_own_entry_alone(api: Api, comments: str):
    made = api.ok("POST", comments, {"content": "ett"})
    other = f"journal-entries/{make(api)['id']}/comments"

    for path in (f"{other}/{made['id']}", f"{comments}/{uuid.uuid4()}", f"{comments}/x"):
        assert api.refused("GET", path, status=404)["code"] == "not-found"


def test_only_who_wrote_a_comment_may_change_it(api: Api, comments: str):
    path = f"{comments}/{api.ok('POST', comments, {'content': 'ett'})['id']}"
    other = another_integration(api)

    for method, body in (("PUT", {"content": "två"}), ("DELETE", None)):
        refusal = other.refused(method, path, body, status=400)
        assert refusal["code"] == "operation-not-allowed"

    added = other.ok("POST", comments, {"content": "tre"})
    assert [(row["content"], row["authorName"]) for row in api.ok("GET", comments)] == [
        ("ett", "bokio_app"),
        ("tre", added["authorName"]),
    ]
    assert added["authorName"] == "Kassaflödet"

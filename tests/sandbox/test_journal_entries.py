"""Journal entries that an application writes: what is taken, found, reversed and tagged."""

import datetime as dt
import uuid
from urllib.parse import quote

import pytest

from tests.sandbox.conftest import Api
from tests.sandbox.entries import DAY, entry, item, make, make_tag, use
from tests.sandbox.others import another_integration


def titles(api: Api, query: str) -> list[str]:
    return [row["title"] for row in api.ok("GET", f"journal-entries?{query}")["items"]]


def move_to(api: Api, moment: str) -> None:
    api.sandbox.control("POST", "clock", {"now": moment})


def test_an_entry_takes_the_next_number_and_moves_the_balances(api: Api):
    made = make(api)

    assert made["journalEntryNumber"] == "V1"
    assert [(row["account"], row["debit"], row["credit"]) for row in made["items"]] == [
        (1930, 200, 0),
        (3011, 0, 160),
        (2611, 0, 40),
    ]
    assert api.balance(1930) == 200
    assert api.ok("GET", f"journal-entries/{made['id']}") == made


def test_rows_of_one_account_stay_apart(api: Api):
    made = make(api, items=[item(1930, debit=1), item(1930, debit=2), item(1940, credit=3)])

    assert [row["account"] for row in made["items"]] == [1930, 1930, 1940]


@pytest.mark.parametrize(
    "changes, pointers",
    [
        ({"title": ""}, ["#/title"]),
        ({"items": []}, ["#/items"]),
        ({"items": [item(1930, debit=1), item(3011, credit=2)]}, ["#/items"]),
        ({"items": [item(1930, debit=1), item(1, credit=1)]}, ["#/items/1/account"]),
        ({"items": [{"debit": 1}, item(3011, credit=1)]}, ["#/items/0/account"]),
        ({"items": [item(1930), item(3011, credit=1)]}, ["#/items/0/debit"]),
        ({"items": [item(1930, debit=1, credit=1)]}, ["#/items/0/debit"]),
        (
            {"items": [item(1930, debit=-1), item(3011, credit=-1)]},
            ["#/items/0/debit", "#/items/1/credit"],
        ),
        ({"items": [item(1930, debit=0.005), item(3011, credit=1)]}, ["#/items/0/debit"]),
        ({"date": "2024-02-30"}, ["#/date"]),
        ({"uploadRef": {"id": "x"}}, ["#/uploadRef/id"]),
    ],
)
def test_an_entry_that_is_wrong_is_refused_where_it_is_wrong(
    api: Api, changes: dict[str, object], pointers: list[str]
):
    found = api.pointers("POST", "journal-entries", entry(**changes))

    assert set(pointers) <= set(found)
    assert api.sandbox.books(api.company_id)["journalEntries"] == []


@pytest.mark.parametrize(
    "today, latest",
    [
        ("2024-10-09T12:00:00+00:00", "2024-10-11"),  # from a Wednesday to the Friday
        ("2024-10-11T12:00:00+00:00", "2024-10-15"),  # over the week-end
        ("2024-10-12T12:00:00+00:00", "2024-10-15"),  # Saturday is no business day itself
        ("2024-10-09T22:30:00+00:00", "2024-10-14"),  # already Thursday in Stockholm
    ],
)
def test_an_entry_may_lie_two_business_days_ahead(api: Api, today: str, latest: str):
    move_to(api, today)
    too_late = (dt.date.fromisoformat(latest) + dt.timedelta(days=1)).isoformat()

    assert api.pointers("POST", "journal-entries", entry(date=too_late)) == ["#/date"]
    assert make(api, date=latest)["date"] == latest


def test_without_a_date_an_entry_is_of_today(api: Api):
    move_to(api, "2024-06-30T22:30:00+00:00")
    body = entry()
    del body["date"]

    assert api.ok("POST", "journal-entries", body)["date"] == "2024-07-01"


@pytest.mark.parametrize("day", ["2024-10-10", "1999-01-01"])
def test_a_closed_or_missing_fiscal_year_takes_no_entry(api: Api, day: str):
    api.sandbox.change_company(api.company_id, fiscalYears={"2024": {"status": "closed"}})

    refusal = api.refused("POST", "journal-entries", entry(date=day), status=400)

    assert refusal["code"] == "validation-error"
    assert "errors" not in refusal
    assert api.sandbox.books(api.company_id)["journalEntries"] == []


@pytest.mark.parametrize(
    "query, expected",
    [
        ("title~Hyra", ["Hyra maj"]),
        ("title~hyra", []),
        ("title==Kaffe", ["Kaffe"]),
        ("journalEntryNumber==V2", ["Kaffe"]),
        ("journalEntryNumber!=V2", ["Hyra maj"]),
        ("journalEntryNumber==2", []),
        ("journalEntryNumber==V99999999999999999999", []),
        ("journalEntryNumber~V", ["Hyra maj", "Kaffe"]),
        ("journalEntryNumber~2", ["Kaffe"]),
        ("date>=2024-05-01&&date<2024-06-01", ["Hyra maj"]),
        (f"reversingJournalEntryId=={uuid.UUID(int=0)}", []),
    ],
)
def test_entries_are_found_by_each_property(api: Api, query: str, expected: list[str]):
    make(api, title="Hyra maj", date="2024-05-02")
    make(api, title="Kaffe")

    assert titles(api, f"query={quote(query)}") == expected


def test_a_reversal_takes_everything_back_and_each_names_the_other(api: Api):
    made = make(api)

    opposite = api.ok("POST", f"journal-entries/{made['id']}/reverse")

    assert opposite["reversingJournalEntryId"] == made["id"]
    assert opposite["date"] == DAY
    assert [row["credit"] for row in opposite["items"]] == [200, 0, 0]
    assert (
        api.ok("GET", f"journal-entries/{made['id']}")["reversedByJournalEntryId"] == opposite["id"]
    )
    assert {api.balance(account) for account in (1930, 3011, 2611)} == {0}
    for query, found in (
        (f"reversingJournalEntryId=={made['id']}", opposite["title"]),
        (f"reversedByJournalEntryId=={opposite['id']}", made["title"]),
    ):
        assert titles(api, f"query={quote(query)}") == [found]


def test_an_entry_is_reversed_once(api: Api):
    path = f"journal-entries/{make(api)['id']}/reverse"
    api.ok("POST", path)

    refusal = api.refused("POST", path, status=400)

    assert refusal["code"] == "operation-not-allowed"
    assert len(api.sandbox.books(api.company_id)["journalEntries"]) == 2


def test_an_entry_of_an_invoice_cannot_be_reversed(api: Api):
    recorded = api.ok("POST", f"invoices/{api.published()['id']}/record")
    path = f"journal-entries/{recorded['journalEntryRef']['id']}/reverse"

    assert api.refused("POST", path, status=400)["code"] == "operation-not-allowed"


def test_nothing_is_reversed_in_a_closed_fiscal_year(api: Api):
    path = f"journal-entries/{make(api)['id']}/reverse"
    api.sandbox.change_company(api.company_id, fiscalYears={"2024": {"status": "closed"}})

    assert api.refused("POST", path, status=400)["code"] == "validation-error"
    assert api.balance(1930) == 200


def test_tags_on_the_whole_entry_come_back_with_their_names(api: Api):
    tag = make_tag(api)

    made = make(api, tags=[use(tag, 0.4)])

    assert made["tags"] == [
        tag | {"tagName": "Bryggan", "tagGroupName": "Projekt", "weight": made["tags"][0]["weight"]}
    ]
    assert str(made["tags"][0]["weight"]) == "0.4"
    assert [row["tags"] for row in made["items"]] == [[], [], []]


def test_tags_on_items_stay_on_their_items(api: Api):
    tag = make_tag(api)

    made = make(api, items=[item(1930, debit=5), item(3011, credit=5, tags=[use(tag)])])

    assert made["tags"] == []
    assert [[one["tagId"] for one in row["tags"]] for row in made["items"]] == [[], [tag["tagId"]]]


def test_tags_are_on_the_entry_or_on_its_items_but_not_on_both(api: Api):
    tag = make_tag(api)
    both = entry(
        tags=[use(tag)], items=[item(1930, debit=5, tags=[use(tag)]), item(3011, credit=5)]
    )

    refusal = api.refused("POST", "journal-entries", both, status=400)

    assert (refusal["code"], "errors" in refusal) == ("validation-error", False)
    assert api.sandbox.books(api.company_id)["journalEntries"] == []


@pytest.mark.parametrize("weights", [[0], [1.5], [-0.1], [0.6, 0.6], [None], [0.0000001]])
def test_shares_within_a_group_come_to_no_more_than_one(api: Api, weights: list[object]):
    tag = make_tag(api)

    found = api.pointers(
        "POST", "journal-entries", entry(tags=[use(tag, weight) for weight in weights])
    )

    assert found[0].startswith("#/tags")


def test_each_group_has_shares_of_its_own(api: Api):
    first, second = make_tag(api), make_tag(api, alias="#")

    made = make(api, tags=[use(first), use(second)])

    assert [tag["weight"] for tag in made["tags"]] == [1, 1]


def test_an_unknown_tag_is_refused(api: Api):
    unknown = {"tagId": str(uuid.uuid4()), "weight": 1}

    assert api.pointers("POST", "journal-entries", entry(tags=[unknown])) == ["#/tags/0/tagId"]


def test_putting_tags_replaces_all_of_them(api: Api):
    first, second = make_tag(api), make_tag(api, alias="#")
    made = make(api, tags=[use(first)])
    path = f"journal-entries/{made['id']}/tags"
    revenue = made["items"][1]["id"]

    moved = api.ok("PUT", path, {"items": [{"id": revenue, "tags": [use(second)]}], "tags": []})

    assert moved["tags"] == []
    assert moved["items"][1]["tags"][0]["tagId"] == second["tagId"]
    cleared = api.ok("PUT", path, {"tags": [], "items": []})
    assert [row["tags"] for row in cleared["items"]] == [[], [], []]


def test_tags_of_a_foreign_item_or_of_both_levels_are_refused(api: Api):
    tag = make_tag(api)
    made = make(api, tags=[use(tag)])
    path = f"journal-entries/{made['id']}/tags"
    foreign = {"items": [{"id": made["items"][-1]["id"] + 1, "tags": [use(tag)]}]}
    both = {"tags": [use(tag)], "items": [{"id": made["items"][0]["id"], "tags": [use(tag)]}]}

    assert api.pointers("PUT", path, foreign) == ["#/items/0/id"]
    silent = {"items": [{"id": made["items"][0]["id"]}]}
    assert api.pointers("PUT", path, silent) == ["#/items/0/tags"]
    assert api.refused("PUT", path, both, status=400)["code"] == "validation-error"
    assert len(api.ok("GET", f"journal-entries/{made['id']}")["tags"]) == 1


def test_entries_are_found_by_a_tag_on_them_or_on_an_item(api: Api):
    tag = make_tag(api)
    make(api, title="Hel", tags=[use(tag)])
    rows = [item(1930, debit=5, tags=[use(tag)]), item(1940, credit=5, tags=[use(tag)])]
    make(api, title="Rad", items=rows)
    make(api, title="Utan")

    assert titles(api, f"tagId={tag['tagId']}") == ["Hel", "Rad"]
    assert titles(api, f"tagId={tag['tagId']}&query=title==Rad") == ["Rad"]
    assert titles(api, f"tagId={uuid.uuid4()}") == []
    refusal = api.refused("GET", "journal-entries?tagId=x", status=400)
    assert refusal["errors"][0]["field"] == "tagId"


@pytest.mark.parametrize("keeps", [True, False])
def test_a_switch_says_whether_a_reversal_keeps_the_tags(api: Api, keeps: bool):
    api.sandbox.set_switches(reversal_keeps_tags=keeps)
    tag = make_tag(api)
    rows = [item(1930, debit=5), item(3011, credit=5, tags=[use(tag)])]

    opposite = api.ok("POST", f"journal-entries/{make(api, items=rows)['id']}/reverse")

    found = [[one["tagId"] for one in row["tags"]] for row in opposite["items"]]
    assert found == [[], [tag["tagId"]] if keeps else []]


def test_an_entry_that_nobody_made_is_not_found(api: Api):
    nothing = uuid.uuid4()

    for method, path, body in (
        ("GET", f"journal-entries/{nothing}", None),
        ("POST", f"journal-entries/{nothing}/reverse", None),
        ("PUT", f"journal-entries/{nothing}/tags", {}),
        ("GET", "journal-entries/nonsense", None),
    ):
        assert api.refused(method, path, body, status=404)["code"] == "not-found"


def test_an_entry_of_another_integration_can_be_reversed_too(api: Api):
    path = f"journal-entries/{make(api)['id']}/reverse"

    assert another_integration(api).ok("POST", path)["items"][0]["credit"] == 200


def test_without_tags_in_the_plan_entries_go_without_them(api: Api):
    tag = make_tag(api)
    made = make(api)
    # This plan has the private API but tags only as an addition.
    api.sandbox.change_company(api.company_id, plan="premium")
    private = another_integration(api)

    for method, path, body in (
        ("POST", "journal-entries", entry(tags=[use(tag)])),
        ("GET", f"journal-entries?tagId={tag['tagId']}", None),
        ("PUT", f"journal-entries/{made['id']}/tags", {"tags": [use(tag)]}),
    ):
        refusal = private.refused(method, path, body, status=403)
        assert refusal["details"]["requiredFeature"] == "Tags"
    assert [row["id"] for row in private.ok("GET", "journal-entries")["items"]] == [made["id"]]

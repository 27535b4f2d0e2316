"""Pages and filters."""

from urllib.parse import quote

import pytest

from tests.sandbox.conftest import Api


def _names(api: Api, query: str) -> list[str]:
    return [row["name"] for row in api.ok("GET", f"customers?query={quote(query)}")["items"]]


def test_pages_hold_everything_once_and_count_it(api: Api):
    made = [api.customer(name=f"Kund {number}") for number in range(5)]

    pages = [api.ok("GET", f"customers?pageSize=2&page={page}") for page in (1, 2, 3, 4)]

    assert [row["id"] for page in pages for row in page["items"]] == made
    assert [len(page["items"]) for page in pages] == [2, 2, 1, 0]
    assert {(page["totalItems"], page["totalPages"]) for page in pages} == {(5, 3)}


def test_an_empty_list_has_no_pages(api: Api):
    assert api.ok("GET", "invoices") == {
        "items": [],
        "totalItems": 0,
        "totalPages": 0,
        "currentPage": 0,
    }


@pytest.mark.parametrize("query", ["page=0", "page=x", "pageSize=101", "pageSize=0"])
def test_a_page_out_of_range_is_refused(api: Api, query: str):
    refusal = api.refused("GET", f"customers?{query}", status=400)

    assert refusal["errors"][0]["field"] == query.split("=", maxsplit=1)[0]


@pytest.mark.parametrize(
    "query, expected",
    [
        ("name==Anna", ["Anna"]),
        ("name == Anna Bok", ["Anna Bok"]),
        ("name!=Anna", ["Anna Bok", "anna"]),
        ("name~Anna", ["Anna", "Anna Bok"]),
        ("name~Anna&&type==private", ["Anna Bok"]),
        ("name==Anna||name==anna", ["Anna", "anna"]),
        ("name~50%", []),
        ("modifiedDateTime>=2020-01-01", ["Anna", "Anna Bok", "anna"]),
    ],
)
def test_conditions_select_rows(api: Api, query: str, expected: list[str]):
    for name, kind in (("Anna", "company"), ("Anna Bok", "private"), ("anna", "company")):
        api.customer(name=name, type=kind)

    assert _names(api, query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "colour==blue",
        "name=Anna",
        "name>Anna",
        "name==A&&type==company||type==private",
        "name==A&&",
        "modifiedDateTime>=soon",
        "type~comp",
    ],
)
def test_a_filter_that_is_not_understood_is_refused(api: Api, query: str):
    refusal = api.refused("GET", f"customers?query={quote(query)}", status=400)

    assert refusal["code"] == "validation-error"
    assert [error["field"] for error in refusal["errors"]] == ["query"]


@pytest.mark.parametrize(
    "query, hits",
    [
        ("totalAmount>=1250", 1),
        ("totalAmount>1250.00", 0),
        ("invoiceDate>=2024-10-10&&invoiceDate<2024-10-11", 1),
        ("dueDate==2024-11-10", 1),
        ("status==draft", 1),
        ("status!=draft", 0),
        ("type==invoice", 1),
        ("type==cashInvoice", 0),
        ("projectReference==P 7", 1),
        ("projectReference~7", 1),
        ("buyerReference~ull", 0),
        ("buyerReference==null", 0),
        ("buyerReference!=x", 1),
        ("currency==SEK", 1),
        ("metadata.op_key==abc-1", 1),
        ("metadata.op_key==ABC-1", 0),
        ("metadata.op_key~abc", 1),
        ("metadata.other==abc-1", 0),
    ],
)
def test_invoices_are_found_by_each_property(api: Api, query: str, hits: int):
    api.draft(metadata={"op_key": "abc-1"}, projectReference="P 7")

    assert api.ok("GET", f"invoices?query={quote(query)}")["totalItems"] == hits


def test_invoices_are_found_by_customer(api: Api):
    customer = api.customer()
    invoice = api.draft(customerRef={"id": customer})
    api.draft()

    found = api.ok("GET", f"invoices?query=customerRef=={customer}")["items"]

    assert [row["id"] for row in found] == [invoice["id"]]


@pytest.mark.parametrize(
    "metadata",
    [
        {f"key{number}": "x" for number in range(11)},
        {"1st": "x"},
        {"a-b": "x"},
        {"k" * 26: "x"},
        {"key": "x" * 251},
        {"key": 5},
    ],
)
def test_metadata_keeps_to_its_limits(api: Api, metadata: dict[str, object]):
    line = {"description": "x", "itemType": "descriptionOnlyItem"}
    body = {"invoiceDate": "2024-10-10", "lineItems": [line], "metadata": metadata}

    assert api.pointers("POST", "invoices", body)[0].startswith("#/metadata")


def test_accounts_come_as_a_bare_list_with_balances_one_by_one(api: Api):
    accounts = api.ok("GET", "chart-of-accounts?query=account>=1900%26%26account<2000")

    assert [row["account"] for row in accounts] == [1910, 1930, 1940]
    assert api.ok("GET", "chart-of-accounts/1930")["accountBalance"] is None
    assert api.call("GET", "chart-of-accounts/1").status == 404


def test_fiscal_years_and_journal_entries_can_be_filtered(api: Api):
    years = api.ok("GET", "fiscal-years?query=startDate<=2024-12-31")["items"]
    assert [year["startDate"] for year in years] == ["2024-01-01"]
    assert api.ok("GET", f"fiscal-years/{years[0]['id']}")["fiscalYear"] == years[0]
    api.ok("POST", f"invoices/{api.published()['id']}/record")

    found = api.ok("GET", "journal-entries?query=journalEntryNumber==V1%26%26title~1001")

    assert found["totalItems"] == 1


def test_by_a_switch_new_metadata_is_found_late(api: Api):
    api.sandbox.set_switches(metadata_lag_seconds=3600)
    api.draft(metadata={"ref": "a"})

    assert api.ok("GET", "invoices?query=metadata.ref==a")["totalItems"] == 0
    api.sandbox.set_switches(metadata_lag_seconds=0)
    assert api.ok("GET", "invoices?query=metadata.ref==a")["totalItems"] == 1

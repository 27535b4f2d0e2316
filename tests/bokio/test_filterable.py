"""Each list takes its own properties, compared with what they hold, and nothing else."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from bokio_app.bokio.filterable import FILTERABLE, METADATA, query_of
from bokio_app.bokio.filters import F, FilterError, Kind

ID = UUID("5ce81018-2e14-4688-8de8-bfca14d8014e")
DAY = date(2024, 10, 10)
NOW = datetime(2024, 10, 10, 12, tzinfo=UTC)

FITTING = {
    Kind.TEXT: ["word", ID],
    Kind.NUMBER: [7, Decimal("7.5")],
    Kind.DAY: [DAY],
    Kind.MOMENT: [NOW, DAY],
}
UNFIT = {
    Kind.TEXT: [7, Decimal("7.5"), DAY, NOW],
    Kind.NUMBER: ["7", DAY, NOW, ID],
    Kind.DAY: ["2024-10-10", 20241010, NOW, ID],
    Kind.MOMENT: ["2024-10-10", 20241010, ID],
}
PROPERTIES = [
    pytest.param(
        operation, name + ("key" if name == METADATA else ""), kind, id=f"{operation} {name}"
    )
    for operation, properties in FILTERABLE.items()
    for name, kind in properties.items()
]


@pytest.mark.parametrize("operation, name, kind", PROPERTIES)
def test_every_property_is_compared_with_what_it_holds(operation, name, kind):
    for value in FITTING[kind]:
        assert query_of(operation, F(name) == value)["query"].startswith(f"{name}==")
        assert query_of(operation, F(name) != value)["query"].startswith(f"{name}!=")


@pytest.mark.parametrize("operation, name, kind", PROPERTIES)
def test_no_property_is_compared_with_anything_else(operation, name, kind):
    for value in UNFIT[kind]:
        with pytest.raises(FilterError, match="holds"):
            query_of(operation, F(name) == value)


@pytest.mark.parametrize("operation, name, kind", PROPERTIES)
def test_only_texts_contain_a_text(operation, name, kind):
    where = F(name).contains("word")

    if kind is Kind.TEXT:
        assert query_of(operation, where) == {"query": f"{name}~word"}
    else:
        with pytest.raises(FilterError, match="holds"):
            query_of(operation, where)


@pytest.mark.parametrize(
    "operation, name",
    [
        ("get-invoice", "invoiceNumber"),
        ("get-invoice", "paymentReference"),
        ("get-customer", "metadata.key"),
        ("get-journalentry", "tagId"),
        ("list-credit-notes-v1", "projectId"),
        ("get-connections", "type"),
    ],
)
def test_a_property_that_the_list_does_not_know_is_refused_by_name(operation, name):
    with pytest.raises(FilterError, match=name):
        query_of(operation, F(name) == "x")


def test_every_joined_condition_is_checked():
    fine = F("status") == "draft"

    for where in (fine & (F("nonsense") == "x"), (F("nonsense") == "x") | fine):
        with pytest.raises(FilterError, match="nonsense"):
            query_of("get-invoice", where)


def test_a_refused_filter_is_refused_before_the_list_is_walked(server, bokio):
    for find in (bokio.invoices.find, bokio.suppliers.find, bokio.accounts.list):
        with pytest.raises(FilterError):
            find(F("nonsense") == "x")

    assert server.seen == []


def test_no_filter_asks_for_everything():
    assert query_of("get-invoice", None) == {}

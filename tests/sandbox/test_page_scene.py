"""Faults, switches, the clock and the record of calls, by hand on the pages."""

import re

import pytest

from tests.sandbox.conftest import Api
from tests.sandbox.visitor import Visitor


def test_a_fault_is_ordered_by_recipe(visitor: Visitor, api: Api):
    page = visitor.send(visitor.get("/faults"), "/faults/change", action="recipe", fault="publish")

    assert "error_after" in page.text
    draft = api.draft()
    assert api.call("POST", f"invoices/{draft['id']}/publish").status == 500
    assert api.ok("GET", f"invoices/{draft['id']}")["invoiceNumber"]


def test_a_fault_takes_its_parameters_from_the_page(visitor: Visitor, api: Api):
    page = visitor.get("/faults/order/status?operation=get-customer")

    visitor.send(
        page,
        "",
        **{
            "when": "every",
            "times": 2,
            "param-status": 503,
            "param-headers": '{"Retry-After": "7"}',
        },
    )

    replies = [api.call("GET", "customers") for _ in range(3)]
    assert [reply.status for reply in replies] == [503, 503, 200]
    assert replies[0].headers["Retry-After"] == "7"


def test_a_fault_by_lot_strikes_the_same_calls_for_the_same_seed(visitor: Visitor, api: Api):
    def strikes() -> list[int]:
        page = visitor.get("/faults/order/error_before")
        visitor.send(
            page, "", operation="get-customer", when="lot", probability="0,5", seed=11, nth=None
        )
        found = [api.call("GET", "customers").status for _ in range(12)]
        visitor.send(visitor.get("/faults"), "/faults/change", action="clear")
        return found

    first = strikes()
    assert set(first) == {200, 500}
    assert strikes() == first


def test_a_fault_holds_a_company_and_is_removed(visitor: Visitor, api: Api):
    page = visitor.get("/faults/order/error_before")
    page = visitor.send(page, "", company=api.company_id, when="every")
    assert "Aurora Works AB" in page.text
    assert api.call("GET", "customers").status == 500

    visitor.send(page, "/faults/change", action="remove")

    assert api.call("GET", "customers").status == 200


@pytest.mark.parametrize(
    "kind,fields",
    [
        ("error_before", {"when": "lot"}),
        ("error_before", {"when": "lot", "probability": "2"}),
        ("status", {"param-headers": "not JSON"}),
        ("delay", {"param-seconds": "soon"}),
    ],
)
def test_a_fault_that_cannot_be_is_not_ordered(
    visitor: Visitor, api: Api, kind: str, fields: dict[str, str]
):
    page = visitor.send(visitor.get(f"/faults/order/{kind}"), "", **fields)

    assert page.status == 422
    assert api.sandbox.control("GET", "faults") == {"faults": []}


def test_a_kind_of_fault_that_there_is_not_is_no_page(visitor: Visitor):
    assert visitor.get("/faults/order/earthquake").status == 404


def test_a_switch_is_turned_and_put_back(visitor: Visitor, api: Api):
    page = visitor.send(visitor.get("/switches"), "", rate_limit=150, fiscal_year_wrapped=None)

    changed = api.sandbox.control("GET", "switches")["changed"]
    assert changed == {"rate_limit": 150, "fiscal_year_wrapped": False}
    assert "2 differ from their defaults." in page.text
    visitor.send(page, "", action="reset")
    assert api.sandbox.control("GET", "switches")["changed"] == {}


def test_a_switch_keeps_its_value_when_another_is_refused(visitor: Visitor, api: Api):
    page = visitor.send(visitor.get("/switches"), "", rate_limit="many", newest_first="on")

    assert page.status == 422
    assert api.sandbox.control("GET", "switches")["changed"] == {}


def test_every_switch_has_a_help(visitor: Visitor, api: Api):
    page = visitor.get("/switches")

    names = api.sandbox.control("GET", "switches")["switches"]
    helped = re.findall(r'id="id_(\w+)_helptext">\S', page.text)
    assert set(helped) == set(names)


def test_the_clock_is_moved_and_the_invoice_falls_due(visitor: Visitor, api: Api):
    today = api.sandbox.control("GET", "clock")["today"]
    invoice = api.published(invoiceDate=today, dueDate=today)
    assert invoice["status"] == "published"

    page = visitor.send(visitor.get("/clock"), "", amount=1, unit="days")

    assert "The clock is moved: it is" in page.text
    [later] = api.sandbox.books(api.company_id)["invoices"]
    assert later["status"] == "overdue"
    visitor.send(page, "", action="now")
    assert api.sandbox.control("GET", "clock")["today"] == today


def test_the_clock_goes_no_further_than_twenty_years(visitor: Visitor, api: Api):
    page = visitor.send(visitor.get("/clock"), "", amount=99999, unit="days")

    assert page.status == 422
    assert "The clock goes no further than 20 years." in page.text


def test_the_record_shows_unknown_fields_and_is_cleared(visitor: Visitor, api: Api):
    api.draft(colour="red")

    page = visitor.get("/calls")
    assert "colour" in page.text
    assert "post-invoice" in page.text

    page = visitor.send(page, "")
    assert "No calls yet." in page.text
    assert api.sandbox.calls()["calls"] == []

"""ROT and RUT: what is asked for, who sees and changes it, and the Tax Agency's share."""

import re
from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.conftest import Api, line
from tests.support.sandbox import ALL_SCOPES

NUMBER = "19850101-1234"
ROT_JOBS = (
    "rotConstruction rotElectricity rotGlassPlate rotSoilWork rotSweeping rotPainting rotPlumbing"
)
RUT_JOBS = (
    "rutChildServices rutDataITServices rutRemovalServices rutClothingCare rutPersonalHelpCare"
    " rutRepair rutSnow rutCleaning rutGardening rutWaterWashingOfTextiles rutFurnishing"
    " rutTransportOfHouseholdGoods rutHousingSupervision"
)


def person(**changes: object) -> dict[str, Any]:
    return {"personalNumber": NUMBER, "deductionAmount": 300} | changes


def rot(**changes: object) -> dict[str, Any]:
    standard = {
        "type": "rot",
        "description": "Nytt badrum",
        "propertyType": "realEstate",
        "realEstateNumber": "VARBERG GETAKÄRR 1:2",
        "deductionPeople": [person()],
    }
    return standard | changes


def rut(**changes: object) -> dict[str, Any]:
    return {"type": "rut", "description": "Städning", "deductionPeople": [person()]} | changes


def work(kind: str = "rot", job: str = "rotConstruction", **changes: object) -> dict[str, Any]:
    return line(taxReduction={"taxReductionType": kind, "jobType": job}, **changes)


def body(reduction: object, *lines: dict[str, Any]) -> dict[str, Any]:
    """Of an invoice by whose date and lines nothing is wrong."""
    rows = list(lines) or [line()]
    return {"invoiceDate": "2024-10-10", "lineItems": rows, "taxReduction": reduction}


def other_integration(api: Api) -> Api:
    """The same company in the hands of another application."""
    wanted = {"name": "Rapporter", "scopes": list(ALL_SCOPES)}
    made = api.sandbox.control("POST", f"companies/{api.company_id}/private-tokens", wanted)
    return Api(api.sandbox, api.company_id, made["token"])


def state(api: Api) -> tuple[str, Decimal]:
    """The status of the reduction, and what the customer owes."""
    invoice = api.sandbox.books(api.company_id)["invoices"][0]
    return invoice["taxReduction"]["status"], Decimal(invoice["outstanding"])


def test_the_reduction_comes_back_with_its_sum_and_state(api: Api):
    people = [person(), person(personalNumber="19790505-5678", deductionAmount=45.5)]

    draft = api.draft(work(), line(), taxReduction=rot(deductionPeople=people))

    shown = draft["taxReduction"]
    assert (shown["type"], shown["status"]) == ("rot", "draft")
    assert shown["deductionAmount"] == Decimal("345.5")
    assert shown["deductionPeople"] == [
        person(),
        person(personalNumber="19790505-5678", deductionAmount=Decimal("45.5")),
    ]
    assert (shown["tenantOrgNumber"], shown["apartmentNumber"]) == (None, None)
    assert [row["taxReduction"] for row in draft["lineItems"]] == [work()["taxReduction"], None]
    assert api.ok("GET", f"invoices/{draft['id']}") == draft
    assert api.ok("GET", "invoices")["items"] == [draft]


@pytest.mark.parametrize(
    "reduction, pointers",
    [
        (rot(type="rat"), ["type"]),
        (rot(description=""), ["description"]),
        (rot(propertyType=None), ["propertyType"]),
        (rot(propertyType="tent"), ["propertyType"]),
        (rot(realEstateNumber=None), ["realEstateNumber"]),
        (rot(propertyType="housingDesignation"), ["tenantOrgNumber", "apartmentNumber"]),
        (rut(deductionPeople=[]), ["deductionPeople"]),
        (rut(deductionPeople=None), ["deductionPeople"]),
        (rut(deductionPeople=[person(deductionAmount=-1)]), ["deductionPeople/0/deductionAmount"]),
        (
            rut(deductionPeople=[person(deductionAmount=None)]),
            ["deductionPeople/0/deductionAmount"],
        ),
        (
            rut(deductionPeople=[person(personalNumber="850101-1234")]),
            ["deductionPeople/0/personalNumber"],
        ),
    ],
)
def test_a_bad_reduction_is_refused_with_its_fields(
    api: Api, reduction: dict[str, Any], pointers: list[str]
):
    expected = [f"#/taxReduction/{pointer}" for pointer in pointers]

    assert api.pointers("POST", "invoices", body(reduction)) == expected


def test_the_deductions_come_to_less_than_the_total(api: Api):
    reduction = rut(deductionPeople=[person(deductionAmount=1250)])

    pointers = api.pointers("POST", "invoices", body(reduction))

    assert pointers == ["#/taxReduction/deductionPeople"]


@pytest.mark.parametrize(
    "row, pointer",
    [
        (work("rut", "rutCleaning"), "taxReduction/taxReductionType"),
        (work(job="rutCleaning"), "taxReduction/jobType"),
        (work(job="rotDreaming"), "taxReduction/jobType"),
        (work(job=""), "taxReduction/jobType"),
        (work(unitType="piece"), "taxReduction"),
        (work(productType="goods"), "taxReduction"),
    ],
)
def test_only_work_of_the_invoices_kind_is_reduced(api: Api, row: dict[str, Any], pointer: str):
    assert api.pointers("POST", "invoices", body(rot(), row)) == [f"#/lineItems/0/{pointer}"]


def test_a_line_is_not_reduced_on_an_invoice_that_is_not(api: Api):
    pointers = api.pointers("POST", "invoices", body(None, work()))

    assert pointers == ["#/lineItems/0/taxReduction/taxReductionType"]


@pytest.mark.parametrize(
    "reduction, jobs", [(rot(), ROT_JOBS), (rut(), RUT_JOBS)], ids=["rot", "rut"]
)
def test_every_kind_of_work_is_known(api: Api, reduction: dict[str, Any], jobs: str):
    rows = [work(reduction["type"], job, unitType="unspecified") for job in jobs.split()]

    draft = api.draft(*rows, taxReduction=reduction)

    assert [row["taxReduction"]["jobType"] for row in draft["lineItems"]] == jobs.split()


def test_an_apartment_is_named_by_its_association_and_number(api: Api):
    home = {"tenantOrgNumber": "7164009068", "apartmentNumber": "1001"}

    draft = api.draft(taxReduction=rot(propertyType="housingDesignation", **home))

    assert {key: draft["taxReduction"][key] for key in home} == home


def test_a_line_is_added_under_the_same_rules(api: Api):
    draft = api.draft(taxReduction=rot())
    path = f"invoices/{draft['id']}/line-items"

    assert api.pointers("POST", path, work("rut", "rutSnow")) == ["#/taxReduction/taxReductionType"]
    assert api.ok("POST", path, work(job="rotPainting"))["taxReduction"] == {
        "taxReductionType": "rot",
        "jobType": "rotPainting",
    }


def test_the_tax_agencys_share_is_not_owed_by_the_customer(api: Api):
    invoice = api.published(work(), taxReduction=rot())
    path = f"invoices/{invoice['id']}"
    assert (invoice["totalAmount"], invoice["paidAmount"]) == (1250, 0)
    assert state(api) == ("awaitingPayment", 950)

    api.ok("POST", f"{path}/record")
    assert [api.balance(account) for account in (1510, 1513, 3011, 2611)] == [950, 300, -1000, -250]
    payment = {"date": "2024-10-12", "sumBaseCurrency": 950, "bookkeepingAccountNumber": 1930}
    paid = api.ok("POST", f"{path}/payments", payment)
    api.ok("POST", f"{path}/payments/{paid['id']}/record")

    assert api.ok("GET", path)["status"] == "paid"
    assert state(api) == ("readyToSubmit", 0)
    assert [api.balance(account) for account in (1510, 1513)] == [0, 300]


def test_crediting_takes_both_shares_back(api: Api):
    invoice = api.published(work(quantity=3), taxReduction=rot())
    api.ok("POST", f"invoices/{invoice['id']}/record")
    for quantity in (1, 2):
        note = api.ok("POST", f"invoices/{invoice['id']}/credit")
        lines = [note["lineItems"][0] | {"quantity": quantity}]
        api.ok("PUT", f"credit-notes/{note['id']}", note | {"lineItems": lines})
        api.ok("POST", f"credit-notes/{note['id']}/publish")
        api.ok("POST", f"credit-notes/{note['id']}/record")
        left = Decimal(3 - quantity) / 3 if quantity == 1 else 0
        assert api.balance(1510) == state(api)[1] == 3450 * left
        assert api.balance(1513) == 300 * left

    assert state(api) == ("removed", 0)
    assert api.ok("GET", f"invoices/{invoice['id']}")["status"] == "credited"


def test_other_integrations_see_masked_numbers(api: Api):
    draft = api.draft(work(), taxReduction=rot())
    other = other_integration(api)

    for found in (
        other.ok("GET", f"invoices/{draft['id']}"),
        other.ok("GET", "invoices")["items"][0],
    ):
        [shown] = found["taxReduction"]["deductionPeople"]
        assert re.fullmatch(r"[0-9Y]{4}[0-9M]{2}[0-9D]{2}-XXXX", shown["personalNumber"])
        assert shown["deductionAmount"] == 300


def test_how_much_of_a_number_is_masked_is_a_switch(api: Api):
    path = f"invoices/{api.draft(work(), taxReduction=rot())['id']}"
    other = other_integration(api)

    def shown() -> str:
        found = other.ok("GET", path)["taxReduction"]["deductionPeople"][0]
        return str(found["personalNumber"])

    assert shown() == "19850101-XXXX"
    api.sandbox.set_switches(personal_numbers_fully_masked=True)
    assert shown() == "YYYYMMDD-XXXX"


@pytest.mark.parametrize("reduction", [None, rut(description="Nytt namn")])
def test_changes_by_another_integration_are_ignored_without_an_error(api: Api, reduction: object):
    draft = api.draft(work(), line(), taxReduction=rot())
    path = f"invoices/{draft['id']}"
    first, second = draft["lineItems"]
    lines = [first | {"taxReduction": None}, second | work("rut", "rutSnow"), line()]

    changed = other_integration(api).ok("PUT", path, draft | body(reduction, *lines))

    assert len(changed["lineItems"]) == 3
    mine = api.ok("GET", path)
    assert mine["taxReduction"] == draft["taxReduction"]
    assert [row["taxReduction"] for row in mine["lineItems"]] == [first["taxReduction"], None, None]


def test_the_integration_that_made_it_changes_and_removes_the_reduction(api: Api):
    draft = api.draft(work(), taxReduction=rot())
    path = f"invoices/{draft['id']}"
    changed = api.ok("PUT", path, body(rot(deductionPeople=[person(deductionAmount=1)]), work()))
    assert changed["taxReduction"]["deductionAmount"] == 1

    removed = api.ok("PUT", path, body(None, line()))

    assert removed["taxReduction"] is None


def test_a_reduction_needs_swedish_kronor(api: Api):
    wanted = body(rut()) | {"currency": "EUR", "currencyRate": 11}

    assert api.pointers("POST", "invoices", wanted) == ["#/taxReduction"]

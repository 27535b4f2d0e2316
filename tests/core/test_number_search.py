"""Who is found by a number: a sole trader only by whoever knows the whole of it."""

from __future__ import annotations

import pytest

from bokio_app.connections.queries import matching
from bokio_app.invoicing.listing.asked import Asked as Listed
from bokio_app.invoicing.listing.matching import invoices_of
from bokio_app.invoicing.queries import customers as choices
from bokio_app.invoicing.registers.lists import Asked, customers
from tests.support import make

pytestmark = pytest.mark.django_db

PERSON, COMPANY = "790412-1234", "556677-8899"


def found_by(text: str, number: str, vat_number: str = "") -> set[str]:
    """The searches that find a customer, or a company, of this number by the text."""
    connection = make.connection(org_number=number)
    tenant = connection.tenant
    customer = make.customer(connection, name="Kund", org_number=number, vat_number=vat_number)
    make.invoice(connection, customer=customer, number="1", ocr="2", your_reference="")
    searches = {
        "register": customers(tenant, Asked(text=text)),
        "choice": choices(connection, text),
        "invoices": invoices_of(tenant, Listed(company=None, text=text)),
        "companies": matching(tenant.connections.all(), text),
    }
    return {name for name, found in searches.items() if found}


EVERY = {"register", "choice", "invoices", "companies"}


@pytest.mark.parametrize("text", ["790412-1", "790412-123", "7904121", "790412123"])
@pytest.mark.parametrize("number", [PERSON, "7904121234", "197904121234"])
def test_no_part_of_a_sole_traders_number_finds_it(text, number):
    assert found_by(text, number) == set()


@pytest.mark.parametrize("text", [PERSON, "7904121234"])
def test_the_whole_number_finds_a_sole_trader(text):
    assert found_by(text, PERSON) == EVERY


@pytest.mark.parametrize("text", ["556677", "556677-8", "5566778", "5566778899"])
@pytest.mark.parametrize("number", [COMPANY, "5566778899"])
def test_any_beginning_of_a_companys_own_number_finds_it(text, number):
    assert found_by(text, number) == EVERY


def test_a_vat_number_gives_a_sole_trader_away_as_little():
    assert found_by("SE7904121", "", "SE790412123401") == set()
    assert found_by("SE790412123401", "", "SE790412123401") == {"register"}
    assert found_by("SE5566", "", "SE556677889901") == {"register"}

"""The company's items in the editor's lines, with scripts and without."""

from decimal import Decimal

import pytest
from django.urls import reverse

from bokio_app.core import clock
from tests.support import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection():
    return make.connection(make.tenant())


@pytest.fixture
def page(client, connection):
    client.force_login(make.member(connection.tenant))
    return client


KABEL = {"product": "goods", "unit": "meter", "unit_price": Decimal("12.50")}


def offered(page, connection, text):
    address = reverse("invoicing:items", args=[connection.pk])
    return [each.row for each in page.get(address, {"lines-7-description": text}).context["items"]]


def posted(page, connection, **form):
    address = reverse("invoicing:new") + f"?company={connection.pk}"
    line = {"lines-0-type": "salesItem", "lines-0-description": "Timmar", "lines-0-unit_price": "9"}
    return page.post(address, {"invoice_date": "2026-11-20", **line, **form}).context["editor"]


def test_an_item_offers_all_that_the_line_takes_from_it(page, connection):
    make.item(connection, "Kabel 3G", **KABEL, account=3001, tax_rate=12)
    make.item(connection, description="Kabel, gammal", gone_at=clock.now())
    make.item(make.connection(connection.tenant), description="Kabel hos en annan")

    [row] = offered(page, connection, "kabel")

    assert row["description"] == "Kabel 3G"
    assert row["unit_price"].replace(".", ",") == "12,50"
    assert (row["unit"], row["tax_rate"], row["account"]) == ("meter", "12", "3001")
    assert offered(page, connection, " ") == []


def test_what_no_line_may_say_is_left_open(page, connection):
    make.item(connection, "Kabel", unit="bale", tax_rate=24)

    [row] = offered(page, connection, "kabel")

    assert (row["unit"], row["tax_rate"]) == ("unspecified", "25")


def test_without_scripts_a_single_hit_becomes_a_line(page, connection):
    make.item(connection, description="Kabel 3G")

    editor = posted(page, connection, action="find_item", item_text="3g")

    assert [row["description"] for row in editor.rows] == ["Timmar", "Kabel 3G"]


def test_without_scripts_several_hits_are_buttons(page, connection):
    items = [make.item(connection, description=f"Kabel {number}") for number in (1, 2)]

    editor = posted(page, connection, action="find_item", item_text="kabel")
    assert [each.description for each in editor.found_items] == ["Kabel 1", "Kabel 2"]
    assert editor.item_text == "kabel"
    editor = posted(page, connection, action=editor.found_items[1].action)

    assert [row["description"] for row in editor.rows] == ["Timmar", items[1].description]


def test_another_company_item_makes_no_line(page, connection):
    stranger = make.item(make.connection(make.tenant()))

    editor = posted(page, connection, action=f"add_item:{stranger.pk}")

    assert len(editor.rows) == 1

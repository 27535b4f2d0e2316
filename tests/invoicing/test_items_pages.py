"""The pages of items, without a worker: what they show, start and refuse."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from bokio_app.connections.models import Connection
from bokio_app.flows.models import Flow, FlowState, Step
from bokio_app.invoicing.models import Item
from bokio_app.invoicing.registers import lists
from bokio_app.tenants.models import Tenant
from tests.support import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english() -> Any:
    with translation.override("en"):
        yield


@pytest.fixture
def tenant() -> Tenant:
    return make.tenant()


@pytest.fixture
def page(client: Client, tenant: Tenant) -> Client:
    client.force_login(make.member(tenant))
    client.cookies["bokio_app_language"] = "en"
    return client


@pytest.fixture
def connection(tenant: Tenant) -> Connection:
    made = make.connection(tenant)
    make.account(made, 3011)
    return made


def typed(**values: Any) -> dict[str, Any]:
    """A form as the page posts it."""
    form = {
        "request_key": str(uuid.uuid4()),
        "mark": "",
        "type": "salesItem",
        "description": "Rådgivning",
        "product": "services",
        "unit": "hour",
        "unit_price": "1 250,50",
        "tax_rate": "25",
        "account": "3011",
    }
    return form | values


def address(name: str, **kwargs: Any) -> str:
    return reverse(f"items:{name}", kwargs=kwargs)


def refused(**step: Any) -> Flow:
    """The one flow, stopped by Bokio's refusal."""
    Flow.objects.update(state=FlowState.STUCK, stuck_code="invalid")
    Step.objects.update(**step)
    return Flow.objects.get()


def test_finds_by_text_and_by_account(page, connection):
    make.item(connection, "Rådgivning", account=3011)
    make.item(connection, "Skruv", account=3001)

    def found(text):
        return page.get(address("list"), {"q": text}).content.decode()

    assert "Rådgivning" in found("rådg")
    assert "Skruv" not in found("rådg")
    assert "Skruv" in found("3001")
    assert "No hits for" in found("9999")


@pytest.mark.parametrize("order", ["text", "price"])
def test_pages_follow_one_another_without_a_gap(tenant, connection, monkeypatch, order):
    monkeypatch.setattr(lists, "PAGE", 2)
    for _number in range(5):
        make.item(connection, "Lika")
    met: list[Any] = []
    before = ""
    while True:
        got = lists.find_items(tenant, lists.Asked(order=order, before=before))
        met += [item.pk for item in got.rows]
        before = got.next
        if not before:
            break

    assert len(met) == len(set(met)) == 5


def test_asks_as_many_questions_for_many_rows_as_for_few(
    page, connection, django_assert_max_num_queries
):
    for _number in range(12):
        make.item(connection)
    page.get(address("list"))

    with django_assert_max_num_queries(9):
        page.get(address("list"))


def test_a_company_that_has_not_allowed_items_says_so_with_the_way_to_it(page, tenant):
    closed = make.connection(tenant, scopes=["invoices:read", "invoices:write"])

    text = page.get(address("list_of", connection_id=closed.pk)).content.decode()

    assert "has not allowed Items" in text
    assert reverse("connections:more", args=[closed.pk]) in text


def test_the_form_sent_twice_starts_one_run(page, connection):
    url, form = address("new_of", connection_id=connection.pk), typed()

    first, again = page.post(url, form), page.post(url, form)

    step = Step.objects.get()
    assert first.url == again.url == address("begun", public_id=step.flow.public_id)
    assert step.op == "create_item"
    assert (step.payload["unit_price"], step.payload["account"]) == ("1250.50", 3011)


@pytest.mark.parametrize(
    "wrong, says",
    [
        ({"account": "3999"}, "Account 3999 is not in the chart"),
        ({"account": "30"}, "four digits"),
        ({"unit_price": "ett"}, "Write an amount"),
        ({"unit_price": ""}, "Write the price without VAT"),
        ({"description": ""}, "required"),
    ],
)
def test_what_cannot_be_right_is_said_on_its_field(page, connection, wrong, says):
    response = page.post(address("new_of", connection_id=connection.pk), typed(**wrong))

    assert response.status_code == 422
    assert says in response.content.decode()
    assert not Flow.objects.exists()


def test_words_alone_need_no_price(page, connection):
    form = typed(type="descriptionOnlyItem", unit_price="", account="")

    page.post(address("new_of", connection_id=connection.pk), form)

    assert Step.objects.get().payload["unit_price"] == "0.00"


def test_a_refused_creation_is_corrected_and_goes_on(page, connection):
    page.post(address("new_of", connection_id=connection.pk), typed())
    flow = refused(error_fields=[["#/unitPrice", "Too high"]])
    url = address("begun", public_id=flow.public_id)

    text = page.get(url).content.decode()

    assert 'id="id_unit_price_error"' in text
    assert "Bokio: Too high" in text
    assert 'value="1\xa0250.50"' in text, "what was typed survives"
    page.post(url, typed(unit_price="900"))
    flow.refresh_from_db()
    assert flow.state == FlowState.READY
    assert flow.steps.get().payload["unit_price"] == "900"
    assert Flow.objects.count() == 1


def test_a_refused_creation_can_be_dropped(page, connection):
    page.post(address("new_of", connection_id=connection.pk), typed())
    flow = refused(error_message="No")

    page.post(address("drop", public_id=flow.public_id))

    assert Flow.objects.get().state == FlowState.CANCELLED


def test_once_made_the_run_leads_to_the_item(page, connection):
    item = make.item(connection)
    flow = make.flow(connection, kind="create_item", ops=["create_item"], state=FlowState.DONE)
    flow.steps.update(remote_id=item.remote_id)

    response = page.get(address("begun", public_id=flow.public_id))

    assert response.url == address("detail", item_id=item.pk)


def test_an_item_is_changed_by_one_run_that_goes_by_what_was_seen(page, connection):
    item = make.item(connection, mark="m" * 32)
    url, form = address("detail", item_id=item.pk), typed(mark="m" * 32)

    page.post(url, form)
    page.post(url, form)

    step = Step.objects.get()
    assert (step.op, step.payload["seen"]) == ("update_item", "m" * 32)
    assert (step.payload["item"], step.payload["unit_price"]) == (item.remote_id, "1250.50")
    item.refresh_from_db()
    assert item.unit_price == Decimal(1000), "our copy follows Bokio's"


def test_both_sides_are_shown_when_our_copy_has_moved_on(page, connection):
    item = make.item(connection, "Bokios text", mark="n" * 32)
    url = address("detail", item_id=item.pk)

    response = page.post(url, typed(description="Min text", mark="o" * 32))

    assert response.status_code == 409
    wanted = '<td class="differs">Bokios text</td><td class="differs">Min text</td>'
    assert wanted in response.content.decode()
    assert not Flow.objects.exists()


def test_a_unit_that_is_not_known_here_stays(page, connection):
    item = make.item(connection, unit="pallet", mark="m")

    page.post(address("detail", item_id=item.pk), typed(unit="pallet", mark="m"))

    assert Step.objects.get().payload["unit"] == "pallet"


def test_deleted_twice_is_one_run(page, connection):
    item, key = make.item(connection), {"request_key": str(uuid.uuid4())}

    for _time in range(2):
        page.post(address("delete", item_id=item.pk), key)

    assert Step.objects.get().op == "delete_item"
    assert Item.objects.filter(gone_at=None).exists(), "until Bokio has deleted it"


def test_the_file_holds_every_item_and_no_formula(page, connection):
    make.item(connection, "=1+1", account=3011)

    text = b"".join(page.get(address("export"))).decode("utf-8-sig")

    assert "'=1+1" in text
    assert "3011" in text

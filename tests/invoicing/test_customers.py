"""The pages of customers, without a worker: what they show, keep, start and refuse."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models.signals import post_init
from django.test import Client
from django.urls import reverse
from django.utils import translation

from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.flows.claim import claim
from bokio_app.flows.models import Flow, FlowState, Step, StepState
from bokio_app.flows.operations import StepContext
from bokio_app.flows.sealed import is_sealed, unseal
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.models import CreditNote, Customer
from bokio_app.invoicing.registers import card, history, lists, twins
from bokio_app.invoicing.registers import services as registers
from bokio_app.payments.models import Payment
from bokio_app.tenants.models import Tenant, User
from tests.support import make

pytestmark = pytest.mark.django_db

NUMBER = "556016-0680"


@pytest.fixture(autouse=True)
def _english() -> Any:
    with translation.override("en"):
        yield


@pytest.fixture
def tenant() -> Tenant:
    return make.tenant()


@pytest.fixture
def person(tenant: Tenant) -> User:
    return make.member(tenant)


@pytest.fixture
def page(client: Client, person: User) -> Client:
    client.force_login(person)
    client.cookies["bokio_app_language"] = "en"
    return client


@pytest.fixture
def connection(tenant: Tenant) -> Connection:
    made = make.connection(tenant)
    make.fiscal_year(made)
    return made


def known(connection: Connection, **fields: Any) -> Customer:
    """A customer that Bokio has and that was read as a whole."""
    values = {"remote_id": str(uuid.uuid4()), "mark": "m" * 32, "org_number": NUMBER}
    return make.customer(connection, **(values | fields))


def typed(**values: Any) -> dict[str, Any]:
    """A form as the page posts it."""
    form = {
        "request_key": str(uuid.uuid4()),
        "name": "Älvkonsult AB",
        "type": "company",
        "org_number": NUMBER,
        "vat_number": "",
        "payment_terms": "20",
        "language": "sv",
        "line1": "Storgatan 1",
        "postal_code": "111 22",
        "city": "Stockholm",
        "country": "SE",
        "contact-0-name": "Anna",
        "contact-0-email": "anna@example.com",
        "contact-1-name": "Bo",
        "contact-1-phone": "070-1",
        "default_contact": "1",
    }
    return form | values


def address(name: str, **kwargs: Any) -> str:
    return reverse(f"customers:{name}", kwargs=kwargs)


def stuck_at_update(**step: Any) -> Flow:
    """A change that has stopped before anything of it was sent, or by a refusal."""
    flow = Flow.objects.get(kind="update_customer")
    Flow.objects.filter(pk=flow.pk).update(state=FlowState.STUCK, stuck_code="invalid")
    Step.objects.filter(flow=flow).update(**step)
    return flow


class TestList:
    def test_finds_by_name_number_email_and_city(self, page, connection):
        known(connection, name="Holm & Co AB", email="ekonomi@holm.se", city="Umeå")
        known(connection, name="Andra AB", org_number="556677-8899", vat_number="SE556677889901")

        def found(text):
            return page.get(address("list"), {"q": text}).content.decode()

        for text in ("holm &", "556016-06", "5560160680", "ekonomi@", "Umeå"):
            assert "Holm &amp; Co AB" in found(text), text
            assert "Andra AB" not in found(text), text
        assert "Andra AB" in found("SE5566778899")
        assert "No hits for" in found("finns inte")

    def test_counts_invoices_and_tells_what_is_open_by_currency(self, page, tenant, connection):
        customer = known(connection)
        make.invoice(connection, customer=customer, status="published")
        make.invoice(connection, customer=customer, status="published", currency="EUR")
        make.invoice(connection, customer=customer)

        [row] = lists.find_customers(tenant, lists.Asked()).rows

        assert row.invoices == 3
        assert row.open_amounts == [("SEK", Decimal(1250)), ("EUR", Decimal(1250))]

    @pytest.mark.parametrize("order", ["name", "city", "new", "owing"])
    def test_pages_follow_one_another_without_a_gap(self, tenant, connection, monkeypatch, order):
        monkeypatch.setattr(lists, "PAGE", 2)
        for number in range(5):
            customer = known(connection, name="Lika AB", remote_id=f"r{number}", city="Umeå")
            make.invoice(connection, customer=customer, status="published")
        met: list[Any] = []
        before = ""
        while True:
            got = lists.find_customers(tenant, lists.Asked(order=order, before=before))
            met += [row.customer.pk for row in got.rows]
            before = got.next
            if not before:
                break

        assert len(met) == len(set(met)) == 5

    def test_who_owes_most_comes_first(self, tenant, connection):
        for name, price in (("Liten AB", 100), ("Stor AB", 900)):
            make.invoice(
                connection,
                customer=known(connection, name=name),
                status="published",
                lines=[{"unit_price": Decimal(price)}],
            )
        known(connection, name="Skuldfri AB")

        got = lists.find_customers(tenant, lists.Asked(order="owing"))

        assert [row.customer.name for row in got.rows] == ["Stor AB", "Liten AB"]

    def test_asks_as_many_questions_for_many_rows_as_for_few(
        self, page, connection, django_assert_max_num_queries
    ):
        for number in range(12):
            customer = known(connection, remote_id=f"r{number}")
            make.invoice(connection, customer=customer, status="published")
        page.get(address("list"))

        with django_assert_max_num_queries(10):
            page.get(address("list"))

    def test_the_choice_of_a_company_leads_to_its_own_address(self, page, connection):
        response = page.get(address("list"), {"company": connection.pk, "q": "holm"})

        assert response.url.startswith(address("list_of", connection_id=connection.pk))
        assert "q=holm" in response.url

    def test_the_file_holds_no_formula_and_no_personal_number(self, page, connection):
        known(connection, name="=cmd()", org_number="790412-1234")

        text = b"".join(page.get(address("export"))).decode("utf-8-sig")

        assert "'=cmd()" in text
        assert "790412-••••" in text
        assert "790412-1234" not in text


class TestTwins:
    def test_names_are_compared_without_spaces_signs_and_kind_of_business(self):
        same = ["Älvkonsult AB", "Älv Konsult Aktiebolag", "älvkonsult ab (publ)", "AB Älvkonsult"]

        assert len({twins.plain_name(name) for name in same}) == 1
        assert twins.plain_name("Älvkonsult Nord AB") != twins.plain_name("Älvkonsult AB")
        assert twins.plain_name("AB") == "ab"

    def test_equal_numbers_are_twins_however_they_are_written(self, connection):
        one = known(connection, org_number=NUMBER, postal_code="1")
        other = known(connection, org_number="165560160680", postal_code="2")
        known(connection, org_number="556677-8899", postal_code="3")

        assert twins.twins_of([one]) == {one.pk: [other]}

    def test_equal_names_are_twins_at_the_same_postal_code_only(self, connection):
        one = known(connection, name="Älvkonsult AB", org_number="", postal_code="111 22")
        near = known(connection, name="Älv Konsult Aktiebolag", org_number="", postal_code="11122")
        known(connection, name="Älvkonsult AB", org_number="", postal_code="903 20")

        assert twins.twins_of([one]) == {one.pk: [near]}

    def test_another_companys_customer_is_no_twin(self, tenant, connection):
        one = known(connection)
        known(make.connection(tenant))

        assert twins.twins_of([one]) == {one.pk: []}

    def test_the_list_and_the_page_show_them(self, page, connection):
        one, other = known(connection, name="Ett AB"), known(connection, name="Två AB")

        assert "probably twice" in page.get(address("list")).content.decode()
        text = page.get(address("detail", customer_id=one.pk)).content.decode()
        assert address("detail", customer_id=other.pk) in text


class TestNew:
    def test_a_new_customer_is_kept_and_on_its_way_to_bokio(self, page, connection):
        url = address("new_of", connection_id=connection.pk)

        response = page.post(url, typed(action="send"))

        customer = Customer.objects.get()
        assert response.url == address("detail", customer_id=customer.pk)
        assert [each["name"] for each in customer.contacts] == ["Anna", "Bo"]
        assert [each["is_default"] for each in customer.contacts] == [False, True]
        assert customer.email == "anna@example.com"
        flow = Flow.objects.get()
        assert [step.op for step in flow.steps.all()] == ["ensure_customer", "read_customer"]
        assert flow.steps.get(pos=0).payload["more"]["contacts"][1]["phone"] == "070-1"

    def test_the_form_sent_twice_makes_one_customer_and_one_run(self, page, connection):
        url, form = address("new_of", connection_id=connection.pk), typed(action="send")

        page.post(url, form)
        page.post(url, form | {"twins_seen": str(Customer.objects.get().pk)})

        assert (Customer.objects.count(), Flow.objects.count()) == (1, 1)

    def test_saved_only_here_nothing_is_sent(self, page, connection):
        page.post(address("new_of", connection_id=connection.pk), typed(action="keep"))

        assert Customer.objects.get().remote_id == ""
        assert not Flow.objects.exists()

    def test_a_probable_twin_is_shown_before_another_is_made(self, page, connection):
        twin = known(connection, name="Älv Konsult Aktiebolag")
        url, form = address("new_of", connection_id=connection.pk), typed()

        response = page.post(url, form)

        assert response.status_code == 409
        text = response.content.decode()
        assert "Älv Konsult Aktiebolag" in text
        assert 'value="Älvkonsult AB"' in text, "what was typed survives"
        assert Customer.objects.count() == 1
        page.post(url, form | {"twins_seen": str(twin.pk)})
        assert Customer.objects.count() == 2

    @pytest.mark.parametrize(
        "wrong, says",
        [
            ({"org_number": "556016-0681"}, "check digit of the organisation number"),
            ({"vat_number": "SE556016068002"}, "VAT number"),
            ({"vat_number": "DE136695977"}, "check digit of the VAT number"),
            ({"type": "private"}, "Personal numbers are not kept here"),
            ({"city": ""}, "only as a whole"),
            ({"contact-0-email": "anna"}, "valid email"),
            ({"payment_terms": "400"}, "At most 365 days"),
        ],
    )
    def test_what_cannot_be_right_is_said_on_its_field(self, page, connection, wrong, says):
        response = page.post(address("new_of", connection_id=connection.pk), typed(**wrong))

        assert response.status_code == 422
        assert says in response.content.decode()
        assert not Customer.objects.exists()


class TestChange:
    def test_what_only_we_have_is_changed_at_once(self, page, connection):
        customer = make.customer(connection)

        page.post(address("edit", customer_id=customer.pk), typed(name="Nytt AB"))

        customer.refresh_from_db()
        assert customer.name == "Nytt AB"
        assert not Flow.objects.exists()

    def test_what_bokio_has_is_changed_by_one_run(self, page, connection):
        customer = known(connection, more={"customer_number": "K7", "contacts": []})
        url = address("edit", customer_id=customer.pk)
        form = typed(name="Nytt AB", mark=customer.mark, customer_number="K7")

        page.post(url, form)
        page.post(url, form)

        step = Step.objects.get()
        assert (step.op, step.payload["seen"]) == ("update_customer", customer.mark)
        assert step.payload["name"] == "Nytt AB"
        assert step.payload["more"]["customer_number"] == "K7"
        customer.refresh_from_db()
        assert customer.name != "Nytt AB", "our copy follows Bokio's"

    def test_a_contact_that_bokio_has_keeps_its_id(self, page, connection):
        contact = {"id": str(uuid.uuid4()), "name": "Anna", "email": "", "phone": ""}
        customer = known(connection, more={"contacts": [contact | {"is_default": True}]})
        form = typed(mark=customer.mark, **{"contact-0-id": contact["id"]})

        page.post(address("edit", customer_id=customer.pk), form)

        sent = Step.objects.get().payload["more"]["contacts"]
        assert [each["id"] for each in sent] == [contact["id"], None]

    def test_both_sides_are_shown_when_our_copy_has_moved_on(self, page, connection):
        customer = known(connection, name="Bokios nya namn AB", mark="n" * 32)
        url = address("edit", customer_id=customer.pk)

        response = page.post(url, typed(name="Mitt namn AB", mark="o" * 32))

        text = response.content.decode()
        assert response.status_code == 409
        assert "The two versions" in text
        assert '<td class="differs">Bokios nya namn AB</td>' in text
        assert not Flow.objects.exists()
        page.post(url, typed(name="Mitt namn AB", mark="n" * 32))
        assert Step.objects.get().payload["seen"] == "n" * 32

    def test_bokios_refusal_lands_on_its_field_and_the_corrected_run_goes_on(
        self, page, connection, person
    ):
        customer = known(connection)
        url = address("edit", customer_id=customer.pk)
        page.post(url, typed(name="Fel AB", mark=customer.mark))
        flow = stuck_at_update(
            error_fields=[["#/orgNumber", "Not ours"], ["#/contactsDetails/1/phone", "Too odd"]],
        )

        text = page.get(url).content.decode()

        assert "Bokio: Not ours" in text
        assert 'id="id_contact-1-phone_error"' in text
        assert 'value="Fel AB"' in text
        page.post(url, typed(name="Rätt AB", mark=customer.mark))
        flow.refresh_from_db()
        assert flow.state == FlowState.READY
        assert flow.steps.get().payload["name"] == "Rätt AB"
        assert Flow.objects.count() == 1

    def test_a_change_that_was_overtaken_in_bokio_is_compared_once_it_is_read(
        self, page, connection, person
    ):
        customer = known(connection, name="Gamla AB")
        url, shown = (
            address("edit", customer_id=customer.pk),
            address("detail", customer_id=customer.pk),
        )
        page.post(url, typed(name="Mitt AB", mark=customer.mark))
        stuck_at_update(error_code="changed-meanwhile")

        assert "Read from Bokio" in page.get(shown).content.decode()
        Customer.objects.update(name="Deras AB", mark="n" * 32)
        assert "Compare" in page.get(shown).content.decode()
        text = page.get(url).content.decode()
        assert '<td class="differs">Deras AB</td><td class="differs">Mitt AB</td>' in text
        page.post(url, typed(name="Mitt AB", mark="n" * 32))
        assert Step.objects.get().payload["seen"] == "n" * 32

    def test_a_sole_traders_number_is_shown_in_part_and_stays(self, page, connection):
        customer = known(connection, org_number="790412-1233", vat_number="SE790412123301")
        url = address("edit", customer_id=customer.pk)

        text = page.get(url).content.decode()
        assert 'value="790412-••••"' in text
        assert "790412-1233" not in text
        assert "7904121233" not in text
        form = typed(
            mark=customer.mark,
            org_number="790412-••••",
            vat_number="790412-••••",
            name="Anna Alm",
        )
        page.post(url, form)

        step = Step.objects.get()
        kept = step.payload["org_number"]
        assert is_sealed(kept)
        assert unseal(kept, StepContext(step.flow, step, {})) == "790412-1233"

    def test_a_person_whose_number_bokio_has_is_not_changed_here(self, page, connection):
        customer = known(connection, type="private", org_number="", more={"hides": True})
        url = address("edit", customer_id=customer.pk)

        page.post(url, typed(type="private", org_number="", mark=customer.mark))

        assert page.get(url).status_code == 302
        assert not Flow.objects.exists()
        text = page.get(address("detail", customer_id=customer.pk)).content.decode()
        assert "change the customer in Bokio" in text

    def test_a_customer_not_read_as_a_whole_is_read_first(self, page, connection):
        customer = known(connection, mark="")

        page.get(address("edit", customer_id=customer.pk))

        assert Step.objects.get().op == "read_customer"

    def test_a_reading_waits_for_no_change_that_has_stopped(self, connection, person):
        customer = known(connection)
        key = registers.customer_key(customer.pk)
        make.flow(connection, ops=["update_customer"], state=FlowState.STUCK, resource_key=key)

        registers.read_customer(customer, by=person, request_key="asked")

        taken = claim(connection.pk)
        assert taken is not None
        assert taken.kind == "read_customer"

    def test_a_reading_that_ends_while_the_page_is_made_is_not_missed(self, connection):
        customer = known(connection, name="Gamla AB")
        make.flow(
            connection,
            kind="read_customer",
            ops=["read_customer"],
            business_key=f"{customer.pk}:asked",
        )

        def end(instance: Customer, **_rest: object) -> None:
            """The worker ends it as soon as the page has the row as it was."""
            Flow.objects.update(state=FlowState.DONE, finished_at=clock.now())

        post_init.connect(end, sender=Customer)
        try:
            shown = card.Card(customer)
        finally:
            post_init.disconnect(end, sender=Customer)

        assert shown.customer.name == "Gamla AB"
        assert shown.reading is not None  # so that the page looks again

    def test_an_address_corrected_in_the_invoices_editor_reaches_the_first_contact(
        self, connection, person
    ):
        contacts = [{"id": None, "name": "Anna", "email": "a@x.se", "phone": ""}]
        customer = make.customer(connection, more={"contacts": contacts})

        saved = invoicing.update_customer(customer, by=person, email="b@x.se")

        assert saved.contacts[0]["email"] == "b@x.se"

    def test_a_permission_that_lacks_is_told_and_not_taken_for_a_mistake(self, page, connection):
        customer = known(connection)
        page.post(address("edit", customer_id=customer.pk), typed(mark=customer.mark))
        stuck_at_update(error_code="lacks-scope", error_message="customers:write")
        Flow.objects.update(stuck_code="lacks-scope")

        text = page.get(address("detail", customer_id=customer.pk)).content.decode()

        assert "customers:write" in text
        assert "Correct it" not in text


class TestDelete:
    def test_what_only_we_have_goes_at_once(self, page, connection):
        customer = make.customer(connection)

        page.post(address("delete", customer_id=customer.pk), {"request_key": uuid.uuid4()})

        assert not Customer.objects.exists()
        assert not Flow.objects.exists()

    def test_what_bokio_has_goes_by_one_run(self, page, connection):
        customer, key = known(connection), {"request_key": uuid.uuid4()}

        for _time in range(2):
            page.post(address("delete", customer_id=customer.pk), key)

        assert Step.objects.get().op == "delete_customer"
        assert Customer.objects.filter(gone_at=None).exists(), "until Bokio has deleted it"

    @pytest.mark.parametrize("status", ["draft", "published"])
    def test_one_with_invoices_stays_and_the_page_says_why(self, page, connection, status):
        customer = known(connection)
        make.invoice(connection, customer=customer, status=status)

        page.post(address("delete", customer_id=customer.pk), {"request_key": uuid.uuid4()})

        text = page.get(address("detail", customer_id=customer.pk)).content.decode()
        assert "cannot be deleted" in text
        assert not Flow.objects.exists()

    def test_a_refused_deletion_can_be_dropped(self, page, connection):
        customer = known(connection)
        page.post(address("delete", customer_id=customer.pk), {"request_key": uuid.uuid4()})
        Flow.objects.update(state=FlowState.STUCK, stuck_code="invalid")
        Step.objects.update(state=StepState.PENDING, error_message="Made in Bokio itself")

        text = page.get(address("detail", customer_id=customer.pk)).content.decode()
        page.post(address("give_up", customer_id=customer.pk))

        assert "Made in Bokio itself" in text
        assert Flow.objects.get().state == FlowState.CANCELLED


class TestPage:
    def test_the_whole_history_comes_newest_first_page_by_page(self, page, connection, monkeypatch):
        monkeypatch.setattr(history, "PAGE", 2)
        customer, today = known(connection), clock.today()
        invoice = make.invoice(
            connection,
            customer=customer,
            status="published",
            invoice_date=today - timedelta(days=9),
        )
        Payment.objects.create(
            invoice=invoice, date=today - timedelta(days=3), amount=Decimal(100), account=1930
        )
        CreditNote.objects.create(
            tenant=invoice.tenant,
            connection=connection,
            remote_id="n1",
            remote_invoice=invoice.remote_id,
            status="published",
            number="7",
            credit_date=today - timedelta(days=3),
            total=Decimal(50),
        )
        make.flow(connection, resource_key=invoice.resource_key, state=FlowState.DONE)
        make.flow(make.connection(), resource_key=invoice.resource_key, state=FlowState.DONE)

        met, mark = [], ""
        while True:
            entries, mark = history.of_customer(customer, history.Mark.of(mark))
            met += [each.kind for each in entries]
            if not mark:
                break

        assert met == ["run", "credit", "payment", "invoice"]
        text = page.get(address("detail", customer_id=customer.pk)).content.decode()
        assert "Credit note 7" in text

    @pytest.mark.parametrize("mark", ["x", "2026-13-01_run_1", "2026-01-01_run_x", "2026-01-01_"])
    def test_a_mark_that_makes_no_sense_begins_anew(self, page, connection, mark):
        url = address("detail", customer_id=known(connection).pk)

        assert page.get(url, {"before": mark}).status_code == 200

    def test_asks_as_many_questions_for_many_invoices_as_for_few(
        self, page, connection, django_assert_max_num_queries
    ):
        customer = known(connection)
        for _number in range(8):
            invoice = make.invoice(connection, customer=customer, status="published")
            make.flow(connection, resource_key=invoice.resource_key, state=FlowState.DONE)
        url = address("detail", customer_id=customer.pk)
        page.get(url)

        with django_assert_max_num_queries(20):
            page.get(url)

    def test_a_new_invoice_begins_with_the_customer(self, page, connection):
        customer = known(connection, name="Förvald AB")

        url = f"{reverse('invoicing:new')}?company={connection.pk}&customer={customer.pk}"

        assert 'value="Förvald AB"' in page.get(url).content.decode()

    def test_a_new_customer_that_bokio_had_already_leads_to_that_one(self, page, connection):
        kept, gone = known(connection), uuid.uuid4()
        flow = make.flow(
            connection,
            kind="create_customer",
            ops=["ensure_customer"],
            resource_key=f"customer:{gone}",
            state=FlowState.DONE,
        )
        flow.steps.update(result={"remote_id": kept.remote_id})

        response = page.get(address("detail", customer_id=gone))

        assert response.url == address("detail", customer_id=kept.pk)

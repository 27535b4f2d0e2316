"""The pages of invoices, without a worker: what they keep, start and refuse."""

import itertools
import uuid

import pytest
from django.db import connection as database
from django.urls import reverse
from django.utils import translation

from bokio_app.audit.models import Event
from bokio_app.core import clock
from bokio_app.flows.models import Attempt, Flow, FlowState, StepState
from bokio_app.invoicing import services
from bokio_app.invoicing.editor import MOST_LINES
from bokio_app.invoicing.models import Customer, Invoice
from tests.support import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


@pytest.fixture
def tenant():
    return make.tenant()


@pytest.fixture
def person(tenant):
    return make.member(tenant)


@pytest.fixture
def page(client, person):
    client.force_login(person)
    client.cookies["bokio_app_language"] = "en"
    return client


@pytest.fixture
def connection(tenant):
    made = make.connection(tenant)
    make.fiscal_year(made)
    for number in (1510, 2611, 3001, 3011, 3730):
        make.account(made, number)
    return made


@pytest.fixture
def customer(connection):
    return make.customer(connection)


def typed(customer, *lines, **head):
    """A form as the editor posts it."""
    data = {
        "draft_id": str(uuid.uuid4()),
        "request_key": str(uuid.uuid4()),
        "version": "0",
        "customer": str(customer.pk) if customer else "",
        "customer_text": customer.name if customer else "",
        "invoice_date": clock.today().isoformat(),
        "terms": "30",
        "action": "save",
    }
    rows = lines or ({"description": "Timmar", "quantity": "180", "unit_price": "290"},)
    for number, line in enumerate(rows):
        row = {"type": "salesItem", "product": "goods", "unit": "hour", "tax_rate": "25"} | line
        data |= {f"lines-{number}-{name}": value for name, value in row.items()}
    return data | head


def new_url(connection):
    return f"{reverse('invoicing:new')}?company={connection.pk}"


def text(response):
    return response.content.decode()


class TestNew:
    def test_one_company_is_chosen_by_itself(self, page, connection):
        response = page.get(reverse("invoicing:new"))

        assert response["Location"] == new_url(connection)

    def test_of_several_companies_one_is_asked_for(self, page, tenant, connection):
        other = make.connection(tenant)

        shown = text(page.get(reverse("invoicing:new")))

        assert f"?company={connection.pk}" in shown
        assert f"?company={other.pk}" in shown

    def test_the_draft_is_ours_from_the_first_save(self, page, person, connection, customer):
        response = page.post(new_url(connection), typed(customer))

        invoice = Invoice.objects.get()
        assert response["Location"] == reverse("invoicing:edit", args=[invoice.pk])
        assert (invoice.net, invoice.tax, invoice.total) == (52200, 13050, 65250)
        assert invoice.created_by == person
        assert Flow.objects.count() == 0

    def test_the_same_form_sent_twice_is_one_draft(self, page, connection, customer):
        form = typed(customer)

        for _ in range(2):
            assert page.post(new_url(connection), form).status_code == 302

        assert Invoice.objects.count() == 1

    def test_publishing_twice_from_one_form_is_one_invoice_and_one_flow(
        self, page, connection, customer
    ):
        form = typed(customer, action="send")

        answers = [page.post(new_url(connection), form) for _ in range(2)]

        assert Invoice.objects.count() == Flow.objects.count() == 1
        expected = reverse("invoicing:detail", args=[Invoice.objects.get().pk])
        assert [answer["Location"] for answer in answers] == [expected, expected]

    def test_what_was_typed_survives_an_error(self, page, connection, customer):
        lines = {"description": "Kabel", "unit_price": "hundra", "account": "3055"}

        response = page.post(new_url(connection), typed(customer, lines, your_reference="Lina Å"))

        shown = text(response)
        assert response.status_code == 422
        assert Invoice.objects.count() == 0
        assert all(value in shown for value in ("hundra", "3055", "Lina Å", customer.name))
        assert 'id="id_lines-0-unit_price_error"' in shown
        assert 'href="#id_lines-0-account"' in shown

    def test_lines_are_kept_in_the_order_of_the_page(self, page, connection, customer):
        form = typed(customer)
        form |= {"lines-90210-type": "salesItem", "lines-90210-description": "Sist"}
        form |= {"lines-90210-unit_price": "10"}
        form |= {"lines-7-type": "descriptionOnlyItem", "lines-7-description": "Efter sist"}

        page.post(new_url(connection), form)

        kept = Invoice.objects.get().lines.values_list("description", flat=True)
        assert list(kept) == ["Timmar", "Sist", "Efter sist"]

    def test_empty_lines_are_not_kept(self, page, connection, customer):
        page.post(
            new_url(connection),
            typed(customer, {"quantity": "1"}, {"description": "En", "unit_price": "1"}),
        )

        assert Invoice.objects.get().lines.count() == 1


class TestButtonsWithinTheForm:
    def test_adding_a_line_keeps_everything_and_judges_nothing(self, page, connection, customer):
        form = typed(customer, {"description": "", "unit_price": "fel"}, action="add_line")

        response = page.post(new_url(connection), form)

        assert response.status_code == 200
        assert 'name="lines-1-description"' in text(response)
        assert 'value="fel"' in text(response)
        assert "error-summary" not in text(response)

    def test_removing_a_line_keeps_the_others(self, page, connection, customer):
        lines = [{"description": name, "unit_price": "1"} for name in ("Ett", "Två", "Tre")]

        response = page.post(new_url(connection), typed(customer, *lines, action="remove_line:1"))

        rows = response.context["editor"].rows
        assert [row["description"] for row in rows] == ["Ett", "Tre"]

    def test_a_customer_is_created_in_place_and_the_invoice_survives(self, page, connection):
        form = typed(None, action="new_customer", your_reference="Lina") | {
            "new-name": "Nordkajens Elservice AB",
            "new-type": "company",
            "new-org_number": "5567034185",
            "new-line1": "Kajvägen 12",
            "new-postal_code": "871 31",
            "new-city": "Norrhamn",
            "new-country": "SE",
            "new-payment_terms": "15",
        }

        editor = page.post(new_url(connection), form).context["editor"]

        customer = Customer.objects.get()
        assert customer.org_number == "556703-4185"
        assert editor.customer == customer
        assert editor.form["your_reference"].value() == "Lina"
        assert editor.rows[0]["description"] == "Timmar"

    def test_a_wrong_organisation_number_creates_nothing(self, page, connection):
        form = typed(None, action="new_customer") | {
            "new-name": "Fel AB",
            "new-type": "company",
            "new-org_number": "556703-4186",
        }

        shown = text(page.post(new_url(connection), form))

        assert Customer.objects.count() == 0
        assert "The check digit of the organisation number is wrong." in shown
        assert 'id="id_new-org_number_error"' in shown

    def test_the_customer_that_is_there_already_can_be_used(self, page, connection, customer):
        form = typed(None, action=f"use_customer:{customer.pk}")

        assert page.post(new_url(connection), form).context["editor"].customer == customer


class TestEdit:
    def test_a_draft_is_shown_as_it_was_saved(self, page, connection, customer):
        page.post(new_url(connection), typed(customer))
        invoice = Invoice.objects.get()

        shown = text(page.get(reverse("invoicing:edit", args=[invoice.pk])))

        assert 'value="180"' in shown
        assert 'value="290.00"' in shown
        assert "error-summary" not in shown

    def test_someone_elses_save_is_not_overwritten_unseen(self, page, tenant, connection, customer):
        invoice = make.invoice(connection, customer=customer)
        draft = services.draft_of(invoice)
        other = make.member(tenant, name="Oskar Berg")
        services.save_draft(invoice, draft, version=1, by=other)
        url = reverse("invoicing:edit", args=[invoice.pk])

        response = page.post(url, typed(customer, version="1", your_reference="Mitt"))

        shown = text(response)
        assert response.status_code == 409
        assert "Oskar Berg saved at" in shown
        assert 'value="Mitt"' in shown
        assert Invoice.objects.get().your_reference == ""

        again = response.context["editor"].form["version"].value()
        page.post(url, typed(customer, version=str(again), your_reference="Mitt"))
        assert Invoice.objects.get().your_reference == "Mitt"

    def test_what_is_missing_is_shown_on_its_field(self, page, connection):
        invoice = make.invoice(connection, customer=None, lines=())
        url = reverse("invoicing:send", args=[invoice.pk])

        response = page.post(url, {"request_key": "k"}, follow=True)

        shown = text(response)
        assert Flow.objects.count() == 0
        assert "Choose the customer." in shown
        assert "The invoice needs at least one line with a price." in shown
        assert 'href="#id_customer_text"' in shown

    @pytest.mark.parametrize(
        "op,pointer,place",
        [
            ("create_invoice", "#/lineItems/0/taxRate", "id_lines-0-tax_rate_error"),
            (
                "create_invoice",
                "#/lineItems/0/bookkeepingAccountNumber",
                "id_lines-0-account_error",
            ),
            ("create_invoice", "#/customerRef", "id_customer_text_error"),
            ("create_invoice", "#/invoiceDate", "id_invoice_date_error"),
            ("create_invoice", "#/dueDate", "id_due_date_error"),
            ("create_invoice", "#/buyerReference", "id_your_reference_error"),
            ("ensure_customer", "#/orgNumber", "id_new-org_number_error"),
            ("ensure_customer", "#/address/line1", "id_new-line1_error"),
        ],
    )
    def test_bokios_message_is_on_the_field_it_names(self, page, connection, op, pointer, place):
        invoice = refused(connection, op=op, pointer=pointer)

        shown = text(page.get(reverse("invoicing:edit", args=[invoice.pk])))

        assert f'id="{place}">Bokio: No good' in shown

    @pytest.mark.parametrize("pointer", ["#/somethingNew", "#/lineItems/9/taxRate", ""])
    def test_a_message_about_no_field_of_ours_stands_at_the_top(self, page, connection, pointer):
        invoice = refused(connection, op="create_invoice", pointer=pointer)

        response = page.get(reverse("invoicing:edit", args=[invoice.pk]))

        assert "<li>Bokio: No good" in text(response)

    def test_publishing_the_corrected_draft_lets_the_same_flow_go_on(
        self, page, connection, customer
    ):
        invoice = refused(connection, op="create_invoice", pointer="#/dueDate")
        url = reverse("invoicing:edit", args=[invoice.pk])

        page.post(url, typed(invoice.customer, version=str(invoice.version), action="send"))

        flow = Flow.objects.get()
        assert flow.state == FlowState.READY
        assert flow.steps.get(op="create_invoice").version == 2

    def test_what_is_at_bokio_is_not_edited(self, page, connection):
        invoice = make.invoice(connection, status="published")

        response = page.get(reverse("invoicing:edit", args=[invoice.pk]))

        assert response["Location"] == reverse("invoicing:detail", args=[invoice.pk])


def refused(connection, *, op, pointer):
    """A draft whose flow Bokio has stopped at `op` with a message about one field."""
    customer = make.customer(connection, org_number="556703-4185")
    invoice = make.invoice(connection, customer=customer)
    flow = make.flow(
        connection,
        state=FlowState.STUCK,
        business_key=str(invoice.pk),
        resource_key=invoice.resource_key,
        cursor=0 if op == "ensure_customer" else 1,
    )
    flow.steps.filter(op=op).update(
        error_code="validation-error", error_message="No good", error_fields=[[pointer, "No good"]]
    )
    mine = flow.steps.filter(op="ensure_customer")
    mine.update(payload={"customer": str(customer.pk)})
    if op != "ensure_customer":
        mine.update(state=StepState.DONE)
    return invoice


class TestThePreview:
    def test_it_shows_totals_and_entry_of_what_can_be_read(self, page, connection, customer):
        url = reverse("invoicing:preview", args=[connection.pk])
        good = {"description": "Timmar", "quantity": "180", "unit_price": "290"}
        bad = {"description": "Mer", "unit_price": "x"}

        shown = text(page.post(url, typed(customer, good, bad), headers={"HX-Request": "true"}))

        assert "65,250.00" in shown
        assert "3001" in shown
        assert Invoice.objects.count() == 0

    def test_the_list_of_customers_finds_by_name_and_number(self, page, connection):
        make.customer(connection, name="Hamnkrogen", org_number="556703-4185")
        url = reverse("invoicing:customers", args=[connection.pk])

        for query in ("krog", "556703"):
            assert "Hamnkrogen" in text(page.get(url, {"customer_text": query}))
        assert "Hamnkrogen" not in text(page.get(url, {"customer_text": "holm"}))


class TestDetail:
    def test_a_second_person_gets_the_same_flow(self, page, client, tenant, connection):
        invoice = make.invoice(connection)
        url = reverse("invoicing:send", args=[invoice.pk])
        page.post(url, {"request_key": str(uuid.uuid4())})

        client.force_login(make.member(tenant))
        client.post(url, {"request_key": str(uuid.uuid4())})

        assert Flow.objects.count() == 1

    def test_a_moving_flow_is_shown_step_by_step(self, page, connection):
        invoice = make.invoice(connection)
        flow = make.flow(
            connection, business_key=str(invoice.pk), resource_key=invoice.resource_key
        )

        shown = text(page.get(reverse("invoicing:detail", args=[invoice.pk])))

        assert reverse("flows:progress", args=[flow.public_id]) in shown
        assert "flow-ended from:body" in shown
        assert reverse("invoicing:send", args=[invoice.pk]) not in shown

    def test_while_bokio_is_read_the_page_follows_the_company_or_asks_each_second(
        self, page, connection
    ):
        invoice = make.invoice(connection, status="published")
        url = reverse("invoicing:detail", args=[invoice.pk])
        assert 'data-poll="1"' not in text(page.get(url))

        make.flow(
            connection, kind="read_invoice", ops=["read_invoice"], business_key=f"{invoice.pk}:x"
        )

        shown = text(page.get(url))
        assert 'data-poll="1"' in shown
        assert f"connection:{connection.pk}" in shown

    def test_work_that_ends_while_the_page_is_made_is_shown_or_asked_for(self, page, connection):
        invoice = make.invoice(connection, remote_id="1")
        flow = make.flow(connection, resource_key=invoice.resource_key)
        url = reverse("invoicing:detail", args=[invoice.pk])

        def page_with_an_end_after(queries):
            Invoice.objects.filter(pk=invoice.pk).update(status="draft", number="")
            Flow.objects.filter(pk=flow.pk).update(state=FlowState.RUNNING)
            asked = itertools.count()

            def passing(execute, *statement):
                if next(asked) == queries:
                    Invoice.objects.filter(pk=invoice.pk).update(status="published", number="7")
                    Flow.objects.filter(pk=flow.pk).update(state=FlowState.DONE)
                return execute(*statement)

            with database.execute_wrapper(passing):
                shown = text(page.get(url))
            return shown, next(asked) > queries

        for queries in itertools.count():
            shown, was_reached = page_with_an_end_after(queries)
            if not was_reached:
                break
            assert reverse("flows:progress", args=[flow.public_id]) in shown or "Invoice 7" in shown
        assert queries > 10

    def test_a_lost_answer_is_told_plainly(self, page, connection):
        invoice = make.invoice(connection, status="published")
        flow = make.flow(
            connection,
            state=FlowState.DONE,
            business_key=str(invoice.pk),
            resource_key=invoice.resource_key,
        )
        step = flow.steps.get(op="publish_invoice")
        make.attempt(step, outcome=Attempt.Outcome.UNKNOWN, status=0)
        make.attempt(step, outcome=Attempt.Outcome.FOUND)

        shown = text(page.get(reverse("invoicing:detail", args=[invoice.pk])))

        assert "No answer came" in shown
        assert "Adopted, not sent again." in shown

    def test_htmx_gets_the_changing_part_alone(self, page, connection):
        invoice = make.invoice(connection)

        shown = text(
            page.get(reverse("invoicing:detail", args=[invoice.pk]), headers={"HX-Request": "true"})
        )

        assert shown.count('id="invoice"') == 1
        assert "<html" not in shown

    def test_a_draft_can_be_deleted_until_it_is_on_its_way(self, page, connection):
        kept, gone = make.invoice(connection), make.invoice(connection)
        services.start_sending(kept, by=make.user())

        for invoice in (kept, gone):
            page.post(reverse("invoicing:delete", args=[invoice.pk]))

        assert list(Invoice.objects.all()) == [kept]
        assert Event.objects.filter(action="invoice.draft_deleted").count() == 1


class TestStrangers:
    @pytest.mark.parametrize("name", ["detail", "edit", "send", "delete"])
    def test_another_tenants_invoice_is_not_found(self, page, name):
        invoice = make.invoice(make.connection())
        url = reverse(f"invoicing:{name}", args=[invoice.pk])

        answers = {page.post(url).status_code, page.get(url).status_code} - {405}

        assert answers == {404}
        assert Invoice.objects.filter(pk=invoice.pk).exists()

    @pytest.mark.parametrize("name", ["customers", "preview"])
    def test_another_tenants_company_is_not_found(self, page, name):
        url = reverse(f"invoicing:{name}", args=[make.connection().pk])

        answers = {page.post(url).status_code, page.get(url).status_code} - {405}

        assert answers == {404}

    @pytest.mark.parametrize("name", ["new", "list"])
    def test_another_tenants_company_cannot_be_named_in_an_address(self, page, name):
        theirs = make.connection()

        response = page.get(reverse(f"invoicing:{name}"), {"company": str(theirs.pk)})

        assert response.status_code == 404

    def test_the_id_of_another_tenants_draft_is_never_written_over(
        self, page, connection, customer
    ):
        theirs = make.invoice(make.connection())

        page.post(new_url(connection), typed(customer, draft_id=str(theirs.pk)))

        before = theirs.total
        theirs.refresh_from_db()
        assert (theirs.total, theirs.tenant_id) == (before, theirs.connection.tenant_id)
        assert Invoice.objects.filter(connection=connection).count() == 1

    def test_who_is_not_signed_in_is_led_to_the_sign_in_page(self, client):
        assert "/account/login" in client.get(reverse("invoicing:list"))["Location"]


def test_an_invoice_of_three_hundred_lines_can_be_saved(page, connection, customer, settings):
    lines = [
        {"description": f"Rad {number}", "quantity": "1", "unit_price": "10", "account": "3001"}
        for number in range(MOST_LINES)
    ]

    answer = page.post(new_url(connection), typed(customer, *lines))

    invoice = Invoice.objects.get()
    assert answer.status_code == 302
    assert invoice.lines.count() == MOST_LINES
    editor = page.get(reverse("invoicing:edit", args=[invoice.pk])).content
    fields = editor.count(b' name="lines-')
    assert MOST_LINES * 8 <= fields < settings.DATA_UPLOAD_MAX_NUMBER_FIELDS - 100


def test_the_choice_of_customer_shows_no_whole_personal_number(page, connection):
    make.customer(connection, name="Enskild Firma", org_number="19811228-9874")
    make.customer(connection, name="Privat", org_number="811228-9874", type="private")
    make.customer(connection, name="Bolag AB", org_number="556703-4185")

    shown = page.get(reverse("invoicing:customers", args=[connection.pk])).content.decode()

    assert "9874" not in shown
    assert "19811228-" in shown
    assert "556703-4185" in shown


def test_an_invoice_page_shows_no_whole_personal_number(page):
    company = make.connection(make.Tenant.objects.get(), org_number="811228-9874")
    sole_trader = make.customer(company, org_number="19811228-9874")
    invoice = make.invoice(company, customer=sole_trader)

    shown = page.get(reverse("invoicing:detail", args=[invoice.pk])).content.decode()

    assert "9874" not in shown
    assert "19811228-" in shown


def test_the_page_of_a_stopped_run_looks_again_when_somebody_has_seen_to_it(page, connection):
    invoice = make.invoice(connection)
    make.flow(connection, state=FlowState.STUCK, resource_key=invoice.resource_key)

    shown = page.get(reverse("invoicing:detail", args=[invoice.pk])).content.decode()

    assert f'data-follows="invoice:{invoice.pk}"' in shown

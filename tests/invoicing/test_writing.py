"""Drafts that save themselves while they are written, and two people in one of them."""

import itertools
import uuid
from datetime import timedelta

import pytest
from django.urls import reverse

from bokio_app.audit.models import Event
from bokio_app.core import clock
from bokio_app.flows.models import Flow
from bokio_app.invoicing import services, writing
from bokio_app.invoicing.models import Invoice
from bokio_app.invoicing.more import Opened, Writing
from tests.support import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection():
    made = make.connection(make.tenant())
    make.fiscal_year(made)
    return made


@pytest.fixture
def person(connection):
    return make.member(connection.tenant, name="Maja Lindqvist")


@pytest.fixture
def page(client, person):
    client.force_login(person)
    return client


class Paper:
    """One page of the editor in one browser, which saves itself."""

    def __init__(self, client, connection, invoice=None):
        self.client, self.seqs = client, itertools.count(1)
        self.address = reverse("invoicing:new") + f"?company={connection.pk}"
        self.form = {"draft_id": str(uuid.uuid4()), "version": "0"}
        if invoice:
            self.address = reverse("invoicing:edit", args=[invoice.pk])
            self.form = {"version": str(invoice.version)}
        self.form |= {
            "request_key": str(uuid.uuid4()),
            "invoice_date": "2026-11-20",
            "lines-0-type": "salesItem",
            "lines-0-quantity": "1",
            "lines-0-tax_rate": "25",
        }

    def save(self, *, heard=True, action="autosave", **typed):
        self.form |= {"seq": str(next(self.seqs)), "action": action} | {
            f"lines-0-{name}" if name in {"description", "unit_price"} else name: value
            for name, value in typed.items()
        }
        answer = self.client.post(self.address, self.form)
        if heard and answer.status_code == 200 and "version" in (found := answer.json()):
            self.address, self.form["version"] = found["address"], str(found["version"])
        return answer


@pytest.fixture
def paper(page, connection):
    return Paper(page, connection)


def texts(invoice):
    return list(invoice.lines.values_list("description", flat=True))


def test_nothing_typed_is_nothing_kept(paper):
    assert paper.save().status_code == 200

    assert not Invoice.objects.exists()


def test_a_new_draft_is_kept_once_however_often_it_saves_itself(paper):
    paper.save(description="Arb", unit_price="1")
    paper.save(description="Arbete", unit_price="10")

    invoice = Invoice.objects.get()
    assert texts(invoice) == ["Arbete"]
    assert invoice.net == 10
    assert str(invoice.pk) in paper.address


def test_what_is_half_typed_is_kept_as_typed_and_never_sent(paper, page):
    paper.save(description="Arbete", unit_price="tusen", your_reference="Jane")

    invoice = Invoice.objects.get()
    assert texts(invoice) == []
    editor = page.get(reverse("invoicing:edit", args=[invoice.pk])).context["editor"]
    assert editor.rows[0]["unit_price"] == "tusen"
    assert editor.form["your_reference"].value() == "Jane"
    assert editor.mistakes == []
    page.post(reverse("invoicing:send", args=[invoice.pk]), {"request_key": "k"})
    assert not Flow.objects.exists()


def test_a_whole_draft_with_a_half_typed_line_is_not_sent_without_it(paper, page, connection):
    customer = make.customer(connection)
    paper.form |= {"customer": str(customer.pk), "customer_text": customer.name}
    paper.form |= {"lines-1-type": "salesItem", "lines-1-description": "Resa"}
    paper.save(description="Arbete", unit_price="10")
    invoice = Invoice.objects.get()
    assert texts(invoice) == ["Arbete"]

    sent = reverse("invoicing:send", args=[invoice.pk])
    shown = page.post(sent, {"request_key": "k"}, follow=True)

    assert not Flow.objects.exists()
    assert shown.context["mistakes"]
    assert shown.context["editor"].rows[1]["description"] == "Resa"


def test_once_it_is_whole_nothing_half_typed_is_left(paper):
    paper.save(description="Arbete", unit_price="tusen")
    paper.save(description="Arbete", unit_price="1000")

    assert texts(Invoice.objects.get()) == ["Arbete"]
    assert Writing.objects.get().typed == {}


def test_a_personal_number_in_the_customer_field_is_not_kept(paper):
    paper.save(description="Arbete", unit_price="tusen", customer_text="19790412-1234")

    kept = Writing.objects.get().typed
    assert kept["rows"][0]["description"] == "Arbete"
    assert kept["head"]["customer_text"] == ""


@pytest.mark.parametrize("action", ["autosave", "save"])
def test_a_page_whose_answers_were_lost_is_not_in_its_own_way(paper, action):
    paper.save(description="Ett", unit_price="1", heard=False)
    paper.save(description="Två", unit_price="1", heard=False)

    assert paper.save(description="Tre", action=action).status_code in {200, 302}

    assert texts(Invoice.objects.get()) == ["Tre"]


def test_a_page_of_an_earlier_draft_is_not_in_its_own_way_either(page, connection):
    invoice = make.invoice(connection)
    paper = Paper(page, connection, invoice)
    paper.save(description="Ett", unit_price="1", heard=False)

    assert paper.save(description="Två").status_code == 200

    assert texts(invoice) == ["Två"]


def test_a_save_that_arrives_late_does_not_undo_a_later_one(paper):
    paper.save(description="Ett", unit_price="1")
    paper.seqs = itertools.count(9)
    paper.save(description="Nio")
    paper.seqs = itertools.count(5)

    assert paper.save(description="Fem").status_code == 200

    assert texts(Invoice.objects.get()) == ["Nio"]


def test_what_a_person_presses_is_never_late(paper):
    paper.save(description="Ett", unit_price="1")
    paper.seqs = itertools.count(9)
    paper.save(description="Nio")
    paper.seqs = itertools.count(1)  # a page without scripts counts nothing

    paper.save(description="Rättat", action="save")

    assert texts(Invoice.objects.get()) == ["Rättat"]


def test_nobody_saves_over_somebody_else_by_itself(paper, connection):
    paper.save(description="Ett", unit_price="1")
    invoice = Invoice.objects.get()
    other = make.member(connection.tenant, name="Oskar Berg")
    services.save_draft(invoice, services.draft_of(invoice), version=1, by=other)

    answer = paper.save(description="Två")

    assert answer.status_code == 409
    assert "Oskar Berg" in answer.json()["told"]
    assert texts(Invoice.objects.get()) == ["Ett"]
    shown = paper.save(description="Två", action="save")
    assert shown.status_code == 409
    assert shown.context["conflict"].saved_by == other


def test_what_is_on_its_way_to_bokio_is_not_saved_any_more(paper, page, connection):
    customer = make.customer(connection)
    paper.form |= {"customer": str(customer.pk), "customer_text": customer.name}
    paper.save(description="Ett", unit_price="1")
    paper.save(action="send")
    assert Flow.objects.count() == 1

    answer = paper.save(description="Två")

    assert answer.status_code == 409
    assert texts(Invoice.objects.get()) == ["Ett"]


def test_the_log_has_one_line_of_many_saves_and_one_of_each_person(paper, connection, person):
    for number in range(4):
        paper.save(description=f"Nummer {number}", unit_price="1")

    saves = Event.objects.filter(action__in=["invoice.drafted", "invoice.draft_saved"])
    assert saves.count() == 1
    invoice = Invoice.objects.get()
    page_of_other = writing.Page(key="other", by_itself=True)
    other = make.member(connection.tenant)
    services.save_draft(
        invoice, services.draft_of(invoice), version=invoice.version, by=other, page=page_of_other
    )
    assert saves.count() == 2
    assert set(saves.values_list("actor", flat=True)) == {person.pk, other.pk}


def test_two_people_in_one_draft_are_told_of_each_other(page, person, connection):
    invoice = make.invoice(connection)
    other = make.member(connection.tenant, name="Oskar Berg")
    address = reverse("invoicing:opened", args=[invoice.pk])
    assert page.post(address).json() == {"others": ""}

    assert "Maja Lindqvist" in writing.open_for(invoice, other)

    assert "Oskar Berg" in page.post(address).json()["others"]
    assert "Oskar Berg" in page.get(reverse("invoicing:edit", args=[invoice.pk])).context["others"]
    Opened.objects.filter(user=other).update(seen_at=clock.now() - timedelta(minutes=1))
    assert page.post(address).json() == {"others": ""}

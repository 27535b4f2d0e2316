"""Documents: fetched once by a worker, kept, and served to who may see the company."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from bokio_app.connections.models import Connection
from bokio_app.documents import services
from bokio_app.documents.models import Document
from bokio_app.flows.models import Flow
from bokio_app.invoicing import crediting
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.models import CreditNote, Invoice
from bokio_app.tenants.models import User
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess


@pytest.fixture
def company() -> Connection:
    return make.connection()


@pytest.fixture
def page(client: Client, company: Connection) -> Client:
    client.force_login(make.member(company.tenant))
    client.cookies["bokio_app_language"] = "en"
    return client


def pane(page: Client, url: str, *, post: bool = False) -> str:
    answer = (page.post if post else page.get)(url, headers={"HX-Request": "true"})
    return answer.content.decode()


@pytest.mark.django_db
def test_a_pdf_is_shown_within_our_own_pages_and_no_others(
    page: Client, company: Connection
) -> None:
    document = make.document(company, name="Faktura 1041 å.pdf", content=b"%PDF-1.7 x")

    answer = page.get(reverse("documents:show", args=[document.pk]))

    policy = answer["Content-Security-Policy"]
    assert (answer["Content-Type"], answer.content) == ("application/pdf", b"%PDF-1.7 x")
    assert answer["Content-Disposition"].startswith("inline; filename*=utf-8''Faktura%201041")
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'self'" in policy
    assert "default-src 'none'" in policy
    assert "private" in answer["Cache-Control"]


@pytest.mark.django_db
@pytest.mark.parametrize("asked, content", [("?save", b"%PDF-1.7"), ("", b"<script>")])
def test_what_is_asked_for_or_is_no_pdf_is_saved_and_not_shown(
    asked: str, content: bytes, page: Client, company: Connection
) -> None:
    document = make.document(company, content=content)

    answer = page.get(reverse("documents:show", args=[document.pk]) + asked)

    assert answer["Content-Disposition"].startswith("attachment")
    if not asked:
        assert answer["Content-Type"] == "application/octet-stream"


@pytest.mark.django_db
def test_a_page_asks_for_the_pdf_once_and_shows_it_when_it_is_here(
    page: Client, company: Connection
) -> None:
    invoice = make.invoice(company, status="published")
    url = reverse("invoicing:pdf", args=[invoice.pk])
    shown = page.get(reverse("invoicing:detail", args=[invoice.pk]))

    assert "submit, load" in shown.content.decode()
    assert "object-src 'self'" in shown["Content-Security-Policy"]
    for _each in range(2):
        assert "Being fetched" in pane(page, url, post=True)
    [flow] = Flow.objects.filter(kind=services.READ_DOCUMENT)
    assert flow.steps.get().payload["remote_id"] == invoice.remote_id

    document = make.document(company, remote_id=invoice.remote_id)
    assert reverse("documents:show", args=[document.pk]) in pane(page, url)


@pytest.mark.django_db
def test_a_draft_has_no_pdf(page: Client, company: Connection) -> None:
    invoice = make.invoice(company)

    page.post(reverse("invoicing:pdf", args=[invoice.pk]))

    assert not Flow.objects.exists()


@pytest.mark.usefixtures("hurry")
def test_a_worker_fetches_the_pdf_of_an_invoice_and_of_its_credit_note(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    made = bokio.guide_draft(connection, by=person)
    invoicing.start_sending(made, by=person)
    bokio.work(connection)
    invoice = Invoice.objects.get(pk=made.pk)
    crediting.credit(
        invoice,
        crediting.Creditable(invoice).rest,
        seen=invoice.total,
        by=person,
        request_key=str(uuid4()),
    )
    bokio.work(connection)
    note = CreditNote.objects.get()
    sandbox.add_fault("download-invoice", "lose_answer")

    services.fetch(connection, "invoice", invoice.remote_id, name="i.pdf", by=person)
    services.fetch(connection, "credit_note", note.remote_id, name="n.pdf", by=person)
    bokio.work(connection)

    kept = dict(Document.objects.values_list("kind", "content"))
    assert bytes(kept["invoice"]).startswith(b"%PDF-")
    assert f"Faktura {invoice.number}".encode() in bytes(kept["invoice"])
    assert note.number.encode() in bytes(kept["credit_note"])
    assert services.fetch(connection, "invoice", invoice.remote_id, name="i.pdf", by=person) is None

"""Files of a draft: what is taken, what becomes of it, and what Bokio then holds."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bokio_app.connections.models import Connection
from bokio_app.documents.models import Document
from bokio_app.flows import decisions
from bokio_app.flows import services as flows
from bokio_app.flows.models import Flow, FlowState
from bokio_app.invoicing import attaching, lost, services
from bokio_app.invoicing.models import Attachment, Invoice
from bokio_app.invoicing.pictures import pixels
from bokio_app.tenants.models import User
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess

PDF = b"%PDF-1.4\nterms\n"
ATTACH = "post-invoice-attachment"


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + bytes(9)


def jpeg(width: int, height: int) -> bytes:
    """With two parts before its frame, the first of which looks like a frame inside."""
    looks_so = b"\xff\xc0" + struct.pack(">HBHH", 17, 8, 1, 1)
    before = b"\xff\xe0" + struct.pack(">H", 2 + len(looks_so)) + looks_so
    before += b"\xff\xc4\x00\x04\x00\x00" + b"\xff"
    return b"\xff\xd8" + before + b"\xff\xc2" + struct.pack(">HBHH", 17, 8, height, width)


def short(value: object) -> str:
    """A case's name: of a file its size, for some are large."""
    return str(len(value)) if isinstance(value, bytes) else str(value)


def attach(invoice: Invoice, by: User, *, content: bytes = PDF, **changed: Any) -> Attachment:
    values = {"name": "Villkor.pdf", "content": content, "by": by, "request_key": "k"} | changed
    return attaching.attach(invoice, **values)


def in_books(sandbox: SandboxProcess, connection: Connection) -> list[str]:
    """The names of the files of the company's only invoice, without our marks."""
    [invoice] = sandbox.books(str(connection.company_id))["invoices"]
    refs = invoice.get("attachmentRefs") or []
    return [each["name"].split(" ref ")[0] for each in refs]


def draft_in_bokio(connection: Connection, person: User) -> Invoice:
    """Its sending was cancelled before it was published."""
    invoice = bokio.guide_draft(connection, by=person)
    flow, _new = services.start_sending(invoice, by=person)
    bokio.work_until(connection, lambda: bool(Invoice.objects.get(pk=invoice.pk).remote_id))
    flow.refresh_from_db()
    if flow.is_open:
        flows.cancel(flow, by=person)
        bokio.work(connection)
    return Invoice.objects.get(pk=invoice.pk)


@pytest.mark.parametrize(
    "content, code",
    [
        (b"", "empty"),
        (b"<html>%PDF-1.4", "type"),
        (b"GIF89a", "type"),
        (PDF + bytes(4 * 1024 * 1024), "too_large"),
        (png(4960, 10), "pixels"),
        (png(10, 7016), "pixels"),
        (jpeg(4960, 10), "pixels"),
        (jpeg(10, 7016), "pixels"),
        (png(0, 10), "broken"),
        (png(10, 10)[:20], "broken"),
        (jpeg(10, 10)[:-3], "broken"),
        (b"\xff\xd8\xff", "broken"),
    ],
    ids=short,
)
def test_what_bokio_would_not_take_is_refused_before_anything_is_kept(
    content: bytes, code: str
) -> None:
    with pytest.raises(attaching.NotAttachable) as refused:
        attaching.require_fit(content)

    assert refused.value.code == code
    assert code in attaching.WHY


@pytest.mark.parametrize(
    "content, media_type",
    [
        (PDF, "application/pdf"),
        (png(4959, 7015), "image/png"),
        (jpeg(4959, 7015), "image/jpeg"),
    ],
)
def test_the_type_is_told_by_the_content_up_to_the_last_pixel(
    content: bytes, media_type: str
) -> None:
    assert attaching.require_fit(content) == media_type
    if content != PDF:
        assert pixels(content) == (4959, 7015)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name, content, kept",
    [
        ("Följesedel 7.pdf", PDF, "Följesedel 7.pdf"),
        ("C:\\Users\\x\\bild.JPEG", jpeg(9, 9), "bild.JPEG"),
        ("../../etc/ritning.exe", png(9, 9), "ritning.png"),
        ('a"b\x00.pdf', PDF, "ab.pdf"),
        ("å" * 300 + ".pdf", PDF, "å" * 180 + ".pdf"),
        ("", PDF, "file.pdf"),
    ],
)
def test_a_files_name_is_kept_as_bokio_takes_it(name: str, content: bytes, kept: str) -> None:
    invoice = make.invoice(make.connection())

    made = attach(invoice, make.user(), name=name, content=content)

    assert made.document.name == kept


@pytest.mark.django_db
def test_the_same_form_sent_twice_keeps_one_file_and_another_file_in_it_is_kept_too() -> None:
    invoice, person = make.invoice(make.connection()), make.user()

    first, again = attach(invoice, person), attach(invoice, person)
    other = attach(invoice, person, content=PDF + b"2")

    assert first == again
    assert {first, other} == set(invoice.attachments.all())
    assert not Flow.objects.exists()


@pytest.mark.django_db
def test_ten_megabytes_together_are_taken_and_one_byte_more_is_not() -> None:
    invoice, person = make.invoice(make.connection()), make.user()
    for size in (4, 4):
        content = PDF + bytes([size]) * (size * 1024 * 1024 - len(PDF))
        attach(invoice, person, content=content, request_key=str(invoice.attachments.count()))

    with pytest.raises(attaching.NotAttachable, match="too_much"):
        attach(invoice, person, content=PDF + bytes(2 * 1024 * 1024 - len(PDF) + 1))
    attach(invoice, person, content=PDF + bytes(2 * 1024 * 1024 - len(PDF)))

    assert Document.objects.filter(kind="attachment").count() == 3


@pytest.mark.django_db
def test_a_draft_that_is_deleted_leaves_no_file_behind() -> None:
    invoice, person = make.invoice(make.connection()), make.user()
    attach(invoice, person)

    services.delete_draft(invoice, by=person)

    assert not Document.objects.exists()


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("fault", ["", "lose_answer", "error_before"])
def test_files_of_a_draft_of_ours_go_with_it_before_it_is_published(
    fault: str, sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice = bokio.guide_draft(connection, by=person)
    attach(invoice, person, name="Ett.pdf")
    attach(invoice, person, name="Två.png", content=png(9, 9))
    taken_off = attach(invoice, person, name="Tre.pdf", content=PDF + b"3")
    attaching.detach(invoice, taken_off.pk, by=person)
    if fault:
        sandbox.add_fault(ATTACH, fault)

    flow, _new = services.start_sending(invoice, by=person)
    bokio.work(connection)

    invoice.refresh_from_db()
    assert [step.op for step in flow.steps.order_by("pos")][-4:-1] == [
        "attach_to_invoice",
        "attach_to_invoice",
        "publish_invoice",
    ]
    assert invoice.is_recorded
    assert in_books(sandbox, connection) == ["Ett", "Två"]
    assert all(each.is_at_bokio for each in invoice.attachments.all())
    assert Document.objects.filter(kind="attachment").count() == 2


@pytest.mark.usefixtures("hurry")
def test_a_draft_in_bokio_gets_a_file_at_once_and_loses_it_again(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    sandbox.add_fault("post-invoices-invoiceId-publish", "status", status=400)
    invoice = draft_in_bokio(connection, person)
    assert invoice.is_draft
    assert not invoice.is_ours

    made = attach(invoice, person)
    with pytest.raises(attaching.NotAttachable, match="busy"):
        attaching.detach(invoice, made.pk, by=person)
    bokio.work(connection)
    assert in_books(sandbox, connection) == ["Villkor"]

    for _each in range(2):
        attaching.detach(invoice, made.pk, by=person)
        bokio.work(connection)
    assert in_books(sandbox, connection) == []
    assert not Document.objects.exists()
    assert Flow.objects.filter(kind="delete_attachment").count() == 1


@pytest.mark.usefixtures("hurry")
def test_a_file_that_a_person_saw_to_in_bokio_is_not_sent_with_the_draft(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    sandbox.add_fault("post-invoices-invoiceId-publish", "status", status=400)
    invoice = draft_in_bokio(connection, person)
    sandbox.add_fault(ATTACH, "status", status=400)
    attach(invoice, person)
    bokio.work(connection)

    flow = Flow.objects.get(kind="attach_to_invoice")
    decisions.mark_handled(flow, by=person, reason="put there by hand")
    services.start_sending(invoice, by=person)
    bokio.work(connection)

    assert Invoice.objects.get(pk=invoice.pk).is_recorded
    assert in_books(sandbox, connection) == []
    assert sandbox.count(ATTACH) == 1


@pytest.mark.usefixtures("hurry")
def test_files_of_a_draft_that_bokio_lost_go_with_the_new_one(
    sandbox: SandboxProcess, connection: Connection, person: User
) -> None:
    invoice = bokio.guide_draft(connection, by=person)
    attach(invoice, person)
    services.start_sending(invoice, by=person)
    publish = "post-invoices-invoiceId-publish"
    sandbox.add_fault(publish, "status", status=503)
    bokio.work_until(connection, lambda: bool(sandbox.count(publish)))
    invoice.refresh_from_db()
    sandbox.act_on_invoice(str(connection.company_id), invoice.remote_id, "delete")
    bokio.work(connection)

    lost.start_over(invoice, by=person)
    services.start_sending(invoice, by=person)
    bokio.work(connection)

    assert in_books(sandbox, connection) == ["Villkor"]
    assert invoice.attachments.get().is_at_bokio


class TestPage:
    @pytest.fixture
    def person(self) -> User:
        return make.member()

    @pytest.fixture
    def draft(self, person: User) -> Invoice:
        return make.invoice(make.connection(person.memberships.get().tenant), by=person)

    @pytest.fixture
    def page(self, client: Client, person: User) -> Client:
        client.force_login(person)
        client.cookies["bokio_app_language"] = "en"
        return client

    def post(self, page: Client, invoice: Invoice, content: bytes, *, name: str = "a.pdf") -> Any:
        file = SimpleUploadedFile(name, content, content_type="application/pdf")
        url = reverse("invoicing:attach", args=[invoice.pk])
        return page.post(url, {"file": file, "request_key": "k"})

    @pytest.mark.django_db
    def test_a_file_is_listed_and_served_and_taken_off(self, page: Client, draft: Invoice) -> None:
        answer = self.post(page, draft, PDF, name="Terms.pdf")
        shown = page.get(answer["Location"]).content.decode()

        row = draft.attachments.get()
        show = reverse("documents:show", args=[row.document.pk])
        for text in ("Terms.pdf", show, "PDF", "Goes to Bokio with the invoice", "File added"):
            assert text in shown
        assert page.get(show).content == PDF

        page.post(reverse("invoicing:detach", args=[draft.pk, row.pk]))
        assert not draft.attachments.exists()

    @pytest.mark.django_db
    def test_a_picture_is_saved_and_never_shown_as_a_page(
        self, page: Client, draft: Invoice
    ) -> None:
        self.post(page, draft, png(9, 9), name="a.svg")

        answer = page.get(reverse("documents:show", args=[draft.attachments.get().document.pk]))

        assert answer["Content-Type"] == "image/png"
        assert answer["Content-Disposition"] == 'attachment; filename="a.png"'
        assert answer["X-Content-Type-Options"] == "nosniff"

    @pytest.mark.django_db
    @pytest.mark.parametrize(
        "content, told",
        [
            (b"MZ", "no PDF, JPEG or PNG"),
            (PDF + bytes(4 * 1024 * 1024), "larger than 4 MB"),
            (None, "Choose a file first"),
        ],
        ids=short,
    )
    def test_a_refused_file_is_told_of_beside_its_field(
        self, page: Client, draft: Invoice, content: bytes | None, told: str
    ) -> None:
        url = reverse("invoicing:attach", args=[draft.pk])
        answer = page.post(url) if content is None else self.post(page, draft, content)

        shown = answer.content.decode()
        assert answer.status_code == 422
        assert told in shown
        assert 'aria-invalid="true"' in shown
        assert not Document.objects.exists()

    @pytest.mark.django_db
    @pytest.mark.parametrize(
        "why, told",
        [
            ("published", "only while the invoice is a draft"),
            ("stopped", "A run works on the invoice"),
            ("ended", "The company is disconnected"),
        ],
    )
    def test_where_no_file_is_taken_the_page_says_why_and_nothing_is_kept(
        self, why: str, told: str, page: Client, draft: Invoice
    ) -> None:
        if why == "published":
            draft = make.invoice(draft.connection, status="published")
        if why == "stopped":
            key = draft.resource_key
            make.flow(draft.connection, state=FlowState.STUCK, resource_key=key)
        if why == "ended":
            Connection.objects.update(state="ended")

        shown = page.get(reverse("invoicing:detail", args=[draft.pk])).content.decode()
        answer = self.post(page, draft, PDF)

        assert 'type="file"' not in shown
        assert told in shown
        assert answer.status_code == 422
        assert not Attachment.objects.exists()

    @pytest.mark.django_db
    def test_a_page_with_many_files_takes_as_many_queries_as_with_one(
        self, page: Client, draft: Invoice, person: User, django_assert_num_queries: Any
    ) -> None:
        url = reverse("invoicing:detail", args=[draft.pk])
        attach(draft, person)
        page.get(url)
        with CaptureQueriesContext(database) as one:
            page.get(url)
        for number in range(5):
            attach(draft, person, request_key=str(number))

        with django_assert_num_queries(len(one)):
            shown = page.get(url).content.decode()
        assert shown.count("Villkor.pdf</a>") == 6

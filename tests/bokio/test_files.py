"""Files on their way up, and what Bokio tells of those it has."""

import io
import socket
from email import message_from_bytes
from uuid import uuid4

import pytest

from bokio_app.bokio import attachments, uploads
from bokio_app.bokio.client import Bokio
from bokio_app.bokio.errors import Invalid, NotSent, OutcomeUnknown, StateRefused, Unsendable
from bokio_app.bokio.files import OutgoingFile
from bokio_app.bokio.filters import F
from tests.bokio.sample_files import ATTACHMENT_BODY, ENTRY, FILE, INVOICE, PDF, UPLOAD_BODY, Tape
from tests.bokio.server import answers


def parts_of(seen):
    """The parts of a form as they arrived: headers and content by name."""
    head = f"Content-Type: {seen.headers['content-type']}\r\n\r\n".encode()
    message = message_from_bytes(head + seen.body)
    return {
        part.get_param("name", header="content-disposition"): part for part in message.get_payload()
    }


class TestSending:
    @pytest.mark.parametrize("content", [PDF, io.BytesIO(PDF)], ids=["bytes", "file object"])
    def test_a_form_carries_the_file_its_name_and_type_and_says_how_long_it_is(
        self, server, bokio, company_id, content
    ):
        server.will(answers(ATTACHMENT_BODY))

        made = bokio.attachments.create(INVOICE, OutgoingFile("Följesedel 7.pdf", content))

        (seen,) = server.seen
        assert (seen.method, seen.target) == (
            "POST",
            f"/v1/companies/{company_id}/invoices/{INVOICE}/attachments",
        )
        assert int(seen.headers["content-length"]) == len(seen.body)
        assert "transfer-encoding" not in seen.headers
        parts = parts_of(seen)
        assert [*parts] == ["file"]
        assert 'filename="Följesedel 7.pdf"'.encode() in seen.body
        assert parts["file"].get_content_type() == "application/pdf"
        assert PDF in seen.body
        assert (made.id, made.invoice_id, made.name) == (FILE, INVOICE, "Följesedel 7.pdf")

    def test_an_upload_says_what_it_is_and_where_it_belongs(self, server, bokio, company_id):
        server.will(answers(UPLOAD_BODY))
        file = OutgoingFile("kvitto.PNG", b"\x89PNG")

        made = bokio.uploads.create(file, description="Kvitto å", journal_entry_id=ENTRY)

        (seen,) = server.seen
        assert seen.target == f"/v1/companies/{company_id}/uploads"
        parts = parts_of(seen)
        assert {*parts} == {"file", "description", "journalEntryId"}
        assert parts["description"].get_payload(decode=True).decode() == "Kvitto å"
        assert parts["journalEntryId"].get_payload() == str(ENTRY)
        assert parts["file"].get_content_type() == "image/png"
        assert (made.id, made.description) == (FILE, "Kvitto")
        assert (made.media_type, made.journal_entry_id) == ("image/png", ENTRY)

    def test_an_upload_of_a_file_alone_has_one_part(self, server, bokio):
        server.will(answers(UPLOAD_BODY | {"journalEntryId": None}))

        made = bokio.uploads.create(OutgoingFile("scan", b"\xff\xd8", media_type="image/jpeg"))

        assert [*parts_of(server.seen[0])] == ["file"]
        assert made.journal_entry_id is None

    def test_a_file_is_read_in_small_pieces_whatever_its_size(self, server, bokio):
        server.will(answers(UPLOAD_BODY))
        tape = Tape(b"x" * 3_000_000)

        bokio.uploads.create(OutgoingFile("a.pdf", tape))

        assert tape.largest_read <= 64 * 1024
        assert server.seen[0].body.count(b"x" * 3_000_000) == 1

    def test_a_file_is_sent_from_its_beginning_each_time_and_left_open(self, server, http, bokio):
        server.will(answers(UPLOAD_BODY))
        tape = Tape(PDF)
        tape.seek(100)
        file = OutgoingFile("a.pdf", tape)
        nobody = f"http://127.0.0.1:{free_port()}/v1"

        with pytest.raises(NotSent):
            Bokio(http(nobody), uuid4()).uploads.create(file)
        bokio.uploads.create(file)

        assert PDF in server.seen[0].body
        assert not tape.closed

    @pytest.mark.parametrize(
        "file, message",
        [
            (OutgoingFile("a.pdf", b""), "empty"),
            (OutgoingFile("a.txt", PDF), "PDF"),
            (OutgoingFile("a", PDF), "PDF"),
            (OutgoingFile("a.pdf", PDF, media_type="text/html"), "PDF"),
            (OutgoingFile("", PDF, media_type="application/pdf"), "name"),
            (OutgoingFile('a".pdf', PDF), "name"),
            (OutgoingFile("a\r\nb.pdf", PDF), "name"),
            (OutgoingFile("../a.pdf", PDF), "name"),
            (OutgoingFile("..\\a.pdf", PDF), "name"),
            (OutgoingFile("\ud800.pdf", PDF), "name"),
            (OutgoingFile("a" * 256 + ".pdf", PDF), "name"),
            (OutgoingFile("a.pdf", io.StringIO("text")), "binary"),
        ],
    )
    def test_a_file_that_bokio_would_not_take_is_refused_before_sending(
        self, server, bokio, file, message
    ):
        for send in (bokio.uploads.create, lambda each: bokio.attachments.create(INVOICE, each)):
            with pytest.raises(Unsendable, match=message) as raised:
                send(file)
            assert raised.value.not_executed

        assert server.seen == []

    def test_a_description_that_is_no_unicode_is_refused_before_sending(self, server, bokio):
        with pytest.raises(Unsendable, match="Unicode"):
            bokio.uploads.create(OutgoingFile("a.pdf", PDF), description="\ud800")

        assert server.seen == []

    def test_the_largest_attachment_goes_and_a_byte_more_is_refused(self, server, bokio):
        server.will(answers(ATTACHMENT_BODY))
        largest = bytes(attachments.LARGEST_ATTACHMENT)

        bokio.attachments.create(INVOICE, OutgoingFile("a.pdf", largest))
        with pytest.raises(Unsendable, match="more than the 4194304 allowed"):
            bokio.attachments.create(INVOICE, OutgoingFile("a.pdf", largest + b"x"))

        assert len(server.seen) == 1

    def test_an_upload_over_the_limit_is_refused_without_being_read(self, server, bokio):
        class Endless(Tape):
            def seek(self, offset, whence=io.SEEK_SET):
                return uploads.LARGEST_UPLOAD + 1 if whence == io.SEEK_END else offset

        endless = Endless(PDF)

        with pytest.raises(Unsendable, match="more than"):
            bokio.uploads.create(OutgoingFile("a.pdf", endless))

        assert endless.largest_read <= 1
        assert server.seen == []

    def test_what_bokio_refuses_about_a_file_is_told_by_field(self, server, bokio):
        refusal = {
            "code": "validation-error",
            "message": "Validation failed",
            "errors": [{"field": "#/file", "message": "no such type"}],
        }
        server.will(answers(refusal, 400))

        with pytest.raises(Invalid) as raised:
            bokio.uploads.create(OutgoingFile("a.pdf", PDF))

        assert [each.pointer for each in raised.value.fields] == ["#/file"]

    def test_a_file_for_a_published_invoice_is_refused_by_its_state(self, server, bokio):
        server.will(answers({"code": "operation-not-allowed", "message": "not a draft"}, 400))

        with pytest.raises(StateRefused):
            bokio.attachments.create(INVOICE, OutgoingFile("a.pdf", PDF))

    def test_an_attachment_of_another_invoice_is_no_answer(self, server, bokio):
        server.will(answers(ATTACHMENT_BODY | {"invoiceId": str(uuid4())}))

        with pytest.raises(OutcomeUnknown, match="another invoice"):
            bokio.attachments.create(INVOICE, OutgoingFile("a.pdf", PDF))

    def test_neither_the_file_nor_its_description_is_told_to_anyone(self, server, bokio, calls):
        server.will(answers({"code": "validation-error"}, 400))
        file = OutgoingFile("lönelista.pdf", b"19811218-9876")

        with pytest.raises(StateRefused) as raised:
            bokio.uploads.create(file, description="Lön Jane Doe")

        told = f"{calls!r} {raised.value} {vars(raised.value)} {file!r}"
        for hidden in ("19811218", "Jane Doe", "secret-token"):
            assert hidden not in told
        assert calls[0].operation == "add-upload"


class TestWhatIsKnownOfFiles:
    def test_attachments_are_listed_by_name_fetched_and_taken_off(self, server, bokio, company_id):
        below = f"/v1/companies/{company_id}/invoices/{INVOICE}/attachments"
        other_key = {"id": str(FILE), "invoiceId": str(INVOICE), "name": "Följesedel 7.pdf"}
        server.will(
            answers({"items": [ATTACHMENT_BODY | {"pages": 2}], "totalPages": 1}),
            answers(other_key),
            answers(status=204),
        )

        (listed,) = bokio.attachments.list(INVOICE, F("fileName") == "Följesedel 7.pdf")
        fetched = bokio.attachments.get(INVOICE, FILE)
        bokio.attachments.delete(INVOICE, FILE)

        assert listed.name == fetched.name == "Följesedel 7.pdf"
        assert (listed.extra, fetched.extra) == ({"pages": 2}, {})
        assert [(seen.method, seen.path) for seen in server.seen] == [
            ("GET", below),
            ("GET", f"{below}/{FILE}"),
            ("DELETE", f"{below}/{FILE}"),
        ]
        assert "query=fileName%3D%3DF%C3%B6ljesedel%207.pdf" in server.seen[0].target

    @pytest.mark.parametrize(
        "call",
        [
            lambda bokio: bokio.attachments.get(INVOICE, FILE),
            lambda bokio: bokio.uploads.get(FILE),
        ],
    )
    def test_an_answer_about_another_file_is_no_answer(self, server, bokio, call):
        server.will(answers(ATTACHMENT_BODY | {"id": str(uuid4())}))

        with pytest.raises(OutcomeUnknown, match="another"):
            call(bokio)

    def test_uploads_are_found_by_what_they_say_and_where_they_belong(
        self, server, bokio, company_id
    ):
        server.will(answers({"items": [UPLOAD_BODY], "totalPages": 1}), answers(UPLOAD_BODY))

        where = (F("journalEntryId") == ENTRY) & F("description").contains("Kvitto")
        (found,) = bokio.uploads.find(where)

        assert found == bokio.uploads.get(FILE)
        listed, fetched = server.seen
        assert listed.path == f"/v1/companies/{company_id}/uploads"
        assert f"query=journalEntryId%3D%3D{ENTRY}%26%26description~Kvitto" in listed.target
        assert fetched.path == f"/v1/companies/{company_id}/uploads/{FILE}"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]

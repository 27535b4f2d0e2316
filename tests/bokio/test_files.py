"""Files on their way up and down, and what a call makes of a file that fails it."""

import io
import socket
import threading
import time
from email import message_from_bytes
from uuid import uuid4

import httpx2
import pytest

from bokio_app.bokio import attachments, uploads
from bokio_app.bokio.client import Bokio
from bokio_app.bokio.errors import (
    Invalid,
    NotFound,
    NotSent,
    OutcomeUnknown,
    StateRefused,
    Unsendable,
)
from bokio_app.bokio.files import OutgoingFile, ReceivedFile
from bokio_app.bokio.filters import F
from bokio_app.bokio.http import Http
from tests.bokio.server import Wire, answers, drips, raw_answer, sends

INVOICE, FILE, ENTRY = uuid4(), uuid4(), uuid4()
ATTACHMENT_BODY = {"id": str(FILE), "invoiceId": str(INVOICE), "fileName": "Följesedel 7.pdf"}
UPLOAD_BODY = {
    "id": str(FILE),
    "description": "Kvitto",
    "contentType": "image/png",
    "journalEntryId": str(ENTRY),
}
PDF = b"%PDF-1.7 \0\xff\r\n--" + b"content " * 20_000
MINUTE = 60.0


def parts_of(seen):
    """The parts of a form as they arrived: headers and content by name."""
    head = f"Content-Type: {seen.headers['content-type']}\r\n\r\n".encode()
    message = message_from_bytes(head + seen.body)
    return {
        part.get_param("name", header="content-disposition"): part for part in message.get_payload()
    }


class Tape(io.BytesIO):
    """A file that notes how it is read, and can break or change while it is."""

    def __init__(self, content, *, breaks_at=None, ends_at=None, last=b"", error=None):
        super().__init__(content)
        self.largest_read = 0
        self._breaks_at, self._ends_at, self._last = breaks_at, ends_at, last
        self._error = error or OSError("/mnt/secret-share: stale file handle")

    def read(self, size=-1):
        at = self.tell()
        if self._breaks_at is not None and at >= self._breaks_at:
            raise self._error
        if self._ends_at is not None and at >= self._ends_at:
            return self._last
        self.largest_read = max(self.largest_read, size)
        return super().read(size)


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


@pytest.mark.fault
class TestASourceThatFails:
    """A form that is not whole is never taken for one: its announced length is not reached."""

    @pytest.mark.parametrize(
        "tape",
        [
            Tape(PDF, breaks_at=65_536),
            Tape(PDF, breaks_at=65_536, error=RuntimeError("bucket is gone")),
            Tape(PDF, ends_at=100_000),
            Tape(PDF, ends_at=100_000, last=None),
        ],
        ids=["read error", "error of a storage", "shrinks", "would block"],
    )
    def test_while_it_is_sent_leaves_the_outcome_unknown(self, server, bokio, calls, tape):
        with pytest.raises(OutcomeUnknown, match="the file") as raised:
            bokio.uploads.create(OutgoingFile("a.pdf", tape))

        assert not raised.value.not_executed
        assert "secret-share" not in str(raised.value)
        assert server.seen == [], "a part of a file arrived as a whole request"
        assert [call.status for call in calls] == [0]

    def test_by_growing_while_it_is_sent_leaves_the_outcome_unknown(self, server, bokio):
        class Log(Tape):
            def read(self, size=-1):
                if (at := self.tell()) >= 131_072:
                    self.seek(0, io.SEEK_END)
                    self.write(b"one line more")
                    self.seek(at)
                return super().read(size)

        with pytest.raises(OutcomeUnknown, match="size"):
            bokio.uploads.create(OutgoingFile("a.pdf", Log(PDF)))

        assert server.seen == []

    def test_before_anything_was_written_is_refused_and_certain(self, server, bokio):
        closed = io.BytesIO(PDF)
        closed.close()

        for source in (closed, Tape(PDF, breaks_at=0), Unseekable(PDF)):
            with pytest.raises(Unsendable, match="could not be read") as raised:
                bokio.uploads.create(OutgoingFile("a.pdf", source))
            assert raised.value.not_executed
            assert raised.value.__cause__ is not None

        assert server.seen == []

    def test_in_a_client_that_writes_nothing_before_it_has_all_is_certain_too(self):
        def unreachable(request):
            raise AssertionError("sent")

        with httpx2.Client(transport=httpx2.MockTransport(unreachable)) as mocked:
            bokio = Bokio(Http("http://bokio.test/v1", access_token="t", client=mocked), uuid4())

            with pytest.raises(Unsendable):
                bokio.uploads.create(OutgoingFile("a.pdf", Tape(PDF, breaks_at=65_536)))

    def test_leaves_no_connection_behind_that_would_spoil_the_next_call(self, server, bokio):
        server.will(answers(UPLOAD_BODY))
        with pytest.raises(OutcomeUnknown):
            bokio.uploads.create(OutgoingFile("a.pdf", Tape(PDF, breaks_at=65_536)))

        bokio.uploads.create(OutgoingFile("a.pdf", PDF))

        assert [PDF in seen.body for seen in server.seen] == [True]


@pytest.mark.fault
class TestTheTimeOfAFile:
    def test_a_file_may_take_longer_than_other_calls(self, server, http, company_id):
        server.will(drips(raw_answer(b"%PDF" * 20), every=0.005))
        bokio = Bokio(http(deadline=0.2, file_deadline=MINUTE), company_id)

        assert bokio.invoices.download(INVOICE) == b"%PDF" * 20
        with pytest.raises(OutcomeUnknown):
            bokio.company.get()

    @pytest.mark.parametrize(
        "call",
        [
            lambda bokio: bokio.invoices.download(INVOICE),
            lambda bokio: bokio.uploads.create(OutgoingFile("a.pdf", PDF)),
        ],
        ids=["down", "up"],
    )
    def test_but_it_ends_too(self, server, http, company_id, call):
        server.will(drips(raw_answer(b"%PDF" * 5000), every=0.02))
        started = time.monotonic()

        with pytest.raises(OutcomeUnknown):
            call(Bokio(http(file_deadline=0.4), company_id))

        assert 0.35 < time.monotonic() - started < 1.5

    def test_a_file_is_not_begun_when_its_time_to_be_sent_has_passed(
        self, server, http, company_id
    ):
        tape = Tape(PDF)
        bokio = Bokio(http(send_by=time.monotonic() - 0.001), company_id)

        with pytest.raises(NotSent):
            bokio.uploads.create(OutgoingFile("a.pdf", tape))

        assert server.seen == []
        assert tape.largest_read <= 1

    @pytest.mark.parametrize("act", [Wire.reset, Wire.close, answers(b"<html>", 502)])
    def test_an_answer_that_is_lost_after_a_file_leaves_the_outcome_unknown(
        self, server, bokio, act
    ):
        server.will(act)

        with pytest.raises(OutcomeUnknown):
            bokio.attachments.create(INVOICE, OutgoingFile("a.pdf", PDF))

        assert len(server.seen) == 1


class Narrow(io.RawIOBase):
    """A raw file that takes a thousand bytes at a time, and blocks or breaks where it is told."""

    def __init__(self, *, full_at=None, error=None):
        super().__init__()
        self.taken = b""
        self._full_at, self._error = full_at, error

    def writable(self):
        return True

    def write(self, piece):
        if self._full_at is not None and len(self.taken) >= self._full_at:
            if self._error:
                raise self._error
            return None
        self.taken += bytes(piece[:1000])
        return min(len(piece), 1000)


class Unseekable(io.BytesIO):
    def seek(self, *_):
        raise io.UnsupportedOperation("a pipe")


DOWNLOADS = {
    "invoice": (
        lambda bokio, *file: (bokio.invoices.download_into if file else bokio.invoices.download)(
            INVOICE, *file
        ),
        f"invoices/{INVOICE}/download",
    ),
    "credit note": (
        lambda bokio, *file: (
            bokio.credit_notes.download_into if file else bokio.credit_notes.download
        )(FILE, *file),
        f"credit-notes/{FILE}/download",
    ),
    "attachment": (
        lambda bokio, *file: (
            bokio.attachments.download_into if file else bokio.attachments.download
        )(INVOICE, FILE, *file),
        f"invoices/{INVOICE}/attachments/{FILE}/download",
    ),
    "upload": (
        lambda bokio, *file: (bokio.uploads.download_into if file else bokio.uploads.download)(
            FILE, *file
        ),
        f"uploads/{FILE}/download",
    ),
}


class TestFetching:
    @pytest.mark.parametrize("fetch, path", DOWNLOADS.values(), ids=DOWNLOADS)
    def test_a_file_comes_as_bytes_or_into_a_file_with_what_is_known_of_it(
        self, server, bokio, company_id, fetch, path
    ):
        headers = {
            "Content_Type": "application/PDF; charset=binary",
            "Content_Disposition": 'attachment; filename="faktura 7.pdf"',
        }
        server.will(answers(PDF, **headers))
        target = io.BytesIO()

        told = fetch(bokio, target)

        assert fetch(bokio) == target.getvalue() == PDF
        assert told == ReceivedFile("application/pdf", "faktura 7.pdf", len(PDF))
        assert {seen.target for seen in server.seen} == {f"/v1/companies/{company_id}/{path}"}
        assert {seen.headers["accept-encoding"] for seen in server.seen} == {"identity"}

    @pytest.mark.parametrize(
        "disposition, name",
        [
            ("", ""),
            ("attachment", ""),
            ("attachment; filename=plain.pdf", "plain.pdf"),
            ("attachment; filename=\"f_r.pdf\"; filename*=UTF-8''f%C3%B6r.pdf", "för.pdf"),
            ("attachment; filename*=UTF-8''f%C3%B6r.pdf; filename=\"f_r.pdf\"", "för.pdf"),
            ('attachment; filename="../../etc/passwd"', "passwd"),
            ('attachment; filename="..\\..\\boot.ini"', "boot.ini"),
            ('attachment; filename="a\tb.pdf"', "ab.pdf"),
            ("attachment; filename*=x-none''a.pdf", "a.pdf"),
        ],
    )
    def test_a_name_is_read_in_every_spelling_and_never_leads_out_of_a_folder(
        self, server, bokio, disposition, name
    ):
        server.will(answers(PDF, Content_Disposition=disposition))

        told = bokio.uploads.download_into(FILE, io.BytesIO())

        assert (told.name, told.media_type) == (name, "application/octet-stream")

    def test_a_file_is_handed_on_in_small_pieces_even_to_one_that_takes_less(self, server, bokio):
        server.will(answers(PDF))
        narrow = Narrow()

        bokio.uploads.download_into(FILE, narrow)

        assert narrow.taken == PDF

    def test_an_empty_file_is_no_file(self, server, bokio):
        server.will(answers(b""))

        with pytest.raises(OutcomeUnknown, match="empty"):
            bokio.uploads.download_into(FILE, io.BytesIO())

    @pytest.mark.parametrize(
        "status, code, error",
        [(400, "operation-not-allowed", StateRefused), (404, "not-found", NotFound)],
    )
    def test_a_refusal_is_an_error_and_not_the_file(self, server, bokio, status, code, error):
        server.will(answers({"code": code, "message": "no"}, status))
        target = io.BytesIO()

        with pytest.raises(error) as raised:
            bokio.invoices.download_into(INVOICE, target)

        assert raised.value.code == code
        assert target.getvalue() == b""

    @pytest.mark.fault
    @pytest.mark.parametrize(
        "act",
        [
            sends(raw_answer(PDF)[:-1], then=Wire.close),
            sends(raw_answer(PDF)[:-1], then=Wire.reset),
            sends(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n%PDF\r\n",
                then=Wire.close,
            ),
        ],
        ids=["closed", "reset", "chunk missing"],
    )
    def test_a_file_shorter_than_announced_is_none(self, server, bokio, act):
        server.will(act)

        with pytest.raises(OutcomeUnknown):
            bokio.invoices.download_into(INVOICE, io.BytesIO())

    def test_a_file_over_the_limit_is_not_read_to_its_end(self, server, http):
        server.will(answers(b"x" * 1_000_000))
        target = io.BytesIO()

        with pytest.raises(OutcomeUnknown, match="over 100000 bytes"):
            http().download("download-upload", "uploads/1/download", target, largest=100_000)

        assert len(target.getvalue()) <= 100_000

    @pytest.mark.fault
    @pytest.mark.parametrize(
        "target",
        [Narrow(full_at=5000), Narrow(full_at=5000, error=OSError(28, "No space left"))],
        ids=["blocks", "disk full"],
    )
    def test_a_target_that_cannot_be_written_ends_the_call_and_says_so(
        self, server, bokio, calls, target
    ):
        server.will(answers(PDF))

        with pytest.raises(OutcomeUnknown, match="could not be written") as raised:
            bokio.uploads.download_into(FILE, target)

        assert isinstance(raised.value.__cause__, OSError)
        assert len(calls) == 1

    def test_many_files_at_once_do_not_mix(self, server, http, company_id):
        server.will(answers(ATTACHMENT_BODY))
        sent = [bytes([65 + number]) * 50_000 for number in range(8)]
        threads = [
            threading.Thread(
                target=Bokio(http(), company_id).attachments.create,
                args=(INVOICE, OutgoingFile("a.pdf", content)),
            )
            for content in sent
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

        bodies = [seen.body for seen in server.seen]
        assert sorted(sum(content in body for body in bodies) for content in sent) == [1] * 8


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

"""Files on their way down, and what a call makes of those that do not arrive whole."""

import io
import threading

import pytest

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.errors import NotFound, OutcomeUnknown, StateRefused
from bokio_app.bokio.files import OutgoingFile, ReceivedFile
from tests.bokio.sample_files import ATTACHMENT_BODY, FILE, INVOICE, PDF
from tests.bokio.server import Wire, answers, raw_answer, sends


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
            ("attachment; filename*0*=x''%; filename*1=; filename*", ""),
            (f"attachment; filename*{'9' * 5000}*=a.pdf", ""),
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

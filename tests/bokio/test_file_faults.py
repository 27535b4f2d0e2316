"""What a call makes of a file that fails it, or takes too long."""

import io
import time
from uuid import uuid4

import httpx2
import pytest

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.errors import NotSent, OutcomeUnknown, Unsendable
from bokio_app.bokio.files import OutgoingFile
from bokio_app.bokio.http import Http
from tests.bokio.sample_files import INVOICE, PDF, UPLOAD_BODY, Tape, Unseekable
from tests.bokio.server import Wire, answers, drips, raw_answer

MINUTE = 60.0


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

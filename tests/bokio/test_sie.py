"""SIE files of fiscal years."""

from io import BytesIO
from uuid import uuid4

import pytest

from bokio_app.bokio.errors import NotFound
from bokio_app.bokio.sie import decoded
from bokio_app.bokio.wire import BodyError
from tests.bokio.server import answers

YEAR = uuid4()


class TestSie:
    FILE = '#FLAGGA 0\r\n#FORMAT PC8\r\n#FNAMN "Åkes Bygg AB"\r\n'.encode("cp437")

    def test_a_file_comes_whole_and_is_read_in_the_code_page_of_the_standard(
        self, server, bokio, company_id
    ):
        server.will(answers(self.FILE))

        content = bokio.sie.download(YEAR)

        assert server.seen[0].target == f"/v1/companies/{company_id}/sie/{YEAR}/download"
        assert content == self.FILE
        assert '#FNAMN "Åkes Bygg AB"' in decoded(content)

    def test_a_file_comes_in_pieces_and_says_what_it_was(self, server, bokio):
        server.will(answers(self.FILE, Content_Type="application/octet-stream"))
        file = BytesIO()

        received = bokio.sie.download_into(YEAR, file)

        assert file.getvalue() == self.FILE
        assert (received.size, received.media_type) == (
            len(self.FILE),
            "application/octet-stream",
        )

    @pytest.mark.parametrize("content", [b"", b"<html>", b"%PDF-1.7", b"{}"])
    def test_what_is_no_sie_file_is_not_read_as_one(self, content):
        with pytest.raises(BodyError, match="SIE"):
            decoded(content)

    def test_a_year_that_is_not_there_has_no_file(self, server, bokio):
        server.will(answers({"code": "not-found"}, 404))

        with pytest.raises(NotFound):
            bokio.sie.download(YEAR)

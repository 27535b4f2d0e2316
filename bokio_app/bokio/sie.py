"""SIE files: the books of one fiscal year in the exchange format of Swedish accounting."""

from typing import BinaryIO, Final
from uuid import UUID

from bokio_app.bokio.files import ReceivedFile
from bokio_app.bokio.resource import Resource
from bokio_app.bokio.wire import BodyError

CODE_PAGE: Final = "cp437"  # the "PC8" of the SIE standard, whatever a file may be served as
_FIRST_LABEL: Final = b"#FLAGGA"


def decoded(content: bytes) -> str:
    """Turn the bytes of a SIE file into text. Raises `BodyError` when they are none.

    Source: SIE file format, edition 4B: the first item is `#FLAGGA`, the character set PC8.
    """
    if not content.lstrip().startswith(_FIRST_LABEL):
        raise BodyError("the file is no SIE file")
    return content.decode(CODE_PAGE)


class Sie(Resource):
    """`/sie/{fiscalYearId}`"""

    def download(self, year_id: UUID) -> bytes:
        """Fetch the SIE file of a fiscal year whole; `decoded` makes text of it.

        Repeatable. Needs scope `sie:read`.
        """
        return self._download("download-sie-file", f"sie/{year_id}/download")

    def download_into(self, year_id: UUID, file: BinaryIO) -> ReceivedFile:
        """Fetch the SIE file of a fiscal year into an open binary file, piece by piece.

        Repeatable; after an error the file holds a part of it or nothing. Needs scope `sie:read`.
        """
        return self._download_into("download-sie-file", f"sie/{year_id}/download", file)

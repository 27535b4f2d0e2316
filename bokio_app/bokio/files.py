"""Files on their way to and from Bokio, piece by piece and never whole in memory by our doing."""

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from email.utils import collapse_rfc2231_value
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from bokio_app.bokio.errors import Unsendable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MEDIA_TYPES: Final = ("application/pdf", "image/jpeg", "image/png")  # all that Bokio takes
_BY_ENDING: Final = {
    ".pdf": "application/pdf",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
}
_LONGEST_NAME: Final = 255
_CHANGED_ON_THE_WAY: Final = frozenset('"\\/')  # a form has no one way to write these in a name


class FileFailed(Exception):
    """The file object on our side broke, not Bokio and not the connection."""


@dataclass(frozen=True)
class OutgoingFile:
    """A file to send: bytes, or a binary file object that can seek, sent from its beginning.

    `media_type` is told from the name's ending when left empty. The file object stays open and
    the caller's own; it must not be used elsewhere until the call returns.
    """

    name: str
    content: bytes | BinaryIO = field(repr=False)
    media_type: str = ""


@dataclass(frozen=True)
class ReceivedFile:
    """What a download turned out to be: bytes of `size`, and the name Bokio gave, if any."""

    media_type: str
    name: str
    size: int


@dataclass(frozen=True)
class Form:
    """A multipart form with one file part, `file`, ready to be sent."""

    name: str
    media_type: str
    source: "Source" = field(repr=False)
    fields: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)


class Source(io.RawIOBase):
    """A file being sent: of a length that is told beforehand and held, or `FileFailed`."""

    def __init__(self, content: bytes | BinaryIO) -> None:
        super().__init__()
        self._file = io.BytesIO(content) if isinstance(content, bytes) else content
        self._at = 0
        try:
            self.size = self._file.seek(0, os.SEEK_END)
            first = self._file.seek(0) or self._file.read(1)
        except Exception as failure:  # the caller's object may raise anything
            raise Unsendable(_broken("read", failure)) from failure
        if not isinstance(first, bytes):
            raise Unsendable("a file to send is opened in binary mode")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        return self._at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        room = memoryview(buffer).cast("B")
        try:
            self._file.seek(self._at)
            piece = self._file.read(len(room)) or b""  # None if it would block
        except Exception as failure:  # the caller's object may raise anything
            raise FileFailed(_broken("read", failure)) from failure
        self._at += len(piece)
        if self._at > self.size or (not piece and self._at < self.size):
            # The length is on the wire already; the form stays incomplete, so nobody takes it.
            raise FileFailed("the file changed its size while it was sent")
        room[: len(piece)] = piece
        return len(piece)


class Sink:
    """A file being received, at most `largest` bytes; `size` have been handed on so far."""

    def __init__(self, file: BinaryIO, *, largest: int) -> None:
        self._file = file
        self.largest = largest
        self.size = 0

    def write(self, piece: bytes) -> None:
        """Hand on the next piece. Raises `FileFailed` when the caller's object does not take it."""
        try:
            rest = memoryview(piece)
            while rest:  # a raw file object may take a part
                if not (taken := self._file.write(rest)):
                    raise BlockingIOError
                rest = rest[taken:]
        except Exception as failure:
            raise FileFailed(_broken("written", failure)) from failure
        self.size += len(piece)


def form(file: OutgoingFile, *, largest: int, fields: Mapping[str, str] | None = None) -> Form:
    """Check a file and make its form; empty `fields` are left out.

    Raises `Unsendable` for a name that would change on its way, a type that Bokio does not take,
    an empty file, one over `largest` bytes, or one that cannot be read.
    """
    media_type = file.media_type or _BY_ENDING.get(PurePosixPath(file.name).suffix.lower(), "")
    if media_type not in MEDIA_TYPES:
        raise Unsendable("Bokio takes PDF, JPEG and PNG files alone")
    _check_name(file.name)
    source = Source(file.content)
    if not source.size:
        raise Unsendable("the file is empty")
    if source.size > largest:
        raise Unsendable(f"the file has {source.size} bytes, more than the {largest} allowed")
    kept = {name: value for name, value in (fields or {}).items() if value}
    if not all(map(_encodable, kept.values())):
        raise Unsendable("the text is no Unicode")
    return Form(file.name, media_type, source, kept)


def received(headers: Mapping[str, str], *, size: int) -> ReceivedFile:
    """Read what the headers of an answer (names in lower case) tell about the file in it."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    name = _file_name(headers.get("content-disposition", ""))
    return ReceivedFile(media_type or "application/octet-stream", name, size)


def _check_name(name: str) -> None:
    fit = name.strip() and len(name) <= _LONGEST_NAME and name.isprintable()
    if not fit or not _CHANGED_ON_THE_WAY.isdisjoint(name):
        raise Unsendable("a file's name is printable, without quotes and slashes")


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _file_name(disposition: str) -> str:
    """The name in a `Content-Disposition`, without folders; the exact form (`filename*`) wins."""
    message = Message()
    message["Content-Disposition"] = disposition
    try:
        named = message.get_params([], "Content-Disposition")
    except (TypeError, ValueError):  # the parser of a malformed header
        return ""
    found: list[Any] = [value for key, value in named if key.lower() == "filename"]
    exact = [value for value in found if isinstance(value, tuple)]
    text = collapse_rfc2231_value((exact or found or [""])[0])
    name = text.replace("\\", "/").rpartition("/")[2]
    return "".join(each for each in name if each.isprintable())[:_LONGEST_NAME]


def _broken(done: str, failure: Exception) -> str:
    return f"the file on our side could not be {done}: {type(failure).__name__}"

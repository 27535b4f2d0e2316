"""Reading an answer from the wire, piece by piece, within its limits."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import httpcore2
import httpx2

from bokio_app.bokio.answers import Answer
from bokio_app.bokio.errors import OutcomeUnknown
from bokio_app.bokio.files import Sink

Response = httpx2.Response | httpcore2.Response


def read_answer(response: Response, *, largest: int, sink: Sink | None) -> Answer:
    """Read an answer to its end and close it: a success into the sink if there is one.

    Raises `OutcomeUnknown` for more than `largest` bytes, or than the sink takes.
    """
    try:
        if isinstance(response, httpx2.Response):
            status, headers = response.status_code, dict(response.headers.items())
        else:
            status, headers = response.status, _told(response.headers)
        pieces = _pieces(response, is_packed="content-encoding" in headers)
        if sink is not None and 200 <= status < 300:
            _pour(pieces, sink.write, sink.largest, status)
            return Answer(status, headers, b"")
        content = bytearray()
        _pour(pieces, content.extend, largest, status)
        return Answer(status, headers, bytes(content))
    finally:
        response.close()


def _pieces(response: Response, *, is_packed: bool) -> Iterator[bytes]:
    """The body as it comes, unpacked by httpx2 if need be."""
    if isinstance(response, httpcore2.Response):
        stream = response.iter_stream()
        if not is_packed:
            return stream
        response = httpx2.Response(response.status, headers=response.headers, content=stream)
    return response.iter_bytes() if is_packed else response.iter_raw()


def _told(headers: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by names in lower case."""
    told: dict[str, str] = {}
    for name, value in headers:
        key, text = name.decode("latin-1").lower(), _decoded(value)
        told[key] = f"{told[key]}, {text}" if key in told else text
    return told


def _decoded(value: bytes) -> str:
    """ASCII by the standard; servers send both of the others."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _pour(
    pieces: Iterable[bytes], take: Callable[[bytes], None], largest: int, status: int
) -> None:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > largest:
            raise OutcomeUnknown(f"{status}: the answer is over {largest} bytes", status=status)
        take(piece)

"""Files of comma-separated values that spreadsheets open, sent some hundred rows at a time."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Iterable, Iterator
from decimal import Decimal
from itertools import islice
from typing import Any

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse
from django.utils.translation import get_language, override

BYTE_ORDER_MARK = "\ufeff"  # by which spreadsheets know the encoding
CHUNK = 500
STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


class _Download(StreamingHttpResponse):
    """Sent piece by piece by either kind of server. Django on its own would gather all that is
    read synchronously before an asynchronous server sends the first of it.
    """

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = iter(self)
        while (piece := await sync_to_async(_next)(pieces)) is not None:
            yield piece


def _next(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)


def sheet(
    heads: Iterable[object], rows: Iterable[Iterable[object]], *, name: str
) -> StreamingHttpResponse:
    """A download of the rows below their heads, in the language of now: rows are read later."""
    pieces = _written([str(head) for head in heads], iter(rows), language=get_language())
    answer = _Download(pieces, content_type="text/csv")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _written(
    heads: Iterable[str], rows: Iterator[Iterable[object]], *, language: str | None
) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield BYTE_ORDER_MARK + str(writer.writerow(heads))
    while piece := _piece(writer, rows, language=language):
        yield piece


def _piece(writer: Any, rows: Iterator[Iterable[object]], *, language: str | None) -> str:
    """The next rows. Nothing is yielded in between, where the language would leak out."""
    with override(language):
        some = islice(rows, CHUNK)
        return "".join(str(writer.writerow(map(_harmless, row))) for row in some)


def _harmless(value: object) -> str:
    """As a spreadsheet shows it, and never a formula, whoever chose the text."""
    if isinstance(value, Decimal):  # a number, which may begin with its sign
        return f"{value:f}" if value != round(value, 2) else f"{value:.2f}"
    text = str(value)
    return f"'{text}" if text.startswith(STARTS_A_FORMULA) else text

"""Files of comma-separated values that spreadsheets open, sent row by row."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

from django.http import StreamingHttpResponse

BYTE_ORDER_MARK = "\ufeff"  # by which spreadsheets know the encoding
STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def sheet(
    heads: Iterable[object], rows: Iterable[Iterable[object]], *, name: str
) -> StreamingHttpResponse:
    """A download of the rows below their heads."""
    answer = StreamingHttpResponse(_written(heads, rows), content_type="text/csv")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _written(heads: Iterable[object], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield BYTE_ORDER_MARK + str(writer.writerow(heads))
    for row in rows:
        yield str(writer.writerow(map(_harmless, row)))


def _harmless(value: object) -> str:
    """As a spreadsheet shows it, and never a formula, whoever chose the text."""
    text = str(value)
    return f"'{text}" if text.startswith(STARTS_A_FORMULA) else text

"""Downloads of rows: sent as they are read, in one language, and never as formulas."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.http import StreamingHttpResponse
from django.utils.translation import gettext, gettext_lazy, override

from bokio_app.core.sheets import CHUNK, sheet
from tests.support.loops import run


def text_of(answer: StreamingHttpResponse) -> str:
    return b"".join(answer).decode("utf-8-sig")


def test_an_asynchronous_server_sends_the_first_rows_before_the_last_are_read() -> None:
    read: list[int] = []

    def rows() -> Iterator[tuple[int]]:
        for each in range(3 * CHUNK):
            read.append(each)
            yield (each,)

    async def sent() -> list[int]:
        return [len(read) async for _piece in sheet(["Number"], rows(), name="a.csv")]

    assert run(sent()) == [0, CHUNK, 2 * CHUNK, 3 * CHUNK]


def test_both_kinds_of_server_send_the_same_file() -> None:
    async def gathered() -> bytes:
        return b"".join([piece async for piece in sheet(["A"], [["1"], ["å"]], name="a.csv")])

    assert run(gathered()).decode("utf-8-sig") == "A\r\n1\r\nå\r\n"
    assert text_of(sheet(["A"], [["1"], ["å"]], name="a.csv")) == "A\r\n1\r\nå\r\n"


def test_heads_and_rows_are_in_the_language_of_whoever_asked() -> None:
    with override("en"):
        rows = ((gettext("Draft"), gettext_lazy("Draft")) for _ in range(1))
        answer = sheet([gettext_lazy("Company")], rows, name="a.csv")

    with override("sv"):
        assert text_of(answer) == "Company\r\nDraft,Draft\r\n"


@pytest.mark.parametrize(
    "value, written",
    [
        (Decimal("-500"), "-500.00"),
        (Decimal("1250.5"), "1250.50"),
        (Decimal("0.125"), "0.125"),
        ("-500", "'-500"),
        ("=1+1", "'=1+1"),
    ],
)
def test_amounts_are_numbers_and_texts_are_no_formulas(value: object, written: str) -> None:
    assert text_of(sheet(["A"], [[value]], name="a.csv")) == f"A\r\n{written}\r\n"

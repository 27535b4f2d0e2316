"""Files of lines, read one line at a time: their size does not matter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from .reading import BadLine

LONGEST_LINE = 1_000_000
BOM = b"\xef\xbb\xbf"
TOGETHER = 50  # lines
LARGE = 500_000  # bytes

Line = tuple[int, bytes | BadLine]  # its number and content, or why it is refused


def lines_of(file: BinaryIO) -> Iterator[Line]:
    """Number (from 1) and content of each line that is not blank; one that is too long comes as
    the reason for refusing it. Raises `OSError`.
    """
    number = 0
    while piece := file.readline(LONGEST_LINE + 1):
        number += 1
        if number == 1:
            piece = piece.removeprefix(BOM)
        if len(piece) > LONGEST_LINE and not piece.endswith(b"\n"):
            while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                pass
            yield number, BadLine("", f"is longer than {LONGEST_LINE} bytes")
        elif stripped := piece.strip():
            yield number, stripped


def groups_of(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Lines that are kept together: fifty, and fewer of large ones, which would fill the memory."""
    group: list[Line] = []
    size = 0
    for number, line in lines:
        group.append((number, line))
        size += len(line) if isinstance(line, bytes) else 0
        if len(group) == TOGETHER or size >= LARGE:
            yield group
            group, size = [], 0
    if group:
        yield group

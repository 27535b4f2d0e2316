"""How large a picture is, by its own bytes: PNG and JPEG."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

PNG_BEGINS: Final = b"\x89PNG\r\n\x1a\n"
JPEG_BEGINS: Final = b"\xff\xd8\xff"
# Of the markers from C0 to CF, these three do not begin a frame.
NO_FRAME: Final = frozenset({0xC4, 0xC8, 0xCC})
ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length


class Pixels(NamedTuple):
    """Width and height."""

    width: int
    height: int


def pixels(content: bytes) -> Pixels | None:
    """The size of a picture; None if the bytes do not tell one."""
    try:
        if content.startswith(PNG_BEGINS):
            found = _of_png(content)
        elif content.startswith(JPEG_BEGINS):
            found = _of_jpeg(content)
        else:
            return None
    except (struct.error, IndexError):  # it ends too early
        return None
    return found if found and all(found) else None


def _of_png(content: bytes) -> Pixels | None:
    kind, width, height = struct.unpack_from(">4sII", content, len(PNG_BEGINS) + 4)
    return Pixels(width, height) if kind == b"IHDR" else None


def _of_jpeg(content: bytes) -> Pixels | None:
    """Walk from marker to marker, each of which tells how long its part is, to the frame."""
    at = 2
    while content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:  # filling
            at += 1
        elif marker in ALONE:
            at += 2
        elif 0xC0 <= marker <= 0xCF and marker not in NO_FRAME:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return Pixels(width, height)
        else:
            at += 2 + struct.unpack_from(">H", content, at + 2)[0]
    return None

"""Which kind of document some bytes are, and how large a picture is."""

import struct
from dataclasses import dataclass
from pathlib import PurePath

PDF, PNG, JPEG = "application/pdf", "image/png", "image/jpeg"
OCTETS = "application/octet-stream"  # how each document that was sent in is given out
_SUFFIXES = {".pdf": PDF, ".png": PNG, ".jpg": JPEG, ".jpeg": JPEG}
_BEGINNINGS = {b"%PDF-": PDF, b"\x89PNG\r\n\x1a\n": PNG, b"\xff\xd8\xff": JPEG}

_PNG_SIZE = slice(16, 24)
# JPEG: the markers of a frame, which carry its size, and those that stand without a length.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})


@dataclass(frozen=True)
class Pixels:
    width: int
    height: int


def media_type(name: str, content: bytes) -> str | None:
    """The type on which the file's name and its first bytes agree; None where they do not."""
    promised = _SUFFIXES.get(PurePath(name).suffix.lower())
    found = next((kind for start, kind in _BEGINNINGS.items() if content.startswith(start)), None)
    return found if found == promised else None


def pixels(content: bytes) -> Pixels | None:
    """The size of a PNG or JPEG picture; None for anything else, or where it is cut off."""
    if content.startswith(b"\x89PNG"):
        size = content[_PNG_SIZE]
        return Pixels(*struct.unpack(">II", size)) if len(size) == 8 else None
    return _jpeg_pixels(content) if content.startswith(b"\xff\xd8") else None


def _jpeg_pixels(content: bytes) -> Pixels | None:
    """Walk from marker to marker until one describes a frame."""
    place = 2
    while place + 9 <= len(content) and content[place] == 0xFF:
        marker = content[place + 1]
        if marker == 0xFF:
            place += 1
        elif marker in _BARE:
            place += 2
        elif marker in _FRAMES:
            height, width = struct.unpack_from(">HH", content, place + 5)
            return Pixels(width, height)
        else:
            place += 2 + struct.unpack_from(">H", content, place + 2)[0]
    return None

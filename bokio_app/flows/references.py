"""Marks of our own in fields that people read too, where Bokio keeps no metadata."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from uuid import UUID

# Nothing that is taken for another: no B or 8, I or 1, L, O or 0, S or 5, 2 beside Z.
ALPHABET: Final = "ACDEFGHJKMNPQRTUVWXYZ34679"
LENGTH: Final = 8
PREFIX: Final = "ref "
_REFERENCE: Final = re.compile(f"{PREFIX}[{ALPHABET}]{{{LENGTH}}}")


def short_reference(op_key: UUID) -> str:
    """The mark of a step, always the same for one key: `ref ` and eight letters or digits.

    Two keys may rarely share one, so the engine reserves it per connection before it is used.
    """
    number = int.from_bytes(sha256(op_key.bytes).digest())
    letters = []
    for _place in range(LENGTH):
        number, at = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[at])
    return PREFIX + "".join(letters)


def with_reference(text: str, reference: str, *, longest: int) -> str:
    """`text` and the mark behind it, cut to `longest` characters without touching the mark."""
    room = longest - len(reference) - 1
    return f"{text[:room].strip()} {reference}".strip()


def references_in(text: str) -> list[str]:
    """The marks that a text holds. The last is the one that `with_reference` has put there."""
    return _REFERENCE.findall(text)

"""What is kept of an answer of Bokio's with the call: its shape, ids, amounts and states."""

from __future__ import annotations

import json
import re

from bokio_app.bokio.answers import Answer
from bokio_app.bokio.errors import MASK, PERSONAL_NUMBER, masked
from bokio_app.bokio.wire import storable
from bokio_app.core.personal import DOTS, without_last_four

LONGEST = 4000  # characters; an invoice of ten lines is half of that
LARGEST = 64 * 1024  # bytes; of a larger answer, which is a long list, only the size is kept

# Texts are kept only where what stands there is known; all others may name people.
WORDS = frozenset(
    {
        *("status", "code", "field", "externalId", "invoiceNumber", "journalEntryNumber"),
        *("paymentReference", "ocr", "paymentTerms", "currency", "country", "language"),
        *("type", "kind", "itemType", "productType", "unitType", "vatScheme", "contentType"),
        *("accountType", "accountingMethod", "taxReductionType"),
    }
)
SENTENCES = frozenset({"message", "error"})
NUMBERS_OF_COMPANIES = frozenset({"orgNumber", "vatNumber", "organizationNumber"})
NUMBERS_OF_PEOPLE = frozenset({"personalNumber"})
OUR_MARKS = frozenset({"op_key", "invoice", "externalId"})  # in metadata; the rest is others' own

_KEPT_WORDS = WORDS | OUR_MARKS
_NUMBERS = NUMBERS_OF_PEOPLE | NUMBERS_OF_COMPANIES
_EMPTY: tuple[object, ...] = ("", [], {})
_SPEAKS_OF_NOBODY = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # an id
    r"|\d{4}-\d\d-\d\d(?:T[0-9:.]+(?:Z|[+-]\d\d:\d\d)?)?",  # a day or a moment
    re.IGNORECASE,
)


class _Figure(str):
    """A number with a fraction, every digit of it as Bokio sent it."""

    __slots__ = ()


_copy_of = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_read = json.JSONDecoder(parse_float=_Figure, strict=False).decode


def kept(answer: Answer) -> str:
    """A copy for people to read: JSON on one line without what is empty, every text that may
    name somebody masked, cut at `LONGEST` characters. Of what is no JSON, the size.
    """
    size = len(answer.content)
    try:
        if not size or size > LARGEST:
            return f"({size} B)" if size else ""
        text = storable(_copy_of(_masked("", _read(answer.content.decode("utf-8-sig")))))
    except (ValueError, RecursionError):
        return f"({size} B)"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def readable(copy: str) -> str:
    """The copy with a line for each value, unless it was cut."""
    try:
        return json.dumps(json.loads(copy), ensure_ascii=False, indent=2)
    except ValueError:
        return copy


def _masked(key: str, value: object) -> object:
    if type(value) is str:
        return _text(key, value)
    if isinstance(value, dict):
        return {
            name: shown
            for name, each in value.items()
            if (key != "metadata" or name in OUR_MARKS)
            and each is not None
            and (shown := _masked(name, each)) not in _EMPTY
        }
    if isinstance(value, list):
        return [_masked(key, each) for each in value]
    # A number that is no text cannot be told from a personal one.
    return DOTS if key in _NUMBERS else value


def _text(key: str, text: str) -> str:
    if key in NUMBERS_OF_PEOPLE:
        return DOTS
    if _SPEAKS_OF_NOBODY.fullmatch(text):
        return text
    if key in _KEPT_WORDS:
        return PERSONAL_NUMBER.sub(MASK, text)
    if key in NUMBERS_OF_COMPANIES:
        return without_last_four(text)
    return masked(text) if key in SENTENCES else text and DOTS

"""Numbers by which money finds its way: bankgiro, plusgiro, bank accounts, IBAN, OCR."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stdnum import iban, luhn

from bokio_app.sandbox import switches
from bokio_app.sandbox.api.reader import Reader, words

LONGEST = 50


@dataclass(frozen=True)
class Kind:
    """How such a number is written, without its spaces, and what its check digits must fulfil.

    Sources: Bankgirot's and PlusGirot's public descriptions of their numbers and of OCR
    references (7–8, 2–8 and 2–25 digits, the last by Luhn's formula); ISO 13616 and ISO 9362.
    """

    pattern: str
    checked: Callable[[str], bool] | None = None


KINDS: Mapping[str, Kind] = {
    "bankgiroNumber": Kind(r"[0-9]{3,4}-?[0-9]{4}", luhn.is_valid),
    "plusgiroNumber": Kind(r"[0-9]{1,7}-?[0-9]", luhn.is_valid),
    "clearingNumber": Kind(r"[0-9]{4}(-?[0-9])?"),
    "accountNumber": Kind(r"[0-9]{1,12}(-?[0-9])?"),
    "iban": Kind(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", iban.is_valid),
    "bic": Kind(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?"),
    "ocr": Kind(r"[0-9]{2,25}", luhn.is_valid),
}


def is_valid(name: str, text: str) -> bool:
    """Whether the text is a number of the kind that the field of this name holds."""
    kind, compact = KINDS[name], text.replace(" ", "")
    if not re.fullmatch(kind.pattern, compact):
        return False
    if kind.checked is None or not switches.current().check_digits:
        return True
    return kind.checked(compact.replace("-", ""))


def read(body: Reader, name: str) -> str:
    """The required field of this name, as it was written."""
    text = body.text(name, required=True, longest=LONGEST)
    if body.sound(name) and not is_valid(name, text):
        body.note(name, f"The {words(name)} is not valid")
    return text

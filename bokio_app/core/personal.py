"""Personal identity numbers, which pages and logs show only in part."""

import re

DOTS = "\u2022\u2022\u2022\u2022"


def is_personal_number(text: str) -> bool:
    """Whether an organisation or VAT number is a Swedish person's identity number.

    The third digit of ten is a month's first in a person's number, and at least 2 in a
    company's own.
    """
    digits = re.sub(r"\D", "", text)
    if text.strip().upper().startswith("SE") and len(digits) == 12:
        digits = digits[:10]  # a VAT number ends with two digits of its own
    return len(digits) in {10, 12} and digits[-10:][2] in "01"


def without_last_four(text: str, *, private: bool = False) -> str:
    """A person's number with its last four digits hidden; a company's number as it stands.

    With `private` the text is known to be a person's, whatever it looks like.
    """
    if not (private or is_personal_number(text)):
        return text
    number = re.sub(r"\D", "", text)
    if text.strip().upper().startswith("SE"):
        number = number[:10]
    return f"{number[:-4]}-{DOTS}"


# With its separator, or with its century: other numbers are written so too seldom to matter.
_IN_TEXT = re.compile(
    r"(?<!\w)(?:(?:19|20)?\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01]|[67]\d|8\d|9[01])[-+]\d{4}"
    r"|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01]|[67]\d|8\d|9[01])\d{4})(?!\w)"
)


def without_numbers(text: str) -> str:
    """A text of any kind with what looks like a person's number in it hidden."""
    return _IN_TEXT.sub(f"{DOTS}-{DOTS}", text)

"""Personal numbers in frozen payloads: encrypted, and read again only to be sent."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any, Final

from bokio_app.core.crypto import decrypt, encrypt
from bokio_app.core.personal import is_personal_number

PLACE: Final = "flows.step.payload"
KEY: Final = "sealed"


def seal(number: str, *, private: bool) -> str | dict[str, str]:
    """A number as a payload carries it: a person's encrypted, a company's as it stands.

    With `private` it is known to be a person's, whatever it looks like.
    """
    if not number or not (private or is_personal_number(number)):
        return number
    return {KEY: b64encode(encrypt(number, place=PLACE)).decode()}


def unseal(value: Any) -> str:
    """The number that `seal` was given; payloads of earlier releases hold it as it stands."""
    if isinstance(value, dict):
        return decrypt(b64decode(value[KEY]), place=PLACE)
    return str(value)


def is_sealed(value: Any) -> bool:
    """Whether a value of a payload is a number that is not for eyes."""
    return isinstance(value, dict) and set(value) == {KEY}

"""What Bokio's marketplace brings along, and where a person is led back to at the end.

The address that begins it is open to everybody, so nothing of it is believed: the company is only
asked for, and the token that comes must be that company's; back leads nowhere but to hosts that
the installation names. On its way through sign-in and sign-up it is signed and lasts an hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Self
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import QueryDict

SALT = "bokio_app.marketplace"
LIFETIME = timedelta(hours=1)
LONGEST = 500  # characters of an address to return to


class NotUnderstood(Exception):
    """The address names no company, or is one of ours that is too old or was changed."""


@dataclass(frozen=True)
class Asked:
    """A company that a person wants to connect. `back_to` is empty, or an allowed address."""

    company_id: UUID
    back_to: str

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        """Read what Bokio sends. Raises `NotUnderstood`."""
        if query.get("bokio_tenanttype", "company") != "company":
            raise NotUnderstood
        try:
            company_id = UUID(query.get("bokio_tenantid", ""))
        except ValueError:
            raise NotUnderstood from None
        return cls(company_id, allowed(query.get("redirect_url", "")))

    def signed(self) -> str:
        """The same as a text for our own addresses."""
        return signing.dumps([str(self.company_id), self.back_to], salt=SALT)

    @classmethod
    def from_signed(cls, text: str) -> Self:
        """Read our own text. Raises `NotUnderstood`."""
        try:
            company_id, back_to = signing.loads(text, salt=SALT, max_age=LIFETIME)
        except signing.BadSignature:
            raise NotUnderstood from None
        return cls(UUID(company_id), allowed(back_to))


def allowed(address: str) -> str:
    """The address if it leads to one of `BOKIO_RETURN_ORIGINS`, letter by letter; else nothing."""
    if not address.isascii() or len(address) > LONGEST or not address.isprintable():
        return ""
    if any(sign in address for sign in "\\ @"):  # which browsers and parsers read differently
        return ""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    origin = f"{parts.scheme}://{parts.netloc}"
    return address if origin in settings.BOKIO_RETURN_ORIGINS else ""

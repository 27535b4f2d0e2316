"""Searching by organisation number, without giving away the digits that pages hide."""

from __future__ import annotations

import re

from django.db.models import Q

# A sole trader's is a personal number, whose month comes third. Found by a part, its hidden last
# four digits could be tried one after the other.
A_COMPANYS = Q(org_number__regex=r"^([0-9]{2})?[0-9]{2}[2-9][0-9]{3}-?[0-9]{4}$")
A_COMPANYS_VAT = Q(vat_number__iregex=r"^SE[0-9]{2}[2-9][0-9]{9}$")


def with_number(text: str, *, part: str = "contains") -> Q:
    """Rows whose `org_number` is the text, or holds it where that is a company's own number.

    `part` is the lookup for a part: `contains` or `startswith`.
    """
    digits = _digits(text)
    whole = Q(org_number__in={text, digits, f"{digits[:-4]}-{digits[-4:]}"})
    some = Q(**{f"org_number__{part}": text})
    if digits.isdecimal():
        some |= Q(**{f"org_number__{part}": digits})
        if len(digits) > 6:
            some |= Q(**{f"org_number__{part}": f"{digits[:6]}-{digits[6:]}"})
    return whole | (some & A_COMPANYS)


def with_vat_number(text: str) -> Q:
    """Rows whose `vat_number` is the text, or holds it where that is a company's own number."""
    digits = _digits(text)
    whole = Q(vat_number__iexact=digits)
    return whole | (Q(vat_number__icontains=digits) & A_COMPANYS_VAT)


def _digits(text: str) -> str:
    return re.sub(r"[-\s]", "", text)

"""Customers that are probably one and the same: equal numbers, or equal names at equal places."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Q

from bokio_app.invoicing.models import Customer

MOST = 5000  # rows compared for one page
# Words that say what kind of business it is and not whose.
KINDS_OF_BUSINESS = frozenset(
    {"ab", "aktiebolag", "aktiebolaget", "publ", "hb", "handelsbolag", "handelsbolaget", "kb"}
    | {"kommanditbolag", "ef", "enskild", "firma", "ek", "ekonomisk", "för", "förening", "as"}
    | {"föreningen", "bolag", "asa", "aps", "oy", "oyj", "gmbh", "ltd", "limited", "inc"}
)


def plain_name(name: str) -> str:
    """A name as it is compared: without case, spaces, signs and the kind of business."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", name).casefold())
    telling = [word for word in words if word not in KINDS_OF_BUSINESS]
    return "".join(telling or words)


def plain_number(number: str) -> str:
    """The ten digits of an organisation number, however it is written; others as they are."""
    digits = re.sub(r"[\s\u2013-]", "", number).upper()
    return digits[2:] if len(digits) == 12 and digits.startswith("16") else digits


def twins_of(customers: Sequence[Customer]) -> dict[UUID, list[Customer]]:
    """For each of these, which may be new, those of its company that are probably the same."""
    numbers = [text for each in customers for text in _spellings(each.org_number)]
    places = [text for each in customers for text in _places(each.postal_code)]
    if not numbers and not places:
        return {}
    companies = {each.connection_id for each in customers}
    near = Customer.objects.filter(
        Q(org_number__in=numbers) | Q(postal_code__in=places),
        connection__in=companies,
        gone_at=None,
    ).order_by("name", "pk")
    by_key: dict[object, list[Customer]] = {}
    for other in near[:MOST]:
        for key in _keys(other):
            by_key.setdefault(key, []).append(other)
    return {each.pk: _others(each, by_key) for each in customers}


def _others(customer: Customer, by_key: dict[object, list[Customer]]) -> list[Customer]:
    found = {other.pk: other for key in _keys(customer) for other in by_key.get(key, ())}
    found.pop(customer.pk, None)
    return list(found.values())


def _keys(customer: Customer) -> Iterable[object]:
    if number := plain_number(customer.org_number):
        yield customer.connection_id, "number", number
    if place := _plain_place(customer.postal_code):
        yield customer.connection_id, "place", place, plain_name(customer.name)


def _spellings(number: str) -> list[str]:
    plain = plain_number(number)
    if not plain:
        return []
    return [number, plain, f"{plain[:6]}-{plain[6:]}", f"16{plain}", f"16{plain[:6]}-{plain[6:]}"]


def _places(code: str) -> list[str]:
    plain = _plain_place(code)
    return [code, plain, f"{plain[:3]} {plain[3:]}"] if plain else []


def _plain_place(code: str) -> str:
    return re.sub(r"\s", "", code).upper()

"""What people can do for a company, and the permissions of Bokio's that each of it needs.

We ask for the least that the chosen features need, and say why for each. Elevated permissions
are offered only where Bokio has approved the installation for them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

READ, WRITE = _("read"), _("read, write")


@dataclass(frozen=True)
class Feature:
    """Something to do for a company. `is_needed`: nothing works without it, so it is always
    asked for; `is_usual`: chosen unless a person leaves it out.
    """

    key: str
    title: StrPromise
    reason: StrPromise
    extent: StrPromise
    scopes: tuple[str, ...]
    is_needed: bool = False
    is_usual: bool = True
    is_elevated: bool = False


FEATURES = (
    Feature(
        "invoices",
        _("Invoices"),
        _("Create drafts, publish, record, register payments"),
        WRITE,
        ("invoices:read", "invoices:write"),
        is_needed=True,
    ),
    Feature(
        "customers",
        _("Customers"),
        _("Choose and create them for invoices"),
        WRITE,
        ("customers:read", "customers:write"),
        is_needed=True,
    ),
    Feature(
        "entries",
        _("Journal entries"),
        _("Compare what was expected with what was recorded"),
        READ,
        ("journal-entries:read",),
        is_needed=True,
    ),
    Feature(
        "accounts",
        _("Chart of accounts"),
        _("Check that accounts exist before anything is sent"),
        READ,
        ("chart-of-accounts:read",),
        is_needed=True,
    ),
    Feature(
        "years",
        _("Fiscal years"),
        _("Check dates and the accounting method"),
        READ,
        ("fiscal-years:read",),
        is_needed=True,
    ),
    Feature(
        "company",
        _("Company information"),
        _("Name and organisation number"),
        READ,
        ("company-information:read",),
        is_needed=True,
    ),
    Feature(
        "credit-notes",
        _("Credit notes"),
        _("Take an invoice back, publish and record that"),
        WRITE,
        ("credit-notes:read", "credit-notes:write"),
    ),
    Feature(
        "items",
        _("Items"),
        _("Choose what is sold, with price and VAT, and keep the list"),
        WRITE,
        ("items:read", "items:write"),
        is_usual=False,
    ),
    Feature(
        "bookkeeping",
        _("Bookkeeping"),
        _("Record and reverse journal entries, and add vouchers to them"),
        WRITE,
        ("journal-entries:write", "uploads:read", "uploads:write"),
        is_usual=False,
    ),
    Feature(
        "bank-payments",
        _("Bank payments"),
        _("Prepare payments that the company signs at its bank"),
        WRITE,
        ("bank-payments:read-limited", "bank-payments:write"),
        is_usual=False,
        is_elevated=True,
    ),
)


def offered() -> list[Feature]:
    """The features that this installation may ask for."""
    return [each for each in FEATURES if settings.BOKIO_BANK_PAYMENTS or not each.is_elevated]


def choices() -> list[Feature]:
    """Those of them that a person may take or leave."""
    return [each for each in offered() if not each.is_needed]


def missing(scopes: Collection[str]) -> list[Feature]:
    """The features that could be asked for beside what a connection has."""
    return [each for each in offered() if not set(each.scopes) <= set(scopes)]


def lacking(scopes: Collection[str]) -> list[Feature]:
    """The features that cannot be used without these permissions."""
    return [each for each in FEATURES if set(each.scopes) & set(scopes)]


def needing(scopes: Collection[str]) -> set[str]:
    """The keys of the features that bring one of these permissions."""
    return {each.key for each in lacking(scopes)} & {each.key for each in offered()}


def scopes_for(keys: Collection[str]) -> tuple[str, ...]:
    """The permissions for what is always needed and the chosen features, each once.

    A key that is unknown, or not offered here, adds nothing.
    """
    return _scopes(each for each in offered() if each.is_needed or each.key in keys)


def _scopes(features: Iterable[Feature]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(scope for each in features for scope in each.scopes))


def given(scopes: Collection[str]) -> list[Feature]:
    """The features for which a connection has all permissions."""
    return [each for each in FEATURES if set(each.scopes) <= set(scopes)]


NEEDED = _scopes(each for each in FEATURES if each.is_needed)
USUAL = _scopes(each for each in FEATURES if each.is_needed or each.is_usual)

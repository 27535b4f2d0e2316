"""Scopes in the words that a person gives consent to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

READ = {
    "company-information": _("See the company's name, number and address"),
    "fiscal-years": _("See fiscal years"),
    "chart-of-accounts": _("See the chart of accounts and its balances"),
    "customers": _("See customers"),
    "items": _("See items"),
    "invoices": _("See invoices, payments and settlements"),
    "credit-notes": _("See credit notes"),
    "journal-entries": _("See journal entries"),
    "uploads": _("See uploaded documents"),
    "suppliers": _("See suppliers"),
    "supplier-invoices": _("See supplier invoices"),
    "tags": _("See tags"),
    "sie": _("Download SIE files"),
    "bank-payments": _("See the bank payments it has made"),
}
WRITE = {
    "customers": _("Create, change and delete customers"),
    "items": _("Create, change and delete items"),
    "invoices": _("Create, publish and record invoices, payments and settlements"),
    "credit-notes": _("Change, publish and record credit notes"),
    "journal-entries": _("Create and reverse journal entries"),
    "uploads": _("Upload documents"),
    "suppliers": _("Create, change and delete suppliers"),
    "supplier-invoices": _("Create, change and delete supplier invoices"),
    "tags": _("Create, change and delete tags"),
    "bank-payments": _("Prepare bank payments, which you sign yourself"),
}


@dataclass(frozen=True)
class Leave:
    """One thing an application may do, and the scope that says so."""

    words: str | Promise
    scope: str


def described(scopes: Iterable[str]) -> tuple[Sequence[Leave], Sequence[Leave]]:
    """The scopes in words: what may be read, and what may be changed."""
    reads: list[Leave] = []
    changes: list[Leave] = []
    for scope in scopes:
        subject, _colon, right = scope.partition(":")
        if right == "write":
            changes.append(Leave(WRITE[subject], scope))
        else:
            reads.append(Leave(READ[subject], scope))
    return reads, changes

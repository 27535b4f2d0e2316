"""The set filters in words, each with the address of the list without it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.utils.translation import gettext, gettext_lazy, pgettext_lazy

from bokio_app.core.formats import money
from bokio_app.core.templatetags.ui import known
from bokio_app.invoicing.leftovers import Left
from bokio_app.tenants.models import Tenant

from .asked import AMOUNTS, DAYS, Asked

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

LABELS: dict[str, StrPromise] = {
    "since": gettext_lazy("Invoice date from"),
    "until": gettext_lazy("Invoice date to"),
    "due_since": gettext_lazy("Due from"),
    "due_until": gettext_lazy("Due to"),
    "least": gettext_lazy("Total from"),
    "most": gettext_lazy("Total to"),
    "recorded": gettext_lazy("Recorded"),
    "open": pgettext_lazy("invoices", "Open"),
    "left": gettext_lazy("Left behind"),
}


@dataclass(frozen=True)
class Chip:
    """One set filter."""

    label: str
    value: str
    url: str


def chips_of(tenant: Tenant, asked: Asked) -> list[Chip]:
    """In the order of the form; the text stands in its field and the view in the tabs."""
    return list(_chips(tenant, asked))


def _chips(tenant: Tenant, asked: Asked) -> Iterator[Chip]:
    if asked.company:
        everywhere = replace(asked, company=None, customer=None, after="")
        yield Chip(gettext("Company"), str(asked.company), everywhere.url())
    if asked.customer:
        found = tenant.customers.filter(pk=asked.customer).first()
        name = found.name if found else gettext("unknown")
        yield Chip(gettext("Customer"), name, asked.without("customer").url())
    for state in asked.states:
        word = str(known(state).word)
        yield Chip(gettext("Status"), word, asked.without("state", state).url())
    for name, value in _values(asked):
        yield Chip(str(LABELS[name]), value, asked.without(name).url())
    if asked.currency:
        yield Chip(gettext("Currency"), asked.currency, asked.without("currency").url())


def _values(asked: Asked) -> Iterator[tuple[str, str]]:
    for name in DAYS:
        if name in asked.days:
            yield name, asked.days[name].isoformat()
    for name in AMOUNTS:
        if name in asked.amounts:
            yield name, money(asked.amounts[name])
    words = {"yes": gettext("yes"), "no": gettext("no")}
    for name, value in asked.choices.items():
        yield name, words[value] if value in words else str(Left(value).label)

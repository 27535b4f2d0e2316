"""What a person asks the list of invoices for, as the address of the page says it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from bokio_app.core.money import parse, rounded
from bokio_app.invoicing.leftovers import Left

from .order import MOST_AMOUNT, NEWEST, OF_ONE, SORTS

if TYPE_CHECKING:
    from bokio_app.connections.models import Connection

VIEWS = ("all", "draft", "unrecorded", "open", "overdue", "paid")
STATES = ("draft", "published", "recorded", "part-paid", "paid", "overdue", "credited")
DAYS = ("since", "until", "due_since", "due_until")
AMOUNTS = ("least", "most")
CHOICES = {"recorded": ("yes", "no"), "open": ("yes", "no"), "left": tuple(Left.values)}
WRITTEN = ("%Y-%m-%d", "%Y%m%d", "%y%m%d")
LONGEST = 100


@dataclass(frozen=True)
class Asked:
    """A filter with its order. Days and amounts are both included; `after` is the last row of the
    page before, `company_text` what was typed for a company and names none, `unclear` what was
    typed for a day or an amount and is none, by its name in the address.
    """

    view: str = "all"
    text: str = ""
    company: Connection | None = None
    company_text: str = ""
    customer: uuid.UUID | None = None
    states: tuple[str, ...] = ()
    days: dict[str, date] = field(default_factory=dict)
    amounts: dict[str, Decimal] = field(default_factory=dict)
    currency: str = ""
    choices: dict[str, str] = field(default_factory=dict)
    unclear: dict[str, str] = field(default_factory=dict)
    saved: int | None = None
    sort: str = NEWEST
    after: str = ""

    @classmethod
    def of(
        cls, query: QueryDict, *, company: Connection | None = None, company_text: str = ""
    ) -> Asked:
        """Read an address. What makes no sense in it is taken for absent."""
        view, sort, saved = query.get("view", ""), query.get("sort", ""), query.get("saved", "")
        days, amounts, unclear = _typed(query)
        currency = query.get("currency", "").strip().upper()
        return cls(
            view=view if view in VIEWS else "all",
            text=query.get("q", "").strip()[:LONGEST],
            company=company,
            company_text=company_text,
            customer=read_uuid(query.get("customer", "")),
            states=tuple(each for each in STATES if each in query.getlist("state")),
            days=days,
            amounts=amounts,
            unclear=unclear,
            currency=currency if len(currency) == 3 and currency.isalpha() else "",
            choices={
                name: text
                for name, known in CHOICES.items()
                if (text := query.get(name, "")) in known
            },
            saved=int(saved) if saved.isdecimal() and len(saved) < 12 else None,
            sort=sort if sort.removeprefix("-") in sorts_for(company) else NEWEST,
            after=query.get("after", "")[:200],
        )

    @property
    def is_set(self) -> bool:
        """Whether there is something to clear."""
        return self.company is not None or bool(self.narrowing)

    @property
    def narrowing(self) -> list[tuple[str, str]]:
        """All but company, order, saved view and place, as in the address."""
        return list(self._narrowing())

    def _narrowing(self) -> Iterator[tuple[str, str]]:
        one = {
            "view": self.view if self.view != "all" else "",
            "q": self.text,
            "company_text": self.company_text,
            "customer": str(self.customer or ""),
            "currency": self.currency,
        }
        yield from ((name, value) for name, value in one.items() if value)
        yield from (("state", state) for state in self.states)
        yield from ((name, day.isoformat()) for name, day in self.days.items())
        yield from ((name, str(amount)) for name, amount in self.amounts.items())
        yield from self.choices.items()
        yield from self.unclear.items()

    def query(self, *, keeps_place: bool = False) -> str:
        """The part of an address that says the same, in the same words for the same filter."""
        parts = self.narrowing
        parts += [("saved", str(self.saved))] if self.saved else []
        parts += [("sort", self.sort)] if self.sort != NEWEST else []
        parts += [("after", self.after)] if keeps_place and self.after else []
        return urlencode(parts)

    def url(self, name: str = "list", *, keeps_place: bool = False) -> str:
        """The address of this filter at a page of the list: of all companies or of one."""
        query = self.query(keeps_place=keeps_place)
        if name == "list" and self.company is None:
            query = query or "view=all"  # without a query a member's default view is shown
        return with_query(path_of(name, self.company), query)

    def only(self, **changes: object) -> Asked:
        """Everything anew but the company; from the first row."""
        return replace(Asked(company=self.company), **changes)  # type: ignore[arg-type]  # names of fields

    def without(self, name: str, value: str = "") -> Asked:
        """The same without what a chip shows."""
        if name == "state":
            states = tuple(each for each in self.states if each != value)
            return replace(self, states=states, after="")
        if name in (*DAYS, *AMOUNTS, *CHOICES):
            kept = {
                part: {key: each for key, each in getattr(self, part).items() if key != name}
                for part in ("days", "amounts", "choices", "unclear")
            }
            return replace(self, **kept, after="")  # type: ignore[arg-type]  # names of fields
        empty = {"customer": None, "view": "all"}.get(name, "")
        field_name = {"q": "text"}.get(name, name)
        return replace(self, **{field_name: empty}, after="")  # type: ignore[arg-type]  # as above


def sorts_for(company: Connection | None) -> set[str]:
    """The orders that are offered for the invoices of a company, or of all."""
    return set(SORTS) - ({OF_ONE} if company is None else set())


def path_of(name: str, company: Connection | None) -> str:
    """The address of a page of the list: the company is a part of it."""
    if company is None:
        return reverse(f"invoicing:{name}")
    return reverse(f"invoicing:company_{name}", args=[company.pk])


def with_query(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path


def _typed(query: QueryDict) -> tuple[dict[str, date], dict[str, Decimal], dict[str, str]]:
    days: dict[str, date] = {}
    amounts: dict[str, Decimal] = {}
    unclear: dict[str, str] = {}
    for name in DAYS + AMOUNTS:
        text = query.get(name, "").strip()[:LONGEST]
        if not text:
            continue
        try:
            if name in DAYS:
                days[name] = read_day(text)
            else:
                amounts[name] = read_amount(text)
        except ValueError:
            unclear[name] = text
    return days, amounts, unclear


def read_day(text: str) -> date:
    """A day as people type it: `2026-11-20`, `20261120`, `261120`. Raises `ValueError`."""
    for pattern in WRITTEN:
        try:
            # A calendar day has no time zone.
            return datetime.strptime(text, pattern).date()  # noqa: DTZ007
        except ValueError:
            continue
    raise ValueError("Not a day.")


def read_amount(text: str) -> Decimal:
    """An amount as people type or paste it: `12 500,00`, `12500`, `12.500,00`, `12,500.00`.

    Raises `ValueError`. Of comma and point the later is the decimal sign where both are there.
    """
    comma, point = text.rfind(","), text.rfind(".")
    if comma >= 0 and point >= 0:
        text = text.replace("." if comma > point else ",", "")
    amount = parse(text)
    if abs(amount) >= MOST_AMOUNT or rounded(amount) != amount:
        raise ValueError("Not an amount of money.")
    return amount


def read_uuid(text: str) -> uuid.UUID | None:
    """An id; None for what is none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None

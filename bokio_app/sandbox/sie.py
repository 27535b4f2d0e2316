"""The books of a fiscal year as a SIE file of type 4: balances, results, and every entry.

Source: the SIE association's "SIE filformat, utgåva 4B". Lines begin with a label and are in
code page 437; a field of text stands between quotation marks.
"""

import datetime as dt
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, groupby, product
from math import prod

from django.db.models import Q, Sum

from bokio_app.sandbox import clock, switches
from bokio_app.sandbox.models import Company, EntryTag, FiscalYear, JournalItem
from bokio_app.sandbox.totals import half_up

PROGRAM = ("bokio_app sandbox", "1.0")
CHART = "EUBAS97"  # stands for every chart of accounts named BAS since 1997
SERIES = "V"
FIRST_RESULT_ACCOUNT = 3000
ENCODING, LINE_END = "cp437", "\r\n"
ZERO, ONE = Decimal(0), Decimal(1)
_CONTROLS = (*range(0x20), *range(0x7F, 0xA0))
_NOT_IN_TEXT = str.maketrans({"\\": "/", '"': '\\"', **dict.fromkeys(map(chr, _CONTROLS), " ")})

Balances = Mapping[int, Decimal]
"""Debit less credit per account, SEK."""


@dataclass(frozen=True)
class Share:
    """A part of an amount that belongs to an object of a dimension."""

    dimension: int
    object: int
    weight: Decimal


@dataclass(frozen=True)
class Item:
    """A row of an entry. `amount` is debit less credit, SEK."""

    id: int
    entry: int
    number: int
    date: dt.date
    title: str
    account: int
    amount: Decimal


def sie_file(company: Company, year: FiscalYear) -> bytes:
    """The whole file. What code page 437 cannot express becomes a question mark."""
    earlier = company.fiscal_years.filter(end__lt=year.start).order_by("-end").first()
    years = {0: year} | ({-1: earlier} if earlier else {})
    parts = (
        _head(company, years),
        _accounts(company),
        _dimensions(company),
        *(_balances(company, place, each) for place, each in years.items()),
        _entries(company, year),
    )
    text = "".join(line + LINE_END for line in chain(*parts))
    return text.encode(ENCODING, errors="replace")


def _head(company: Company, years: Mapping[int, FiscalYear]) -> Iterator[str]:
    yield "#FLAGGA 0"
    yield f"#PROGRAM {' '.join(map(_text, PROGRAM))}"
    yield "#FORMAT PC8"
    yield f"#GEN {_day(clock.today())}"
    yield "#SIETYP 4"
    yield f"#ORGNR {_text(company.org_number)}"
    yield f"#FNAMN {_text(company.name)}"
    for place, year in years.items():
        yield f"#RAR {place} {_day(year.start)} {_day(year.end)}"
    yield f"#KPTYP {CHART}"


def _accounts(company: Company) -> Iterator[str]:
    for account in company.accounts.order_by("number"):
        yield f"#KONTO {account.number} {_text(account.name)}"


def _dimensions(company: Company) -> Iterator[str]:
    for group in company.tag_groups.order_by("dimension_number").prefetch_related("tags"):
        yield f"#DIM {group.dimension_number} {_text(group.name)}"
        for tag in group.tags.all():
            yield f"#OBJEKT {group.dimension_number} {_text(str(tag.pk))} {_text(tag.name)}"


def _balances(company: Company, place: int, year: FiscalYear) -> Iterator[str]:
    """Opening and closing balances and the result; `place` is 0, or -1 for the year before."""
    opening = _opening(company, year.start)
    changes = _sums(company, Q(entry__date__range=(year.start, year.end)))
    closing = {
        account: opening.get(account, ZERO) + changes.get(account, ZERO)
        for account in sorted(opening.keys() | changes.keys())
        if account < FIRST_RESULT_ACCOUNT
    }
    result = {
        account: total for account, total in changes.items() if account >= FIRST_RESULT_ACCOUNT
    }
    for label, balances in (("IB", opening), ("UB", closing), ("RES", result)):
        for account, balance in sorted(balances.items()):
            if balance:
                yield f"#{label} {place} {account} {_amount(balance)}"


def _opening(company: Company, start: dt.date) -> Balances:
    """The balance sheet as the year begins. Results of earlier years are retained earnings."""
    before = _sums(company, Q(entry__date__lt=start))
    opening = {
        account: total for account, total in before.items() if account < FIRST_RESULT_ACCOUNT
    }
    earned = -sum(opening.values(), ZERO)
    opening[switches.RETAINED_EARNINGS] = opening.get(switches.RETAINED_EARNINGS, ZERO) + earned
    return opening


def _sums(company: Company, condition: Q) -> Balances:
    rows = JournalItem.objects.filter(condition, company=company).values_list("account")
    sums = rows.annotate(Sum("debit"), Sum("credit")).order_by()
    return {account: debit - credit for account, debit, credit in sums}


def _entries(company: Company, year: FiscalYear) -> Iterator[str]:
    on_entries, on_items = _shares(company, year)
    for _, rows in groupby(_items(company, year), key=lambda item: item.entry):
        items = list(rows)
        first = items[0]
        yield f"#VER {SERIES} {first.number} {_day(first.date)} {_text(first.title)}"
        yield "{"
        whole = on_entries.get(first.entry, ())
        for item in items:
            for objects, amount in split(item.amount, [*whole, *on_items.get(item.id, ())]):
                yield f"#TRANS {item.account} {{{objects}}} {_amount(amount)}"
        yield "}"


def _items(company: Company, year: FiscalYear) -> Iterator[Item]:
    rows = (
        JournalItem.objects.filter(company=company, entry__date__range=(year.start, year.end))
        .order_by("entry__number", "id")
        .values_list(
            *("id", "entry", "entry__number", "entry__date", "entry__title"),
            *("account", "debit", "credit"),
        )
    )
    for key, entry, number, date, title, account, debit, credit in rows.iterator():
        yield Item(key, entry, number, date, title, account, debit - credit)


def _shares(
    company: Company, year: FiscalYear
) -> tuple[Mapping[int, Sequence[Share]], Mapping[int, Sequence[Share]]]:
    """The tags of the year: those on whole entries by entry, the others by item."""
    on_entries: dict[int, list[Share]] = {}
    on_items: dict[int, list[Share]] = {}
    uses = EntryTag.objects.filter(
        entry__company=company, entry__date__range=(year.start, year.end)
    ).order_by("id")
    for use in uses.select_related("tag__group"):
        share = Share(use.tag.group.dimension_number, use.tag_id, use.weight)
        if use.item_id is None:
            on_entries.setdefault(use.entry_id, []).append(share)
        else:
            on_items.setdefault(use.item_id, []).append(share)
    return on_entries, on_items


def split(amount: Decimal, shares: Sequence[Share]) -> list[tuple[str, Decimal]]:
    """Divide an amount among the objects it is tagged with, as lists of objects of the format.

    A transaction of the format knows no shares, so each combination of objects from different
    dimensions becomes one of its own. What is left of a dimension goes without an object of it,
    and what rounding leaves goes to the last part.
    """
    if not shares:
        return [("", amount)]
    dimensions: dict[int, list[tuple[str, Decimal]]] = {}
    for share in shares:
        named = f"{share.dimension} {_text(str(share.object))}"
        dimensions.setdefault(share.dimension, []).append((named, share.weight))
    for parts in dimensions.values():
        left = ONE - sum((weight for _, weight in parts), ZERO)
        if left > 0:
            parts.append(("", left))
    divided: list[tuple[str, Decimal]] = []
    for combination in product(*dimensions.values()):
        objects = " ".join(name for name, _ in combination if name)
        weight = prod((weight for _, weight in combination), start=ONE)
        divided.append((objects, half_up(amount * weight)))
    rest = amount - sum((part for _, part in divided), ZERO)
    divided[-1] = (divided[-1][0], divided[-1][1] + rest)
    return [(objects, part) for objects, part in divided if part]


def _text(value: str) -> str:
    """A field of text. The format has no control characters, and `\\` only before a quote."""
    return '"' + unicodedata.normalize("NFC", value).translate(_NOT_IN_TEXT) + '"'


def _day(value: dt.date) -> str:
    return f"{value:%Y%m%d}"


def _amount(value: Decimal) -> str:
    return f"{value:.2f}"

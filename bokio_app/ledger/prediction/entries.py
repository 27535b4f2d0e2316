"""A predicted journal entry: its rows from amounts by account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from bokio_app.core.money import ZERO

from .accounts import DOUBTS


@dataclass(frozen=True)
class Side:
    """An amount on an account, in SEK: above zero debit, below it credit."""

    account: int
    amount: Decimal
    doubt: str = ""


@dataclass(frozen=True)
class EntryRow:
    """One row of an entry, in SEK; one of the two sides is 0. `doubt` is a key of `DOUBTS`, or
    empty where the account is known for sure.
    """

    account: int
    name: str
    debit: Decimal
    credit: Decimal
    doubt: str = ""

    @property
    def known(self) -> bool:
        return not self.doubt

    @property
    def why(self) -> str:
        """The doubt in words; empty for none."""
        return str(DOUBTS.get(self.doubt, ""))


@dataclass(frozen=True)
class Entry:
    """A balanced journal entry."""

    rows: Sequence[EntryRow]

    @property
    def debit(self) -> Decimal:
        return sum((row.debit for row in self.rows), ZERO)

    @property
    def credit(self) -> Decimal:
        return sum((row.credit for row in self.rows), ZERO)

    @property
    def doubts(self) -> list[str]:
        """In words, each once, why some accounts are not known for sure."""
        return list(dict.fromkeys(row.why for row in self.rows if row.doubt))


def merged(sides: Iterable[Side]) -> list[Side]:
    """One side per account, without those that come to nothing; a doubt outlives the merging."""
    found: dict[int, Side] = {}
    for each in sides:
        before = found.get(each.account, Side(each.account, ZERO))
        found[each.account] = Side(
            each.account, before.amount + each.amount, before.doubt or each.doubt
        )
    return [each for each in found.values() if each.amount]


def opposite(sides: Iterable[Side]) -> list[Side]:
    return [Side(each.account, -each.amount, each.doubt) for each in sides]


def as_entry(sides: Iterable[Side], names: Mapping[int, str]) -> Entry:
    """The rows with the accounts' names. `names` is the company's chart; empty if we have none."""
    return Entry([_row(each, names) for each in merged(sides)])


def _row(side: Side, names: Mapping[int, str]) -> EntryRow:
    missing = bool(names) and side.account not in names
    return EntryRow(
        account=side.account,
        name=_("not in the chart") if missing else names.get(side.account, ""),
        debit=max(side.amount, ZERO),
        credit=max(-side.amount, ZERO),
        doubt=side.doubt or ("not_in_chart" if missing else ""),
    )

"""The chart of accounts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Self

from bokio_app.bokio.filterable import query_of
from bokio_app.bokio.filters import Filter
from bokio_app.bokio.reading import Fields
from bokio_app.bokio.resource import Resource, plain_list


class AccountType(StrEnum):
    """Where an account comes from: the standard chart, or the company itself."""

    BASE_PLAN = "basePlanAccount"
    CUSTOM = "customAccount"


@dataclass(frozen=True)
class Account:
    """An account; `type` is an `AccountType` or a new word. `balance` in SEK comes with `get`
    alone, and not for every account."""

    number: int
    name: str
    type: str
    balance: Decimal | None = None
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends."""
        read = Fields(data)
        return cls(
            number=read.integer("account"),
            name=read.text("name"),
            type=read.text("accountType"),
            balance=read.number_or_none("accountBalance"),
            extra=read.rest(),
        )


AccountList = list[Account]


class ChartOfAccounts(Resource):
    """`/chart-of-accounts`"""

    def list(self, where: Filter | None = None) -> AccountList:
        """Fetch the whole chart in one call; it has no pages.

        Filters: `account`, `name`, `accountType`.
        Repeatable. Needs scope `chart-of-accounts:read`.
        """
        operation, parse = "get-chart-of-accounts", plain_list(Account.from_json)
        return self._get(operation, "chart-of-accounts", parse, query_of(operation, where))

    def get(self, number: int) -> Account:
        """Fetch one account with its balance. Repeatable. Needs scope `chart-of-accounts:read`."""
        path = f"chart-of-accounts/{int(number)}"
        return self._get("get-account-with-number", path, Account.from_json)

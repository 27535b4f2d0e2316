"""Fiscal years: which days can be booked on, and by which method."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Self
from uuid import UUID

from bokio_app.bokio.filters import Filter
from bokio_app.bokio.reading import Fields, unwrapped
from bokio_app.bokio.resource import Resource, same


class Method(StrEnum):
    """When sales are booked: with the payment, or with the invoice."""

    CASH = "cash"
    ACCRUAL = "accrual"


class YearStatus(StrEnum):
    """Whether entries can still be made."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True)
class FiscalYear:
    """A fiscal year, first and last day included. `method` and `status` may be new words."""

    id: UUID
    start: date
    end: date
    method: str
    status: str
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read a bare body or one wrapped in `fiscalYear`."""
        read = Fields(unwrapped(data, "fiscalYear"))
        return cls(
            id=read.uuid("id"),
            start=read.day("startDate"),
            end=read.day("endDate"),
            method=read.word("accountingMethod"),
            status=read.text("status"),
            extra=read.rest(),
        )


class FiscalYears(Resource):
    """`/fiscal-years`"""

    def list(self, where: Filter | None = None) -> Iterator[FiscalYear]:
        """Fetch the years, page by page as they are taken.

        Filters: `startDate`, `endDate`, `accountingMethod`, `status`.
        Repeatable. Needs scope `fiscal-years:read`.
        """
        return self._pages("get-fiscal-years", "fiscal-years", FiscalYear.from_json, where=where)

    def get(self, year_id: UUID) -> FiscalYear:
        """Fetch one year. Repeatable. Needs scope `fiscal-years:read`."""
        parse = same(FiscalYear.from_json, year_id)
        return self._get("get-fiscal-year-with-id", f"fiscal-years/{year_id}", parse)

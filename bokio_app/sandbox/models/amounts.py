"""The column type for money."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.expressions import Combinable

ZERO = Decimal(0)

if TYPE_CHECKING:
    _AmountBase = models.BigIntegerField[Decimal | int | Combinable, Decimal]
else:
    _AmountBase = models.BigIntegerField


class Amount(_AmountBase):
    """An amount of money with two decimals, kept as an integer number of öre."""

    def from_db_value(self, value: int | None, *_: object) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-2)

    def to_python(self, value: Any) -> Any:
        return value if value is None else Decimal(value)

    def get_prep_value(self, value: Any) -> int | None:
        return None if value is None else int(Decimal(value).scaleb(2).to_integral_exact())

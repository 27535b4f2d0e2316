"""What may be sent as a number."""

from decimal import Decimal

from bokio_app.bokio.errors import Unsendable
from bokio_app.bokio.wire import is_bearable, plain_number


def exact(value: Decimal) -> Decimal:
    """Let a `Decimal` of a bearable size through. Raises `Unsendable` for all else, and floats."""
    if not isinstance(value, Decimal) or not is_bearable(value):
        raise Unsendable("an amount is a Decimal of at most 19 digits before the point, 30 after")
    return value


def two_decimals(value: Decimal) -> Decimal:
    """Let an amount through that has at most two decimals. Raises `Unsendable` for others."""
    _, _, decimals = plain_number(exact(value)).partition(".")
    if len(decimals.rstrip("0")) > 2:
        raise Unsendable("an amount has at most two decimals")
    return value

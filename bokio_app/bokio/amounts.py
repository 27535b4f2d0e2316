"""What may be sent as a number."""

from decimal import Decimal


def exact(value: Decimal) -> Decimal:
    """Let a finite `Decimal` through. Raises `ValueError` for all else, floats first of all."""
    if not isinstance(value, Decimal) or not value.is_finite():
        raise ValueError("an amount is a finite Decimal")
    return value


def two_decimals(value: Decimal) -> Decimal:
    """Let an amount through that has at most two decimals. Raises `ValueError` for others."""
    if exact(value) != round(value, 2):
        raise ValueError("an amount has at most two decimals")
    return value

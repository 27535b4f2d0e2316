"""Charts as geometry: where bars, lines and words stand. Templates draw them as inline SVG.

All is text with a point, as SVG wants it, whatever the reader's language.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from bokio_app.core.formats import number

WIDTH, HEIGHT = 360, 170
TOP, BASE = 20, 146
LABEL_Y = 162
AXIS = 36  # room for the numbers of the lines
FEW = 6  # up to so many bars bear their value
LINES = 3
FINE = 10  # thousands, from which on decimals are left out
STEPS = tuple(map(Decimal, ("8", "6", "5", "4", "3", "2.5", "2", "1.5", "1")))
THOUSAND = Decimal(1000)


@dataclass(frozen=True)
class Value:
    """What a bar stands for. `mark` is what it is compared with, None for nothing."""

    label: str
    amount: Decimal
    css: str
    mark: Decimal | None = None
    is_open: bool = False  # not at its end: hatched


@dataclass(frozen=True)
class Bar:
    """A bar with its words. `middle` is where these stand; marks are lines from `x` to `end`."""

    value: Value
    text: str
    x: str
    y: str
    width: str
    height: str
    middle: str
    value_y: str
    end: str
    mark_y: str


@dataclass(frozen=True)
class Line:
    """A line of the grid, and the amount it stands for."""

    y: str
    text_y: str
    text: str


@dataclass(frozen=True)
class Chart:
    """Bars from a base line at zero. Few of them bear their values, many stand before lines."""

    bars: list[Bar]
    lines: list[Line] = field(default_factory=list)
    left: int = 0
    has_values: bool = False

    width: int = WIDTH
    height: int = HEIGHT
    base: int = BASE
    label_y: int = LABEL_Y


def chart_of(values: Sequence[Value]) -> Chart:
    """Set bars up side by side. Amounts below zero stand on the base line as if they were none."""
    most = max((max(each.amount, each.mark or Decimal(0)) for each in values), default=Decimal(0))
    few = len(values) <= FEW
    step = Decimal(0) if few else step_of(most)
    top = most or Decimal(1)
    left = 0 if few else AXIS
    slot = Decimal(WIDTH - left) / max(len(values), 1)
    share = Decimal("0.84") if few else Decimal("0.62")
    bars = [
        _bar(each, Decimal(left) + slot * place, slot=slot, share=share, top=top)
        for place, each in enumerate(values)
    ]
    lines = [
        Line(_text(_y(amount, top)), _text(_y(amount, top) + 4), in_thousands(amount))
        for amount in (step * count for count in range(LINES + 1))
        if step
    ]
    return Chart(bars, lines, left, few)


def step_of(most: Decimal) -> Decimal:
    """A round distance of lines, so that three of them come close to the highest amount."""
    wanted = most / LINES
    if wanted <= 0:
        return Decimal(0)
    ten = Decimal(10) ** wanted.adjusted()
    return next(each * ten for each in STEPS if each * ten <= wanted)


def in_thousands(amount: Decimal) -> str:
    """An amount in thousands, rounded; small ones with a decimal, so that none becomes nothing."""
    exact = amount / THOUSAND
    step = Decimal(1) if abs(exact) >= FINE or not exact else Decimal("0.1")
    return number(exact.quantize(step, rounding=ROUND_HALF_UP))


def _bar(value: Value, start: Decimal, *, slot: Decimal, share: Decimal, top: Decimal) -> Bar:
    width = slot * share
    x, y = start + (slot - width) / 2, _y(value.amount, top)
    if value.amount > 0:
        y = min(y, Decimal(BASE) - 1)  # a small amount is still seen
    return Bar(
        value=value,
        text=in_thousands(value.amount),
        x=_text(x),
        y=_text(y),
        width=_text(width),
        height=_text(BASE - y),
        middle=_text(x + width / 2),
        value_y=_text(y - 6),
        end=_text(x + width),
        mark_y=_text(_y(value.mark, top)) if value.mark else "",
    )


def _y(amount: Decimal, top: Decimal) -> Decimal:
    return BASE - max(amount, Decimal(0)) / top * (BASE - TOP)


def _text(number: Decimal) -> str:
    return f"{number:.1f}"

"""Charts as geometry: bars in proportion, lines at round amounts, words that are no lies."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from django.utils import translation

from bokio_app.console.charts import BASE, TOP, WIDTH, Value, chart_of, in_thousands, step_of


def values(*amounts: str) -> list[Value]:
    return [Value(str(place), Decimal(amount), "bar") for place, amount in enumerate(amounts)]


def test_bars_stand_on_a_base_line_at_zero_in_proportion_to_their_amounts() -> None:
    chart = chart_of(values("1000", "500", "0"))

    heights = [Decimal(bar.height) for bar in chart.bars]
    assert heights == [Decimal(BASE - TOP), Decimal(BASE - TOP) / 2, 0]
    assert all(Decimal(bar.y) + Decimal(bar.height) == BASE for bar in chart.bars)


def test_bars_stay_beside_each_other_within_the_picture() -> None:
    chart = chart_of(values(*["7"] * 12))

    edges = [(Decimal(bar.x), Decimal(bar.x) + Decimal(bar.width)) for bar in chart.bars]
    assert all(one[1] < other[0] for one, other in pairwise(edges))
    assert edges[0][0] >= chart.left
    assert edges[-1][1] <= WIDTH


def test_an_amount_that_is_small_beside_others_is_still_seen() -> None:
    assert Decimal(chart_of(values("1000000", "1")).bars[1].height) >= 1


def test_an_amount_below_zero_is_no_bar_that_hangs_down() -> None:
    assert chart_of(values("100", "-50")).bars[1].height == "0.0"


def test_nothing_at_all_is_drawn_as_nothing() -> None:
    chart = chart_of(values(*["0"] * 12))

    assert {bar.height for bar in chart.bars} == {"0.0"}
    assert chart.lines == []
    assert chart_of([]).bars == []


def test_few_bars_bear_their_amounts_and_many_stand_before_three_lines() -> None:
    few, many = chart_of(values(*["5"] * 6)), chart_of(values(*["5"] * 7))

    assert few.has_values
    assert not many.has_values
    assert len(many.lines) == 4  # with the base line's own


def test_a_mark_is_drawn_where_a_bar_of_its_amount_would_end() -> None:
    chart = chart_of(
        [
            Value("1", Decimal(400), "bar", mark=Decimal(800)),
            Value("2", Decimal(800), "bar", mark=Decimal(0)),
        ]
    )

    assert chart.bars[0].mark_y == chart.bars[1].y
    assert chart.bars[1].mark_y == ""


@pytest.mark.parametrize(
    "most, step", [("1550", "500"), ("999", "300"), ("3", "1"), ("30000000", "10000000")]
)
def test_lines_stand_at_round_amounts_and_reach_close_to_the_highest(most: str, step: str) -> None:
    assert step_of(Decimal(most)) == Decimal(step)


@pytest.mark.parametrize(
    "amount, text",
    [("0", "0"), ("1317500", "1\u00a0318"), ("9940", "9,9"), ("440", "0,4"), ("-20000", "−20")],
)
def test_amounts_are_told_in_thousands_small_ones_with_a_decimal(amount: str, text: str) -> None:
    with translation.override("sv"):
        assert in_thousands(Decimal(amount)) == text


def test_numbers_of_the_drawing_have_a_point_in_every_language() -> None:
    with translation.override("sv"):
        bar = chart_of(values("3", "1", "2")).bars[1]

    assert "," not in bar.x + bar.y + bar.width + bar.height + bar.middle

"""Every colour can be read: on each background it may stand on, in both themes."""

import pytest

from .tokens import SHEET, colours, contrast

THEMES = ("light", "dark")
BACKGROUNDS = ("surface", "bg", "sunken", "hover", "accent-soft", "mute-soft", "raised")
TEXTS = {
    "text": BACKGROUNDS,
    "text-2": BACKGROUNDS,
    "text-3": BACKGROUNDS,
    "accent": BACKGROUNDS,
    "ok": (*BACKGROUNDS, "ok-soft"),
    "warn": (*BACKGROUNDS, "warn-soft"),
    "bad": (*BACKGROUNDS, "bad-soft"),
    "on-accent": ("accent", "accent-hover"),
}
SHAPES = {
    "line-ctl": ("surface", "bg"),
    **dict.fromkeys(("ok-fill", "warn-fill", "bad-fill", "bar", "mark"), ("surface",)),
    **dict.fromkeys(("age-0", "age-1", "age-2", "age-3", "age-4"), ("surface",)),
}
PAIRS = [
    (token, background, limit)
    for group, limit in ((TEXTS, 4.5), (SHAPES, 3.0))
    for token, backgrounds in group.items()
    for background in backgrounds
]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("token,background,limit", PAIRS)
def test_a_colour_stands_out_from_what_it_is_drawn_on(theme, token, background, limit):
    colour = colours(SHEET.read_text(), theme)

    assert contrast(colour[token], colour[background]) >= limit


def test_contrast_is_measured_as_the_standard_measures_it():
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.478, abs=0.001)
    assert contrast("#0B5A8A", "#0B5A8A") == 1


def test_text_on_soft_tones_stays_readable():
    for theme in THEMES:
        colour = colours(SHEET.read_text(), theme)
        for soft in ("ok-soft", "warn-soft", "bad-soft", "accent-soft"):
            assert contrast(colour["text"], colour[soft]) >= 4.5

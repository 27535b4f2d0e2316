"""What the strict content security policy and the small page weight rest on."""

import gzip
import re

import pytest

from bokio_app.core.templatetags.ui import NOTE_ICONS, STATES

from .tokens import ROOT, SHEET

STATIC = ROOT / "static"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((STATIC / "js").rglob("*.js"))
SYMBOLS = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
COMMENT = re.compile(r"\{#.*?#\}|\{% comment.*?endcomment %\}", re.DOTALL)
FORBIDDEN = {
    "a style attribute": re.compile(r"\sstyle\s*="),
    "a style block": re.compile(r"<style\b"),
    "a script without an address": re.compile(r"<script\b(?![^>]*\bsrc=)"),
    "an inline handler": re.compile(r"\s(on[a-z]+|hx-on[\w:-]*)\s*="),
    "a script address": re.compile(r"javascript:"),
    "another host's file": re.compile(
        r"""<(script|link|img|iframe)\b[^>]*(src|href)=["']?(https?:)?//"""
    ),
}


def name(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_a_template_has_nothing_inline_and_nothing_from_elsewhere(path):
    markup = COMMENT.sub("", path.read_text())

    found = [what for what, pattern in FORBIDDEN.items() if pattern.search(markup)]

    assert found == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_every_icon_a_template_names_is_in_the_sprite(path):
    markup = path.read_text()
    named = set(re.findall(r"""\{% icon "([\w-]+)\"""", markup))
    named |= set(re.findall(r"""\bicon="([\w-]+)\"""", markup))

    assert named <= SYMBOLS


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_every_state_a_template_names_exists(path):
    named = set(re.findall(r"""\{% (?:glyph|badge|mark) "([\w-]+)\"""", path.read_text()))

    assert named <= set(STATES)


def test_every_state_and_note_has_its_drawing():
    assert {f"g-{state.glyph}" for state in STATES.values()} <= SYMBOLS
    assert set(NOTE_ICONS.values()) <= SYMBOLS


def test_the_style_sheet_loads_only_files_that_lie_beside_it():
    addresses = re.findall(r"""url\(["']?([^"')]+)""", SHEET.read_text())

    assert addresses
    assert [a for a in addresses if not (STATIC / a).is_file()] == []
    assert "@import" not in SHEET.read_text()


def test_the_look_is_light_enough_for_a_slow_line():
    assert len(gzip.compress(SHEET.read_bytes())) < 25_000
    assert (STATIC / "fonts" / "inter.woff2").stat().st_size < 60_000
    assert (
        sum(len(gzip.compress(path.read_bytes())) for path in SCRIPTS) < 18_000
    )  # no page has all


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_a_behaviour_is_small_and_needs_no_eval(path):
    script = path.read_text()

    assert len(script.splitlines()) < 150
    assert re.search(r"\b(eval|Function)\(|innerHTML|https?://", script) is None


def test_what_others_drew_comes_with_its_licence():
    assert "SIL OPEN FONT LICENSE" in (STATIC / "fonts" / "inter.LICENSE.txt").read_text()
    assert "ISC License" in (STATIC / "icons.LICENSE.txt").read_text()

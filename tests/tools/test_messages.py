"""A text without Swedish, or Swedish that nobody compiled, does not pass."""

from pathlib import Path

import pytest

from tools import messages
from tools.messages import Catalogue

pytestmark = pytest.mark.slow

SHOP = Catalogue(name="shop", sources=("templates",), without=("templates/other",), locale="locale")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one translated text, and a neighbour's that is none of its business."""
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    write(tmp_path, "templates/page.html", '{% translate "Send" %}')
    write(tmp_path, "templates/other/page.html", '{% translate "Elsewhere" %}')
    messages.update(SHOP)
    translate(tmp_path, 'msgid "Send"\nmsgstr ""', 'msgid "Send"\nmsgstr "Skicka"')
    messages.update(SHOP)
    return tmp_path


def write(project: Path, name: str, text: str) -> None:
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{% load i18n %}" + text)


def translate(project: Path, old: str, new: str) -> None:
    path = project / "locale" / "sv" / "LC_MESSAGES" / "django.po"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_complete_translation_passes() -> None:
    assert messages.check(SHOP) == []


def test_a_new_text_without_swedish_is_named(project: Path) -> None:
    write(project, "templates/new.html", '{% translate "Refuse" %}')

    assert messages.check(SHOP) == ['shop: no Swedish: "Refuse"']


def test_a_guessed_translation_is_named(project: Path) -> None:
    translate(project, '#: templates/page.html\nmsgid "Send"', '#, fuzzy\nmsgid "Send"')

    assert 'shop: fuzzy: "Send"' in messages.check(SHOP)


def test_a_translation_that_was_not_compiled_is_told(project: Path) -> None:
    translate(project, '"Skicka"', '"Sänd"')

    assert messages.check(SHOP) == ["shop: the .mo file is older than the .po file"]


def test_a_placeholder_lost_in_translation_ends_the_check(project: Path) -> None:
    text = "{% blocktranslate %}Send {{ number }}{% endblocktranslate %}"
    write(project, "templates/page.html", text)
    messages.update(SHOP)
    source = 'msgid "Send %(number)s"\n'
    translate(project, source + 'msgstr ""', source + 'msgstr "Skicka"')

    with pytest.raises(SystemExit, match="number"):
        messages.check(SHOP)


def test_a_missing_gettext_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(messages.MissingToolError, match="apt-get install gettext"):
        messages.run(["msgfmt", "--version"], messages.ROOT)

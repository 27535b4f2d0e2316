"""The user's guide: the same pages in both languages, and no link or picture that leads nowhere."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tools.programs import ROOT

DOCS = ROOT / "docs"
SWEDISH, ENGLISH = DOCS / "guide" / "sv", DOCS / "guide" / "en"
PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])
PICTURES = sorted((DOCS / "pictures").glob("*.png"))
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```", flags=re.MULTILINE | re.DOTALL)
MOST_BYTES = 6_000_000


def names(folder: Path) -> set[str]:
    return {page.name for page in folder.glob("*.md")}


def headings(page: Path) -> list[str]:
    """The marks of the headings, in their order."""
    return re.findall(r"^#+(?= )", page.read_text(encoding="utf-8"), flags=re.MULTILINE)


def targets(page: Path) -> list[Path]:
    """The files here that the page links to or shows."""
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    links = map(urlsplit, LINK.findall(text))
    return [(page.parent / link.path).resolve() for link in links if link.path and not link.scheme]


def test_both_languages_have_the_same_pages() -> None:
    assert names(SWEDISH) == names(ENGLISH) != set()


@pytest.mark.parametrize("name", sorted(names(SWEDISH) & names(ENGLISH)))
def test_a_page_has_the_same_headings_and_pictures_in_both_languages(name: str) -> None:
    swedish, english = SWEDISH / name, ENGLISH / name

    assert headings(swedish) == headings(english)
    shown = [
        [each for each in targets(page) if each.suffix == ".png"] for page in (swedish, english)
    ]
    assert shown[0] == shown[1]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_and_picture_of_a_page_is_there(page: Path) -> None:
    assert [each for each in targets(page) if not each.exists()] == []


def test_every_page_of_the_guide_is_in_its_contents() -> None:
    for folder in (SWEDISH, ENGLISH):
        assert names(folder) - {"README.md"} <= {
            each.name for each in targets(folder / "README.md")
        }


def test_every_picture_is_shown_somewhere_and_together_they_are_small() -> None:
    shown = {target for page in PAGES for target in targets(page)}

    assert [each.name for each in PICTURES if each.resolve() not in shown] == []
    assert sum(each.stat().st_size for each in PICTURES) <= MOST_BYTES

"""What the frame around every page shows: navigation, workspace, theme."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

THEMES = ("light", "dark", "system")
THEME_COOKIE = "theme"


@dataclass(frozen=True)
class NavItem:
    """One link of the navigation. `count` and `warn` are None or a number to show."""

    label: str
    url: str
    icon: str
    current: bool
    key: str = ""
    count: int | None = None
    warn: int | None = None


def nav_groups(path: str) -> list[tuple[str, list[NavItem]]]:
    """The side navigation: (heading, links); the heading of the first group is empty."""

    def item(label: str, name: str, icon: str, key: str) -> NavItem:
        url = reverse(name)
        current = path == url if url == "/" else path.startswith(url)
        return NavItem(label=label, url=url, icon=icon, current=current, key=key)

    return [
        (
            "",
            [
                item(_("Start"), "start", "inbox", "g s"),
                item(_("Invoices"), "invoicing:list", "receipt-text", "g f"),
                item(_("Runs"), "flows:list", "list-checks", "g k"),
            ],
        ),
        (_("The agency"), [item(_("Companies"), "connections:list", "building-2", "g o")]),
    ]


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context of every page; nothing is computed before a template asks for it."""
    theme = request.COOKIES.get(THEME_COOKIE, "system")
    groups = SimpleLazyObject(lambda: nav_groups(request.path))
    return {
        "theme": theme if theme in THEMES else "system",
        "nav_groups": groups,
        "nav_phone": SimpleLazyObject(lambda: [item for _, items in groups for item in items]),
    }

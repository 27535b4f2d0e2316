"""What the frame around every page shows: navigation, workspace, theme."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

THEMES = ("light", "dark", "system")
THEME_COOKIE = "theme"
PHONE_TABS = 4  # beside *More*, which opens the whole side


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


def nav_groups(path: str, *, is_owner: bool = False) -> list[tuple[str, list[NavItem]]]:
    """The side navigation: (heading, links); the heading of the first group is empty."""

    def item(label: str, name: str, icon: str, key: str) -> NavItem:
        url = reverse(name)
        current = path == url if url == "/" else path.startswith(url)
        if name == "connections:list" and path.startswith(reverse("connections:members")):
            current = False
        return NavItem(label=label, url=url, icon=icon, current=current, key=key)

    agency = [item(_("Companies"), "connections:list", "building-2", "g o")]
    if is_owner:
        agency.append(item(_("Members"), "connections:members", "users", ""))
    agency.append(item(_("Workspace"), "workspace:workspace", "settings", ""))
    return [
        (
            "",
            [
                item(_("Start"), "start", "inbox", "g s"),
                item(_("Invoices"), "invoicing:list", "receipt-text", "g f"),
                item(_("Runs"), "flows:list", "list-checks", "g k"),
            ],
        ),
        (
            _("Registers"),
            [
                item(_("Customers"), "customers:list", "users", "g c"),
                item(_("Items"), "items:list", "package", "g i"),
            ],
        ),
        (_("The agency"), agency),
    ]


def _is_owner(request: HttpRequest) -> bool:
    tenant = getattr(request, "tenant", None)
    return bool(tenant and tenant.seen_by and tenant.seen_by.is_owner)


def _unseen(request: HttpRequest) -> int:
    """How many notices of the workspace the person has not seen; counted with the workspace."""
    tenant = getattr(request, "tenant", None)
    return tenant.seen_by.unseen_notices if tenant and tenant.seen_by else 0


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context of every page; nothing is computed before a template asks for it."""
    theme = request.COOKIES.get(THEME_COOKIE, "system")
    groups = SimpleLazyObject(lambda: nav_groups(request.path, is_owner=_is_owner(request)))
    return {
        "theme": theme if theme in THEMES else "system",
        "sign_up_is_open": settings.SIGN_UP,
        "nav_groups": groups,
        "unseen_notices": partial(_unseen, request),
        "nav_phone": SimpleLazyObject(lambda: [*groups[0][1], *groups[-1][1]][:PHONE_TABS]),
    }

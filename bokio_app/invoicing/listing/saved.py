"""Saved views and settings of the list: what a member sees of them, and can do to them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import replace

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import QueryDict

from bokio_app.tenants.models import Member, Tenant

from .asked import Asked
from .columns import BY_NAME
from .kept import Height, ListSettings, SavedView

MOST_VIEWS = 30  # more than fit a row of tabs


class TooManyViews(Exception):
    """The member sees as many views as there may be."""


def views_of(tenant: Tenant, member: Member | None) -> QuerySet[SavedView]:
    """The member's own and the shared ones, of companies that the member may see."""
    if member is None:
        return tenant.list_views.none()
    theirs = tenant.list_views.filter(Q(member=member) | Q(member=None))
    return theirs.select_related("connection")


def asked_by(view: SavedView) -> Asked:
    """The filter of a view."""
    asked = Asked.of(QueryDict(view.query), company=view.connection)
    return replace(asked, saved=view.pk, after="")


def settings_of(member: Member | None) -> ListSettings:
    """The member's, or those of somebody who has changed nothing."""
    found = ListSettings.objects.filter(member=member).select_related("default_view__connection")
    return (found.first() if member else None) or ListSettings(member=member)


def create(
    member: Member, asked: Asked, *, name: str, is_shared: bool, key: uuid.UUID
) -> SavedView:
    """Save the filter; the same form sent again is the same view. Raises `TooManyViews`."""
    is_sent_again = SavedView.objects.filter(tenant_id=member.tenant_id, request_key=key).exists()
    if not is_sent_again and views_of(member.tenant, member).count() >= MOST_VIEWS:
        raise TooManyViews
    made, _is_new = SavedView.objects.get_or_create(
        tenant_id=member.tenant_id,
        request_key=key,
        defaults={
            "member": None if is_shared else member,
            "connection": asked.company,
            "name": name,
            "query": kept_query(asked),
            "columns": settings_of(member).columns,
        },
    )
    return made


@transaction.atomic
def change(view: SavedView, member: Member, *, name: str, is_shared: bool) -> None:
    """Rename, share or keep for oneself; others then see it no longer."""
    view.name, view.member = name, None if is_shared else member
    view.save(update_fields=["name", "member"])
    if not is_shared:
        others = ListSettings.objects.filter(default_view=view).exclude(member=member)
        others.update(default_view=None)


def keep_filter(view: SavedView, asked: Asked) -> None:
    """Let the view show this filter from now on."""
    view.query, view.connection = kept_query(asked), asked.company
    view.save(update_fields=["query", "connection"])


def is_changed(view: SavedView, asked: Asked) -> bool:
    """Whether the list shows another filter than the view keeps."""
    return (view.query, view.connection) != (kept_query(asked), asked.company)


def as_form(view: SavedView, member: Member) -> dict[str, object]:
    """What the form of the view shows."""
    is_default = ListSettings.objects.filter(member=member, default_view=view).exists()
    return {"name": view.name, "is_shared": view.is_shared, "is_default": is_default}


def make_default(member: Member, view: SavedView, *, is_default: bool) -> None:
    """Show the view when nothing is asked for, or no longer."""
    if is_default:
        ListSettings.objects.update_or_create(member=member, defaults={"default_view": view})
    else:
        ListSettings.objects.filter(member=member, default_view=view).update(default_view=None)


def keep_look(
    member: Member, *, columns: Iterable[str], height: str, view: SavedView | None
) -> None:
    """Keep the row height, and the columns: of the view that is shown, else the member's own."""
    names = [name for name in BY_NAME if name in set(columns)]
    values: dict[str, object] = {"height": height if height in Height.values else Height.NORMAL}
    if view:
        SavedView.objects.filter(pk=view.pk).update(columns=names)
    else:
        values["columns"] = names
    ListSettings.objects.update_or_create(member=member, defaults=values)


def kept_query(asked: Asked) -> str:
    """What a view keeps of a filter: not the place, and not the view that it was made from."""
    return replace(asked, saved=None, after="").query()

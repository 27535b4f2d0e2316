"""What is kept of how people look at the list: their columns and row height, and saved views."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import QuerySet, UniqueConstraint
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from bokio_app.tenants.seen import SeenManager

LONGEST_NAME = 60


class ViewManager(SeenManager["SavedView"]):
    """Views of the companies that a member may see, and those of no one company."""

    def get_queryset(self) -> QuerySet[SavedView]:
        """All rows, or those of a tenant that a member looks at."""
        return super().get_queryset() | models.Manager.get_queryset(self).filter(connection=None)


class Height(models.TextChoices):
    """Of a row; pages know them by these names."""

    TIGHT = "tight", pgettext_lazy("row height", "Tight")
    NORMAL = "normal", pgettext_lazy("row height", "Normal")
    AIRY = "airy", pgettext_lazy("row height", "Airy")


class SavedView(models.Model):
    """A filter of the list with its order and columns, by a name; one member's, or everybody's.

    `query` says it as an address does, without the company.
    """

    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="list_views")
    member = models.ForeignKey(
        "tenants.Member",
        models.CASCADE,
        null=True,
        related_name="list_views",
        help_text="whose it is; nobody's when it is shared",
    )
    connection = models.ForeignKey(
        "connections.Connection",
        models.CASCADE,
        null=True,
        related_name="+",
        help_text="the one company that it shows",
    )
    name = models.CharField(_("name"), max_length=LONGEST_NAME)
    query = models.TextField(blank=True)
    columns = models.JSONField(default=list, blank=True, help_text="none: as the member has them")
    request_key = models.UUIDField(default=uuid.uuid4, help_text="of the form that made it")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ViewManager()

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["pk"]
        constraints = [
            UniqueConstraint(fields=["tenant", "request_key"], name="saved_view_once_per_form")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_shared(self) -> bool:
        return self.member_id is None


class ListSettings(models.Model):
    """How one member looks at the list. Without a row everything is as it comes."""

    member = models.OneToOneField(
        "tenants.Member", models.CASCADE, related_name="list_settings", primary_key=True
    )
    columns = models.JSONField(default=list, blank=True)
    height = models.CharField(max_length=10, choices=Height.choices, default=Height.NORMAL)
    default_view = models.ForeignKey(
        SavedView,
        models.SET_NULL,
        null=True,
        related_name="+",
        help_text="shown when nothing is asked for",
    )

    def __str__(self) -> str:
        return f"list of {self.member_id}"

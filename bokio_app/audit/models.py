"""Who did what, to what, and when: written once, inside the transaction that does it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _


class AppendOnly(Exception):
    """Somebody tried to change or remove a line of the audit trail."""


class Event(models.Model):
    """One line of the audit trail. `actor` is empty when the app acted by itself."""

    tenant = models.ForeignKey(
        "tenants.Tenant", models.PROTECT, related_name="events", verbose_name=_("workspace")
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("person")
    )
    action = models.CharField(_("act"), max_length=60)
    subject = models.CharField(
        _("subject"), max_length=80, help_text="kind:id of what was acted upon"
    )
    data = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [models.Index(fields=["tenant", "subject", "-at"], name="event_subject")]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly("An event is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnly("An event is never removed.")

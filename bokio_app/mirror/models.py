"""When the copy of a company's books is to be read again."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Mirror(models.Model):
    """The timetable of one company. How far each list has come is in `flows.Listing`.

    `next_at` is the earlier of the two, and what is asked for by all who look what is due.
    """

    connection = models.OneToOneField(
        "connections.Connection",
        models.CASCADE,
        primary_key=True,
        related_name="mirror",
        verbose_name=_("connection"),
    )
    next_at = models.DateTimeField(_("next reading"), db_index=True)
    all_at = models.DateTimeField(_("all lists"))
    open_at = models.DateTimeField(_("open invoices"))
    asked_at = models.DateTimeField(null=True, help_text="when a person last asked for a reading")
    started = models.PositiveIntegerField(default=0, help_text="flows so far, to number them")

    class Meta:
        verbose_name = _("timetable")
        verbose_name_plural = _("timetables")

    def __str__(self) -> str:
        return str(self.connection)

"""Connections and the grants (tokens) under them."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from bokio_app.core import clock, crypto
from bokio_app.core.personal import without_last_four


class State(models.TextChoices):
    """Whether the company's leave still holds."""

    ACTIVE = "active", pgettext_lazy("connection", "Working")
    BROKEN = "broken", _("Needs reconnecting")  # Bokio refused the refresh token
    ENDED = "ended", _("Disconnected")


class Connection(models.Model):
    """One company's leave for us to act in Bokio. It outlives every token issued under it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(
        "tenants.Tenant", models.PROTECT, related_name="connections", verbose_name=_("workspace")
    )
    company_id = models.UUIDField(
        _("company at Bokio"), help_text="`tenant_id` in Bokio's token response"
    )
    remote_id = models.UUIDField(
        _("Bokio's id"), null=True, help_text="`connection_id` in Bokio's token response"
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.ACTIVE)
    scopes = models.JSONField(
        _("permissions"), default=list, help_text="what was asked for; Bokio returns none"
    )
    generation = models.PositiveBigIntegerField(
        _("pair of tokens"), default=0, help_text="newest row of `TokenGrant`"
    )

    name = models.CharField(_("name"), max_length=200, blank=True)
    org_number = models.CharField(_("organisation number"), max_length=40, blank=True)
    read_at = models.DateTimeField(
        _("read from Bokio"), null=True, help_text="when the company was last read from Bokio"
    )

    refresh_owner = models.UUIDField(null=True, help_text="who is refreshing the token now")
    refresh_until = models.DateTimeField(_("renewing until"), null=True)
    blocked_until = models.DateTimeField(
        _("waits until"), null=True, help_text="Bokio asked us to wait till then"
    )
    blocked_by = models.CharField(
        _("told to wait by"), max_length=60, blank=True, help_text="Bokio's code for it"
    )
    served_at = models.DateTimeField(
        _("last worked for"), null=True, help_text="when a worker last took work for it"
    )

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        ordering = ["name", "created_at"]
        constraints = [
            UniqueConstraint(
                fields=["company_id"], condition=~Q(state="ended"), name="connection_one_live"
            ),
            CheckConstraint(
                condition=~Q(state="active") | Q(generation__gt=0),
                name="connection_active_has_grant",
            ),
        ]

    def __str__(self) -> str:
        return self.name or str(self.company_id)

    @property
    def is_active(self) -> bool:
        return self.state == State.ACTIVE

    @property
    def shown_number(self) -> str:
        """The organisation number for pages: a sole trader's is a person's, shown in part."""
        return without_last_four(self.org_number)


class TokenGrant(models.Model):
    """One pair of tokens. Rows are added, never changed: a rotated pair is never thrown away."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="grants")
    generation = models.PositiveBigIntegerField(_("pair of tokens"))
    access = models.BinaryField()
    refresh = models.BinaryField()
    expires_at = models.DateTimeField(_("expires"))
    received_at = models.DateTimeField(_("received"), auto_now_add=True)

    class Meta:
        constraints = [
            UniqueConstraint(fields=["connection", "generation"], name="grant_generation_once"),
        ]

    def __str__(self) -> str:
        return f"{self.connection_id} #{self.generation}"

    @classmethod
    def sealed(
        cls,
        connection: Connection,
        *,
        generation: int,
        access_token: str,
        refresh_token: str,
        expires_at: datetime,
    ) -> TokenGrant:
        """An unsaved row whose tokens are encrypted for exactly this connection and generation."""
        row = cls(connection=connection, generation=generation, expires_at=expires_at)
        row.access = crypto.encrypt(access_token, place=row._place("access"))
        row.refresh = crypto.encrypt(refresh_token, place=row._place("refresh"))
        return row

    @property
    def access_token(self) -> str:
        return crypto.decrypt(bytes(self.access), place=self._place("access"))

    @property
    def refresh_token(self) -> str:
        return crypto.decrypt(bytes(self.refresh), place=self._place("refresh"))

    def _place(self, field: str) -> str:
        tenant_id = self.connection.tenant_id
        return f"grant/{tenant_id}/{self.connection_id}/{field}/{self.generation}"


class Usage(models.Model):
    """What we have used of a company's allowance at Bokio, written now and then by each worker.

    A row of its own, so that counting never waits for those who take work of the connection.
    """

    connection = models.OneToOneField(
        Connection, models.CASCADE, primary_key=True, related_name="usage"
    )
    month = models.DateField(null=True, help_text="the first day of the month counted")
    calls = models.PositiveIntegerField(_("calls this month"), default=0)
    day = models.DateField(null=True)
    failures = models.PositiveIntegerField(_("refused calls today"), default=0)
    refused_as = models.CharField(
        _("last refusal"), max_length=80, blank=True, help_text="status and operation"
    )
    refusals = models.PositiveIntegerField(
        _("equal refusals in a row"), default=0, help_text="back to 0 when the operation succeeds"
    )
    refused_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"usage of {self.connection_id}"

    @property
    def calls_this_month(self) -> int:
        return self.calls if self.month == clock.today().replace(day=1) else 0

    @property
    def failures_today(self) -> int:
        return self.failures if self.day == clock.today() else 0


class ConnectAttempt(models.Model):
    """A consent under way: what `state` stands for, usable once, by the browser that began it."""

    state_hash = models.CharField(max_length=64, unique=True)
    browser_hash = models.CharField(max_length=64, help_text="of the session that began it")
    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    company_id = models.UUIDField(null=True, help_text="the company asked for, when reconnecting")
    scopes = models.JSONField(default=list)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.tenant} {self.expires_at:%Y-%m-%d %H:%M}"

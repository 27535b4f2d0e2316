"""Connections and the grants (tokens) under them."""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import partial

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from bokio_app.core import clock, crypto, sealing
from bokio_app.core.personal import without_last_four
from bokio_app.tenants.seen import SeenCompanies

from .causes import TABLE, Cause, Words
from .invitation_rows import ConnectAttempt, Invitation

__all__ = [
    "Cause",
    "CompanyAccess",
    "ConnectAttempt",
    "Connection",
    "Invitation",
    "Kind",
    "Leaving",
    "Notice",
    "RollCall",
    "State",
    "TokenGrant",
    "Usage",
]


class State(models.TextChoices):
    """Whether the company's leave still holds."""

    ACTIVE = "active", pgettext_lazy("connection", "Working")
    BROKEN = "broken", _("Needs reconnecting")  # Bokio refused the refresh token
    ENDING = "ending", _("Being disconnected")  # nothing is sent any more, but that it ends
    ENDED = "ended", _("Disconnected")


class Kind(models.TextChoices):
    """How the company lets us in."""

    CONSENT = "consent", _("Consent")
    PRIVATE = "private", _("Private integration")


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
    broken_by = models.CharField(
        _("broken by"), max_length=20, choices=Cause.choices, blank=True, default="", db_default=""
    )
    broken_at = models.DateTimeField(_("broken since"), null=True)
    hindered_by = models.CharField(
        _("hindered by"),
        max_length=20,
        choices=Cause.choices,
        blank=True,
        default="",
        db_default="",
    )
    hindered_at = models.DateTimeField(_("hindered since"), null=True)
    hindrance_told = models.BooleanField(default=False, db_default=False)
    lacks = models.JSONField(_("lacking permissions"), default=list, db_default=[])
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.CONSENT)
    is_proven = models.BooleanField(
        _("proven"), default=True, help_text="Bokio has let us into this very company"
    )
    scopes = models.JSONField(
        _("permissions"),
        default=list,
        help_text="what was asked for, as Bokio returns none; empty when it is not known",
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

    objects = SeenCompanies()

    class Meta:
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        ordering = ["name", "created_at"]
        constraints = [
            UniqueConstraint(
                fields=["company_id"],
                condition=~Q(state="ended") & Q(is_proven=True),
                name="connection_one_live",
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
    def is_private(self) -> bool:
        return self.kind == Kind.PRIVATE

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
        row.access = crypto.encrypt(access_token, place=row.place("access"))
        row.refresh = crypto.encrypt(refresh_token, place=row.place("refresh"))
        return row

    @property
    def access_token(self) -> str:
        return crypto.decrypt(bytes(self.access), place=self.place("access"))

    @property
    def refresh_token(self) -> str:
        return crypto.decrypt(bytes(self.refresh), place=self.place("refresh"))

    def place(self, field: str) -> str:
        """What the token in this field is bound to."""
        tenant_id = self.connection.tenant_id
        return f"grant/{tenant_id}/{self.connection_id}/{field}/{self.generation}"


for _field in ("access", "refresh"):
    sealing.register(
        sealing.BytesColumn(
            "grant",
            TokenGrant.objects.select_related("connection"),
            _field,
            place=partial(TokenGrant.place, field=_field),
        )
    )


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
    calls_of_day = models.PositiveIntegerField(_("calls of the day"), default=0)
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
    def calls_today(self) -> int:
        return self.calls_of_day if self.day == clock.today() else 0

    @property
    def failures_today(self) -> int:
        return self.failures if self.day == clock.today() else 0


class Leaving(models.Model):
    """A company on its way out: a person has asked for it, and workers carry it out."""

    class Stage(models.TextChoices):
        EMPTYING = "emptying", _("Work is being ended")
        CLOSING = "closing", _("Bokio is being told")
        DONE = "done", _("Disconnected")
        CALLED_OFF = "called_off", _("Called off")  # somebody has connected it again meanwhile

    class Remote(models.TextChoices):
        """What became of the connection at Bokio."""

        ENDED = "ended", _("Ended at Bokio")
        GONE = "gone", _("Was gone at Bokio already")
        KEPT = "kept", _("Kept at Bokio: a newer connection here uses it")
        REFUSED = "refused", _("Bokio did not let us end it")
        NONE = "none", _("Bokio keeps none for a private integration")

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="leavings")
    stage = models.CharField(max_length=10, choices=Stage.choices, default=Stage.EMPTYING)
    finishes_first = models.BooleanField(help_text="queued work is done before, not cancelled")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    not_before = models.DateTimeField(help_text="when a worker looks again; also its lease")
    tries = models.PositiveSmallIntegerField(default=0, help_text="requests sent to end it")
    failure = models.CharField(max_length=60, blank=True, help_text="why the last one was in vain")
    remote = models.CharField(max_length=10, choices=Remote.choices, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            UniqueConstraint(
                fields=["connection"],
                condition=Q(stage__in=["emptying", "closing"]),
                name="leaving_once_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.connection}: {self.stage}"

    @property
    def is_open(self) -> bool:
        return self.stage in {self.Stage.EMPTYING, self.Stage.CLOSING}


class Notice(models.Model):
    """Word to one person of something that happened to a company, or to the whole workspace; the
    mail of it is due until it is sent.
    """

    class Kind(models.TextChoices):
        BROKE = "broke", _("Needs you")
        LASTING = "lasting", _("Still at rest")
        RECOVERED = "recovered", _("Works again")
        GIVEN_UP = "given_up", _("Moved to another workspace")
        TAKEN_OVER = "taken_over", _("Moved here from another workspace")
        CLOSED = "closed", _("Workspace closed")
        OPENED = "opened", _("Workspace opened again")

    class Mail(models.TextChoices):
        DUE = "due", "due"
        SENT = "sent", "sent"
        NONE = "none", "none"  # over before anybody was written to

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices")
    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="+")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+", null=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    cause = models.CharField(max_length=20, choices=Cause.choices, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(null=True)
    mail = models.CharField(max_length=5, choices=Mail.choices, default=Mail.DUE)
    mail_group = models.UUIDField(null=True, help_text="notices that one mail tells of")
    mail_not_before = models.DateTimeField(help_text="when it is tried again; also its lease")

    class Meta:
        indexes = [
            models.Index(fields=["person", "tenant", "-id"], name="notice_of_person"),
            models.Index(
                fields=["mail_not_before"], condition=Q(mail="due"), name="notice_mail_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.about} → {self.person}"

    @property
    def about(self) -> str:
        """The name of the company, or of the workspace."""
        return str(self.connection or self.tenant)

    @property
    def words(self) -> Words | None:
        return TABLE[Cause(self.cause)] if self.cause else None


class RollCall(models.Model):
    """One comparison of our connections with those that Bokio lists; one for each period."""

    period = models.BigIntegerField(unique=True, help_text="since 1970, counted in periods")
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    listed = models.PositiveIntegerField(default=0, help_text="connections that Bokio has")
    missing = models.PositiveIntegerField(default=0, help_text="of ours that it has no more")

    def __str__(self) -> str:
        return f"{self.begun_at:%Y-%m-%d %H:%M}: {self.missing} of {self.listed}"


class CompanyAccess(models.Model):
    """A company that a member may see who does not see all of the workspace's."""

    member = models.ForeignKey("tenants.Member", models.CASCADE, related_name="company_access")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="member_access")
    given_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            UniqueConstraint(fields=["member", "connection"], name="company_access_once"),
        ]

    def __str__(self) -> str:
        return f"{self.member}: {self.connection}"

"""Who may use the API: applications, connections, codes, tokens; and the sandbox's own state."""

import uuid

from django.db import models

from bokio_app.sandbox.models.companies import Company, Person


class Application(models.Model):
    """A registered integration, as Bokio's developer portal would hold it.

    A private one belongs to one company (`private_to`), has a lasting token instead of OAuth,
    and a monthly allowance of calls.
    """

    client_id = models.UUIDField(unique=True)
    secret_hash = models.CharField(max_length=64)
    name = models.CharField(max_length=80)
    redirect_uris = models.JSONField(default=list)
    connect_url = models.CharField(max_length=500, blank=True)
    disconnect_url = models.CharField(max_length=500, blank=True)
    approved_for_bank_payments = models.BooleanField(default=False)
    private_to = models.ForeignKey(
        Company, models.CASCADE, null=True, related_name="private_applications"
    )

    def __str__(self) -> str:
        return self.name


class Connection(models.Model):
    """A company's leave for an application. Consenting again keeps the row and its `uuid`."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    application = models.ForeignKey(Application, models.CASCADE, related_name="connections")
    company = models.ForeignKey(Company, models.CASCADE, related_name="connections")
    person = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["application", "company"], name="connection_one_per_company"
            )
        ]

    def __str__(self) -> str:
        return f"{self.application} – {self.company}"


class AuthorizationCode(models.Model):
    code_hash = models.CharField(max_length=64, unique=True)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="codes")
    redirect_uri = models.CharField(max_length=500)
    scopes = models.JSONField(default=list)
    expires_at = models.DateTimeField()
    spent = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"code until {self.expires_at}"


class AccessToken(models.Model):
    """A bearer token. Without a connection it is a general one, for the General API alone.

    `expires_at` is None for the lasting token of a private integration.
    """

    token_hash = models.CharField(max_length=64, unique=True)
    application = models.ForeignKey(Application, models.CASCADE, related_name="tokens")
    connection = models.ForeignKey(Connection, models.CASCADE, null=True, related_name="tokens")
    scopes = models.JSONField(default=list)
    expires_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"access until {self.expires_at}"


class RefreshToken(models.Model):
    token_hash = models.CharField(max_length=64, unique=True)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="refresh_tokens")
    scopes = models.JSONField(default=list)
    uses = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"refresh used {self.uses} times"


class Usage(models.Model):
    """How many calls a connection made on a calendar day, and how many of them failed."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="usage")
    day = models.DateField()
    calls = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "day"], name="usage_one_per_day")
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.calls}"


class State(models.Model):
    """One row: how far the clock has been moved, and which switches differ from the default."""

    clock_seconds = models.FloatField(default=0)
    switches = models.JSONField(default=dict)

    def __str__(self) -> str:
        return "state"

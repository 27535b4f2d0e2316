"""Invitations, and consents under way: what lets somebody in who has no place here yet."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, Q

from bokio_app.tenants.models import Role


class Invitation(models.Model):
    """A link that works once: a client connects a company by it, a colleague joins the workspace.

    Who has a `role` in it is a colleague. A client's holds `scopes`, and what came of it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="invitations")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    for_name = models.CharField(max_length=120, blank=True, help_text="as its maker called it")
    email = models.EmailField(blank=True)
    scopes = models.JSONField(default=list)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    connection = models.ForeignKey(
        "connections.Connection", models.SET_NULL, null=True, help_text="what came of it"
    )
    role = models.CharField(
        max_length=10, choices=Role.choices, blank=True, default="", db_default=""
    )
    sees_all = models.BooleanField(default=True, db_default=True)
    companies = models.ManyToManyField(
        "connections.Connection", related_name="+", help_text="otherwise these"
    )
    language = models.CharField(
        max_length=5, default="sv", db_default="sv", help_text="of its mail, for a new person"
    )

    class Meta:
        constraints = [
            CheckConstraint(
                condition=Q(role="") | ~Q(email=""), name="invitation_of_colleague_has_address"
            ),
            CheckConstraint(
                condition=~Q(role="owner") | Q(sees_all=True), name="invitation_owner_sees_all"
            ),
        ]

    def __str__(self) -> str:
        return self.for_name or self.email or str(self.pk)

    @property
    def is_for_colleague(self) -> bool:
        return bool(self.role)


class ConnectAttempt(models.Model):
    """A consent under way: what `state` stands for, usable once, by the browser that began it."""

    state_hash = models.CharField(max_length=64, unique=True)
    browser_hash = models.CharField(max_length=64, help_text="of the session that began it")
    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True)
    invitation = models.ForeignKey(
        Invitation, models.CASCADE, null=True, help_text="by which it was begun, without an account"
    )
    company_id = models.UUIDField(null=True, help_text="the company asked for, if one was")
    scopes = models.JSONField(default=list)
    back_to = models.CharField(
        max_length=500, blank=True, help_text="where Bokio's marketplace wants the person back"
    )
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            CheckConstraint(
                condition=Q(user=None) ^ Q(invitation=None), name="attempt_of_member_or_invited"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tenant} {self.expires_at:%Y-%m-%d %H:%M}"

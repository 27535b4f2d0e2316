"""Tenants, their members, and the people who sign in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

NAME_LENGTH = 120


class UserManager(BaseUserManager["User"]):
    """People are known by their e-mail address; there are no user names."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """An account that an operator makes, who vouches for its address."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        with transaction.atomic(using=self._db):
            user.save(using=self._db)
            user.vouch()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """An operator: may open the admin console; a member of no workspace by that."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractUser):
    """A person who can sign in."""

    username = None  # type: ignore[assignment]  # Django's way to drop an inherited field
    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=NAME_LENGTH)

    language = models.CharField(
        _("language"),
        max_length=5,
        default="sv",
        db_default="sv",
        help_text="of mails to the person: the one that they last chose",
    )
    workspace_asked = models.CharField(
        max_length=NAME_LENGTH,
        blank=True,
        default="",
        db_default="",
        help_text="name of the workspace that the person gets by proving the address",
    )

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]  # typed for UserManager[User]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def vouch(self) -> None:
        """Take the address for the person's own without asking them by mail, in place of any
        that they had before.
        """
        address = self.email.lower()
        EmailAddress.objects.filter(user=self).exclude(email=address).delete()
        EmailAddress.objects.update_or_create(
            user=self, email=address, defaults={"verified": True, "primary": True}
        )

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return str(self).split(" ", maxsplit=1)[0]

    @property
    def initials(self) -> str:
        """Two letters for the small round mark beside a name."""
        words = str(self).replace("@", " ").split()
        return "".join(word[0] for word in (words[0], words[-1]) if word).upper()[: len(words)]


class Tenant(models.Model):
    """A customer of ours, called *workspace* on pages: usually a bookkeeping agency."""

    name = models.CharField(_("name"), max_length=NAME_LENGTH)
    slug = models.SlugField(unique=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    closed_at = models.DateTimeField(_("closed"), null=True, help_text="read-only from then on")
    closed_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("closed by")
    )
    finishes_first = models.BooleanField(
        default=True, db_default=True, help_text="queued work is done before, not cancelled"
    )
    erasing_at = models.DateTimeField(
        null=True, help_text="since when nothing can be kept any more"
    )
    erased_at = models.DateTimeField(_("erased"), null=True)

    # Who looks at it, where somebody does: see `seen.py`.
    seen_by: Member | None = None

    class Meta:
        verbose_name = _("workspace")
        verbose_name_plural = _("workspaces")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(erasing_at=None) | models.Q(closed_at__isnull=False),
                name="tenant_erased_when_closed",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def kept_until(self) -> datetime | None:
        """When the books of a closed workspace are erased; None for an open one."""
        days = timedelta(days=settings.WORKSPACE_KEPT_DAYS)
        return self.closed_at + days if self.closed_at else None


class Role(models.TextChoices):
    """What a member may do beside the work itself."""

    OWNER = "owner", _("Owner")  # says who may see which company
    MEMBER = "member", _("Member")


class Member(models.Model):
    """A person's place in a tenant."""

    tenant = models.ForeignKey(
        Tenant, models.CASCADE, related_name="members", verbose_name=_("workspace")
    )
    user = models.ForeignKey(
        User, models.CASCADE, related_name="memberships", verbose_name=_("person")
    )
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.MEMBER)
    sees_all = models.BooleanField(
        _("sees every company"), default=True, help_text="otherwise those given by the owner"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    # Counted where a page begins: see `middleware.py`.
    unseen_notices = 0

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user"], name="member_once_per_tenant"),
            models.CheckConstraint(
                condition=~models.Q(role="owner") | models.Q(sees_all=True),
                name="member_owner_sees_all",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.tenant}"

    @property
    def is_owner(self) -> bool:
        return self.role == Role.OWNER

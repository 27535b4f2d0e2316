"""Making workspaces."""

import secrets
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.dispatch import receiver
from django.utils.text import slugify

from .models import Member, Role, Tenant, User
from .signals import workspace_made


def create_workspace(name: str, *, owner: User) -> Tenant:
    """A workspace of its own, which the person owns and where they see every company."""
    slug = f"{slugify(name)[:40] or 'workspace'}-{secrets.token_hex(4)}"
    with transaction.atomic():
        tenant = Tenant.objects.create(name=name, slug=slug)
        Member.objects.create(tenant=tenant, user=owner, role=Role.OWNER)
        workspace_made.send(Tenant, tenant=tenant, by=owner)
    return tenant


@receiver(user_logged_in, dispatch_uid="tenants_make_workspace_asked")
def make_asked(user: object, **_kwargs: Any) -> None:
    """Make the workspace that was named at sign-up. Nobody signs in before the address is proved,
    so nobody makes workspaces with addresses of others.
    """
    if not isinstance(user, User) or not user.workspace_asked:
        return
    name, user.workspace_asked = user.workspace_asked, ""
    with transaction.atomic():
        waiting = User.objects.filter(pk=user.pk).exclude(workspace_asked="")
        if waiting.update(workspace_asked=""):
            create_workspace(name, owner=user)

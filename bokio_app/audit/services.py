"""Writing the audit trail."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.dispatch import receiver

from bokio_app.tenants.models import Tenant, User
from bokio_app.tenants.signals import workspace_made

from .models import Event


def record(
    action: str,
    *,
    tenant: Tenant | int,
    subject: str,
    subject_id: UUID | int | str,
    actor: User | int | None = None,
    **data: Any,
) -> Event:
    """Write one line, in the caller's transaction. `data` must hold no secret and no personal
    number: it is shown to the workspace's owners.
    """
    event = Event(
        **line(action, tenant=tenant, subject=subject, subject_id=subject_id, actor=actor, **data)
    )
    event.save(force_insert=True)
    return event


def record_all(lines: Iterable[Mapping[str, Any]]) -> None:
    """Write many lines, as `line` makes them, at once."""
    Event.objects.bulk_create(Event(**each) for each in lines)


def line(
    action: str,
    *,
    tenant: Tenant | int,
    subject: str,
    subject_id: UUID | int | str,
    actor: User | int | None = None,
    **data: Any,
) -> dict[str, Any]:
    """The same line by its columns, for whoever writes it together with other rows; its moment
    is that of the writing.
    """
    return {
        "tenant_id": tenant if isinstance(tenant, int) else tenant.pk,
        "actor_id": actor if isinstance(actor, int) or actor is None else actor.pk,
        "action": action,
        "subject": f"{subject}:{subject_id}",
        "data": data,
    }


@receiver(workspace_made, dispatch_uid="audit_of_new_workspaces")
def record_new_workspace(tenant: Tenant, by: User, **_kwargs: Any) -> None:
    """Begin the workspace's audit trail."""
    record("workspace.made", tenant=tenant, subject="workspace", subject_id=tenant.pk, actor=by)

"""A company that another workspace holds, and that a new consent brings here.

The consent proves the right: Bokio shows it to nobody but the company's administrators. Bokio has
one connection for a company and an integration, on which the new workspace stands from now on, so
it is never ended there. What the old workspace did stays with it.
"""

from __future__ import annotations

from bokio_app.audit.models import Event
from bokio_app.audit.services import record

from . import disconnecting
from .models import Connection
from .signals import company_taken_over, work_over

TAKEN_OVER = "connection.taken_over"


def give_up(old: Connection) -> None:
    """End the other workspace's connection, in the transaction that keeps the new consent: its
    tokens are erased, and of its runs those that had not begun are cancelled.
    """
    disconnecting.erase(old)
    disconnecting.call_off(old)
    work_over.send(Connection, connection=old)


def tell(old: Connection, connection: Connection) -> None:
    """Write it down for both, in the same transaction. Neither is told who the other is."""
    for action, each in (
        ("connection.given_up", old),
        (TAKEN_OVER, connection),
    ):
        record(
            action,
            tenant=each.tenant_id,
            subject="connection",
            subject_id=each.pk,
            company=str(each.company_id),
        )
    company_taken_over.send(Connection, old=old, connection=connection)


def moved_here(connection: Connection) -> bool:
    """Whether the company came to this workspace from another one, by its consent."""
    told = Event.objects.filter(tenant=connection.tenant_id, subject=f"connection:{connection.pk}")
    return told.filter(action=TAKEN_OVER).exists()

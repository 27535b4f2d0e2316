"""Connections, as the General API shows them to their application."""

import uuid

from bokio_app.sandbox import refusals
from bokio_app.sandbox.api import lists, shapes
from bokio_app.sandbox.api.registry import Audience, Context, operation
from bokio_app.sandbox.models import Connection
from bokio_app.sandbox.refusals import FieldError

PAGE_SIZE = 20
ONE = "/connections/{connectionId}"


@operation("GET", "/connections", "get-connections", audience=Audience.GENERAL)
def connections(context: Context) -> object:
    rows = context.application.connections.select_related("company")
    if tenant := context.call.query.get("tenantId"):
        try:
            rows = rows.filter(company__uuid=uuid.UUID(tenant))
        except ValueError:
            raise refusals.invalid(
                [FieldError("tenantId", "The tenantId parameter must be a UUID")]
            ) from None
    return lists.page(rows, context.call.query, shapes.connection, page_size=PAGE_SIZE)


def _find(context: Context) -> Connection:
    """The connection of the path: 404 where there is none, 403 where it is another's."""
    connection_id = context.id("connectionId", "connection")
    row = Connection.objects.select_related("company").filter(uuid=connection_id).first()
    if row is None:
        raise refusals.not_found("connection", connection_id)
    return row


@operation("GET", ONE, "get-connection-by-id", audience=Audience.GENERAL)
def connection(context: Context) -> object:
    row = _find(context)
    if row.application_id != context.application.pk:
        raise refusals.not_found("connection", row.uuid)
    return shapes.connection(row)


@operation("DELETE", ONE, "delete-connection-by-id", audience=Audience.GENERAL)
def delete(context: Context) -> None:
    """End the connection with its tokens. What was booked through it stays."""
    row = _find(context)
    if row.application_id != context.application.pk:
        raise refusals.forbidden("The connection belongs to another application")
    row.delete()

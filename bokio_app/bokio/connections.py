"""Connections as Bokio keeps them: which companies have let this integration in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from bokio_app.bokio.reading import Fields
from bokio_app.bokio.resource import Resource, same


@dataclass(frozen=True)
class Connection:
    """One company's consent. `tenant_id` is the company's id in every path."""

    id: UUID
    tenant_id: UUID
    tenant_name: str
    type: str
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends."""
        read = Fields(data)
        return cls(
            id=read.uuid("id"),
            tenant_id=read.uuid("tenantId"),
            tenant_name=read.text("tenantName"),
            type=read.text("type"),
            extra=read.rest(),
        )


class Connections(Resource):
    """`/connections` of the General API, with a token from `OAuthApp.client_credentials`."""

    def list(self, *, tenant_id: UUID | None = None) -> Iterator[Connection]:
        """Fetch all connections, or the one of a company; page by page as they are taken.

        Repeatable.
        """
        query = {"tenantId": str(tenant_id)} if tenant_id else None
        return self._pages("get-connections", "connections", Connection.from_json, query=query)

    def get(self, connection_id: UUID) -> Connection:
        """Fetch one connection; `NotFound` once it has been ended. Repeatable."""
        parse = same(Connection.from_json, connection_id)
        return self._get("get-connection-by-id", f"connections/{connection_id}", parse)

    def delete(self, connection_id: UUID) -> None:
        """End a connection and its tokens; the books keep everything made through it.

        Repeatable: `NotFound` means that it is done.
        """
        self._delete("delete-connection-by-id", f"connections/{connection_id}")

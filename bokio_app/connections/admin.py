"""Operators see how connections stand. Tokens are in no page: not even sealed."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from bokio_app.core.operators import ReadOnlyAdmin, ReadOnlyRows
from bokio_app.core.personal import without_last_four

from .models import Connection, TokenGrant


class GrantRows(ReadOnlyRows):
    """When pairs of tokens came and how long they last; never the tokens."""

    model = TokenGrant
    verbose_name_plural = _("Pairs of tokens")
    fields = ["generation", "received_at", "expires_at"]
    readonly_fields = ["received_at"]
    ordering = ["-generation"]


@admin.register(Connection)
class ConnectionAdmin(ReadOnlyAdmin):
    list_display = [
        *("name", "number", "tenant", "state", "hindered_by"),
        *("read_at", "blocked_until", "blocked_by"),
    ]
    list_filter = ["state", "hindered_by", "tenant"]
    list_select_related = ["tenant"]
    search_fields = ["name", "company_id", "tenant__name"]
    inlines = [GrantRows]
    fields = [
        "tenant",
        "name",
        "number",
        "company_id",
        "remote_id",
        "state",
        "broken_by",
        "hindered_by",
        "hindered_at",
        "lacks",
        "kind",
        "is_proven",
        "scopes",
        "generation",
        "read_at",
        "refresh_until",
        "blocked_until",
        "blocked_by",
        "served_at",
        "created_by",
        "created_at",
    ]

    @admin.display(description=_("organisation number"))
    def number(self, connection: Connection) -> str:
        return without_last_four(connection.org_number)

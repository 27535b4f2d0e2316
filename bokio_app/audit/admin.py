"""Operators read the audit trail, and leave a line in it when they look at a workspace's books."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from bokio_app.core.operators import ReadOnlyAdmin
from bokio_app.tenants.models import User

from .models import Event
from .services import record


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["at", "tenant", "actor", "action", "subject"]
    list_filter = ["action", "tenant"]
    list_select_related = ["tenant", "actor"]
    search_fields = ["subject", "action", "actor__email"]
    date_hierarchy = "at"


class WatchedAdmin(ReadOnlyAdmin):
    """Rows of a workspace's books: who opens one is written into its audit trail."""

    def tenant_of(self, row: Any) -> int:
        """The id of the workspace that the row belongs to."""
        return int(row.tenant_id)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row: Model | None = self.get_object(request, object_id)
        if row is not None and isinstance(request.user, User):
            record(
                "operator.viewed",
                tenant=self.tenant_of(row),
                subject=self.opts.model_name or "",
                subject_id=str(row.pk),
                actor=request.user,
            )
        return super().change_view(request, object_id, form_url, extra_context)

"""Operators may look at what was ordered by file; each look is in the audit trail."""

from django.contrib import admin

from bokio_app.audit.admin import WatchedAdmin

from .models import BulkLine


@admin.register(BulkLine)
class BulkLineAdmin(WatchedAdmin):
    list_display = ["reference", "tenant", "invoice", "flow", "created_at"]
    list_select_related = ["tenant", "invoice", "flow"]
    search_fields = ["reference", "invoice__number"]

"""Operators may look at fiscal years, and at journal entries, which leaves a line in the audit."""

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from bokio_app.audit.admin import WatchedAdmin
from bokio_app.core.operators import ReadOnlyAdmin, ReadOnlyRows

from .models import FiscalYear, JournalEntry, JournalItem


@admin.register(FiscalYear)
class FiscalYearAdmin(ReadOnlyAdmin):
    list_display = ["connection", "start", "end", "method", "status"]
    list_filter = ["method", "status"]
    list_select_related = ["connection"]
    search_fields = ["connection__name"]


class JournalItemRows(ReadOnlyRows):
    model = JournalItem
    verbose_name_plural = _("Rows of the entry")
    fields = ["position", "account", "debit", "credit"]


@admin.register(JournalEntry)
class JournalEntryAdmin(WatchedAdmin):
    list_display = ["number", "date", "title", "connection"]
    list_select_related = ["connection"]
    search_fields = ["number", "remote_id", "connection__name"]
    inlines = [JournalItemRows]

    def tenant_of(self, row: Any) -> int:
        return int(row.connection.tenant_id)

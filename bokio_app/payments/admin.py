"""Operators may look at payments and settlements; each look is in the audit trail."""

from typing import Any

from django.contrib import admin

from bokio_app.audit.admin import WatchedAdmin

from .models import Payment, Settlement


class OfInvoice(WatchedAdmin):
    """Rows that belong to a workspace through their invoice."""

    list_select_related = ["invoice", "invoice__tenant"]
    search_fields = ["remote_id", "invoice__number", "invoice__connection__name"]

    def tenant_of(self, row: Any) -> int:
        return int(row.invoice.tenant_id)


@admin.register(Payment)
class PaymentAdmin(OfInvoice):
    list_display = ["date", "amount", "account", "invoice", "remote_id", "journal_entry_id"]


@admin.register(Settlement)
class SettlementAdmin(OfInvoice):
    list_display = ["date", "type", "amount", "invoice", "remote_id", "journal_entry_id"]

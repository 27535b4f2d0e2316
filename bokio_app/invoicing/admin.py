"""Operators may look at customers and invoices; each look is in the workspace's audit trail."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from bokio_app.audit.admin import WatchedAdmin
from bokio_app.core.personal import without_last_four

from .models import Customer, Invoice


@admin.register(Customer)
class CustomerAdmin(WatchedAdmin):
    list_display = ["name", "type", "connection", "tenant", "remote_id"]
    list_filter = ["type", "tenant"]
    list_select_related = ["connection", "tenant"]
    search_fields = ["name", "remote_id"]
    fields = ["tenant", "connection", "name", "type", "number", "remote_id", "created_at"]

    @admin.display(description=_("organisation number"))
    def number(self, customer: Customer) -> str:
        return without_last_four(customer.org_number, private=customer.is_person)


@admin.register(Invoice)
class InvoiceAdmin(WatchedAdmin):
    list_display = [
        "__str__",
        "status",
        "invoice_date",
        "total",
        "open_amount",
        "connection",
        "tenant",
        "created_at",
    ]
    list_filter = ["status", "tenant"]
    list_select_related = ["connection", "tenant"]
    search_fields = ["id", "number", "ocr", "remote_id", "connection__name"]

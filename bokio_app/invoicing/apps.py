"""Invoicing: customers, invoices, line items, and the flow that sends them."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InvoicingConfig(AppConfig):
    name = "bokio_app.invoicing"
    verbose_name = _("Invoicing")

    def ready(self) -> None:
        import_module("bokio_app.invoicing.credit")
        import_module("bokio_app.invoicing.flows")
        import_module("bokio_app.invoicing.attachments")
        import_module("bokio_app.invoicing.changes")
        import_module("bokio_app.invoicing.items")
        import_module("bokio_app.invoicing.inventory")
        import_module("bokio_app.invoicing.sync")
        import_module("bokio_app.invoicing.erasing")

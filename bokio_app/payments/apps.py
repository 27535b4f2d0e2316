"""Payments: money received, settlements, and what closes an invoice."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PaymentsConfig(AppConfig):
    name = "bokio_app.payments"
    verbose_name = _("Payments")

    def ready(self) -> None:
        import_module("bokio_app.payments.bank")
        import_module("bokio_app.payments.flows")
        import_module("bokio_app.payments.inventory")
        import_module("bokio_app.payments.sync")
        import_module("bokio_app.payments.erasing")

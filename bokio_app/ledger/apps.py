"""Ledger: our copy of fiscal years, accounts and journal entries."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LedgerConfig(AppConfig):
    name = "bokio_app.ledger"
    verbose_name = _("Books")

    def ready(self) -> None:
        import_module("bokio_app.ledger.flows")
        import_module("bokio_app.ledger.inventory")
        import_module("bokio_app.ledger.private_tokens")
        import_module("bokio_app.ledger.sync")
        import_module("bokio_app.ledger.erasing")

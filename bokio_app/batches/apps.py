"""Batches: whole invoice flows ordered from a file, one line each."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BatchesConfig(AppConfig):
    name = "bokio_app.batches"
    verbose_name = _("Batches")

    def ready(self) -> None:
        import_module("bokio_app.batches.sync")

"""Connections: a company's leave for us to act in Bokio."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConnectionsConfig(AppConfig):
    name = "bokio_app.connections"
    verbose_name = _("Connections")

    def ready(self) -> None:
        import_module("bokio_app.connections.notices")

"""Connections: a company's leave for us to act in Bokio."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConnectionsConfig(AppConfig):
    name = "bokio_app.connections"
    verbose_name = _("Connections")

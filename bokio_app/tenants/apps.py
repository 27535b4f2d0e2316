"""Tenants: who signs in, and for which workspace they work."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TenantsConfig(AppConfig):
    name = "bokio_app.tenants"
    verbose_name = _("Workspaces")

    def ready(self) -> None:
        for name in ("freshness", "services"):
            import_module(f"bokio_app.tenants.{name}")

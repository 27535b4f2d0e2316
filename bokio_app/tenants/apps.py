"""Tenants: who signs in, and for which workspace they work."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TenantsConfig(AppConfig):
    name = "bokio_app.tenants"
    verbose_name = _("Workspaces")

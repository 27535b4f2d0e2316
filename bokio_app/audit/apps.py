"""Audit: the append-only record of who did what."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "bokio_app.audit"
    verbose_name = _("Audit trail")

"""Console: the start page, and the operators' side."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConsoleConfig(AppConfig):
    name = "bokio_app.console"
    verbose_name = _("Console")

"""Live: pages hear that something has moved, and fetch it again."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LiveConfig(AppConfig):
    name = "bokio_app.live"
    verbose_name = _("Live pages")

    def ready(self) -> None:
        import_module("bokio_app.live.bell")

"""Live: pages hear that something has moved, and fetch it again."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LiveConfig(AppConfig):
    name = "bokio_app.live"
    verbose_name = _("Live pages")

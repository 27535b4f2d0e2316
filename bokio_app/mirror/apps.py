"""Mirror: when which part of a company's books is read again."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MirrorConfig(AppConfig):
    name = "bokio_app.mirror"
    verbose_name = _("Our copy")

    def ready(self) -> None:
        import_module("bokio_app.mirror.planner")
        import_module("bokio_app.mirror.rounds")
        import_module("bokio_app.mirror.trimming")
        import_module("bokio_app.mirror.erasing")

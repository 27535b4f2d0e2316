"""Documents: copies of Bokio's files, such as the PDF of an invoice."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DocumentsConfig(AppConfig):
    name = "bokio_app.documents"
    verbose_name = _("Documents")

    def ready(self) -> None:
        import_module("bokio_app.documents.flows")
        import_module("bokio_app.documents.erasing")

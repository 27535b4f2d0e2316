"""The mailbox: what an installation without a mail server would have sent."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MailboxConfig(AppConfig):
    name = "bokio_app.mailbox"
    verbose_name = _("Mailbox")

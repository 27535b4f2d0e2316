"""The console's frame: its name, and its door, which is the app's own sign-in."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

admin.site.site_header = _("bokio_app console")
admin.site.site_title = _("bokio_app console")
admin.site.index_title = _("What operators look after")
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # as allauth's manual has it

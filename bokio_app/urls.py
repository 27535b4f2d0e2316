"""All addresses. Those below `/bokio/` are registered at Bokio and never change."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView

from bokio_app.connections.views import (
    callback,
    invitation,
    marketplace_connect,
    marketplace_disconnect,
)
from bokio_app.console.views import received, start, weeks
from bokio_app.tenants.views import healthz, language

admin.autodiscover()

urlpatterns = [
    path("", start, name="start"),
    path("healthz", healthz, name="healthz"),
    path("bokio/callback", callback, name="bokio_callback"),
    path("bokio/connect", marketplace_connect, name="bokio_connect"),
    path("bokio/disconnect", marketplace_disconnect, name="bokio_disconnect"),
    path("invitation/<path:token>", invitation, name="invitation"),
    path("companies/", include("bokio_app.connections.urls")),
    path("copy/", include("bokio_app.mirror.urls")),
    path("customers/", include("bokio_app.invoicing.urls_of_customers")),
    path("items/", include("bokio_app.invoicing.urls_of_items")),
    path("invoices/", include("bokio_app.invoicing.urls")),
    path("received/", received, name="received"),
    path("received/weeks/", weeks, name="received_weeks"),
    path("payments/", include("bokio_app.payments.urls")),
    path("runs/", include("bokio_app.flows.urls")),
    path("workspace/", include("bokio_app.connections.urls_of_workspace")),
    path("workspace/", include("bokio_app.tenants.urls")),
    path("language/", language, name="set_language"),
    path("account/", include("allauth.account.urls")),
    path("admin/", admin.site.urls),
]

if settings.EMBEDDED:
    gallery = TemplateView.as_view(template_name="components/gallery.html")
    urlpatterns.append(path("_components/", gallery, name="gallery"))

if settings.MAILBOX_PAGE:
    urlpatterns.append(path("mailbox/", include("bokio_app.mailbox.urls")))

"""Addresses of the sandbox's pages. The API itself is routed by `api.registry`."""

from django.conf import settings
from django.urls import path
from django.views.i18n import set_language
from django.views.static import serve

from bokio_app.sandbox.pages import consent, views

urlpatterns = [
    path("", views.home, name="home"),
    path("v1/authorize", consent.authorize, name="authorize"),
    path("consent", consent.decide, name="consent"),
    path("sign-in", consent.sign_in, name="sign-in"),
    path("sign-out", consent.sign_out, name="sign-out"),
    path("language", set_language, name="language"),
    path("companies/<uuid:company_id>", views.company, name="company"),
    path("companies/<uuid:company_id>/invoices/<uuid:invoice_id>", views.invoice, name="invoice"),
    path("companies/<uuid:company_id>/invoices/<uuid:invoice_id>/act", views.act, name="act"),
    path("connections", views.connections, name="connections"),
    path("connections/<uuid:connection_id>/revoke", views.revoke, name="revoke"),
    path("faults", views.fault_switches, name="faults"),
    path("faults/change", views.change_faults, name="change-faults"),
    path(
        "static/sandbox/<path:path>",
        serve,
        {"document_root": settings.BASE_DIR / "static" / "sandbox"},
    ),
]

handler400 = "bokio_app.sandbox.pages.problems.bad_request"
handler403 = "bokio_app.sandbox.pages.problems.forbidden"
handler404 = "bokio_app.sandbox.pages.problems.missing"
handler500 = "bokio_app.sandbox.pages.problems.failed"

"""Addresses below `/payments/`."""

from django.urls import path

from . import undo_views, views

app_name = "payments"
urlpatterns = [
    path("invoice/<uuid:invoice_id>/", views.register, name="register"),
    path("invoice/<uuid:invoice_id>/preview/", views.preview, name="preview"),
    path("invoice/<uuid:invoice_id>/refresh/", views.refresh, name="refresh"),
    path(
        "invoice/<uuid:invoice_id>/payment/<uuid:payment_id>/take-back/",
        undo_views.take_payment_back,
        name="take_payment_back",
    ),
    path(
        "invoice/<uuid:invoice_id>/settlement/<uuid:settlement_id>/take-back/",
        undo_views.take_settlement_back,
        name="take_settlement_back",
    ),
]

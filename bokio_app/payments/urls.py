"""Addresses below `/payments/`."""

from django.urls import path

from . import views

app_name = "payments"
urlpatterns = [
    path("invoice/<uuid:invoice_id>/", views.register, name="register"),
    path("invoice/<uuid:invoice_id>/preview/", views.preview, name="preview"),
    path("invoice/<uuid:invoice_id>/refresh/", views.refresh, name="refresh"),
]

"""Addresses below `/invoices/`."""

from django.urls import path

from . import views

app_name = "invoicing"
urlpatterns = [
    path("", views.invoice_list, name="list"),
    path("new/", views.new, name="new"),
    path("customers/<uuid:connection_id>/", views.customer_options, name="customers"),
    path("items/<uuid:connection_id>/", views.item_options, name="items"),
    path("preview/<uuid:connection_id>/", views.preview, name="preview"),
    path("<uuid:invoice_id>/", views.detail, name="detail"),
    path("<uuid:invoice_id>/edit/", views.edit, name="edit"),
    path("<uuid:invoice_id>/opened/", views.opened, name="opened"),
    path("<uuid:invoice_id>/send/", views.send, name="send"),
    path("<uuid:invoice_id>/start-over/", views.start_over, name="start_over"),
    path("<uuid:invoice_id>/copy/", views.copy, name="copy"),
    path("<uuid:invoice_id>/delete/", views.delete, name="delete"),
]

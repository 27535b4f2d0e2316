"""Addresses below `/customers/`."""

from django.urls import path

from .views import customers as views

app_name = "customers"
urlpatterns = [
    path("", views.list_, name="list"),
    path("new/", views.new, name="new"),
    path("export/", views.export, name="export"),
    path("company/<uuid:connection_id>/", views.list_, name="list_of"),
    path("company/<uuid:connection_id>/new/", views.new, name="new_of"),
    path("company/<uuid:connection_id>/export/", views.export, name="export_of"),
    path("company/<uuid:connection_id>/twins/", views.twins, name="twins"),
    path("<uuid:customer_id>/", views.detail, name="detail"),
    path("<uuid:customer_id>/edit/", views.edit, name="edit"),
    path("<uuid:customer_id>/send/", views.send, name="send"),
    path("<uuid:customer_id>/read/", views.read, name="read"),
    path("<uuid:customer_id>/delete/", views.delete, name="delete"),
    path("<uuid:customer_id>/give-up/", views.give_up, name="give_up"),
]

"""Addresses of our copy, below `/copy/`."""

from django.urls import path

from . import views

app_name = "mirror"

urlpatterns = [
    path("freshness", views.freshness, name="freshness"),
    path("read", views.read, name="read"),
    path("<uuid:connection_id>/lists", views.lists, name="lists"),
]

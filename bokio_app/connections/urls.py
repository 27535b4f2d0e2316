from django.urls import path

from . import views

app_name = "connections"
urlpatterns = [
    path("", views.list_, name="list"),
    path("options/", views.options, name="options"),
    path("connect/", views.connect, name="connect"),
    path("connect/failed/<slug:reason>/", views.failed, name="failed"),
    path("<uuid:connection_id>/", views.detail, name="detail"),
    path("<uuid:connection_id>/connected/", views.result, name="result"),
    path("<uuid:connection_id>/renewed/", views.renewed, name="renewed"),
    path("<uuid:connection_id>/read/", views.read, name="read"),
    path("<uuid:connection_id>/reconnect/", views.reconnect, name="reconnect"),
]

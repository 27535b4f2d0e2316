from django.urls import path

from . import views
from .history import export
from .inventory.pages import resolve_finding

app_name = "flows"
urlpatterns = [
    path("", views.list_, name="list"),
    path("export.csv", export, name="export"),
    path("differences/<uuid:public_id>/", resolve_finding, name="resolve_finding"),
    path("<uuid:public_id>/", views.detail, name="detail"),
    path("<uuid:public_id>/progress/", views.progress, name="progress"),
    path("<uuid:public_id>/retry/", views.retry, name="retry"),
    path("<uuid:public_id>/adopt/", views.adopt, name="adopt"),
    path("<uuid:public_id>/send-again/", views.send_again, name="send_again"),
    path("<uuid:public_id>/handled/", views.handled, name="handled"),
    path("<uuid:public_id>/cancel/", views.cancel, name="cancel"),
]

"""Addresses below `/items/`."""

from django.urls import path

from .views import items as views

app_name = "items"
urlpatterns = [
    path("", views.list_, name="list"),
    path("new/", views.new, name="new"),
    path("export/", views.export, name="export"),
    path("company/<uuid:connection_id>/", views.list_, name="list_of"),
    path("company/<uuid:connection_id>/new/", views.new, name="new_of"),
    path("company/<uuid:connection_id>/export/", views.export, name="export_of"),
    path("begun/<uuid:public_id>/", views.begun, name="begun"),
    path("begun/<uuid:public_id>/drop/", views.drop, name="drop"),
    path("<int:item_id>/", views.detail, name="detail"),
    path("<int:item_id>/delete/", views.delete, name="delete"),
    path("<int:item_id>/give-up/", views.give_up, name="give_up"),
]

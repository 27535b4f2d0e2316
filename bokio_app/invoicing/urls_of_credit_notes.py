"""Addresses below `/credit-notes/`."""

from django.urls import path

from .views import credit_notes as views
from .views.pdf import note_pdf

app_name = "credit_notes"
urlpatterns = [
    path("", views.note_list, name="list"),
    path("company/<uuid:connection_id>/", views.company_list, name="company"),
    path("<int:note_id>/", views.detail, name="detail"),
    path("<int:note_id>/finish/", views.finish, name="finish"),
    path("<int:note_id>/pdf/", note_pdf, name="pdf"),
    path("<int:note_id>/delete/", views.delete, name="delete"),
]

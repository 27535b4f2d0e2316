from django.urls import path

from . import views

app_name = "mailbox"
urlpatterns = [
    path("", views.list_, name="list"),
    path("<uuid:mail_id>/", views.detail, name="detail"),
]

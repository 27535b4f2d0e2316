from django.urls import path

from . import views

app_name = "tenants"
urlpatterns = [
    path("theme/", views.theme, name="theme"),
    path("keys/", views.keys, name="keys"),
]

"""The gallery and the sign-in by themselves, whatever else the product routes."""

from django.urls import include, path
from django.views.generic import TemplateView
from django.views.i18n import set_language

urlpatterns = [
    path("gallery/", TemplateView.as_view(template_name="components/gallery.html")),
    path("broken/", TemplateView.as_view(template_name="500.html")),
    path("account/", include("allauth.account.urls")),
    path("workspace/", include("bokio_app.tenants.urls")),
    path("language/", set_language, name="set_language"),
]

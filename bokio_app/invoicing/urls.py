"""Addresses below `/invoices/`."""

from collections.abc import Callable, Iterator

from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from . import views

app_name = "invoicing"
# Pages of the list, of all companies and of one: `list` and `company_list`, and so on.
LISTS: dict[str, tuple[str, Callable[..., HttpResponseBase]]] = {
    "list": ("", views.invoice_list),
    "sums": ("sums/", views.list_sums),
    "tabs": ("tabs/", views.list_tabs),
    "export": ("export.csv", views.list_export),
    "selection": ("selection/", views.list_selection),
    "settings": ("settings/", views.list_settings),
    "save_view": ("views/new/", views.save_view),
    "keep_filter": ("views/filter/", views.keep_filter),
}


def _lists() -> Iterator[URLPattern]:
    for name, (address, view) in LISTS.items():
        yield path(address, view, name=name)
        yield path(f"company/<uuid:connection_id>/{address}", view, name=f"company_{name}")


urlpatterns = [
    *_lists(),
    path("views/<int:view_id>/", views.edit_view, name="edit_view"),
    path("new/", views.new, name="new"),
    path("customers/<uuid:connection_id>/", views.customer_options, name="customers"),
    path("items/<uuid:connection_id>/", views.item_options, name="items"),
    path("preview/<uuid:connection_id>/", views.preview, name="preview"),
    path("<uuid:invoice_id>/", views.detail, name="detail"),
    path("<uuid:invoice_id>/edit/", views.edit, name="edit"),
    path("<uuid:invoice_id>/credit/", views.credit, name="credit"),
    path("<uuid:invoice_id>/credit/preview/", views.credit_preview, name="credit_preview"),
    path("<uuid:invoice_id>/pdf/", views.invoice_pdf, name="pdf"),
    path("<uuid:invoice_id>/opened/", views.opened, name="opened"),
    path("<uuid:invoice_id>/send/", views.send, name="send"),
    path("<uuid:invoice_id>/start-over/", views.start_over, name="start_over"),
    path("<uuid:invoice_id>/copy/", views.copy, name="copy"),
    path("<uuid:invoice_id>/accept-total/", views.accept_total, name="accept_total"),
    path("<uuid:invoice_id>/files/", views.attach, name="attach"),
    path("<uuid:invoice_id>/files/<uuid:attachment_id>/remove/", views.detach, name="detach"),
    path("<uuid:invoice_id>/delete/", views.delete, name="delete"),
]

"""Addresses of the sandbox's pages. The API itself is routed by `api.registry`."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language
from django.views.static import serve

from bokio_app.sandbox.pages import (
    books,
    calls_page,
    clock_page,
    company,
    connections_page,
    consent,
    credit_note,
    drafts,
    faults_page,
    integrations,
    invoice,
    people,
    portal,
    purchases,
    sales,
    switches_page,
)

INVOICE: list[URLPattern] = [
    path("edit", drafts.edit, name="invoice-edit"),
    path("act", invoice.act, name="invoice-act"),
    path("credit", invoice.credit, name="invoice-credit"),
    path("pay", invoice.pay, name="invoice-pay"),
    path("settle", invoice.settle, name="invoice-settle"),
    path("payments/<uuid:payment_id>", invoice.act_on_payment, name="payment-act"),
    path("settlements/<uuid:settlement_id>", invoice.act_on_settlement, name="settlement-act"),
    path("pdf", invoice.document, name="invoice-pdf"),
    path("attachments/<uuid:attachment_id>", invoice.attachment, name="attachment"),
]
COMPANY: list[URLPattern | URLResolver] = [
    path("invoices", sales.invoices, name="invoices"),
    path("invoices/new", drafts.new, name="invoice-new"),
    path("invoices/<uuid:invoice_id>", invoice.invoice, name="invoice"),
    path("invoices/<uuid:invoice_id>/", include(INVOICE)),
    path("credit-notes", sales.credit_notes, name="credit-notes"),
    path("credit-notes/<uuid:note_id>", credit_note.credit_note, name="credit-note"),
    path("credit-notes/<uuid:note_id>/act", credit_note.act, name="credit-note-act"),
    path("credit-notes/<uuid:note_id>/change", credit_note.change, name="credit-note-change"),
    path("credit-notes/<uuid:note_id>/pdf", credit_note.document, name="credit-note-pdf"),
    path("customers", sales.customers, name="customers"),
    path("items", sales.items, name="items"),
    path("entries", books.entries, name="entries"),
    path("accounts", books.balances, name="balances"),
    path("accounts/<int:number>", books.account, name="account"),
    path("years", books.years, name="years"),
    path("years/<uuid:year_id>", books.change_year, name="year-change"),
    path("uploads", books.uploads, name="uploads"),
    path("uploads/<uuid:upload_id>", books.upload_file, name="upload-file"),
    path("tags", books.tags, name="tags"),
    path("suppliers", purchases.suppliers, name="suppliers"),
    path("supplier-invoices", purchases.supplier_invoices, name="supplier-invoices"),
    path("bank-payments", purchases.bank_payments, name="bank-payments"),
    path("bank-payments/<uuid:payment_id>", purchases.act_on_bank_payment, name="bank-payment-act"),
    path("integrations", integrations.integrations, name="integrations"),
    path("settings", company.settings, name="settings"),
    path("lapse", company.lapse, name="lapse"),
]
PORTAL: list[URLPattern] = [
    path("new", portal.new, name="application-new"),
    path("private", portal.new_private, name="private-new"),
    path("private/<uuid:client_id>/end", portal.end_private, name="private-end"),
    path("<uuid:client_id>", portal.application, name="application"),
    path("<uuid:client_id>/secret", portal.renew_secret, name="application-secret"),
]

urlpatterns = [
    path("", people.home, name="home"),
    path("v1/authorize", consent.authorize, name="authorize"),
    path("consent", consent.decide, name="consent"),
    path("sign-in", consent.sign_in, name="sign-in"),
    path("sign-out", consent.sign_out, name="sign-out"),
    path("language", set_language, name="language"),
    path("companies/new", people.new_company, name="company-new"),
    path("companies/<uuid:company_id>", company.overview, name="company"),
    path("companies/<uuid:company_id>/", include(COMPANY)),
    # The form of Bokio's own addresses, to which an application sends the browser back.
    path(
        "<uuid:company_id>/integrations/<uuid:client_id>",
        integrations.integration,
        name="integration",
    ),
    path(
        "<uuid:company_id>/integrations/<uuid:client_id>/end",
        integrations.end,
        name="integration-end",
    ),
    path("people", people.people, name="people"),
    path("people/<uuid:person_id>", people.place, name="place"),
    path("applications", portal.applications, name="applications"),
    path("applications/", include(PORTAL)),
    path("connections", connections_page.connections, name="connections"),
    path("connections/<uuid:connection_id>/revoke", connections_page.revoke, name="revoke"),
    path("connections/<uuid:connection_id>/expire", connections_page.expire, name="expire"),
    path("faults", faults_page.overview, name="faults"),
    path("faults/change", faults_page.change, name="change-faults"),
    path("faults/order/<slug:kind>", faults_page.order, name="fault-order"),
    path("switches", switches_page.turn, name="switches"),
    path("clock", clock_page.move, name="clock"),
    path("calls", calls_page.calls, name="calls"),
    path(
        "static/sandbox/<path:path>",
        serve,
        {"document_root": settings.BASE_DIR / "static" / "sandbox"},
    ),
]

handler400 = "bokio_app.sandbox.pages.problems.bad_request"
handler403 = "bokio_app.sandbox.pages.problems.forbidden"
handler404 = "bokio_app.sandbox.pages.problems.missing"
handler500 = "bokio_app.sandbox.pages.problems.failed"

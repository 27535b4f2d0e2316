"""One company: what the overview shows, and the settings that change how Bokio behaves."""

from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bokio_app.sandbox import clock, ledger, store, switches
from bokio_app.sandbox.models import Company, Plan
from bokio_app.sandbox.pages.access import for_company
from bokio_app.sandbox.pages.books import ZERO, account_names, balances_of, entries_of
from bokio_app.sandbox.pages.lists import company_page
from bokio_app.sandbox.pages.sales import latest

ENTRIES_SHOWN = 3
PLANS = {
    Plan.BASIC: _("Basic: no integrations"),
    Plan.PLUS: _("Plus"),
    Plan.PREMIUM: _("Premium: integrations as an add-on"),
    Plan.BUSINESS: _("Business"),
    Plan.TRIAL: _("Trial: everything is open"),
}


class SettingsForm(forms.Form):
    """What a person can turn in the company, and Bokio's API then behaves by."""

    plan = forms.ChoiceField(label=_("Price plan"), choices=list(PLANS.items()))
    has_integrations_addon = forms.BooleanField(
        label=_("Integrations (API) as an add-on"), required=False
    )
    automatic_recording = forms.BooleanField(
        label=_("Automatic bookkeeping of invoices, payments and settlements"), required=False
    )
    whole_krona_rounding = forms.BooleanField(
        label=_("Round invoices to whole kronor"), required=False
    )
    has_bank_account = forms.BooleanField(label=_("Bokio business account"), required=False)
    payment_days = forms.IntegerField(
        label=_("Payment terms, days"), min_value=0, max_value=365, required=True
    )


@require_GET
@for_company
def overview(request: HttpRequest, company: Company) -> HttpResponse:
    """The books at a glance."""
    today = clock.today()
    unpaid = Q(number__isnull=False, outstanding__gt=0)
    figures = company.invoices.aggregate(
        drafts=Count("pk", filter=Q(number=None)),
        unpaid=Count("pk", filter=unpaid),
        owed=Sum("outstanding", filter=unpaid),
        overdue=Sum("outstanding", filter=unpaid & Q(due_date__lt=today)),
    )
    invoices, credit_notes = latest(company)
    context = {
        "figures": figures,
        "receivables": balances_of(switches.RECEIVABLES, [company]).get(company.pk, ZERO),
        "year": ledger.fiscal_year(company, today),
        "invoices": invoices,
        "credit_notes": credit_notes,
        "entries": entries_of(company).order_by("-number")[:ENTRIES_SHOWN],
        "names": account_names(company),
        "connections": company.connections.select_related("application"),
        "plans": PLANS,
    }
    return company_page(request, company, "company", "company", context)


def _now(company: Company) -> dict[str, Any]:
    return {name: getattr(company, name) for name in SettingsForm.base_fields}


@require_http_methods(["GET", "POST"])
@for_company
def settings(request: HttpRequest, company: Company) -> HttpResponse:
    form = SettingsForm(request.POST or None, initial=_now(company))
    if request.method == "POST" and form.is_valid():
        with store.write():
            company.refresh_from_db()
            for name, value in form.cleaned_data.items():
                setattr(company, name, value)
            company.save(update_fields=list(form.cleaned_data))
        messages.success(request, _("The settings are saved."))
        return redirect("settings", company.uuid)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return company_page(request, company, "settings", "settings", {"form": form}, status=status)


@require_POST
@for_company
def lapse(request: HttpRequest, company: Company) -> HttpResponse:
    """Let the plan lapse: every call of an integration is refused from the next one on."""
    with store.write():
        Company.objects.filter(pk=company.pk).update(plan=Plan.BASIC, has_integrations_addon=False)
    messages.success(request, _("The plan has lapsed. Integrations are refused from now on."))
    return redirect("settings", company.uuid)

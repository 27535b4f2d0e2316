"""Companies and people: who there is, who works where, and making more of both."""

import uuid
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bokio_app.sandbox import clock, registration, store, switches
from bokio_app.sandbox.models import Company, Connection, Invoice, Person
from bokio_app.sandbox.pages import fields
from bokio_app.sandbox.pages.access import for_person
from bokio_app.sandbox.pages.books import ZERO, balances_of
from bokio_app.sandbox.pages.company import PLANS

YEARS_BACK = 5
TYPES = {
    "limitedCompany": _("Limited company"),
    "proprietorship": _("Sole trader"),
    "partnership": _("Trading partnership"),
    "limitedPartnership": _("Limited partnership"),
    "cooperative": _("Economic association"),
    "nonProfitAssociation": _("Non-profit association"),
    "communityAssociation": _("Joint property association"),
    "religiousCommunity": _("Religious community"),
}
METHODS = (("accrual", _("Accrual method")), ("cash", _("Cash method")))


class CompanyForm(forms.Form):
    """A company to be made. Without an organisation number it gets an invented one."""

    name = forms.CharField(label=_("Name"), max_length=registration.LONGEST_NAME)
    org_number = forms.RegexField(
        r"^\d{6}-?\d{4}$",
        label=_("Organisation number"),
        required=False,
        help_text=_("Ten digits. One is invented if you leave it empty."),
        error_messages={"invalid": _("Write ten digits, such as 559123-4567.")},
    )
    company_type = forms.ChoiceField(label=_("Kind"), choices=list(TYPES.items()))
    plan = forms.ChoiceField(label=_("Price plan"), choices=list(PLANS.items()), initial="plus")
    method = forms.ChoiceField(label=_("Accounting method"), choices=METHODS)
    first_year = forms.TypedChoiceField(label=_("First fiscal year"), coerce=int)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        this = clock.today().year
        years = [(year, str(year)) for year in range(this, this - YEARS_BACK - 1, -1)]
        fields.offer(self, "first_year", years)


class PersonForm(forms.Form):
    """Somebody to sign in as."""

    name = forms.CharField(label=_("Name"), max_length=registration.LONGEST_NAME)
    email = forms.EmailField(label=_("E-mail"))
    companies = forms.ModelMultipleChoiceField(
        Company.objects.order_by("name"),
        label=_("Works at"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


@require_GET
@for_person
def home(request: HttpRequest, person: Person) -> HttpResponse:
    """The companies of the person, with what their customers owe them."""
    companies = list(person.companies.order_by("name"))
    invoices, connections = _counted(Invoice, companies), _counted(Connection, companies)
    owed = balances_of(switches.RECEIVABLES, companies)
    rows = [
        {
            "company": company,
            "invoices": invoices.get(company.pk, 0),
            "receivables": owed.get(company.pk, ZERO),
            "connections": connections.get(company.pk, 0),
        }
        for company in companies
    ]
    return render(request, "sandbox/home.html", {"rows": rows, "plans": PLANS, "here": "home"})


def _counted(
    model: type[Invoice] | type[Connection], companies: Sequence[Company]
) -> dict[int, int]:
    """How many rows of the model each company has, by its key."""
    rows = model.objects.filter(company__in=companies).values("company")
    return dict(rows.annotate(count=Count("pk")).values_list("company", "count"))


@require_http_methods(["GET", "POST"])
@for_person
def new_company(request: HttpRequest, person: Person) -> HttpResponse:
    """Make a company in which the signed-in person works."""
    form = CompanyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with store.write():
            company = registration.new_company(**form.cleaned_data, people=[person])
        messages.success(request, _("The company is made. Its books are empty."))
        return redirect("company", company.uuid)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    context = {"form": form, "here": "home"}
    return render(request, "sandbox/company_new.html", context, status=status)


@require_http_methods(["GET", "POST"])
@for_person
def people(request: HttpRequest, _person: Person) -> HttpResponse:
    """Everybody, and where they work."""
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with store.write():
            registration.new_person(**form.cleaned_data)
        messages.success(request, _("The person can sign in now."))
        return redirect("people")
    context = {
        "form": form,
        "rows": Person.objects.order_by("id").prefetch_related(
            Prefetch("companies", Company.objects.order_by("name"))
        ),
        "companies": Company.objects.order_by("name"),
        "here": "people",
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return render(request, "sandbox/people.html", context, status=status)


@require_POST
@for_person
def place(request: HttpRequest, _person: Person, person_id: uuid.UUID) -> HttpResponse:
    """Say at which companies somebody works."""
    chosen = [_as_uuid(given) for given in request.POST.getlist("companies")]
    with store.write():
        who = get_object_or_404(Person, uuid=person_id)
        who.companies.set(Company.objects.filter(uuid__in=[one for one in chosen if one]))
    messages.success(request, _("The change is saved."))
    return redirect("people")


def _as_uuid(given: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(given)
    except ValueError:
        return None

"""The developer portal: applications with their secrets and addresses, and private integrations."""

import uuid
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bokio_app.sandbox import oauth, registration, store
from bokio_app.sandbox.models import Application, Company, Person
from bokio_app.sandbox.pages import fields
from bokio_app.sandbox.pages.access import for_person


class ApplicationForm(forms.Form):
    """A public application, which companies let in by consent."""

    name = forms.CharField(label=_("Name"), max_length=registration.LONGEST_NAME)
    redirect_uris = forms.CharField(
        label=_("Redirect addresses"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One on each line. A request must name one of them, letter by letter."),
    )
    connect_url = forms.CharField(
        label=_("Address to connect from the marketplace"), max_length=500, required=False
    )
    disconnect_url = forms.CharField(
        label=_("Address to disconnect"),
        max_length=500,
        required=False,
        help_text=_("Without one, a person ends the connection here."),
    )
    approved_for_bank_payments = forms.BooleanField(
        label=_("Approved for bank payments"), required=False
    )

    def described(self) -> dict[str, Any]:
        """The fields as `registration` takes them."""
        lines = self.cleaned_data["redirect_uris"].splitlines()
        return {**self.cleaned_data, "redirect_uris": lines}


class PrivateForm(forms.Form):
    """A private integration: one company, a token that lasts, no consent."""

    private_name = forms.CharField(label=_("Name"), max_length=registration.LONGEST_NAME)
    company = forms.ModelChoiceField(Company.objects.none(), label=_("Company"))

    def __init__(self, person: Person, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        fields.offer_rows(self, "company", person.companies.order_by("name"))


@require_GET
@for_person
def applications(request: HttpRequest, person: Person) -> HttpResponse:
    """Public applications, and the private ones of the person's companies."""
    return _portal(request, person)


def _portal(
    request: HttpRequest,
    person: Person,
    *,
    private: PrivateForm | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    counted = Application.objects.annotate(connection_count=Count("connections"))
    context = {
        "public": counted.filter(private_to=None).order_by("name"),
        "own": counted.filter(private_to__in=person.companies.all())
        .select_related("private_to")
        .order_by("name"),
        "private": private or PrivateForm(person),
        "here": "applications",
    }
    return render(request, "sandbox/applications.html", context, status=status)


@require_http_methods(["GET", "POST"])
@for_person
def new(request: HttpRequest, _person: Person) -> HttpResponse:
    """Register an application. Its secret is on the answer and nowhere else."""
    form = ApplicationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with store.write():
                made = registration.register(**form.described())
        except ValueError as wrong:
            form.add_error(None, str(wrong))
        else:
            return _shown_once(
                request,
                made.application.name,
                [("client_id", str(made.application.client_id)), ("client_secret", made.secret)],
            )
    return _form_page(request, form, None)


def _form_page(
    request: HttpRequest, form: ApplicationForm, row: Application | None
) -> HttpResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    context = {"form": form, "application": row, "here": "applications"}
    return render(request, "sandbox/application.html", context, status=status)


def _shown_once(
    request: HttpRequest, name: str, secrets: Sequence[tuple[str, str]]
) -> HttpResponse:
    """Show what is kept nowhere. No redirect, because nothing could carry it there."""
    context = {"name": name, "secrets": secrets, "here": "applications"}
    return render(request, "sandbox/shown_once.html", context)


@require_http_methods(["GET", "POST"])
@for_person
def application(request: HttpRequest, _person: Person, client_id: uuid.UUID) -> HttpResponse:
    """Change the name, the addresses and the approval of a public application."""
    row = get_object_or_404(Application, client_id=client_id, private_to=None)
    initial = {name: getattr(row, name) for name in ApplicationForm.base_fields}
    initial["redirect_uris"] = "\n".join(row.redirect_uris)
    form = ApplicationForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            columns = registration.described(**form.described())
        except ValueError as wrong:
            form.add_error(None, str(wrong))
        else:
            with store.write():
                Application.objects.filter(pk=row.pk).update(**columns)
            messages.success(request, _("The application is saved."))
            return redirect("application", client_id)
    return _form_page(request, form, row)


@require_POST
@for_person
def renew_secret(request: HttpRequest, _person: Person, client_id: uuid.UUID) -> HttpResponse:
    """Revoke the secret and show its successor."""
    with store.write():
        row = get_object_or_404(Application, client_id=client_id, private_to=None)
        secret = registration.renew_secret(row)
    return _shown_once(
        request, row.name, [("client_id", str(row.client_id)), ("client_secret", secret)]
    )


@require_POST
@for_person
def new_private(request: HttpRequest, person: Person) -> HttpResponse:
    """Make a private integration. Its token is on the answer and nowhere else."""
    form = PrivateForm(person, request.POST)
    if not form.is_valid():
        return _portal(request, person, private=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    data = form.cleaned_data
    with store.write():
        made = registration.private_token(
            company=data["company"], name=data["private_name"], scopes=oauth.SCOPES
        )
    shown = [("tenant_id", str(data["company"].uuid)), ("access_token", made.token)]
    return _shown_once(request, made.connection.application.name, shown)


@require_POST
@for_person
def end_private(request: HttpRequest, person: Person, client_id: uuid.UUID) -> HttpResponse:
    """End a private integration: its connection goes, and with it the token."""
    with store.write():
        row = get_object_or_404(
            Application, client_id=client_id, private_to__in=person.companies.all()
        )
        row.connections.all().delete()
    messages.success(request, _("The token no longer works."))
    return redirect("applications")

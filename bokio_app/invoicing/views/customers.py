"""Pages of customers: the lists, one customer, and the form that keeps one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bokio_app.connections.models import Connection
from bokio_app.connections.queries import live
from bokio_app.core import clock
from bokio_app.core.formats import money
from bokio_app.core.personal import without_last_four
from bokio_app.core.sheets import sheet
from bokio_app.invoicing.models import Customer
from bokio_app.invoicing.registers import services
from bokio_app.invoicing.registers.card import Card
from bokio_app.invoicing.registers.forms import CustomerDetails, as_post
from bokio_app.invoicing.registers.lists import (
    CUSTOMER_ORDERS,
    customers,
    find_customers,
    rows_of,
)
from bokio_app.invoicing.registers.twins import twins_of
from bokio_app.ledger.queries import fiscal_year_of
from bokio_app.tenants.access import TenantRequest, member

from . import registers

NAMES = {
    "list": "customers:list",
    "new": "customers:new",
    "new_of": "customers:new_of",
    "export": "customers:export",
    "feature": "customers",
}
CHUNK = 500
NEW: services.Values = {"type": "company", "country": "SE", "payment_terms": "30"}


@require_safe
@member
def list_(request: TenantRequest, connection_id: uuid.UUID | None = None) -> HttpResponse:
    """`?q=` and `?order=` narrow and sort; `?before=` asks for the rows that follow."""
    if connection_id is None and (chosen := registers.chosen_company(request, NAMES["list"])):
        return chosen
    company = registers.company_of(request, connection_id)
    asked = registers.asked_of(request, company, CUSTOMER_ORDERS)
    page = find_customers(request.tenant, asked)
    context = {
        "page": page,
        "next_url": registers.link(asked, NAMES["list"], before=page.next) if page.next else "",
        **registers.frame(request, asked, CUSTOMER_ORDERS, names=NAMES),
    }
    return render(request, "invoicing/customers/list.html", context)


@require_safe
@member
def export(request: TenantRequest, connection_id: uuid.UUID | None = None) -> HttpResponseBase:
    """The customers of a list, all of them, as a file."""
    company = registers.company_of(request, connection_id)
    asked = registers.asked_of(request, company, CUSTOMER_ORDERS)
    found = customers(request.tenant, asked).select_related("connection").order_by("name", "pk")
    heads = (
        _("Company"), _("Name"), _("Type"), _("Organisation number"), _("VAT number"), _("E-mail"),
        _("Address"), _("Postal code"), _("City"), _("Country"), _("Payment terms"),
        _("Number of invoices"), _("Open amount"),
    )  # fmt: skip
    return sheet(
        heads,
        _told(found.iterator(chunk_size=CHUNK)),
        name=f"customers-{clock.today()}.csv",
    )


def _told(found: Iterator[Customer]) -> Iterator[tuple[object, ...]]:
    """Rows of the file; what is known of invoices is asked for many customers at once."""
    while chunk := list(islice(found, CHUNK)):
        for row in rows_of(chunk):
            each = row.customer
            yield (
                each.connection, each.name, each.get_type_display(), each.shown_number,
                without_last_four(each.vat_number, private=each.is_person), each.email,
                ", ".join(filter(None, (each.line1, each.line2))), each.postal_code, each.city,
                each.country, each.payment_terms, row.invoices,
                ", ".join(money(amount, currency) for currency, amount in row.open_amounts),
            )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@member
def new(request: TenantRequest, connection_id: uuid.UUID | None = None) -> HttpResponse:
    """A new customer of the company; without one, the choice of company."""
    if connection_id is None:
        return registers.choose_company(request, title=_("New customer"), name=NAMES["new_of"])
    connection = get_object_or_404(live(request.tenant), pk=connection_id)
    if request.method != "POST":
        return _form(request, CustomerDetails(connection=connection, held=NEW))
    form = CustomerDetails(request.POST, connection=connection, held=NEW)
    if not form.is_valid():
        return _form(request, form, status=422)
    values = form.values()
    unseen = _unseen_twins(form, values)
    if unseen:
        return _form(request, _with_twins(form, request, unseen), twins=unseen, status=409)
    customer = services.create_customer(
        connection,
        values,
        by=request.user,
        request_key=registers.request_key(request.POST),
        send=request.POST.get("action") != "keep",
    )
    return redirect("customers:detail", customer.pk)


def _unseen_twins(form: CustomerDetails, values: services.Values) -> list[Customer]:
    """Probable duplicates, all of them, if there is one that the person has not been shown."""
    new = Customer(connection=form.connection, **values)
    found = twins_of([new]).get(new.pk, [])
    seen = form.cleaned_data["twins_seen"].split()
    return found if any(str(each.pk) not in seen for each in found) else []


def _with_twins(
    form: CustomerDetails, request: TenantRequest, twins: list[Customer]
) -> CustomerDetails:
    """The form as typed, which knows that these have been shown."""
    data = request.POST.copy()
    data["twins_seen"] = " ".join(str(each.pk) for each in twins)
    return CustomerDetails(data, connection=form.connection, held=form.held)


@require_POST
@member
def twins(request: TenantRequest, connection_id: uuid.UUID) -> HttpResponse:
    """The probable duplicates of what is typed so far."""
    connection = get_object_or_404(live(request.tenant), pk=connection_id)
    form = CustomerDetails(request.POST, connection=connection, held=NEW)
    form.is_valid()
    names = ("name", "org_number", "postal_code")
    typed = Customer(
        connection=connection, **{name: form.cleaned_data.get(name, "") for name in names}
    )
    context = {"twins": twins_of([typed]).get(typed.pk, [])}
    return render(request, "invoicing/customers/_twins.html", context)


@require_safe
@member
def detail(request: TenantRequest, customer_id: uuid.UUID) -> HttpResponse:
    """All that is known of a customer; htmx fetches the changing part alone."""
    mine = request.tenant.customers.select_related("connection")
    customer = mine.filter(pk=customer_id).first()
    if customer is None:
        return _successor(request, customer_id)
    card = Card(customer, before=request.GET.get("before", ""))
    name = "_customer" if request.htmx else "detail"
    context = {
        "card": card,
        "customer": card.customer,
        "connection": card.connection,
        "request_key": str(uuid.uuid4()),
        "list_url": reverse("customers:list_of", args=[card.connection.pk]),
    }
    return render(request, f"invoicing/customers/{name}.html", context)


def _successor(request: TenantRequest, customer_id: uuid.UUID) -> HttpResponse:
    """A new customer that turned out to be in Bokio already has become that one's row."""
    flow = request.tenant.flows.filter(resource_key=services.customer_key(customer_id)).first()
    step = flow.steps.filter(op="ensure_customer").first() if flow else None
    remote_id = step.result.get("remote_id") if step else None
    if flow is None or not remote_id:
        raise Http404
    kept = get_object_or_404(
        request.tenant.customers, connection=flow.connection_id, remote_id=remote_id
    )
    url = reverse("customers:detail", args=[kept.pk])
    if request.htmx:
        return HttpResponse(headers={"HX-Redirect": url})
    return redirect(url)


@require_http_methods(["GET", "HEAD", "POST"])
@member
def edit(request: TenantRequest, customer_id: uuid.UUID) -> HttpResponse:
    """Change a customer: at once while only we have it, else by a run."""
    customer = _find(request, customer_id)
    card = Card(customer)
    customer, stands = card.customer, card.stands
    held = services.held(customer, stands)
    if request.method == "POST":
        form = CustomerDetails(request.POST, connection=card.connection, held=held)
        return _save(request, form, customer)
    if not card.may_change:
        messages.info(request, _("The customer cannot be changed here at the moment."))
        return redirect("customers:detail", customer.pk)
    if customer.remote_id and not customer.mark:
        _read(request, customer)
        messages.info(request, _("The customer is being read from Bokio. Then it can be changed."))
        return redirect("customers:detail", customer.pk)
    if stands is None:
        first = {**held, "mark": customer.mark}
        form = CustomerDetails(connection=card.connection, held=first)
        return _form(request, form, customer=customer)
    data = as_post(held)
    data["mark"] = customer.mark
    form = CustomerDetails(data, connection=card.connection, held=held)
    form.add_refusals(stands.refusals)
    differences = _differences(customer, form) if stands.was_overtaken else []
    return _form(request, form, customer=customer, stands=stands, differences=differences)


def _save(request: TenantRequest, form: CustomerDetails, customer: Customer) -> HttpResponse:
    if not form.is_valid():
        return _form(request, form, customer=customer, status=422)
    key = str(registers.request_key(request.POST))
    mark = form.cleaned_data["mark"]
    try:
        services.save_customer(customer, form.values(), mark=mark, by=request.user, request_key=key)
    except services.ChangedMeanwhile:
        return _conflict(request, form, customer)
    except services.Busy:
        form.add_error(None, _("A run is at work on this customer. Save again when it has ended."))
        return _form(request, form, customer=customer, status=409)
    except services.NumberElsewhere:
        text = _("Bokio has a personal number of this customer that is not kept here.")
        form.add_error(None, text)
        return _form(request, form, customer=customer, status=409)
    return redirect("customers:detail", customer.pk)


def _conflict(request: TenantRequest, form: CustomerDetails, customer: Customer) -> HttpResponse:
    """Show both versions. Saving once more then replaces the other, knowingly."""
    customer.refresh_from_db()
    data = request.POST.copy()
    data["mark"], data["request_key"] = customer.mark, str(uuid.uuid4())
    again = CustomerDetails(data, connection=form.connection, held=services.held(customer, None))
    differences = _differences(customer, again)
    return _form(request, again, customer=customer, differences=differences, status=409)


def _differences(customer: Customer, mine: CustomerDetails) -> list[tuple[str, str, str]]:
    """What Bokio has and what was typed, where they differ: (field, Bokio, typed)."""
    theirs = CustomerDetails(connection=mine.connection, held=services.held(customer, None))
    pairs: list[tuple[str, Any, Any]] = [
        (str(mine.fields[name].label), theirs[name].value(), mine[name].value())
        for name in [*mine.Meta.fields, "language", "customer_number"]
    ]
    for number, (ours, other) in enumerate(zip(mine.contacts, theirs.contacts, strict=True), 1):
        for name in ("name", "email", "phone"):
            label = _("Contact %(number)s, %(part)s") % {
                "number": number,
                "part": str(ours.fields[name].label).lower(),
            }
            pairs.append((label, other[name].value(), ours[name].value()))
    texts = [(label, str(one or ""), str(two or "")) for label, one, two in pairs]
    return [(label, one, two) for label, one, two in texts if one.strip() != two.strip()]


@require_POST
@member
def send(request: TenantRequest, customer_id: uuid.UUID) -> HttpResponse:
    """Have Bokio keep a customer that only we have. Asked twice, it is the same run."""
    customer = _find(request, customer_id)
    services.start_creating(customer, by=request.user)
    return redirect("customers:detail", customer.pk)


@require_POST
@member
def delete(request: TenantRequest, customer_id: uuid.UUID) -> HttpResponse:
    """Delete a customer without invoices."""
    customer = _find(request, customer_id)
    key = str(registers.request_key(request.POST))
    try:
        gone = services.delete_customer(customer, by=request.user, request_key=key)
    except services.HasInvoices:
        messages.error(request, _("The customer has invoices and cannot be deleted."))
    except services.Busy:
        messages.error(request, _("A run is at work on this customer. Try when it has ended."))
    else:
        if gone:
            messages.success(request, _("The customer is deleted."))
            return redirect("customers:list_of", customer.connection_id)
    return redirect("customers:detail", customer.pk)


@require_POST
@member
def read(request: TenantRequest, customer_id: uuid.UUID) -> HttpResponse:
    """Read the customer from Bokio once more, in the background."""
    customer = _find(request, customer_id)
    _read(request, customer)
    return redirect("customers:detail", customer.pk)


def _read(request: TenantRequest, customer: Customer) -> None:
    if customer.remote_id:
        moment = clock.now().strftime("%Y%m%d%H%M%S")
        services.read_customer(customer, by=request.user, request_key=f"asked-{moment}")


@require_POST
@member
def give_up(request: TenantRequest, customer_id: uuid.UUID) -> HttpResponse:
    """Drop a change that has stopped without effect."""
    card = Card(_find(request, customer_id))
    registers.give_up(request, card.stands)
    return redirect("customers:detail", customer_id)


def _find(request: TenantRequest, customer_id: uuid.UUID) -> Customer:
    mine = request.tenant.customers.select_related("connection")
    return get_object_or_404(mine, pk=customer_id)


def _form(
    request: TenantRequest,
    form: CustomerDetails,
    *,
    customer: Customer | None = None,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    connection: Connection = form.connection
    values = {
        "form": form,
        "customer": customer,
        "connection": connection,
        "year": fiscal_year_of(connection, clock.today()),
        "list_url": reverse("customers:list_of", args=[connection.pk]),
    }
    return render(request, "invoicing/customers/form.html", values | context, status=status)

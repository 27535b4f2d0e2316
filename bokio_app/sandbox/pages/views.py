"""Bokio's side for a person: companies, books, connections, and the faults to play with."""

import uuid
from collections.abc import Callable
from decimal import Decimal
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from bokio_app.sandbox import clock, faults, invoicing, ledger, store
from bokio_app.sandbox.api.registry import all_operations
from bokio_app.sandbox.calls import record
from bokio_app.sandbox.models import Account, Company, Connection, Invoice, Person
from bokio_app.sandbox.pages.consent import sign_in_page
from bokio_app.sandbox.pages.context import signed_in
from bokio_app.sandbox.refusals import Refusal

P = ParamSpec("P")
ROWS_PER_PAGE = 50
ENTRIES_SHOWN = 20


def for_person(
    view: Callable[Concatenate[HttpRequest, Person, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Give the view the signed-in person; everybody else gets the sign-in page."""

    @wraps(view)
    def inner(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        person = signed_in(request)
        if person is None:
            return sign_in_page(request, then=request.get_full_path())
        return view(request, person, *args, **kwargs)

    return inner


@require_GET
@for_person
def home(request: HttpRequest, person: Person) -> HttpResponse:
    rows = [
        {
            "company": company,
            "receivables": ledger.balances(company).get(1510, Decimal(0)),
            "invoices": company.invoices.count(),
            "connections": company.connections.count(),
        }
        for company in person.companies.order_by("name")
    ]
    return render(request, "sandbox/home.html", {"rows": rows, "here": "home"})


@require_GET
@for_person
def company(request: HttpRequest, person: Person, company_id: uuid.UUID) -> HttpResponse:
    """The books of one company: balances, invoices, latest journal entries."""
    row = get_object_or_404(person.companies, uuid=company_id)
    invoices = row.invoices.select_related("entry").order_by("-id")
    page = Paginator(invoices, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    for invoice in page:
        _add_status(invoice)
    names = dict(Account.objects.filter(company=row).values_list("number", "name"))
    balances = [
        {"account": account, "name": names.get(account, ""), "balance": balance}
        for account, balance in ledger.balances(row).items()
    ]
    context = {
        "company": row,
        "page": page,
        "balances": balances,
        "entries": row.entries.prefetch_related("items").order_by("-number")[:ENTRIES_SHOWN],
        "connections": row.connections.select_related("application", "person"),
        "connect_url": _connect_url(request, row),
        "here": "home",
    }
    return render(request, "sandbox/company.html", context)


def _connect_url(request: HttpRequest, row: Company) -> str:
    """The application's own address for a connection that starts on Bokio's side."""
    back = request.build_absolute_uri(reverse("company", args=[row.uuid]))
    query = {
        "bokio_tenantid": str(row.uuid),
        "bokio_tenanttype": "company",
        "redirect_url": back,
    }
    return f"{settings.SANDBOX_APP_URL}/bokio/connect?{urlencode(query)}"


def _add_status(invoice: Invoice) -> None:
    invoice.state = invoicing.status(invoice, clock.today())  # type: ignore[attr-defined]  # for the template alone


@require_GET
@for_person
def invoice(
    request: HttpRequest, person: Person, company_id: uuid.UUID, invoice_id: uuid.UUID
) -> HttpResponse:
    row = _invoice(person, company_id, invoice_id)
    return _invoice_page(request, row)


def _invoice(person: Person, company_id: uuid.UUID, invoice_id: uuid.UUID) -> Invoice:
    rows = Invoice.objects.select_related("company", "customer", "entry").filter(
        company__in=person.companies.filter(uuid=company_id)
    )
    return get_object_or_404(rows, uuid=invoice_id)


def _invoice_page(request: HttpRequest, row: Invoice, *, refused: bool = False) -> HttpResponse:
    _add_status(row)
    context = {
        "invoice": row,
        "company": row.company,
        "payments": row.payments.select_related("entry"),
        "settlements": row.settlements.select_related("entry"),
        "refused": refused,
        "here": "home",
    }
    return render(request, "sandbox/invoice.html", context, status=409 if refused else 200)


@require_POST
@for_person
def act(
    request: HttpRequest, person: Person, company_id: uuid.UUID, invoice_id: uuid.UUID
) -> HttpResponse:
    """Do something with an invoice as a person in Bokio does, behind the application's back."""
    try:
        with store.write():
            row = _invoice(person, company_id, invoice_id)
            match request.POST.get("action"):
                case "publish":
                    invoicing.publish(row)
                case "record":
                    invoicing.record_invoice(row)
                case "pay":
                    invoicing.pay(row, day=clock.today(), amount=row.outstanding, account=1930)
                case "delete":
                    invoicing.delete_draft(row)
                    return redirect("company", company_id)
    except Refusal:
        return _invoice_page(request, _invoice(person, company_id, invoice_id), refused=True)
    return redirect("invoice", company_id, invoice_id)


@require_GET
@for_person
def connections(request: HttpRequest, person: Person) -> HttpResponse:
    rows = (
        Connection.objects.filter(company__in=person.companies.all())
        .select_related("application", "company", "person")
        .order_by("company__name")
    )
    return render(request, "sandbox/connections.html", {"rows": rows, "here": "connections"})


@require_POST
@for_person
def revoke(_request: HttpRequest, person: Person, connection_id: uuid.UUID) -> HttpResponse:
    with store.write():
        Connection.objects.filter(uuid=connection_id, company__in=person.companies.all()).delete()
    return redirect("connections")


@require_GET
@for_person
def fault_switches(request: HttpRequest, person: Person) -> HttpResponse:
    data = record.as_json()
    context: dict[str, Any] = {
        "faults": faults.ordered.all(),
        "kinds": list(faults.KINDS),
        "operations": sorted(operation.id for operation in all_operations()),
        "calls": list(reversed(data["calls"][-40:])),
        "viewer": person,
        "here": "faults",
    }
    return render(request, "sandbox/faults.html", context)


@require_POST
@for_person
def change_faults(request: HttpRequest, _person: Person) -> HttpResponse:
    """Add, release or remove a fault."""
    chosen = request.POST.get("fault", "")
    known = {operation.id for operation in all_operations()} | {faults.ANY}
    match request.POST.get("action"):
        case "add" if request.POST.get("operation") in known:
            kind = request.POST.get("kind", "")
            if kind in faults.KINDS:
                every = request.POST.get("every") == "on"
                faults.ordered.add(
                    faults.Fault(request.POST["operation"], kind, nth=None if every else 1)
                )
        case "release":
            faults.ordered.release(chosen)
        case "remove":
            faults.ordered.remove(chosen)
        case "clear":
            faults.ordered.clear()
    return redirect("faults")

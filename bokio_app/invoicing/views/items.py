"""Pages of items: the lists, and the form that keeps one."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bokio_app.connections.models import Connection
from bokio_app.connections.queries import live
from bokio_app.core import clock
from bokio_app.core.sheets import sheet
from bokio_app.flows.models import Flow, FlowState
from bokio_app.invoicing.models import Item, LineItem
from bokio_app.invoicing.registers import services
from bokio_app.invoicing.registers.card import Stops
from bokio_app.invoicing.registers.forms import ItemForm, item_post
from bokio_app.invoicing.registers.lists import ITEM_ORDERS, find_items, items
from bokio_app.ledger.queries import account_names, fiscal_year_of
from bokio_app.tenants.access import TenantRequest, member

from . import registers

NAMES = {
    "list": "items:list",
    "new": "items:new",
    "new_of": "items:new_of",
    "export": "items:export",
    "feature": "items",
}
NEW: services.Values = {
    "type": LineItem.Type.SALES,
    "product": LineItem.Product.SERVICES,
    "unit": LineItem.Unit.UNSPECIFIED,
    "tax_rate": 25,
}


@require_safe
@member
def list_(request: TenantRequest, connection_id: uuid.UUID | None = None) -> HttpResponse:
    """`?q=` and `?order=` narrow and sort; `?before=` asks for the rows that follow."""
    if connection_id is None and (chosen := registers.chosen_company(request, NAMES["list"])):
        return chosen
    company = registers.company_of(request, connection_id)
    asked = registers.asked_of(request, company, ITEM_ORDERS)
    page = find_items(request.tenant, asked)
    context = {
        "page": page,
        "begun": _begun(request, company),
        "next_url": registers.link(asked, NAMES["list"], before=page.next) if page.next else "",
        **registers.frame(request, asked, ITEM_ORDERS, names=NAMES),
    }
    return render(request, "invoicing/items/list.html", context)


def _begun(request: TenantRequest, company: Connection | None) -> list[Flow]:
    """Items on their way to Bokio, which have no row of their own yet."""
    found = request.tenant.flows.filter(kind="create_item").exclude(
        state__in=[FlowState.DONE, FlowState.CANCELLED]
    )
    if company:
        found = found.filter(connection=company)
    return list(found.select_related("connection").order_by("-created_at")[:10])


@require_safe
@member
def export(request: TenantRequest, connection_id: uuid.UUID | None = None) -> HttpResponseBase:
    """The items of a list, all of them, as a file."""
    company = registers.company_of(request, connection_id)
    asked = registers.asked_of(request, company, ITEM_ORDERS)
    found = items(request.tenant, asked).select_related("connection")
    heads = (
        _("Company"), _("Description"), _("Type"), _("Kind"), _("Unit"), _("Price without VAT"),
        _("VAT"), _("Account"),
    )  # fmt: skip
    rows = (
        (
            each.connection, each.description, each.get_type_display(), each.get_product_display(),
            each.get_unit_display(), each.unit_price, each.tax_rate, each.account or "",
        )
        for each in found.order_by("description", "pk").iterator(chunk_size=500)
    )  # fmt: skip
    return sheet(heads, rows, name=f"items-{clock.today()}.csv")


@require_http_methods(["GET", "HEAD", "POST"])
@member
def new(request: TenantRequest, connection_id: uuid.UUID | None = None) -> HttpResponse:
    """A new item of the company, which a run makes at Bokio."""
    if connection_id is None:
        return registers.choose_company(request, title=_("New item"), name=NAMES["new_of"])
    connection = get_object_or_404(live(request.tenant), pk=connection_id)
    accounts = account_names(connection)
    if request.method != "POST":
        return _form(request, connection, ItemForm(held=NEW, accounts=accounts))
    form = ItemForm(request.POST, held=NEW, accounts=accounts)
    if not form.is_valid():
        return _form(request, connection, form, status=422)
    key = str(registers.request_key(request.POST))
    flow = services.create_item(connection, form.values(), by=request.user, request_key=key)
    return redirect("items:begun", flow.public_id)


@require_http_methods(["GET", "HEAD", "POST"])
@member
def begun(request: TenantRequest, public_id: uuid.UUID) -> HttpResponse:
    """An item on its way to Bokio; where Bokio has refused it, the form with what it said."""
    flows = request.tenant.flows.filter(kind="create_item").select_related("connection")
    flow = get_object_or_404(flows.prefetch_related("steps"), public_id=public_id)
    if made := _made(flow):
        return redirect("items:detail", made.pk)
    stops = Stops(services.standing(flow))
    accounts = account_names(flow.connection)
    if request.method != "POST":
        form = None
        if stops.stands and stops.stands.is_correctable:
            held = stops.stands.values(services.ITEM_FIELDS)
            form = ItemForm(item_post(held), held=held, accounts=accounts)
            form.add_refusals(stops.stands.refusals)
        return _form(request, flow.connection, form, stops=stops, flow=flow)
    form = ItemForm(request.POST, held=NEW, accounts=accounts)
    status = 422
    if form.is_valid():
        try:
            services.correct_item(flow, form.values(), by=request.user)
        except services.Busy:
            form.add_error(None, _("The run is at work again. See how it goes, then try anew."))
            status = 409
        else:
            return redirect("items:begun", flow.public_id)
    return _form(request, flow.connection, form, stops=stops, flow=flow, status=status)


@require_POST
@member
def drop(request: TenantRequest, public_id: uuid.UUID) -> HttpResponse:
    """Give up an item that Bokio has refused."""
    flows = request.tenant.flows.filter(kind="create_item").prefetch_related("steps")
    flow = get_object_or_404(flows, public_id=public_id)
    registers.give_up(request, services.standing(flow) if flow.is_open else None)
    return redirect("items:list_of", flow.connection_id)


def _made(flow: Flow) -> Item | None:
    """Our row of what a creation has made."""
    [step] = flow.steps.all()
    if not step.remote_id:
        return None
    return Item.objects.filter(connection=flow.connection_id, remote_id=step.remote_id).first()


@require_http_methods(["GET", "HEAD", "POST"])
@member
def detail(request: TenantRequest, item_id: int) -> HttpResponse:
    """One item: its form, and the run that changes it."""
    item = _find(request, item_id)
    stands = services.standing_of(item.connection, services.item_key(item))
    item.refresh_from_db()
    stops = Stops(stands)
    accounts = account_names(item.connection)
    held = services.item_values(item) | {"mark": item.mark}
    if request.method == "POST":
        form = ItemForm(request.POST, held=held, accounts=accounts)
        return _save(request, form, item, stops)
    if stands and stands.is_correctable:
        wanted = stands.values(services.ITEM_FIELDS)
        form = ItemForm(item_post({**wanted, "mark": item.mark}), held=wanted, accounts=accounts)
        form.add_refusals(stands.refusals)
        differences = _differences(item, form) if stands.was_overtaken else []
        return _form(
            request, item.connection, form, item=item, stops=stops, differences=differences
        )
    may_change = stands is None and item.gone_at is None
    shown = ItemForm(held=held, accounts=accounts) if may_change else None
    return _form(request, item.connection, shown, item=item, stops=stops)


def _save(request: TenantRequest, form: ItemForm, item: Item, stops: Stops) -> HttpResponse:
    connection, context = item.connection, {"item": item, "stops": stops}
    if not form.is_valid():
        return _form(request, connection, form, status=422, **context)
    key, mark = str(registers.request_key(request.POST)), form.cleaned_data["mark"]
    try:
        services.save_item(item, form.values(), mark=mark, by=request.user, request_key=key)
    except services.ChangedMeanwhile:
        data = request.POST.copy()
        data["mark"], data["request_key"] = item.mark, str(uuid.uuid4())
        again = ItemForm(data, held=NEW, accounts=form.accounts)
        context["differences"] = _differences(item, again)
        return _form(request, connection, again, status=409, **context)
    except services.Busy:
        form.add_error(None, _("A run is at work on this item. Save again when it has ended."))
        return _form(request, connection, form, status=409, **context)
    return redirect("items:detail", item.pk)


def _differences(item: Item, mine: ItemForm) -> list[tuple[str, str, str]]:
    """What Bokio has and what was typed, where they differ: (field, Bokio, typed)."""
    theirs = item_post(services.item_values(item))
    found = []
    for name in services.ITEM_FIELDS:
        pair = str(theirs.get(name, "")), str(mine[name].value() or "")
        if pair[0] != pair[1]:
            found.append((str(mine.fields[name].label), *pair))
    return found


@require_POST
@member
def delete(request: TenantRequest, item_id: int) -> HttpResponse:
    """Delete an item at Bokio. Asked twice, it is the same run."""
    item = _find(request, item_id)
    key = str(registers.request_key(request.POST))
    try:
        services.delete_item(item, by=request.user, request_key=key)
    except services.Busy:
        messages.error(request, _("A run is at work on this item. Try when it has ended."))
    return redirect("items:detail", item.pk)


@require_POST
@member
def give_up(request: TenantRequest, item_id: int) -> HttpResponse:
    """Drop a change that has stopped without effect."""
    item = _find(request, item_id)
    registers.give_up(request, services.standing_of(item.connection, services.item_key(item)))
    return redirect("items:detail", item.pk)


def _find(request: TenantRequest, item_id: int) -> Item:
    return get_object_or_404(request.tenant.items.select_related("connection"), pk=item_id)


def _form(
    request: TenantRequest,
    connection: Connection,
    form: ItemForm | None,
    *,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    values = {
        "form": form,
        "connection": connection,
        "year": fiscal_year_of(connection, clock.today()),
        "request_key": str(uuid.uuid4()),
        "list_url": reverse("items:list_of", args=[connection.pk]),
    }
    return render(request, "invoicing/items/form.html", values | context, status=status)

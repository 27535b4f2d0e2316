"""The invoice editor. Every button is a submit of one form, so what was typed always survives."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bokio_app.connections.models import Connection
from bokio_app.connections.queries import live
from bokio_app.flows.models import FlowState
from bokio_app.invoicing import opening, queries, services, writing
from bokio_app.invoicing.editor import NEW_LINE, NEW_TEXT, Editor, without_last_blanks
from bokio_app.invoicing.fields import as_typed
from bokio_app.invoicing.forms import CustomerForm
from bokio_app.invoicing.inputs import LineInput
from bokio_app.invoicing.items_offered import find
from bokio_app.invoicing.models import Invoice
from bokio_app.invoicing.problems import problems_of
from bokio_app.tenants.access import TenantRequest, member

from . import saving

SAVING = {"save", "send"}
DESCRIPTION = re.compile(r"lines-\d{1,6}-description")
COMPARED = (
    "customer_text", "invoice_date", "due_date", "your_reference", "order_number", "project",
    "contract", "line1", "line2", "postal_code", "city", "country", "currency", "rate", "discount",
    "discount_kind",
)  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@member
def new(request: TenantRequest) -> HttpResponse:
    """A new invoice of the company that `?company=` names; without one, the choice of company."""
    connection = _company(request)
    if connection is None:
        companies = list(live(request.tenant))
        if len(companies) == 1:
            return redirect(f"{reverse('invoicing:new')}?company={companies[0].pk}")
        return render(request, "invoicing/choose_company.html", {"companies": companies})
    if request.method == "POST":
        return _post(request, connection, invoice=None)
    editor = opening.blank(connection)
    if picked := request.GET.get("customer"):
        _use_customer(editor, picked)
    return _page(request, editor)


@require_http_methods(["GET", "HEAD", "POST"])
@member
def edit(request: TenantRequest, invoice_id: uuid.UUID) -> HttpResponse:
    """A draft that is still ours. `?check` shows what keeps it from being sent."""
    invoice = get_object_or_404(
        request.tenant.invoices.select_related("connection", "customer"), pk=invoice_id
    )
    if request.method == "POST":
        return _post(request, invoice.connection, invoice=invoice)
    if not services.is_editable(invoice):
        messages.info(request, _("The invoice is at Bokio and cannot be edited any more."))
        return redirect("invoicing:detail", invoice.pk)
    editor = opening.stored(invoice, checking="check" in request.GET)
    if "check" in request.GET:
        editor.add_problems(problems_of(invoice))
    editor.add_refusals(_refusals(invoice))
    return _page(request, editor)


@require_POST
@member
def preview(request: TenantRequest, connection_id: uuid.UUID) -> HttpResponse:
    """The part beside the lines: totals, expected entry, what is known of the customer."""
    connection = get_object_or_404(live(request.tenant), pk=connection_id)
    editor = opening.typed(connection, request.POST, invoice=None, quiet=True)
    context = {
        "editor": editor,
        "is_preview": True,
        "editor_url": request.htmx.current_url_abs_path or "",
    }
    return render(request, "invoicing/_preview.html", context)


@require_safe
@member
def customer_options(request: TenantRequest, connection_id: uuid.UUID) -> HttpResponse:
    """What the field for the customer lists."""
    connection = get_object_or_404(live(request.tenant), pk=connection_id)
    text = request.GET.get("customer_text", "").strip()[:100]
    options = [
        {"value": each.pk, "label": each.name, "aside": each.shown_number}
        for each in queries.customers(connection, text)
    ]
    return render(
        request,
        "components/combobox_options.html",
        {
            "list": "id_customer_text_list",
            "options": options,
            "query": text,
            "create_url": "#new-customer",
        },
    )


@require_safe
@member
def item_options(request: TenantRequest, connection_id: uuid.UUID) -> HttpResponse:
    """What a line's description lists: the company's items that hold what was typed."""
    connection = get_object_or_404(live(request.tenant), pk=connection_id)
    key = next((each for each in request.GET if DESCRIPTION.fullmatch(each)), "")
    text = request.GET.get(key, "").strip()[:100]
    context = {"list": f"id_{key}_list", "items": find(connection, text)}
    return render(request, "invoicing/_item_options.html", context)


def _company(request: TenantRequest) -> Connection | None:
    text = request.GET.get("company", "")
    if not text:
        return None
    try:
        found = uuid.UUID(text)
    except ValueError:
        return None
    return get_object_or_404(live(request.tenant), pk=found)


def _post(
    request: TenantRequest, connection: Connection, *, invoice: Invoice | None
) -> HttpResponse:
    data = request.POST
    action = data.get("action", "save")
    editor = opening.typed(connection, data, invoice=invoice, quiet=action not in SAVING)
    if action in SAVING:
        return _save(request, editor, send=action == "send")
    if action == "autosave":
        return saving.autosave(request, editor)
    _change(request, editor, action)
    return _page(request, editor)


def _save(request: TenantRequest, editor: Editor, *, send: bool) -> HttpResponse:
    """Keep the draft and, when asked, start sending it: an address of its own follows."""
    if not editor.is_valid():
        return _page(request, editor, status=422)
    try:
        invoice = saving.keep(request, editor, editor.draft)
    except services.EditConflict as conflict:
        return _conflict(request, editor, conflict.current)
    except services.NotEditable as sent:
        messages.info(request, _("The invoice is at Bokio and cannot be edited any more."))
        found = sent.invoice or editor.invoice
        return redirect("invoicing:detail", found.pk) if found else redirect("invoicing:list")
    if not send:
        messages.success(request, _("The draft is saved."))
        return redirect("invoicing:edit", invoice.pk)
    key = editor.form.cleaned_data["request_key"]
    return start(request, invoice, request_key=str(key or ""))


def start(request: TenantRequest, invoice: Invoice, *, request_key: str) -> HttpResponse:
    """Start publishing and recording; what keeps it from that is shown in the editor."""
    try:
        services.start_sending(invoice, by=request.user, request_key=request_key)
    except services.NotReady as not_ready:
        if ("customer", services.ORDERED_FOR_ANOTHER) in not_ready.problems:
            messages.error(
                request,
                _(
                    "The order has its customer in Bokio already. Cancel its run to send the "
                    "invoice to another one."
                ),
            )
        return redirect(f"{reverse('invoicing:edit', args=[invoice.pk])}?check")
    except services.NotEditable:
        messages.info(request, _("The invoice is published already."))
    return redirect("invoicing:detail", invoice.pk)


def _conflict(request: TenantRequest, editor: Editor, current: Invoice) -> HttpResponse:
    """Show both versions. Saving once more then overwrites, knowingly."""
    last = saving.last_saved(current)
    values = {name: editor.form[name].value() for name in editor.form.fields}
    values |= {"version": current.version, "request_key": str(uuid.uuid4())}
    again = Editor(
        editor.connection,
        head=values,
        rows=editor.rows,
        invoice=current,
        quiet=True,
        reduction=editor.reduction.raw,
    )
    differences = _differences(current, editor)
    context = {"conflict": last, "saved": current, "differences": differences}
    return _page(request, again, status=409, **context)


def _differences(saved: Invoice, mine: Editor) -> list[tuple[str, str, str]]:
    """What the two versions say differently: (field, saved, typed)."""
    found = []
    theirs = opening.stored(saved)
    lines = services.draft_of(saved).lines, mine.draft.lines
    for name in COMPARED:
        field = theirs.form[name]
        pair = (str(field.value() or ""), str(mine.form[name].value() or ""))
        if pair[0] != pair[1]:
            found.append((str(field.label), *pair))
    for number in range(max(map(len, lines))):
        pair = (_told(lines[0], number), _told(lines[1], number))
        if pair[0] != pair[1]:
            found.append((_("Line %(number)s") % {"number": number + 1}, *pair))
    return found


def _told(lines: Sequence[LineInput], number: int) -> str:
    """A line in one line of text; empty where there is none."""
    if number >= len(lines):
        return ""
    line = lines[number]
    if not line.is_sales:
        return line.description
    quantity, price = as_typed(line.quantity, decimals=None), line.unit_price
    told = f"{line.description}: {quantity} × {as_typed(price)}, {line.tax_rate} %"
    return f"{told}, {line.account}" if line.account else told


def _change(request: TenantRequest, editor: Editor, action: str) -> None:
    """The buttons within the form that change what it shows and keep nothing."""
    verb, _colon, argument = action.partition(":")
    if verb.endswith("_person"):
        editor.reduction = editor.reduction.changed(verb, argument)
    elif verb == "add_line":
        editor.set_rows([*editor.rows, NEW_LINE])
    elif verb == "add_text":
        editor.set_rows([*without_last_blanks(editor.rows), NEW_TEXT])
    elif verb == "remove_line" and argument.isdigit():
        rows = [row for number, row in enumerate(editor.rows) if number != int(argument)]
        editor.set_rows(rows or [NEW_LINE])
    elif verb == "find_item":
        editor.find_items(request.POST.get("item_text", "").strip()[:100])
    elif verb == "add_item":
        editor.add_item(argument)
    elif verb == "new_customer":
        _create_customer(request, editor)
    elif verb == "edit_customer" and editor.customer:
        editor.edit_customer(editor.customer)
    elif verb == "use_customer":
        _use_customer(editor, argument)


def _create_customer(request: TenantRequest, editor: Editor) -> None:
    connection = editor.connection
    form = CustomerForm(request.POST, prefix="new", connection=connection)
    editor.customer_form = form
    if not form.is_valid():
        editor.customer_open = True
        return
    customer_id = form.cleaned_data["id"]
    if customer_id is None:
        customer = services.create_customer(connection, by=request.user, **form.values())
    else:
        customer = get_object_or_404(connection.customers, pk=customer_id)
        try:
            customer = services.update_customer(customer, by=request.user, **form.values())
        except services.NotEditable:
            form.add_error(None, _("Bokio has this customer by now. Change it there."))
            editor.customer_open = True
            return
    editor.customer_form = CustomerForm(prefix="new", connection=connection)
    editor.pick(customer)


def _use_customer(editor: Editor, text: str) -> None:
    try:
        found = editor.connection.customers.filter(pk=uuid.UUID(text)).first()
    except ValueError:
        return
    if found:
        editor.pick(found)


def _refusals(invoice: Invoice) -> list[list[str]]:
    """What Bokio said against the data of a flow that waits for the correction."""
    flow = services.sending_flow(invoice)
    if flow is None or flow.state != FlowState.STUCK:
        return []
    step = flow.steps.filter(pos=flow.cursor).first()
    if step is None:
        return []
    return step.error_fields or ([["", step.error_message]] if step.error_message else [])


def _page(
    request: TenantRequest, editor: Editor, *, status: int = 200, **context: Any
) -> HttpResponse:
    count = len(editor.mistakes)
    title = ngettext(
        "One field needs correcting before the invoice can be sent",
        "%(count)s fields need correcting before the invoice can be sent",
        count,
    ) % {"count": count}
    invoice = editor.invoice
    values = {
        "others": writing.open_for(invoice, request.user) if invoice else "",
        "editor": editor,
        "invoice": editor.invoice,
        "connection": editor.connection,
        "mistakes": editor.mistakes,
        "mistakes_title": title,
        "editor_url": request.get_full_path(),
        "company_url": reverse("invoicing:company_list", args=[editor.connection.pk]),
        "deletable": bool(editor.invoice and not services.sending_flow(editor.invoice)),
    }
    return render(request, "invoicing/editor.html", values | context, status=status)

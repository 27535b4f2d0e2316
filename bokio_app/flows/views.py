"""Pages of runs: the lists, one run, its live progress, and the decisions of a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from bokio_app.connections.queries import CHOICES, live
from bokio_app.tenants.access import TenantRequest, member
from bokio_app.tenants.models import Tenant

from . import answers, decisions, history, queries, services
from .explain import explain_stop, facts, lacking_scopes
from .forms import AdoptForm, ReasonForm
from .history import Wanted
from .inventory import pages as inventory
from .models import Attempt, Flow, FlowState, Step, StepState
from .progress import STATE_OF_FLOW, progress_of, wait_reason, waits_until

if TYPE_CHECKING:
    from bokio_app.invoicing.models import Invoice


# What a person can decide that needs a reason, and what has to be said with it.
FORMS: dict[str, type[ReasonForm]] = {
    "cancel": ReasonForm,
    "adopt": AdoptForm,
    "again": ReasonForm,
    "handled": ReasonForm,
}


@dataclass(frozen=True)
class Row:
    """One flow of the list; `state` names a glyph, `invoice` is None when it works on none."""

    flow: Flow
    key: str
    invoice: Invoice | None
    state: str
    reason: str
    until: datetime | None


@dataclass(frozen=True)
class CallRow:
    """One call of a flow's, and what Bokio answered, for people to read."""

    attempt: Attempt
    answer: str


@dataclass(frozen=True)
class Tab:
    """A list to choose, and how many flows it holds."""

    label: str
    url: str
    count: int | None
    current: bool


@member
@require_safe
def list_(request: TenantRequest) -> HttpResponse:
    """The tenant's flows by state, a hundred at a time, beside one of them (`at`). With `counts`,
    only the tabs, and what takes longest: how many there are in all.
    """
    tenant, last = request.tenant, _last(request)
    wanted = Wanted.of(request.GET).of_company(tenant)
    if "counts" in request.GET:
        tabs = _tabs(wanted, queries.counts(wanted.flows(tenant.flows.all())))
        context = {"tabs": tabs, "wanted": wanted, "are_counted": True}
        return render(request, "flows/_tabs.html", context)
    in_view = queries.flows_of(tenant).filter(state__in=queries.STATES_OF[wanted.view])
    page = list(queries.older_than(wanted.flows(in_view), last)[: queries.PAGE + 1])
    shown = page[: queries.PAGE]
    more = shown[-1].public_id if len(page) > queries.PAGE else None
    companies = list(live(tenant)[: CHOICES + 1])
    company = tenant.connections.filter(pk=wanted.company).first() if wanted.company else None
    cleared = Wanted(view=wanted.view, reads=wanted.reads, company=wanted.company)
    context = {
        "findings": inventory.shown(inventory.open_findings(tenant)[: queries.PAGE]),
        "rows": _rows(tenant, shown),
        "at": request.GET.get("at", ""),
        "tabs": _tabs(wanted, queries.open_counts(wanted.flows(tenant.flows.all()))),
        "wanted": wanted,
        "kinds": history.kinds(),
        "people": history.people(tenant),
        "reads_url": replace(wanted, reads=not wanted.reads).url(),
        "clear_url": cleared.url(),
        "export_url": wanted.url("flows:export"),
        "query": wanted.query(),
        "company": company,
        "companies": companies[:CHOICES],
        "has_many": len(companies) > CHOICES,
        "every_company_url": replace(wanted, company=None).url(),
        "older_url": wanted.url(before=str(more)) if more else "",
        "newest_url": wanted.url() if last else "",
    }
    return render(request, "flows/list.html", context)


def _last(request: TenantRequest) -> Flow | None:
    try:
        before = UUID(request.GET.get("before", ""))
    except ValueError:
        return None
    return request.tenant.flows.filter(public_id=before).first()


def _tabs(wanted: Wanted, counts: Mapping[str, int]) -> list[Tab]:
    return [
        Tab(
            label=str(label),
            url=replace(wanted, view=name).url(),
            count=counts.get(name),
            current=name == wanted.view,
        )
        for name, label in queries.View.choices
    ]


def _rows(tenant: Tenant, flows: Iterable[Flow]) -> list[Row]:
    flows = list(flows)
    ids = {flow.pk: queries.invoice_id(flow) for flow in flows}
    invoices = tenant.invoices.in_bulk([each for each in ids.values() if each])
    rows = []
    for flow in flows:
        number = ids[flow.pk]
        row = Row(
            flow=flow,
            key=str(flow.public_id),
            invoice=invoices.get(number) if number else None,
            state=STATE_OF_FLOW[FlowState(flow.state)],
            reason=wait_reason(flow),
            until=waits_until(flow),
        )
        rows.append(row)
    return rows


def _find(request: TenantRequest, public_id: UUID) -> Flow:
    return get_object_or_404(queries.flows_of(request.tenant), public_id=public_id)


@member
@require_safe
def detail(request: TenantRequest, public_id: UUID) -> HttpResponse:
    """One flow with its steps and calls; when it is stuck, both sides and the ways on."""
    return _detail(request, _find(request, public_id))


def _detail(
    request: TenantRequest,
    flow: Flow,
    *,
    status: int = 200,
    **forms: ReasonForm,
) -> HttpResponse:
    steps = list(flow.steps.order_by("pos"))
    number = queries.invoice_id(flow)
    findings = inventory.open_findings(request.tenant).filter(step__in=steps)
    context = {
        "flow": flow,
        "findings": inventory.shown(findings),
        "state": STATE_OF_FLOW[FlowState(flow.state)],
        "steps": len(steps),
        "company_url": reverse("connections:detail", args=[flow.connection_id]),
        "list_url": Wanted.of(request.GET).url(),
        "calls": _calls(steps),
        "invoice": request.tenant.invoices.filter(pk=number).first() if number else None,
        "done": sum(step.is_finished for step in steps),
        "retry_form": ReasonForm(required=False, prefix="retry"),
        **{f"{name}_form": form(required=True, prefix=name) for name, form in FORMS.items()},
        **forms,
        **_stop(flow, steps),
    }
    return render(request, "flows/detail.html", context, status=status)


def _calls(steps: list[Step]) -> list[CallRow]:
    attempts = Attempt.objects.filter(step__in=steps).select_related("step")
    return [CallRow(each, answers.readable(each.answer)) for each in attempts]


def _stop(flow: Flow, steps: list[Step]) -> dict[str, object]:
    """What a stuck flow stopped at; nothing for any other."""
    if flow.state != FlowState.STUCK or flow.cursor >= len(steps):
        return {}
    step = steps[flow.cursor]
    return {
        "stopped_at": step,
        "explanation": explain_stop(flow, step),
        "lacks": lacking_scopes(flow, step),
        "facts": facts(step),
        "unclear": step.state in {StepState.SENT, StepState.UNKNOWN},
        "adoptable": bool(step.operation and step.operation.object_type),
        "may_send_again": decisions.may_send_again(step),
    }


@member
@require_safe
@never_cache
def progress(request: TenantRequest, public_id: UUID) -> HttpResponse:
    """The live part of a flow. 204 while it is as the page has seen it; when the flow has come
    to rest, the page hears of it by the event `flow-ended`.
    """
    flow = _find(request, public_id)
    shown = progress_of(flow)
    if flow.is_moving and request.GET.get("seen") == shown.version:
        return HttpResponse(status=204)
    context = {"flow": flow, "shown": shown, "polled": bool(request.htmx)}
    response = render(request, "flows/_progress_part.html", context)
    if not flow.is_moving:
        response["HX-Trigger"] = "flow-ended"
    return response


@member
@require_POST
def retry(request: TenantRequest, public_id: UUID) -> HttpResponse:
    """Let a stuck flow go on from where it stopped."""
    flow = _find(request, public_id)
    form = ReasonForm(request.POST, required=False, prefix="retry")
    if not form.is_valid():
        return _detail(request, flow, retry_form=form, status=422)
    try:
        services.retry(flow, by=request.user, reason=form.cleaned_data["reason"])
    except services.NotStuck:
        messages.info(request, _("The run was no longer stopped: somebody has let it go on."))
    else:
        messages.success(request, _("The run goes on."))
    return redirect("flows:detail", public_id)


@member
@require_POST
def cancel(request: TenantRequest, public_id: UUID) -> HttpResponse:
    """Drop the steps of a flow that are not done."""
    flow = _find(request, public_id)
    form = ReasonForm(request.POST, required=True, prefix="cancel")
    if not form.is_valid():
        return _detail(request, flow, cancel_form=form, status=422)
    try:
        services.cancel(flow, by=request.user, reason=form.cleaned_data["reason"])
    except services.NotStuck:
        messages.info(request, _("The run had already ended. Nothing was cancelled."))
    else:
        messages.success(request, _("The rest is cancelled. What was done stays done."))
    return redirect("flows:detail", public_id)


@member
@require_POST
def adopt(request: TenantRequest, public_id: UUID) -> HttpResponse:
    """Point at the thing in Bokio that the stopped step has made; a worker compares and binds."""

    def decide(flow: Flow, form: ReasonForm) -> None:
        remote_id = str(form.cleaned_data["remote_id"])
        decisions.adopt(flow, remote_id, by=request.user, reason=form.cleaned_data["reason"])

    said = _("It is fetched in Bokio and compared. The run goes on if it is equal.")
    return _decided(request, public_id, "adopt", decide, said=said)


@member
@require_POST
def send_again(request: TenantRequest, public_id: UUID) -> HttpResponse:
    """Say that nothing seen in Bokio is the stopped step's; it is sent when reads agree."""

    def decide(flow: Flow, form: ReasonForm) -> None:
        decisions.send_again(flow, by=request.user, reason=form.cleaned_data["reason"])

    said = _("Bokio is read once more. If nothing new is there, the step is sent again.")
    return _decided(request, public_id, "again", decide, said=said)


@member
@require_POST
def handled(request: TenantRequest, public_id: UUID) -> HttpResponse:
    """End a stopped flow whose rest a person has seen to in Bokio."""

    def decide(flow: Flow, form: ReasonForm) -> None:
        decisions.mark_handled(flow, by=request.user, reason=form.cleaned_data["reason"])

    said = _("The run has ended. Nothing more is sent for it.")
    return _decided(request, public_id, "handled", decide, said=said)


def _decided(
    request: TenantRequest,
    public_id: UUID,
    name: str,
    decide: Callable[[Flow, ReasonForm], None],
    *,
    said: str,
) -> HttpResponse:
    flow = _find(request, public_id)
    form = FORMS[name](request.POST, required=True, prefix=name)
    if not form.is_valid():
        return _detail(request, flow, status=422, **{f"{name}_form": form})
    try:
        decide(flow, form)
    except services.NotStuck:
        messages.info(request, _("The run was no longer stopped: somebody has let it go on."))
    except (decisions.NotUnclear, decisions.NotAdoptable):
        messages.info(request, _("That does not apply to this step. Nothing was changed."))
    except decisions.NotSettled:
        messages.info(request, _("The lost request could still take effect. Wait a little."))
    else:
        messages.success(request, said)
    return redirect("flows:detail", public_id)

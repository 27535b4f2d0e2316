"""The start page, and what has come in."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.tenants.access import TenantRequest, member

from . import received as money_received
from . import shown
from .queue import queue_of


@member
@require_safe
def start(request: TenantRequest) -> HttpResponse:
    """What there is to do over all companies; each count leads to its list."""
    queue = queue_of(request.tenant)
    context = {
        "queue": queue,
        "today": clock.today(),
        "week": clock.today().isocalendar().week,
        "tiles": list(shown.tiles_of(queue)),
        "left": shown.left_rows(queue.total),
        "left_note": shown.left_note(queue),
        "ages": shown.ages_plot(queue.total),
        "todos": [(todo, *shown.next_step(todo)) for todo in queue.todos],
    }
    return render(request, "console/start.html", context)


@member
@require_safe
def weeks(request: TenantRequest) -> HttpResponse:
    """Cash in per week: the part that the start page fetches, or a page of its own."""
    found = money_received.weeks_of(request.tenant)
    context = {
        "weeks": shown.weeks_plot(found),
        "has_come": any(week.count or week.earlier for week in found),
        "year": clock.today().isocalendar().year,
    }
    template = "console/_weeks.html" if request.htmx else "console/weeks.html"
    return render(request, template, context)


@member
@require_safe
def received(request: TenantRequest) -> HttpResponse:
    """Payments to record, or with `?week=` those of a week; of all companies, or of one."""
    query = request.GET
    asked = money_received.Asked(
        company=_company(request, query.get("company", "")),
        week=money_received.read_week(query.get("week", "")),
        before=money_received.read_mark(query.get("before", "")),
    )
    page = money_received.listed(request.tenant, asked)
    context = {"page": page, "asked": asked, "next_url": asked.url(before=page.next)}
    return render(request, "console/received.html", context)


def _company(request: TenantRequest, text: str) -> Connection | None:
    """The company that the address names; one that the member may not see is not found."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return get_object_or_404(request.tenant.connections, pk=found)

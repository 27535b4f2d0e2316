"""Connections as a page: who was let in, how much they call, and how to end it."""

import datetime as dt
import uuid

from django.contrib import messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from bokio_app.sandbox import clock, store
from bokio_app.sandbox.models import Connection, Person, Usage
from bokio_app.sandbox.pages.access import for_person

DAYS_SHOWN = 7


def _theirs(person: Person) -> QuerySet[Connection]:
    return Connection.objects.filter(company__in=person.companies.all())


@require_GET
@for_person
def connections(request: HttpRequest, person: Person) -> HttpResponse:
    since = clock.today() - dt.timedelta(days=DAYS_SHOWN)
    recent = Usage.objects.filter(day__gt=since).order_by("-day")
    rows = (
        _theirs(person)
        .select_related("application", "company", "person")
        .prefetch_related(Prefetch("usage", recent))
        .order_by("company__name", "application__name")
    )
    return render(request, "sandbox/connections.html", {"rows": rows, "here": "connections"})


@require_POST
@for_person
def revoke(request: HttpRequest, person: Person, connection_id: uuid.UUID) -> HttpResponse:
    """End the connection. What was recorded through it stays."""
    with store.write():
        ended, _per_model = _theirs(person).filter(uuid=connection_id).delete()
    if ended:
        messages.success(request, _("The connection is ended."))
    return redirect("connections")


@require_POST
@for_person
def expire(request: HttpRequest, person: Person, connection_id: uuid.UUID) -> HttpResponse:
    """Let the access tokens of the connection expire now; its refresh tokens live on."""
    with store.write():
        row = get_object_or_404(_theirs(person), uuid=connection_id)
        row.tokens.update(expires_at=clock.now())
    messages.success(request, _("Its access tokens have expired."))
    return redirect("connections")

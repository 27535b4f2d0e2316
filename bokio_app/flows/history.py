"""The history of flows: what a person looks for in it, and the same as a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Self
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict, StreamingHttpResponse
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from bokio_app.connections.queries import named
from bokio_app.core import clock
from bokio_app.core.sheets import sheet
from bokio_app.tenants.access import TenantRequest, member
from bokio_app.tenants.models import Tenant

from . import queries
from .models import Flow, Step
from .operations import KINDS
from .progress import wait_reason

CHUNK = 500
APP = "app"  # among persons: what nobody has asked for


@dataclass(frozen=True)
class Wanted:
    """Which flows: of a list, of a company, of a kind, begun by a person (or `APP`) and in a
    period (days in Stockholm, both included), or with this reference of an order, number of an
    invoice, or number of a run. `company_text` was typed for a company and names none.
    """

    view: str
    reads: bool = False
    company: UUID | None = None
    kind: str = ""
    person: str = ""
    since: date | None = None
    until: date | None = None
    text: str = ""
    company_text: str = ""

    @classmethod
    def of(cls, asked: QueryDict) -> Self:
        """Read an address. What makes no sense in it is taken for absent."""
        view, kind = asked.get("view", ""), asked.get("kind", "")
        person, typed = asked.get("person", "")[:18], asked.get("company_text", "").strip()[:100]
        is_emptied = "company_text" in asked and not typed
        return cls(
            view=view if view in queries.View.values else queries.View.ALL,
            reads="reads" in asked,
            company=None if is_emptied else _uuid(asked.get("company", "")),
            kind=kind if kind in KINDS else "",
            person=person if person == APP or person.isdecimal() else "",
            since=_day(asked.get("since", "")),
            until=_day(asked.get("until", "")),
            text=asked.get("q", "").strip()[:200],
            company_text=typed,
        )

    def of_company(self, tenant: Tenant) -> Self:
        """The same of the company that was typed, if one fits."""
        if not self.company_text:
            return self
        picked = tenant.connections.filter(pk=self.company).first() if self.company else None
        company = named(tenant, self.company_text, picked=picked)
        if company is None:
            return replace(self, company=None)
        return replace(self, company=company.pk, company_text="")

    @property
    def is_narrowed(self) -> bool:
        """Whether there is something to clear in the form."""
        asked = (self.kind, self.person, self.since, self.until, self.text, self.company_text)
        return any(asked)

    def flows(self, flows: QuerySet[Flow]) -> QuerySet[Flow]:
        """Those of the flows that are wanted, whatever their state."""
        if self.company_text:
            return flows.none()
        if not self.reads and not self.kind:
            flows = flows.exclude(queries.QUIET)
        if self.company:
            flows = flows.filter(connection_id=self.company)
        if self.kind:
            flows = flows.filter(kind=self.kind)
        if self.person:
            by = None if self.person == APP else int(self.person)
            flows = flows.filter(created_by=by)
        if self.since:
            flows = flows.filter(created_at__gte=_midnight(self.since))
        if self.until:
            flows = flows.filter(created_at__lt=_midnight(self.until + timedelta(days=1)))
        return flows.filter(_called(self.text)) if self.text else flows

    def url(self, name: str = "flows:list", *, before: str = "") -> str:
        """The address that asks for these."""
        return f"{reverse(name)}?{self.query(before=before)}"

    def query(self, *, before: str = "") -> str:
        """The same without the page, so that one run's page leads back to its list."""
        asked = {
            "view": self.view,
            "reads": "1" if self.reads else "",
            "company": str(self.company or ""),
            "kind": self.kind,
            "person": self.person,
            "since": str(self.since or ""),
            "until": str(self.until or ""),
            "q": self.text,
            "company_text": self.company_text,
            "before": before,
        }
        return urlencode({key: each for key, each in asked.items() if each})


def people(tenant: Tenant) -> list[tuple[str, str]]:
    """Who can be chosen: the members of the workspace, by name."""
    members = tenant.members.select_related("user")
    named = ((str(each.user_id), str(each.user)) for each in members)
    return sorted(named, key=lambda each: each[1].casefold())


def kinds() -> list[tuple[str, str]]:
    """What can be chosen, by name."""
    return sorted(((name, str(label)) for name, label in KINDS.items()), key=lambda each: each[1])


@member
@require_safe
def export(request: TenantRequest) -> StreamingHttpResponse:
    """The same flows as the list, all of them, as a file of comma-separated values."""
    wanted = Wanted.of(request.GET).of_company(request.tenant)
    flows = queries.flows_of(request.tenant).filter(state__in=queries.STATES_OF[wanted.view])
    found = wanted.flows(flows).prefetch_related("steps").iterator(chunk_size=CHUNK)
    return sheet(_heads(), map(_row, found), name=f"runs-{clock.today()}.csv")


def _heads() -> tuple[str, ...]:
    return (
        _("Run id"),
        _("Run"),
        _("Company"),
        _("Reference"),
        _("Number"),
        _("State"),
        _("Waits for"),
        _("By"),
        _("Started"),
        _("Ended"),
    )


def _row(flow: Flow) -> Iterable[object]:
    steps = {step.op: step for step in flow.steps.all()}
    created, published = steps.get("create_invoice"), steps.get("publish_invoice")
    return (
        flow.public_id,
        flow.label,
        flow.connection,
        created.payload.get("external_id", "") if created else "",
        published.result.get("number", "") if published else "",
        flow.get_state_display(),
        wait_reason(flow),
        flow.created_by or "",
        _moment(flow.created_at),
        _moment(flow.finished_at),
    )


def _moment(at: datetime | None) -> str:
    return at.astimezone(clock.STOCKHOLM).isoformat(sep=" ", timespec="seconds") if at else ""


def _called(text: str) -> Q:
    """Flows of an order or invoice that is called so, or whose own number this is."""
    steps = Step.objects.filter(flow=OuterRef("pk"))
    ordered = steps.filter(op="create_invoice", payload__external_id=text)
    numbered = steps.filter(op="publish_invoice", result__number=text)
    called = Q(Exists(ordered)) | Q(Exists(numbered))
    number = _uuid(text)
    return called | Q(public_id=number) if number else called


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _day(text: str) -> date | None:
    try:
        day = parse_date(text)
    except ValueError:
        return None
    # The midnights of the first and the last day there are cannot both be told in UTC.
    return day if day and date.min < day < date.max else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=clock.STOCKHOLM)

"""The history of flows: what a person looks for in it, and the same as a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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

from bokio_app.core import clock
from bokio_app.core.sheets import sheet
from bokio_app.tenants.access import TenantRequest, member

from . import queries
from .models import Flow, Step
from .operations import KINDS
from .progress import wait_reason

CHUNK = 500


@dataclass(frozen=True)
class Wanted:
    """Which flows: of a list, of a company, of a kind, begun in a period (days in Stockholm, both
    included), or with this reference of an order, number of an invoice, or number of a run.
    """

    view: str
    reads: bool = False
    company: UUID | None = None
    kind: str = ""
    since: date | None = None
    until: date | None = None
    text: str = ""

    @classmethod
    def of(cls, asked: QueryDict) -> Self:
        """Read an address. What makes no sense in it is taken for absent."""
        view, kind = asked.get("view", ""), asked.get("kind", "")
        return cls(
            view=view if view in queries.View.values else queries.View.ALL,
            reads="reads" in asked,
            company=_uuid(asked.get("company", "")),
            kind=kind if kind in KINDS else "",
            since=_day(asked.get("since", "")),
            until=_day(asked.get("until", "")),
            text=asked.get("q", "").strip()[:200],
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether there is something to clear in the form."""
        return bool(self.kind or self.since or self.until or self.text)

    def flows(self, flows: QuerySet[Flow]) -> QuerySet[Flow]:
        """Those of the flows that are wanted, whatever their state."""
        if not self.reads and not self.kind:
            flows = flows.exclude(queries.QUIET)
        if self.company:
            flows = flows.filter(connection_id=self.company)
        if self.kind:
            flows = flows.filter(kind=self.kind)
        if self.since:
            flows = flows.filter(created_at__gte=_midnight(self.since))
        if self.until:
            flows = flows.filter(created_at__lt=_midnight(self.until + timedelta(days=1)))
        return flows.filter(_called(self.text)) if self.text else flows

    def url(self, name: str = "flows:list", *, before: str = "") -> str:
        """The address that asks for these."""
        asked = {
            "view": self.view,
            "reads": "1" if self.reads else "",
            "company": str(self.company or ""),
            "kind": self.kind,
            "since": str(self.since or ""),
            "until": str(self.until or ""),
            "q": self.text,
            "before": before,
        }
        return f"{reverse(name)}?{urlencode({key: each for key, each in asked.items() if each})}"


def kinds() -> list[tuple[str, str]]:
    """What can be chosen, by name."""
    return sorted(((name, str(label)) for name, label in KINDS.items()), key=lambda each: each[1])


@member
@require_safe
def export(request: TenantRequest) -> StreamingHttpResponse:
    """The same flows as the list, all of them, as a file of comma-separated values."""
    wanted = Wanted.of(request.GET)
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
        return parse_date(text)
    except ValueError:
        return None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=clock.STOCKHOLM)

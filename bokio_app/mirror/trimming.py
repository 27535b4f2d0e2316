"""How long ended readings are kept: they change nothing at Bokio, and there are many of them."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from bokio_app.core import clock
from bokio_app.flows import daily
from bokio_app.flows.listing.rows import FLEETING
from bokio_app.flows.models import Flow, FlowState

AT_ONCE = 500


def forget_readings() -> int:
    """Remove readings that ended more than `MIRROR_RUNS_DAYS` ago; returns how many."""
    cutoff = clock.now() - timedelta(days=settings.MIRROR_RUNS_DAYS)
    old = Flow.objects.filter(
        kind__in=FLEETING,
        state__in=[FlowState.DONE, FlowState.CANCELLED],
        finished_at__lt=cutoff,
    )
    gone = 0
    while ids := list(old.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        Flow.objects.filter(pk__in=ids).delete()
        gone += len(ids)
    return gone


daily.ONCE_A_DAY.append(forget_readings)

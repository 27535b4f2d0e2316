"""How long answers of Bokio's are kept. Flows, steps and calls themselves are kept for good."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from bokio_app.core import clock

from .models import Attempt, FlowState, Step

AT_ONCE = 1000


def trim_answers() -> int:
    """Forget what Bokio answered to steps that ended before `FLOW_ANSWERS_DAYS`; returns how many.

    What is kept of an answer is its masked copy with the call, and a step's result (ids, numbers,
    amounts, a customer's name; never a personal number) with what Bokio said of a refusal and
    what a proof read saw. That a step
    was done, when, by which call and for which id of Bokio's stays.
    """
    cutoff = clock.now() - timedelta(days=settings.FLOW_ANSWERS_DAYS)
    answered = Attempt.objects.filter(step=OuterRef("pk")).exclude(answer="")
    told = (
        Exists(answered) | ~Q(result={}) | ~Q(evidence=[]) | ~Q(disowned=[]) | ~Q(error_message="")
    )
    old = Step.objects.filter(
        Q(done_at__lt=cutoff) | Q(done_at=None, flow__finished_at__lt=cutoff),
        told,
        flow__state__in=[FlowState.DONE, FlowState.CANCELLED],
    )
    trimmed = 0
    while ids := list(old.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        Attempt.objects.filter(step__in=ids).exclude(answer="").update(answer="")
        trimmed += Step.objects.filter(pk__in=ids).update(
            result={}, evidence=[], disowned=[], error_message="", error_fields=[]
        )
    return trimmed

"""Working on after a restore: what a flow's row says is read at Bokio before anything is sent."""

from __future__ import annotations

from bokio_app.core import clock

from . import times
from .claim import held_elsewhere
from .epochs import MOVING, unchecked
from .models import Recovery, Step, StepState, WaitReason
from .turn import Turn
from .verdicts import Yielded


def doubt(turn: Turn, step: Step) -> None:
    """Take a step that says it was never sent for one whose outcome is unknown.

    The first that is absent proves the flow's row right, for each step needs the one before.
    """
    settled_at = Recovery.objects.get(epoch=turn.epoch).settled_at
    turn.change(
        step,
        state=StepState.UNKNOWN,
        unknown_at=clock.now(),
        settle_at=settled_at,
        absent_reads=0,
    )


def wait_for_others(turn: Turn) -> None:
    """Send nothing for a company while another of its flows has yet to be read for.

    Stuck flows, and those that wait behind one for an invoice, move only by a person's hand and
    are read for when they do.
    """
    if not turn.epoch:
        return
    others = unchecked(turn.epoch).filter(connection=turn.flow.connection, state__in=MOVING)
    if others.exclude(pk=turn.flow.pk).exclude(held_elsewhere()).exists():
        turn.put_back(not_before=clock.now() + times.scaled(1), reason=WaitReason.RECOVERY)
        raise Yielded

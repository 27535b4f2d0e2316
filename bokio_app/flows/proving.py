"""One proof read: with what a restore has lost, and with what a person has said about it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.errors import NotFound

from .models import Step
from .operations import Absent, Ambiguous, Done, Proof
from .patterns import GONE
from .turn import Turn


def prove(turn: Turn, step: Step, bokio: Bokio) -> tuple[Proof, str]:
    """Whether the step took effect, and what settles it: `proof`, or `person` for a thing that
    somebody has pointed at.
    """
    if step.adopt_id:
        return _pointed_at(turn, step, bokio), "person"
    operation, ctx = turn.operation(step), turn.context(step)
    lost = turn.is_unchecked and step.baseline is None
    found = operation.prove_anew(ctx, bokio) if lost else operation.prove(ctx, bokio)
    return _without(found, step.disowned), "proof"


def _pointed_at(turn: Turn, step: Step, bokio: Bokio) -> Proof:
    """Fetch and compare what a person takes for the step's effect; asked once only."""
    found: Proof
    try:
        found = turn.operation(step).fetch(turn.context(step), bokio, UUID(step.adopt_id))
    except NotFound as error:
        if error.code != GONE:
            raise
        found = Ambiguous(_("Bokio has nothing of the kind with this id."))
    turn.change(step, adopt_id="")
    return found


def _without(found: Proof, disowned: list[dict[str, Any]]) -> Proof:
    """Leave out what a person has said is not the step's."""
    if not disowned:
        return found
    if isinstance(found, Done):
        return Absent() if _is_among(found.result, disowned) else found
    if isinstance(found, Ambiguous) and found.evidence:
        left = [each for each in found.evidence if not _is_among(each, disowned)]
        return Ambiguous(found.why, left) if left else Absent()
    return found


def _is_among(seen: dict[str, Any], disowned: list[dict[str, Any]]) -> bool:
    """By Bokio's id, or, for a thing that is only changed, by all that was read of it."""
    if identity := seen.get("remote_id"):
        return any(each.get("remote_id") == identity for each in disowned)
    texts = {key: str(value) for key, value in seen.items()}
    return any({key: str(value) for key, value in each.items()} == texts for each in disowned)

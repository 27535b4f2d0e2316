"""Deliberate defects: each is one of the engine's precautions left out. Some seed must notice."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from bokio_app.bokio import http
from bokio_app.bokio.errors import OutcomeUnknown
from bokio_app.bokio.oauth import Tokens
from bokio_app.connections import grants
from bokio_app.connections.models import Connection, TokenGrant
from bokio_app.core import clock
from bokio_app.flows import engine, proving, services, times
from bokio_app.flows.limits import tables
from bokio_app.flows.models import Flow, Step, StepState
from bokio_app.flows.operations import Absent
from bokio_app.flows.turn import Turn


@dataclass(frozen=True)
class Mutant:
    """`change` makes of what `holder` has under the name what is put in its place.

    `first` is a seed from which on it is soon noticed.
    """

    name: str
    holder: Any
    attribute: str
    change: Callable[[Any], Any]
    first: int = 0

    def alive(self) -> Any:
        """A context manager in which the defect is there."""
        real = getattr(self.holder, self.attribute)
        return patch.object(self.holder, self.attribute, self.change(real))


def no_settling(real: Callable[..., times.Window]) -> Callable[..., times.Window]:
    """Absence is believed at once."""

    def window(intent_at: Any, *given: Any) -> times.Window:
        return replace(real(intent_at, *given), settle_at=intent_at)

    return window


def no_fence(real: Callable[..., Any]) -> Callable[..., Any]:
    """A worker writes whatever has become of its claim."""

    def intend(turn: Turn, step: Step) -> float:
        Flow.objects.filter(pk=turn.flow.pk).update(fence=turn.flow.fence, state="running")
        sent: float = real(turn, step)
        return sent

    return intend


def no_intent(_real: object) -> Callable[..., float]:
    """The request leaves before anything says so."""

    def intend(turn: Turn, step: Step) -> float:
        turn.save()
        return 1e12

    return intend


def resends_on_5xx(real: Any) -> Any:
    """A server error is taken for a refusal."""

    def not_done(turn: Turn, step: Step, error: Any, **named: Any) -> None:
        if isinstance(error, OutcomeUnknown) and error.status >= 500:
            turn.change(step, state=StepState.PENDING)
            return
        real(turn, step, error, **named)

    return not_done


def resends_after_a_crash(real: Any) -> Any:
    """A step that was sent by a dead worker is taken for one that was not."""

    def resolve(turn: Turn, step: Step) -> None:
        if step.state == StepState.SENT:
            turn.change(step, state=StepState.PENDING)
            return
        real(turn, step)

    return resolve


def blind_proof(_real: object) -> Any:
    """Reading at Bokio never finds anything."""
    return lambda *_given: (Absent(), "proof")


def no_limit(_real: object) -> Any:
    """Nobody counts calls."""
    return lambda *_given: None


def forgets_requests(real: Any) -> Any:
    """Asking twice is wanting it twice."""

    def start(kind: str, **named: Any) -> Any:
        fresh = {"business_key": str(uuid.uuid4()), "request_key": str(uuid.uuid4())}
        return real(kind, **{**named, **fresh})

    return start


def repeats_by_itself(real: Any) -> Any:
    """The client sends a request again when no answer came."""

    def exchange(*given: Any, **named: Any) -> Any:
        try:
            return real(*given, **named)
        except OutcomeUnknown:
            return real(*given, **named)

    return exchange


def uses_before_keeping(_real: object) -> Any:
    """A new pair of tokens is used, and kept nowhere."""

    def kept(connection: Connection, tokens: Tokens, *, after: int) -> TokenGrant:
        return TokenGrant.sealed(
            connection,
            generation=after + 1,
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token or "",
            expires_at=clock.now() + timedelta(seconds=tokens.expires_in),
        )

    return kept


MUTANTS = (
    Mutant("the settle wait is skipped", times, "window", no_settling),
    Mutant("the fence is no guard", Turn, "intend", no_fence, first=86),
    Mutant("no intent is committed", Turn, "intend", no_intent),
    Mutant("a 5xx is sent again", engine, "_not_done", resends_on_5xx, first=25),
    Mutant("a crashed step is sent again", engine, "_resolve", resends_after_a_crash),
    Mutant("proofs are blind", proving, "prove", blind_proof),
    Mutant("calls are not counted", tables, "_no_slot", no_limit, first=15),
    Mutant("requests are forgotten", services, "start", forgets_requests),
    Mutant("the client repeats by itself", http, "exchange", repeats_by_itself),
    Mutant("a new pair of tokens is not kept", grants, "_kept", uses_before_keeping, first=10),
)

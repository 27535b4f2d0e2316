"""What can go wrong: each kind acts before the call is handled, after it was committed, or both.

`before` may answer in the place of the API; `after` may change the answer.
"""

import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bokio_app.sandbox import outage, switches
from bokio_app.sandbox.faults import deeds
from bokio_app.sandbox.faults.fault import ClientGone, Fault, changed
from bokio_app.sandbox.models import Plan
from bokio_app.sandbox.refusals import Refusal
from bokio_app.sandbox.wire import Answer, Call, Ending

LOOK_SECONDS = 0.03
GATEWAY_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>\n"

Before = Callable[[Fault, Call], Answer | None]
After = Callable[[Fault, Call, Answer], Answer]


@dataclass(frozen=True)
class Param:
    """What a kind may be told. The type of `default` is the type of the value; None is text."""

    name: str
    default: Any


@dataclass(frozen=True)
class Kind:
    """`only` narrows the calls that count, and `operation` is the only one it makes sense for."""

    description: str | Promise = ""
    before: Before | None = None
    after: After | None = None
    params: tuple[Param, ...] = ()
    operation: str = ""
    only: Callable[[Call], bool] | None = None

    def value(self, fault: Fault, name: str) -> Any:
        """The fault's parameter, or its default."""
        default = next(param.default for param in self.params if param.name == name)
        return fault.params.get(name, default)


def client_gone(client: socket.socket) -> bool:
    """Whether the other side has closed the connection."""
    poller = select.poll()
    poller.register(client, select.POLLIN | select.POLLHUP | select.POLLERR)
    if not poller.poll(0):
        return False
    try:
        return client.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


def _param(fault: Fault, name: str) -> Any:
    return KINDS[fault.kind].value(fault, name)


def _hold(fault: Fault, call: Call) -> None:
    """Wait until the fault is released. Raises `ClientGone` when nobody waits for an answer."""
    with changed:
        fault.held += 1
        changed.notify_all()
        try:
            while not fault.released:
                if client_gone(call.client):
                    raise ClientGone
                changed.wait(LOOK_SECONDS)
        finally:
            fault.held -= 1
            changed.notify_all()


def _hold_before(fault: Fault, call: Call) -> None:
    try:
        _hold(fault, call)
    except ClientGone:
        if not _param(fault, "processAnyway"):
            raise


def _hold_after(fault: Fault, call: Call, answer: Answer) -> Answer:
    _hold(fault, call)
    return answer


def _reset(_fault: Fault, _call: Call) -> Answer:
    return Answer(0, ending=Ending.RESET)


def _lose(_fault: Fault, _call: Call, answer: Answer) -> Answer:
    return replace(answer, ending=Ending.RESET)


def _refuse_connections(fault: Fault, call: Call) -> Answer:
    outage.begin(_param(fault, "seconds") * settings.TIME_FACTOR)
    return _reset(fault, call)


def _cut(_fault: Fault, _call: Call, answer: Answer) -> Answer:
    return replace(answer, ending=Ending.CUT)


def _drip(fault: Fault, _call: Call, answer: Answer) -> Answer:
    rate = max(float(_param(fault, "bytesPerSecond")), 1.0)
    return replace(answer, ending=Ending.DRIP, bytes_per_second=rate)


def _break_json(_fault: Fault, _call: Call, answer: Answer) -> Answer:
    """As long as announced, but its last character no longer closes what the first opened."""
    return replace(answer, body=answer.body[:-1] + b",")


def _empty(_fault: Fault, _call: Call, answer: Answer) -> Answer:
    return replace(answer, status=200, body=b"")


def _server_error(_fault: Fault, _call: Call) -> Answer:
    return Refusal(500, "internal-server-error", "An unexpected error occurred").answer()


def _server_error_after(fault: Fault, call: Call, _answer: Answer) -> Answer:
    return _server_error(fault, call)


def _gateway_page() -> Answer:
    return Answer(502, GATEWAY_PAGE, {"Content-Type": "text/html"})


def _bad_gateway(fault: Fault, _call: Call) -> Answer | None:
    return None if _param(fault, "processed") else _gateway_page()


def _bad_gateway_after(_fault: Fault, _call: Call, _answer: Answer) -> Answer:
    return _gateway_page()


def _delay(fault: Fault, _call: Call) -> None:
    time.sleep(_param(fault, "seconds") * settings.TIME_FACTOR)


def _delay_after(fault: Fault, call: Call, answer: Answer) -> Answer:
    _delay(fault, call)
    return answer


def _rate_limited(fault: Fault, _call: Call) -> Answer:
    headers = {
        "Bokio-RateLimit-Limit": str(switches.current().rate_limit),
        "Bokio-RateLimit-Remaining": "0",
        "Bokio-RateLimit-RetryAfter": str(_param(fault, "retryAfter")),
    }
    return Refusal(429, "rate-limit-exceeded", "Too many requests", headers=headers).answer()


def _status(fault: Fault, _call: Call) -> Answer:
    headers = {str(name): str(value) for name, value in _param(fault, "headers").items()}
    status, body = _param(fault, "status"), _param(fault, "body")
    if body is not None:
        return Answer(status, body.encode(), headers)
    return Refusal(status, _param(fault, "code"), _param(fault, "message"), (), headers).answer()


def _end_token(_fault: Fault, call: Call) -> None:
    deeds.end_token(call)


def _end_connection(_fault: Fault, call: Call) -> None:
    deeds.end_connection(call)


def _change_plan(fault: Fault, call: Call) -> None:
    deeds.change_plan(call, Plan(_param(fault, "plan")))


def _is_refresh(call: Call) -> bool:
    return parse_qs(call.body.decode("latin-1")).get("grant_type") == ["refresh_token"]


_SECONDS = (Param("seconds", 1.0),)
KINDS: dict[str, Kind] = {
    "hold_before": Kind(
        _("Held before any work until released; dropped if the client leaves meanwhile"),
        before=_hold_before,
        params=(Param("processAnyway", False),),
    ),
    "hold_after": Kind(_("Work done, the answer held until released"), after=_hold_after),
    "lose_answer": Kind(_("Work done, then the connection is reset"), after=_lose),
    "lose_refresh": Kind(
        _("New tokens issued and the old ones spent, but the answer is lost"),
        after=_lose,
        operation="request-token",
        only=_is_refresh,
    ),
    "reset_before": Kind(_("The connection is reset before any work"), before=_reset),
    "refuse_connections": Kind(
        _("No work; for some seconds nobody can connect at all"),
        before=_refuse_connections,
        params=_SECONDS,
    ),
    "error_before": Kind(_("500 without any effect"), before=_server_error),
    "error_after": Kind(_("500, although the work is done"), after=_server_error_after),
    "bad_gateway": Kind(
        _("502 with a page of HTML, before or after the work"),
        before=_bad_gateway,
        after=_bad_gateway_after,
        params=(Param("processed", False),),
    ),
    "delay": Kind(_("Waits before the work, whatever the client does"), _delay, params=_SECONDS),
    "delay_after": Kind(
        _("Waits between the work and the answer"), after=_delay_after, params=_SECONDS
    ),
    "slow": Kind(
        _("Work done, the answer drips in a few bytes at a time"),
        after=_drip,
        params=(Param("bytesPerSecond", 100),),
    ),
    "status": Kind(
        _("No work; answers with any status, code, headers or body"),
        before=_status,
        params=(
            Param("status", 429),
            Param("code", "rate-limit-exceeded"),
            Param("message", "Refused by a fault of the sandbox"),
            Param("headers", {}),
            Param("body", None),
        ),
    ),
    "rate_limited": Kind(
        _("429 with the headers of the rate limit"),
        before=_rate_limited,
        params=(Param("retryAfter", 5),),
    ),
    "truncate": Kind(_("Work done, half of the answer is sent"), after=_cut),
    "malformed": Kind(_("Work done, the answer is whole but no longer JSON"), after=_break_json),
    "empty": Kind(_("Work done, 200 without any body"), after=_empty),
    "token_expires": Kind(_("The access token used ends just before the call"), _end_token),
    "connection_revoked": Kind(
        _("A person in Bokio ends the connection just before the call"), _end_connection
    ),
    "plan_changes": Kind(
        _("The company changes to another price plan just before the call"),
        _change_plan,
        params=(Param("plan", Plan.BASIC.value),),
    ),
}

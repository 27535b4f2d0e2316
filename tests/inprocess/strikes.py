"""How failures are brought about at the sandbox or with us, and how they are mended."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

from django.conf import settings

from bokio_app.connections import roll_call
from bokio_app.connections.features import NEEDED, USUAL
from bokio_app.invoicing import services as invoicing
from tests.support import bokio as support
from tests.support.sandbox_client import ALL_SCOPES

from .play import A_DAY, Play

HOUR = timedelta(hours=1)


def revoked(play: Play) -> None:
    play.sandbox.revoke_connection(str(play.connection.remote_id))


def swept_after_revoking(play: Play) -> None:
    revoked(play)
    roll_call.take()


def unauthorised(play: Play) -> None:
    """Every call of the company's is refused; tokens are given out as ever."""
    for method in ("GET", "POST", "PUT"):
        play.sandbox.add_fault(
            "*", "status", nth=None, company=play.company, method=method, status=401
        )


def other_company(play: Play) -> None:
    play.sandbox.expire_tokens(play.company)
    answer = {
        "tenant_id": str(uuid4()),
        "tenant_type": "company",
        "access_token": "a",
        "refresh_token": "r",
        "token_type": "bearer",
        "expires_in": 3600,
    }
    play.sandbox.add_fault("request-token", "status", nth=None, status=200, body=json.dumps(answer))


def refresh_lost(play: Play) -> None:
    """Bokio has spent the refresh token, and nobody ever gets the new one."""
    play.sandbox.expire_tokens(play.company)
    play.sandbox.add_fault("request-token", "lose_refresh")


def clear_and_consent(play: Play) -> None:
    play.sandbox.clear_faults()
    play.consent()


def new_token(play: Play) -> None:
    play.paste_token(ALL_SCOPES)


def token_revoked(play: Play) -> None:
    """A person in Bokio ends the private integration."""
    [mine] = [each for each in play.sandbox.connections() if each["id"] != str(_consented(play))]
    play.sandbox.revoke_connection(mine["id"])


def _consented(play: Play) -> object:
    return play.harness.connections[0].remote_id


def plan(name: str) -> Callable[[Play], object]:
    return lambda play: play.sandbox.change_company(play.company, plan=name)


def plan_and_look(play: Play) -> None:
    plan("plus")(play)
    play.look_again()


def plan_and_wait(play: Play) -> None:
    plan("plus")(play)
    play.pass_time(A_DAY)


def less_allowed(play: Play) -> None:
    """The company's administrator has consented to reading alone."""
    play.be_given([each for each in USUAL if each != "invoices:write"])


def refused_without_word(play: Play) -> None:
    play.sandbox.add_fault("post-invoice", "status", nth=None, status=403, body="")
    play.sandbox.add_fault("get-invoice", "status", nth=None, status=403, body="")


def ask_for_more(play: Play) -> None:
    play.consent(NEEDED)


def used_up(play: Play) -> None:
    play.sandbox.set_switches(private_monthly_calls=1)


def by_consent(play: Play) -> None:
    """The same company, let in by consent instead of by its token."""
    play.consent()


def new_month(play: Play) -> None:
    play.sandbox.set_switches(private_monthly_calls=5000)
    play.pass_time(timedelta(days=31))


def too_many_failed(play: Play) -> None:
    """Other programs have used up what Bokio lets fail in a day."""
    play.sandbox.set_switches(failed_calls_per_day=1)
    token = play.sandbox.tokens_for(play.company).access_token
    for _try in range(3):
        play.sandbox.request("GET", f"/v1/companies/{play.company}/invoices/{uuid4()}", token=token)


def midnight(play: Play) -> None:
    play.sandbox.set_switches(failed_calls_per_day=0)
    play.pass_time(A_DAY)


def brownout(status: int) -> Callable[[Play], object]:
    return lambda play: play.sandbox.set_switches(brownout="always", brownout_status=status)


def brownout_ends(play: Play) -> None:
    play.sandbox.set_switches(brownout="off")


def answers(kind: str, **params: object) -> Callable[[Play], object]:
    return lambda play: play.sandbox.add_fault("*", kind, nth=None, **params)


def token_answers(kind: str) -> Callable[[Play], object]:
    def strike(play: Play) -> None:
        play.sandbox.expire_tokens(play.company)
        play.sandbox.add_fault("request-token", kind, nth=None)

    return strike


def refuses_connections(play: Play) -> None:
    play.harness.network.refuse_for(timedelta(days=7).total_seconds())


def back(play: Play) -> None:
    play.sandbox.clear_faults()
    play.harness.network.refuses_until = 0.0


def limit_reached(play: Play) -> None:
    play.sandbox.add_fault("*", "rate_limited", nth=None, retryAfter=30)


def refused_in_a_row(play: Play) -> None:
    """Five other invoices have something that Bokio refuses."""
    body = '{"code": "validation-error", "errors": [{"field": "#/x", "message": "wrong"}]}'
    play.sandbox.add_fault("post-invoice", "status", nth=None, status=400, body=body)
    for _bad in range(settings.FLOW_BREAKER_REFUSALS):
        draft = support.guide_draft(play.world.connection, by=play.world.person)
        flow, _started = invoicing.start_sending(draft, by=play.world.person)
        flow.not_before -= HOUR
        flow.save()


def wrong_secret(play: Play) -> None:
    play.sandbox.expire_tokens(play.company)
    settings.BOKIO_CLIENT_SECRET = "another"


def right_secret(play: Play) -> None:
    settings.BOKIO_CLIENT_SECRET = play.sandbox.client_secret

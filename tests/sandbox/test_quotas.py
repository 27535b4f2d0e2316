"""Allowances of calls: private ones by the month, failed ones by the day, over restarts too."""

from email.utils import parsedate_to_datetime

import pytest

from tests.sandbox.conftest import Api
from tests.support.sandbox import SandboxProcess, running_sandbox

LAST_DAY = "2026-11-30T12:00:00Z"  # 13 o'clock in Stockholm
HOURS_LEFT = 11


def _ask(sandbox: SandboxProcess, company: str, token: str):
    path = f"/v1/companies/{company}/company-information"
    return sandbox.request("GET", path, token=token)


def test_a_companys_private_integrations_share_a_monthly_allowance(api: Api):
    sandbox = api.sandbox
    sandbox.control("POST", "clock", {"now": LAST_DAY})
    sandbox.set_switches(private_monthly_calls=3)
    first = sandbox.private_token(api.company_id, name="One")
    second = sandbox.private_token(api.company_id, name="Two")
    for token in (first, second, first):
        assert _ask(sandbox, api.company_id, token).status == 200

    refused = _ask(sandbox, api.company_id, second)

    assert (refused.status, refused.json["code"]) == (403, "quota-exceeded")
    seconds = int(refused.headers["Retry-After"])
    assert HOURS_LEFT * 3600 - 60 < seconds <= HOURS_LEFT * 3600
    assert "Bokio-RateLimit-Limit" not in refused.headers


def test_a_new_month_brings_a_new_allowance(api: Api):
    sandbox = api.sandbox
    sandbox.control("POST", "clock", {"now": LAST_DAY})
    sandbox.set_switches(private_monthly_calls=1)
    token = sandbox.private_token(api.company_id)
    assert [_ask(sandbox, api.company_id, token).status for _ in range(2)] == [200, 403]

    sandbox.move_clock(HOURS_LEFT * 3600)

    assert _ask(sandbox, api.company_id, token).status == 200


def test_public_integrations_have_no_monthly_allowance(api: Api):
    api.sandbox.set_switches(private_monthly_calls=0)

    assert api.call("GET", "company-information").status == 200


def test_too_many_failed_calls_block_the_day_and_no_other_connection(api: Api):
    sandbox = api.sandbox
    sandbox.control("POST", "clock", {"now": LAST_DAY})
    sandbox.set_switches(failed_calls_per_day=2)
    api.token = sandbox.tokens_for(api.company_id).access_token
    for _ in range(2):
        assert api.call("POST", "customers", {}).status == 400

    refused = api.call("GET", "company-information")

    assert (refused.status, refused.json["code"]) == (403, "quota-exceeded")
    assert int(refused.headers["Retry-After"]) <= HOURS_LEFT * 3600
    private = sandbox.private_token(api.company_id)
    assert _ask(sandbox, api.company_id, private).status == 200
    sandbox.move_clock(HOURS_LEFT * 3600)
    api.token = sandbox.tokens_for(api.company_id).access_token
    assert api.call("GET", "company-information").status == 200


def test_by_a_switch_the_wait_is_told_as_a_date(api: Api):
    sandbox = api.sandbox
    sandbox.control("POST", "clock", {"now": LAST_DAY})
    sandbox.set_switches(private_monthly_calls=0, retry_after_form="date")
    token = sandbox.private_token(api.company_id)

    refused = _ask(sandbox, api.company_id, token)

    moment = parsedate_to_datetime(refused.headers["Retry-After"])
    assert moment.isoformat() == "2026-11-30T23:00:00+00:00"


def test_calls_are_counted_per_connection_and_day_with_those_that_failed(api: Api):
    api.ok("GET", "company-information")
    api.refused("POST", "customers", {}, status=400)
    api.call("GET", f"invoices/{api.company_id}")

    (row,) = api.sandbox.usage()

    assert (row["companyId"], row["calls"], row["failed"]) == (api.company_id, 3, 2)


@pytest.mark.fault
def test_a_power_cut_gives_no_allowance_back_and_takes_no_token_away():
    with running_sandbox() as sandbox:
        company = sandbox.companies()[0]["id"]
        sandbox.set_switches(private_monthly_calls=2)
        token, tokens = sandbox.private_token(company), sandbox.tokens_for(company)
        assert [_ask(sandbox, company, token).status for _ in range(3)] == [200, 200, 403]
        assert sandbox.usage()[0]["calls"] == 2

        sandbox.stop(kill=True)
        sandbox.start()

        assert _ask(sandbox, company, token).json["code"] == "quota-exceeded"
        assert _ask(sandbox, company, tokens.access_token).status == 200
        fields = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
        assert sandbox.token_request(fields).status == 200

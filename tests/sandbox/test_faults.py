"""Faults that are ordered, and what they leave in the books."""

import http.client
import json
import socket
import threading
import time
import urllib.error
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.sandbox.conftest import Api, line

BODY = {"invoiceDate": "2024-10-10", "lineItems": [line()]}
LOST = (ConnectionError, http.client.HTTPException, urllib.error.URLError)


def _invoices(api: Api) -> int:
    return len(api.sandbox.books(api.company_id)["invoices"])


def test_a_lost_answer_leaves_the_work_done(api: Api):
    fault = api.sandbox.lose_answer("post-invoice")

    with pytest.raises(LOST):
        api.call("POST", "invoices", BODY)

    assert _invoices(api) == 1
    assert api.sandbox.wait_hit(fault)["hits"] == 1
    assert api.call("POST", "invoices", BODY).status == 200
    last, first = api.sandbox.calls()["calls"][-1], api.sandbox.calls()["calls"][-2]
    assert (first["status"], first["processed"]) == (None, True)
    assert last["status"] == 200


def test_a_reset_before_the_work_leaves_nothing(api: Api):
    api.sandbox.add_fault("post-invoice", "reset_before")

    with pytest.raises(LOST):
        api.call("POST", "invoices", BODY)

    assert _invoices(api) == 0


@pytest.mark.parametrize("kind, kept", [("error_before", 0), ("error_after", 1)])
def test_a_server_error_may_come_before_or_after_the_work(api: Api, kind: str, kept: int):
    api.sandbox.add_fault("post-invoice", kind)

    refusal = api.refused("POST", "invoices", BODY, status=500)

    assert refusal["code"] == "internal-server-error"
    assert _invoices(api) == kept


def test_a_truncated_answer_ends_before_its_announced_length(api: Api):
    api.sandbox.add_fault("post-invoice", "truncate")

    with pytest.raises(http.client.IncompleteRead):
        api.call("POST", "invoices", BODY)

    assert _invoices(api) == 1


def test_a_status_fault_answers_exactly_what_was_ordered(api: Api):
    api.sandbox.add_fault(
        "get-invoice",
        "status",
        status=403,
        code="quota-exceeded",
        headers={"Retry-After": "3600"},
    )

    reply = api.call("GET", "invoices")

    assert (reply.status, reply.headers["Retry-After"]) == (403, "3600")
    assert reply.json["code"] == "quota-exceeded"


def test_the_nth_call_is_struck_and_no_other(api: Api):
    api.sandbox.add_fault("post-invoice", "error_before", nth=2)

    statuses = [api.call("POST", "invoices", BODY).status for _ in range(3)]

    assert statuses == [200, 500, 200]


def test_a_fault_without_a_number_strikes_until_it_is_cleared(api: Api):
    api.sandbox.add_fault("post-invoice", "error_before", nth=None)
    statuses = [api.call("POST", "invoices", BODY).status for _ in range(2)]

    api.sandbox.clear_faults()

    assert statuses == [500, 500]
    assert api.call("POST", "invoices", BODY).status == 200


@pytest.mark.parametrize("kind, done_while_held", [("hold_before", 0), ("hold_after", 1)])
def test_a_held_call_waits_until_it_is_released(api: Api, kind: str, done_while_held: int):
    fault = api.sandbox.add_fault("post-invoice", kind)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(api.call, "POST", "invoices", BODY)
        api.sandbox.wait_held(fault)
        assert _invoices(api) == done_while_held
        assert not call.done()

        api.sandbox.release(fault)

        assert call.result(30).status == 200
    assert _invoices(api) == 1


def _hang_up_when_held(api: Api, fault: str) -> None:
    host, port = api.sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client:
        body = json.dumps(BODY).encode()
        head = (
            f"POST /v1/companies/{api.company_id}/invoices HTTP/1.1\r\nHost: {host}:{port}\r\n"
            f"Authorization: Bearer {api.token}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        client.sendall(head.encode() + body)
        api.sandbox.wait_held(fault)


def _wait_for(what: object) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if what():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not happen within 10 s")


@pytest.mark.parametrize("kind, kept", [("hold_before", 0), ("hold_after", 1)])
def test_a_held_call_whose_client_died_is_let_go(api: Api, kind: str, kept: int):
    fault = api.sandbox.add_fault("post-invoice", kind)

    _hang_up_when_held(api, fault)

    _wait_for(lambda: api.sandbox.fault(fault)["held"] == 0)
    assert _invoices(api) == kept


def test_a_held_call_can_be_carried_out_after_its_client_died(api: Api):
    fault = api.sandbox.add_fault("post-invoice", "hold_before", processAnyway=True)

    _hang_up_when_held(api, fault)

    _wait_for(lambda: _invoices(api) == 1)


def test_a_lost_refresh_has_spent_the_token(api: Api):
    tokens = api.sandbox.tokens_for(api.company_id)
    fields = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    api.sandbox.lose_answer("request-token")

    with pytest.raises(LOST):
        api.sandbox.token_request(fields)

    assert api.sandbox.token_request(fields).json["error"] == "invalid_grant"


def test_an_unknown_fault_or_operation_is_refused(api: Api):
    for operation, kind in (("post-invoice", "nonsense"), ("nonsense", "lose_answer")):
        reply = api.sandbox.request(
            "POST", "/_sandbox/faults", json_body={"operation": operation, "kind": kind}
        )
        assert reply.status == 400


def test_the_control_api_does_not_answer_browsers(api: Api):
    reply = api.sandbox.request(
        "POST", "/_sandbox/reset", json_body={}, headers={"Origin": "http://127.0.0.1:8000"}
    )

    assert reply.status == 403
    assert api.sandbox.companies()[0]["id"] == api.company_id

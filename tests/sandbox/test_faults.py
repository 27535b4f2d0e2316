"""Faults that are ordered, and what they leave in the books."""

import contextlib
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


def test_a_lost_refresh_strikes_refreshes_alone(api: Api):
    api.sandbox.add_fault("request-token", "lose_refresh")
    tokens = api.sandbox.tokens_for(api.company_id)
    fields = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}

    with pytest.raises(LOST):
        api.sandbox.token_request(fields)

    assert api.sandbox.token_request(fields).json["error"] == "invalid_grant"


def test_a_bad_gateway_answers_with_a_page_before_or_after_the_work(api: Api):
    api.sandbox.add_fault("post-invoice", "bad_gateway", processed=False)
    before = api.call("POST", "invoices", BODY)
    assert (before.status, _invoices(api)) == (502, 0)
    assert before.headers["Content-Type"] == "text/html"

    api.sandbox.add_fault("post-invoice", "bad_gateway", processed=True)

    assert (api.call("POST", "invoices", BODY).status, _invoices(api)) == (502, 1)


def test_a_malformed_answer_is_whole_but_no_json(api: Api):
    api.sandbox.add_fault("post-invoice", "malformed")

    reply = api.call("POST", "invoices", BODY)

    assert (reply.status, len(reply.body)) == (200, int(reply.headers["Content-Length"]))
    with pytest.raises(json.JSONDecodeError):
        json.loads(reply.body)
    assert _invoices(api) == 1


def test_an_empty_answer_has_a_good_status_and_nothing_else(api: Api):
    api.sandbox.add_fault("post-invoice", "empty")

    reply = api.call("POST", "invoices", BODY)

    assert (reply.status, reply.body) == (200, b"")
    assert _invoices(api) == 1


def test_a_burst_of_refusals_names_the_wait_and_ends(api: Api):
    api.sandbox.add_fault("get-invoice", "rate_limited", nth=2, times=2, retryAfter=7)

    replies = [api.call("GET", "invoices") for _ in range(4)]

    assert [reply.status for reply in replies] == [200, 429, 429, 200]
    headers = replies[1].headers
    assert headers["Bokio-RateLimit-RetryAfter"] == "7"
    assert headers["Bokio-RateLimit-Remaining"] == "0"
    assert replies[1].json["code"] == "rate-limit-exceeded"


def test_a_slow_answer_arrives_whole(api: Api):
    api.sandbox.add_fault("get-company-information-with-id", "slow", bytesPerSecond=400)
    began = time.monotonic()

    body = api.ok("GET", "company-information")

    # About 300 bytes at 400 a second, at the time factor of these tests (0.02).
    assert time.monotonic() - began > 0.01
    assert body["id"] == api.company_id


def test_a_token_may_end_while_it_is_used(api: Api):
    api.sandbox.add_fault("get-invoice", "token_expires", nth=2)

    statuses = [api.call("GET", "invoices").status for _ in range(3)]

    assert statuses == [200, 401, 401]
    tokens = api.sandbox.tokens_for(api.company_id)
    fields = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    assert api.sandbox.token_request(fields).status == 200


def test_a_connection_may_be_ended_between_two_steps(api: Api):
    api.sandbox.add_fault("post-invoices-invoiceId-publish", "connection_revoked")
    draft = api.draft()

    assert api.call("POST", f"invoices/{draft['id']}/publish").status == 401

    assert api.sandbox.connections() == []
    (kept,) = api.sandbox.books(api.company_id)["invoices"]
    assert kept["status"] == "draft"


def test_a_plan_may_lapse_between_two_calls_and_come_back(api: Api):
    api.sandbox.add_fault("get-invoice", "plan_changes", nth=2)
    api.sandbox.add_fault("get-invoice", "plan_changes", nth=4, plan="plus")

    statuses = [api.call("GET", "invoices").status for _ in range(4)]

    assert statuses == [200, 403, 403, 200]


def test_nobody_can_connect_during_an_outage_and_everything_is_there_afterwards(api: Api):
    api.draft()
    host, port = api.sandbox.url.removeprefix("http://").split(":")
    # 50 s are one second at the time factor of these tests.
    api.sandbox.add_fault("post-invoice", "refuse_connections", seconds=50)

    with pytest.raises(LOST):
        api.call("POST", "invoices", BODY)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)

    _wait_for(lambda: _can_connect(host, int(port)))
    assert _invoices(api) == 1
    assert api.call("POST", "invoices", BODY).status == 200


def _can_connect(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def test_an_outage_drops_the_connections_that_are_open(api: Api):
    host, port = api.sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.sendall(f"GET /_sandbox/clock HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        assert client.recv(100).startswith(b"HTTP/1.1 200")

        api.sandbox.control("POST", "outage", {"seconds": 25})

        with contextlib.suppress(ConnectionError):
            while client.recv(1000):
                pass
    _wait_for(lambda: _can_connect(host, int(port)))


def _strikes(api: Api, *, seed: int) -> list[int]:
    api.sandbox.clear_faults()
    api.sandbox.add_fault("get-customer", "error_before", nth=1, probability=0.5, seed=seed)
    return [api.call("GET", "customers").status for _ in range(16)]


def test_by_lot_the_same_seed_and_calls_give_the_same_strikes(api: Api):
    first, again, other = _strikes(api, seed=7), _strikes(api, seed=7), _strikes(api, seed=8)

    assert first == again != other
    assert set(first) == {200, 500}


def test_a_fault_by_lot_strikes_no_more_often_than_it_may(api: Api):
    api.sandbox.add_fault("get-customer", "error_before", probability=1, nth=3, times=2)

    statuses = [api.call("GET", "customers").status for _ in range(6)]

    assert statuses == [200, 200, 500, 500, 200, 200]


def test_a_fault_may_be_meant_for_one_company_or_one_method(api: Api):
    other = api.sandbox.new_company("Ett annat")
    theirs = Api(api.sandbox, other, api.sandbox.tokens_for(other).access_token)
    api.sandbox.add_fault("*", "error_before", nth=None, company=other)
    api.sandbox.add_fault("*", "status", nth=None, status=418, method="POST")

    assert api.call("GET", "customers").status == 200
    assert theirs.call("GET", "customers").status == 500
    assert api.call("POST", "customers", {}).status == 418


@pytest.mark.parametrize(
    "order",
    [
        {"kind": "delay", "params": {"second": 1}},
        {"kind": "delay", "params": {"seconds": "soon"}},
        {"kind": "delay", "params": {"seconds": -1}},
        {"kind": "plan_changes", "params": {"plan": "gold"}},
        {"kind": "status", "params": {"headers": "no object"}},
        {"kind": "lose_answer", "nth": 0},
        {"kind": "lose_answer", "times": 0},
        {"kind": "lose_answer", "probability": 1.5},
    ],
)
def test_an_order_that_makes_no_sense_is_refused(api: Api, order: dict[str, object]):
    reply = api.sandbox.request(
        "POST", "/_sandbox/faults", json_body={"operation": "post-invoice", **order}
    )

    assert reply.status == 400


def test_every_kind_says_what_it_does(api: Api):
    kinds = api.sandbox.control("GET", "")["faults"]

    assert len(kinds) == 20
    for kind in kinds.values():
        assert kind["description"]


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

from contextlib import nullcontext, suppress

import pytest

from bokio_app.bokio.answers import LONGEST_LIST
from bokio_app.bokio.errors import Invalid, OutcomeUnknown, RateLimited, StateRefused
from bokio_app.bokio.http import Call, Http
from tests.bokio.server import Wire, answers, sends


def test_a_call_carries_token_and_query_and_its_body_once(server, http):
    server.will(answers({}))

    http().send("get-invoice", "POST", "invoices", query={"query": "a==å&&b~c d"}, content=b"{}")

    (seen,) = server.seen
    assert seen.target == "/v1/invoices?query=a%3D%3D%C3%A5%26%26b~c%20d"
    assert seen.headers["authorization"] == "Bearer secret-token"
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["user-agent"] == "bokio-app"
    assert seen.body == b"{}"


@pytest.mark.parametrize(
    "path, target",
    [
        ("invoices/b3", "/v1/invoices/b3"),
        ("sie/a bå", "/v1/sie/a%20b%C3%A5"),
        ("notes/../tags", "/v1/tags"),
    ],
)
def test_what_no_path_may_hold_never_reaches_the_wire_as_it_is(server, http, path, target):
    server.will(answers({}))

    http().send("get-invoice", "GET", path)

    assert server.seen[0].target == target


def test_a_read_has_no_length_and_no_type_of_a_body(server, http):
    server.will(answers({}))

    http().send("get-invoice", "GET", "invoices")

    assert not {"content-length", "content-type", "cookie"} & set(server.seen[0].headers)


def test_headers_are_told_whatever_their_case_number_and_letters(server, http):
    server.will(
        sends(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVIA: one\r\nvia: two\r\n"
            b"X-Name: caf\xe9\r\nX-Other: caf\xc3\xa9\r\n\r\n{}",
            then=Wire.close,
        )
    )

    told = http().send("get-invoice", "GET", "invoices").headers

    assert told["via"] == "one, two"
    assert (told["x-name"], told["x-other"]) == ("café", "café")


def test_a_call_without_a_body_says_so(server, http):
    server.will(answers({}))

    http().send("post-invoices-invoiceId-publish", "POST", "invoices/1/publish")

    assert server.seen[0].headers["content-length"] == "0"
    assert "content-type" not in server.seen[0].headers


@pytest.mark.parametrize("prefix", ["Bokio_RateLimit", "bokio_ratelimit", "X_Bokio_RateLimit"])
def test_a_finished_call_tells_status_time_and_rates(server, http, calls, prefix):
    rates = {f"{prefix}_Limit": "200", f"{prefix}_Remaining": "12", f"{prefix}_RetryAfter": "31"}
    server.will(answers({}, **rates))

    http().send("get-invoice", "GET", "invoices")

    (call,) = calls
    assert 0 < call.seconds < 5
    assert call == Call(
        "get-invoice", "GET", 200, call.seconds, limit=200, remaining=12, retry_after=31
    )


@pytest.mark.parametrize("status", [200, 400])
def test_a_call_tells_which_versions_bokio_is_ending(server, http, calls, status):
    headers = {"Bokio_Api_Supported_Versions": "v1, v2", "bokio_api_deprecated_versions": "v1"}
    server.will(answers({}, status, **headers))

    with suppress(StateRefused):
        http().send("get-invoice", "GET", "invoices")

    (call,) = calls
    assert (call.supported, call.deprecated) == ("v1, v2", "v1")
    assert call.deprecates("v1")
    assert not call.deprecates("v2")


def test_a_list_of_versions_without_an_end_is_cut(server, http, calls):
    server.will(answers({}, Bokio_Api_Supported_Versions="v1, " * 500))

    http().send("get-invoice", "GET", "invoices")

    assert len(calls[0].supported) == LONGEST_LIST


@pytest.mark.parametrize("listed", ["v1", "1", "1.0", "V1", "0.9, 1.0", "beta,v1"])
def test_a_version_that_ends_is_known_in_every_spelling(listed):
    assert Call("get-invoice", "GET", 200, 0.1, deprecated=listed).deprecates("v1")


@pytest.mark.parametrize("listed", ["", "v2", "v10", "1.1", "v1-beta"])
def test_another_version_that_ends_is_not_ours(listed):
    assert not Call("get-invoice", "GET", 200, 0.1, deprecated=listed).deprecates("v1")


def test_a_finished_call_tells_neither_token_nor_body_nor_address(server, http, calls):
    secret = "19811218-9876"
    body = {
        "code": "validation-error",
        "message": secret,
        "errors": [{"field": "#/personalNumber"}],
    }
    server.will(answers({"personalNumber": secret}), answers(body, 400))

    for expected in (nullcontext(), pytest.raises(Invalid)):
        with expected:
            http().request(
                "post-invoice",
                "POST",
                f"companies/{secret}",
                parse=lambda data: data,
                query={"query": secret},
                body={"personalNumber": secret},
            )

    told = repr([vars(call) for call in calls])
    assert len(calls) == 2
    for hidden in (secret, "secret-token", "personalNumber", "companies"):
        assert hidden not in told


def test_a_refused_call_tells_code_and_reference(server, http, calls):
    body = {"code": "validation-error", "bokioErrorId": "e-1", "errors": [{"field": "#/a"}]}
    server.will(answers(body, 400))

    with pytest.raises(Invalid):
        http().send("post-invoice", "POST", "invoices")

    assert (calls[0].status, calls[0].code, calls[0].error_id) == (400, "validation-error", "e-1")


def test_a_call_that_broke_off_is_told_too(server, http, calls):
    server.will(lambda wire: wire.reset())

    with pytest.raises(OutcomeUnknown):
        http().send("post-invoice", "POST", "invoices")

    assert [(call.status, call.limit) for call in calls] == [(0, None)]


def test_a_rate_limit_without_rates_tells_nothing_it_does_not_know(server, http, calls):
    server.will(answers({"code": "rate-limit-exceeded"}, 429, Bokio_RateLimit_Limit="many"))

    with pytest.raises(RateLimited) as raised:
        http().send("get-invoice", "GET", "invoices")

    assert raised.value.retry_after is None
    assert calls[0].limit is None


def test_the_token_shows_in_no_representation(http):
    one = http()

    assert "secret-token" not in f"{one!r} {one} {vars(one).keys()}"


@pytest.mark.parametrize("token", ["", " ", "two\nlines", "tab\t", "å", "nul\0"])
def test_a_token_that_would_break_the_header_is_refused_at_once(token):
    with pytest.raises(ValueError, match="printable") as refused:
        Http("https://api.bokio.se/v1", access_token=token)

    assert not token.strip() or token not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "api.bokio.se/v1",
        "ftp://api.bokio.se",
        "https://",
        "https://u:p@bokio.se",
        "http://b/?q",
    ],
)
def test_an_address_that_cannot_be_bokios_is_refused_at_once(address):
    with pytest.raises(ValueError, match="API address"):
        Http(address, access_token="t")


def test_a_slash_at_the_end_of_the_address_makes_no_difference(server, http):
    server.will(answers({}))

    http(server.url + "/").send("get-invoice", "GET", "invoices")

    assert server.seen[0].path == "/v1/invoices"

import base64
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest

from bokio_app.bokio import errors
from bokio_app.bokio.client import GeneralApi
from bokio_app.bokio.oauth import InvalidGrant, OAuthApp, OAuthRefused, Tokens
from tests.bokio.server import answers, stalls

APP_ID = "7f3f1b0e-61cf-4c3c-9bb8-0f8bfb8ef6b5"
COMPANY, CONNECTION = uuid4(), uuid4()
GIVEN = {
    "tenant_id": str(COMPANY),
    "tenant_type": "company",
    "access_token": "access-1",
    "token_type": "Bearer",
    "expires_in": 3600,
    "refresh_token": "refresh-1",
    "connection_id": str(CONNECTION),
}


@pytest.fixture
def app(server, client):
    url = server.url
    return OAuthApp(url, f"{url}/authorize", APP_ID, "s3cr:t", client=client, timeout=2)


def form_of(seen):
    return {
        key: value for key, (value,) in parse_qs(seen.body.decode(), strict_parsing=True).items()
    }


def test_the_consent_address_carries_everything_bokio_asks_for(app):
    address = app.authorize_url_for(
        state="s+t/a=te&",
        redirect_uri="http://127.0.0.1:8000/bokio/callback",
        scopes=["invoices:read", "invoices:write"],
        company_id=COMPANY,
    )

    assert parse_qs(urlsplit(address).query) == {
        "response_type": ["code"],
        "client_id": [APP_ID],
        "redirect_uri": ["http://127.0.0.1:8000/bokio/callback"],
        "scope": ["invoices:read invoices:write"],
        "state": ["s+t/a=te&"],
        "bokio_tenantid": [str(COMPANY)],
        "bokio_tenanttype": ["company"],
    }


def test_the_consent_address_leaves_the_choice_of_company_to_the_person(app):
    address = app.authorize_url_for(state="s", redirect_uri="http://x/", scopes=["items:read"])

    assert "bokio_tenant" not in address


@pytest.mark.parametrize(
    "ask, form",
    [
        (
            lambda app: app.exchange(code="c+/ &=å", redirect_uri="http://x/?a=1&b"),
            {
                "grant_type": "authorization_code",
                "code": "c+/ &=å",
                "redirect_uri": "http://x/?a=1&b",
            },
        ),
        (
            lambda app: app.refresh("r+1 &"),
            {"grant_type": "refresh_token", "refresh_token": "r+1 &"},
        ),
        (lambda app: app.client_credentials(), {"grant_type": "client_credentials"}),
    ],
)
def test_each_grant_is_a_form_signed_with_the_apps_own_secret(app, server, ask, form):
    server.will(answers(GIVEN))

    tokens = ask(app)

    (seen,) = server.seen
    assert (seen.method, seen.target) == ("POST", "/v1/token")
    assert seen.headers["content-type"] == "application/x-www-form-urlencoded"
    assert (
        seen.headers["authorization"]
        == "Basic " + base64.b64encode(f"{APP_ID}:s3cr:t".encode()).decode()
    )
    assert form_of(seen) == form
    assert tokens == Tokens("access-1", "refresh-1", 3600, COMPANY, CONNECTION, "company")


def test_a_token_for_the_general_api_belongs_to_no_company(app, server):
    server.will(
        answers(
            {"access_token": "a", "expires_in": 3600, "tenant_id": "", "tenant_type": "general"}
        )
    )

    assert app.client_credentials() == Tokens("a", None, 3600, None, None, "general")


@pytest.mark.parametrize(
    "oddity",
    [
        {"expires_in": None},
        {"expires_in": "soon"},
        {"expires_in": 0},
        {"tenant_id": "?"},
        {"tenant_type": 7},
        {"connection_id": 5},
        {"token_type": None},
        {"token_type": ["bearer"]},
        {"token_type": "BEARER"},
        {"scope": "invoices:read"},
    ],
)
def test_a_rotated_token_is_kept_even_when_the_rest_of_the_answer_is_odd(app, server, oddity):
    server.will(answers(GIVEN | oddity))

    tokens = app.refresh("r")

    assert (tokens.access_token, tokens.refresh_token) == ("access-1", "refresh-1")
    assert tokens.expires_in == 3600
    assert all(
        each is None or isinstance(each, UUID) for each in (tokens.company_id, tokens.connection_id)
    )


@pytest.mark.parametrize(
    "act, kind, verdict",
    [
        (answers({"error": "invalid_grant"}, 400), InvalidGrant, errors.Verdict.RECONNECT),
        (answers({"error": "invalid_client"}, 401), OAuthRefused, errors.Verdict.STOP),
        (answers({"error": "unsupported_grant_type"}, 400), OAuthRefused, errors.Verdict.STOP),
        (answers(b"", 401), OAuthRefused, errors.Verdict.STOP),
        (answers(b"<html>", 400), OAuthRefused, errors.Verdict.STOP),
        (answers(b"", 429, Retry_After="5"), errors.RateLimited, errors.Verdict.RETRY),
        (answers(b"", 503), errors.OutcomeUnknown, errors.Verdict.LOOK_FIRST),
        (answers(b"<html>", 200), errors.OutcomeUnknown, errors.Verdict.LOOK_FIRST),
        (answers({"expires_in": 3600}, 200), errors.OutcomeUnknown, errors.Verdict.LOOK_FIRST),
        (answers(GIVEN | {"token_type": "mac"}), errors.OutcomeUnknown, errors.Verdict.LOOK_FIRST),
        (stalls, errors.OutcomeUnknown, errors.Verdict.LOOK_FIRST),
        (lambda wire: wire.reset(), errors.OutcomeUnknown, errors.Verdict.LOOK_FIRST),
    ],
)
def test_a_grant_that_fails_says_whether_only_consent_helps(server, client, act, kind, verdict):
    patience = 1 if act is stalls else 10  # seconds; a busy machine may take some to connect
    app = OAuthApp(server.url, "http://x/authorize", APP_ID, "s", client=client, timeout=patience)
    server.will(act)

    with pytest.raises(errors.BokioError) as raised:
        app.refresh("refresh-0")

    assert type(raised.value) is kind
    assert raised.value.verdict is verdict
    assert len(server.seen) == 1


def test_no_secret_shows_in_errors_or_representations(app, server):
    server.will(answers({"error": "invalid_grant", "error_description": "refresh-0 is spent"}, 400))

    with pytest.raises(InvalidGrant) as raised:
        app.refresh("refresh-0")

    shown = f"{raised.value!r} {app!r} {Tokens.from_json(GIVEN)!r}"
    assert not any(each in shown for each in ("refresh-", "access-1", "s3cr"))


@pytest.mark.parametrize("status", [400, 401, 403, 422, 429, 500, 503])
def test_words_of_a_refusal_are_never_repeated_for_they_may_quote_the_request(app, server, status):
    quoted = {"error": "e", "error_description": "refresh-0", "message": "refresh-0", "x": "s3cr:t"}
    server.will(answers(quoted, status))

    with pytest.raises(errors.BokioError) as raised:
        app.refresh("refresh-0")

    assert raised.value.status == status
    assert not any(each in f"{vars(raised.value)} {raised.value}" for each in ("refresh-0", "s3cr"))


def test_a_token_for_another_company_is_given_to_the_caller_to_judge(app, server):
    elsewhere = uuid4()
    server.will(answers(GIVEN | {"tenant_id": str(elsewhere)}))

    assert app.refresh("r").company_id == elsewhere


def test_an_answer_without_a_refresh_token_leaves_the_old_one_in_use(app, server):
    server.will(answers({key: value for key, value in GIVEN.items() if key != "refresh_token"}))

    assert app.refresh("r").refresh_token is None


def test_a_grant_that_was_too_much_says_when_to_come_back(app, server):
    server.will(answers({"code": "rate-limit-exceeded"}, 429, Bokio_RateLimit_RetryAfter="17"))

    with pytest.raises(errors.RateLimited) as raised:
        app.client_credentials()

    assert raised.value.retry_after == 17


@pytest.mark.parametrize(
    "act, kind",
    [
        (answers({"code": "not-found"}, 404), errors.NotFound),
        (answers({"code": "operation-not-allowed"}, 403), errors.Forbidden),
        (answers(b"", 401), errors.Unauthorized),
        (answers(b"", 500), errors.OutcomeUnknown),
    ],
)
def test_a_connection_that_cannot_be_ended_says_why(server, http, act, kind):
    server.will(act)

    with pytest.raises(kind) as raised:
        GeneralApi(http()).connections.delete(CONNECTION)

    assert type(raised.value) is kind


def test_connections_are_listed_found_and_ended(server, http):
    api = GeneralApi(http())
    row = {"id": str(CONNECTION), "tenantId": str(COMPANY), "tenantName": "AB", "type": "company"}
    server.will(answers({"items": [row], "totalPages": 1}), answers(row), answers(status=204))

    (listed,) = api.connections.list(tenant_id=COMPANY)
    found = api.connections.get(CONNECTION)
    api.connections.delete(CONNECTION)

    assert listed == found
    assert (found.id, found.tenant_id, found.tenant_name) == (CONNECTION, COMPANY, "AB")
    assert [(seen.method, seen.target) for seen in server.seen] == [
        ("GET", f"/v1/connections?tenantId={COMPANY}&page=1&pageSize=100"),
        ("GET", f"/v1/connections/{CONNECTION}"),
        ("DELETE", f"/v1/connections/{CONNECTION}"),
    ]

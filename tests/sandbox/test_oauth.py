"""Codes, tokens and connections, as an application meets them."""

from urllib.parse import urlencode

import pytest

from tests.sandbox.conftest import Api
from tests.sandbox.visitor import Visitor
from tests.support.sandbox import SandboxProcess


def _exchange(sandbox: SandboxProcess, code: str, **changes: str):
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": sandbox.redirect_uri,
    }
    return sandbox.token_request(fields | changes)


def _company(sandbox: SandboxProcess) -> str:
    return str(sandbox.companies()[0]["id"])


def test_a_code_becomes_a_token_for_the_company_that_was_chosen(sandbox: SandboxProcess):
    company = _company(sandbox)

    reply = _exchange(sandbox, sandbox.authorize_directly(company))

    assert reply.status == 200
    assert reply.headers["Cache-Control"] == "no-store"
    token = reply.json
    assert token["tenant_id"] == company
    assert (token["tenant_type"], token["token_type"]) == ("company", "bearer")
    assert token["expires_in"] == 3600
    assert token["connection_id"] == sandbox.connections()[0]["id"]
    assert token["refresh_token"]


def test_a_spent_code_is_refused_and_the_token_it_gave_lives_on(sandbox: SandboxProcess):
    company = _company(sandbox)
    code = sandbox.authorize_directly(company)
    token = _exchange(sandbox, code).json["access_token"]

    again = _exchange(sandbox, code)

    assert (again.status, again.json["error"]) == (400, "invalid_grant")
    path = f"/v1/companies/{company}/company-information"
    assert sandbox.request("GET", path, token=token).status == 200


def test_a_code_dies_after_five_minutes(sandbox: SandboxProcess):
    code = sandbox.authorize_directly(_company(sandbox))
    sandbox.move_clock(301)

    assert _exchange(sandbox, code).json["error"] == "invalid_grant"


def test_a_code_is_bound_to_its_redirect_address(sandbox: SandboxProcess):
    code = sandbox.authorize_directly(_company(sandbox))

    reply = _exchange(sandbox, code, redirect_uri="http://127.0.0.1:8000/elsewhere")

    assert (reply.status, reply.json["error"]) == (400, "invalid_grant")


def test_a_wrong_secret_is_told_apart_from_a_wrong_grant(sandbox: SandboxProcess):
    reply = sandbox.token_request({"grant_type": "client_credentials"}, secret="wrong")

    assert (reply.status, reply.json["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    "grant, error",
    [
        ("code", "unsupported_grant_type"),
        ("password", "unsupported_grant_type"),
        ("", "invalid_request"),
    ],
)
def test_other_grants_are_refused(sandbox: SandboxProcess, grant: str, error: str):
    reply = sandbox.token_request({"grant_type": grant})

    assert (reply.status, reply.json["error"]) == (400, error)


def test_a_refresh_token_works_once(sandbox: SandboxProcess):
    tokens = sandbox.tokens_for(_company(sandbox))
    fields = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}

    first, second = sandbox.token_request(fields), sandbox.token_request(fields)

    assert first.status == 200
    assert first.json["refresh_token"] != tokens.refresh_token
    assert first.json["connection_id"] == tokens.connection_id
    assert (second.status, second.json["error"]) == (400, "invalid_grant")


def test_by_a_switch_a_lost_refresh_may_be_asked_for_once_more(sandbox: SandboxProcess):
    sandbox.set_switches(refresh_accepts_previous_once=True)
    tokens = sandbox.tokens_for(_company(sandbox))
    fields = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}

    statuses = [sandbox.token_request(fields).status for _ in range(3)]

    assert statuses == [200, 200, 400]


def test_by_a_switch_refresh_tokens_do_not_rotate(sandbox: SandboxProcess):
    sandbox.set_switches(refresh_rotates=False)
    tokens = sandbox.tokens_for(_company(sandbox))
    fields = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}

    replies = [sandbox.token_request(fields) for _ in range(3)]

    assert [reply.json["refresh_token"] for reply in replies] == [tokens.refresh_token] * 3


def test_an_access_token_dies_after_an_hour(api: Api):
    api.sandbox.move_clock(3601)

    assert api.call("GET", "company-information").status == 401


def test_consenting_again_keeps_the_connection(sandbox: SandboxProcess):
    company = _company(sandbox)

    first, second = sandbox.tokens_for(company), sandbox.tokens_for(company)

    assert first.connection_id == second.connection_id
    assert len(sandbox.connections()) == 1


def test_a_connection_ended_in_bokio_ends_its_tokens(api: Api):
    tokens = api.sandbox.tokens_for(api.company_id)

    api.sandbox.revoke_connection(tokens.connection_id)

    assert api.call("GET", "company-information").status == 401
    fields = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    assert api.sandbox.token_request(fields).json["error"] == "invalid_grant"


def test_a_general_token_lists_and_deletes_connections_and_opens_no_company(api: Api):
    sandbox = api.sandbox
    general = sandbox.token_request({"grant_type": "client_credentials"}).json
    token = general["access_token"]
    assert "refresh_token" not in general
    assert general["tenant_type"] == "general"

    listed = sandbox.request("GET", f"/v1/connections?tenantId={api.company_id}", token=token)
    assert [row["tenantId"] for row in listed.json["items"]] == [api.company_id]
    path = f"/v1/connections/{listed.json['items'][0]['id']}"
    company_path = f"/v1/companies/{api.company_id}/company-information"
    assert sandbox.request("GET", company_path, token=token).status == 403

    assert sandbox.request("DELETE", path, token=token).status == 204
    assert sandbox.request("GET", path, token=token).status == 404
    assert sandbox.request("DELETE", path, token=token).status == 404
    assert sandbox.connections() == []


def test_a_company_token_opens_neither_another_company_nor_the_general_api(api: Api):
    sandbox = api.sandbox
    sandbox.reset(companies=2)
    mine, other = (company["id"] for company in sandbox.companies())
    token = sandbox.tokens_for(mine).access_token

    assert sandbox.request("GET", f"/v1/companies/{other}/customers", token=token).status == 403
    assert sandbox.request("GET", "/v1/connections", token=token).status == 403


def test_a_missing_scope_is_refused_and_writing_does_not_include_reading(api: Api):
    api.token = api.sandbox.tokens_for(api.company_id, ["customers:write"]).access_token

    assert api.call("GET", "customers").status == 403
    assert api.customer()


def test_calls_without_a_living_token_are_refused(api: Api):
    for token in ("", "nonsense"):
        api.token = token
        assert api.call("GET", "company-information").status == 401


@pytest.mark.parametrize(
    "change, error",
    [
        ({"client_id": "00000000-0000-4000-8000-000000000000"}, "invalid_client"),
        ({"client_id": "not a uuid"}, "invalid_client"),
        ({"redirect_uri": "https://evil.example/callback"}, "invalid_request"),
        ({"redirect_uri": "http://127.0.0.1:8000/bokio/callback/"}, "invalid_request"),
        ({"state": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"bokio_tenantid": "x"}, "invalid_request"),
        ({"bokio_tenanttype": "agency"}, "invalid_request"),
    ],
)
def test_a_bad_request_for_authorization_is_answered_in_place(
    sandbox: SandboxProcess, change: dict[str, str], error: str
):
    query = {
        "response_type": "code",
        "client_id": sandbox.client_id,
        "redirect_uri": sandbox.redirect_uri,
        "state": "s",
        "scope": "invoices:read",
    }

    reply = sandbox.request("GET", "/v1/authorize?" + urlencode(query | change))

    assert (reply.status, reply.json["error"]) == (400, error)
    assert reply.json["error_description"]


def test_elevated_scopes_are_for_approved_applications_alone(sandbox: SandboxProcess):
    callback = "https://app.example/callback"
    query = {
        "response_type": "code",
        "redirect_uri": callback,
        "state": "s",
        "scope": "invoices:read bank-payments:write",
    }

    def ask(*, approved: bool):
        made = sandbox.new_application("Payer", callback, approvedForBankPayments=approved)
        wish = query | {"client_id": made["clientId"]}
        return sandbox.request("GET", "/v1/authorize?" + urlencode(wish))

    refused = ask(approved=False)
    assert (refused.status, refused.json["error"]) == (400, "invalid_scope")
    assert ask(approved=True).status == 200


def test_consent_without_a_scope_gives_what_the_switch_says(sandbox: SandboxProcess):
    query = {
        "response_type": "code",
        "client_id": sandbox.client_id,
        "redirect_uri": sandbox.redirect_uri,
        "state": "s",
    }

    visitor = Visitor(sandbox)
    everything = visitor.get("/v1/authorize?" + urlencode(query)).text
    sandbox.set_switches(no_scope_means_all=False)
    nothing = visitor.get("/v1/authorize?" + urlencode(query)).text

    assert "invoices:write" in everything
    assert "bank-payments:write" not in everything
    assert "invoices:write" not in nothing


def test_parameters_of_pkce_are_ignored(sandbox: SandboxProcess):
    query = {
        "response_type": "code",
        "client_id": sandbox.client_id,
        "redirect_uri": sandbox.redirect_uri,
        "state": "s",
        "scope": "invoices:read",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    assert sandbox.request("GET", "/v1/authorize?" + urlencode(query)).status == 200

    code = sandbox.authorize_directly(_company(sandbox))

    assert _exchange(sandbox, code, code_verifier="dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW").status == 200


def test_a_private_integration_asks_for_no_consent_and_no_token(api: Api):
    api.sandbox.private_token(api.company_id)
    applications = api.sandbox.control("GET", "applications")["applications"]

    assert [row["clientId"] for row in applications][:1] == [api.sandbox.client_id]
    assert "Private" not in [row["name"] for row in applications]


@pytest.mark.parametrize("value", ["", "Basic", "Basic !!!", "Basic bm90IGEgdXVpZDp4", "Bearer x"])
def test_credentials_that_are_none_are_refused_as_such(sandbox: SandboxProcess, value: str):
    reply = sandbox.request(
        "POST",
        "/v1/token",
        body=b"grant_type=client_credentials",
        headers={"Authorization": value, "Content-Type": "application/x-www-form-urlencoded"},
    )

    assert (reply.status, reply.json["error"]) == (401, "invalid_client")
    assert reply.headers["WWW-Authenticate"].startswith("Basic")


def test_a_general_token_may_be_asked_for_with_a_scope(sandbox: SandboxProcess):
    reply = sandbox.token_request({"grant_type": "client_credentials", "scope": "agencies:read"})

    assert (reply.status, reply.json["tenant_type"]) == (200, "general")
    assert "tenant_id" not in reply.json


def test_by_a_switch_a_general_token_has_empty_ids(sandbox: SandboxProcess):
    sandbox.set_switches(general_token_names_nobody=True)

    token = sandbox.token_request({"grant_type": "client_credentials"}).json

    assert (token["tenant_id"], token["connection_id"]) == ("", "")


def test_a_general_token_lives_an_hour_too(sandbox: SandboxProcess):
    token = sandbox.token_request({"grant_type": "client_credentials"}).json["access_token"]
    sandbox.move_clock(3601)

    assert sandbox.request("GET", "/v1/connections", token=token).status == 401


def test_connections_come_in_pages_and_by_company(sandbox: SandboxProcess):
    companies = [sandbox.new_company(f"Bolag {place}") for place in range(21)]
    for company in companies:
        sandbox.authorize_directly(company)
    token = sandbox.token_request({"grant_type": "client_credentials"}).json["access_token"]

    def listed(query: str):
        return sandbox.request("GET", f"/v1/connections{query}", token=token)

    first, second = listed("").json, listed("?page=2").json
    assert (len(first["items"]), len(second["items"])) == (20, 1)
    assert (first["totalItems"], first["totalPages"]) == (21, 2)
    seen = [row["tenantId"] for row in [*first["items"], *second["items"]]]
    assert sorted(seen) == sorted(companies)
    (one,) = listed(f"?tenantId={companies[3]}").json["items"]
    assert (one["tenantName"], one["type"]) == ("Bolag 3", "company")
    assert listed("?pageSize=101").status == listed("?tenantId=x").status == 400


def test_deleting_a_connection_ends_its_tokens_and_keeps_the_books(api: Api):
    tokens = api.sandbox.tokens_for(api.company_id)
    api.customer()
    general = api.sandbox.token_request({"grant_type": "client_credentials"}).json["access_token"]

    path = f"/v1/connections/{tokens.connection_id}"
    assert api.sandbox.request("DELETE", path, token=general).status == 204

    assert api.call("GET", "customers").status == 401
    fields = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    assert api.sandbox.token_request(fields).json["error"] == "invalid_grant"
    assert len(api.sandbox.books(api.company_id)["customers"]) == 1


def test_a_code_belongs_to_the_application_it_was_given_to(sandbox: SandboxProcess):
    code = sandbox.authorize_directly(_company(sandbox))
    other = sandbox.new_application("Thief", sandbox.redirect_uri)
    mine = sandbox.client_id, sandbox.client_secret
    sandbox.client_id, sandbox.client_secret = other["clientId"], other["clientSecret"]
    try:
        stolen = _exchange(sandbox, code)
    finally:
        sandbox.client_id, sandbox.client_secret = mine

    assert (stolen.status, stolen.json["error"]) == (400, "invalid_grant")
    assert _exchange(sandbox, code).status == 200

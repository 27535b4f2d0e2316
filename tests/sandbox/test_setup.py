"""Setting the scene: by command, through the control API, and what private tokens open."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.sandbox.conftest import Api
from tests.support.sandbox import ROOT, SandboxProcess

CALLBACK = "https://app.example/callback"


def test_several_applications_each_see_their_own_connections(api: Api):
    sandbox = api.sandbox
    other = sandbox.new_application("Other", CALLBACK)
    code = sandbox.control(
        "POST",
        "authorize",
        {
            "companyId": api.company_id,
            "clientId": other["clientId"],
            "redirectUri": CALLBACK,
            "scopes": ["invoices:read"],
        },
    )["code"]
    mine = sandbox.connections()[0]["id"]
    sandbox.client_id, kept_id = other["clientId"], sandbox.client_id
    sandbox.client_secret, kept_secret = other["clientSecret"], sandbox.client_secret
    try:
        token = sandbox.token_request(
            {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        ).json
        general = sandbox.token_request({"grant_type": "client_credentials"}).json["access_token"]
    finally:
        sandbox.client_id, sandbox.client_secret = kept_id, kept_secret

    listed = sandbox.request("GET", "/v1/connections", token=general).json["items"]

    assert [row["id"] for row in listed] == [token["connection_id"]]
    assert token["tenant_id"] == api.company_id
    assert sandbox.request("GET", f"/v1/connections/{mine}", token=general).status == 404
    assert sandbox.request("DELETE", f"/v1/connections/{mine}", token=general).status == 403
    assert api.call("GET", "company-information").status == 200


def _rows(sandbox: SandboxProcess) -> dict[str, int]:
    """How many rows each table of the sandbox has."""
    with closing(sqlite3.connect(sandbox.var_dir / "sandbox.sqlite3")) as books:
        names = books.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'sandbox_%'"
        ).fetchall()
        count = "SELECT count(*) FROM {}"
        return {name: books.execute(count.format(name)).fetchone()[0] for (name,) in names}


def test_a_reset_keeps_public_applications_with_their_own_tokens_and_nothing_else(api: Api):
    sandbox = api.sandbox
    general = sandbox.token_request({"grant_type": "client_credentials"}).json["access_token"]
    sandbox.reset()
    empty = _rows(sandbox)
    company = sandbox.companies()[0]["id"]
    api = Api(sandbox, company, sandbox.tokens_for(company).access_token)
    invoice = f"invoices/{api.published()['id']}"
    api.ok("POST", f"{invoice}/record")
    payment = {"date": "2024-10-20", "sumBaseCurrency": 100, "bookkeepingAccountNumber": 1930}
    api.ok("POST", f"{invoice}/payments", payment)
    api.ok("POST", f"{invoice}/credit")
    api.ok("POST", "items", {"description": "Tack!", "itemType": "descriptionOnlyItem"})
    group = api.ok("POST", "tag-groups", {"name": "Kostnadsställe", "alias": "KS"})
    api.ok("POST", f"tag-groups/{group['id']}/tags", {"name": "Varberg"})
    private = Api(sandbox, company, sandbox.private_token(company))
    private.draft()
    private.ok("POST", "suppliers", {"name": "Kvarnby Trävaror AB"})
    filled = _rows(sandbox)

    sandbox.reset()

    assert sum(filled.values()) > sum(empty.values()) + 20
    assert _rows(sandbox) == empty
    assert private.call("GET", "company-information").status == 401
    assert sandbox.request("GET", "/v1/connections", token=general).json["items"] == []


def test_a_new_company_has_accounts_years_and_the_method_it_was_given(sandbox: SandboxProcess):
    company = sandbox.new_company("Kontantbolaget", method="cash", firstYear=2025, plan="business")
    api = Api(sandbox, company, sandbox.tokens_for(company).access_token)

    years = api.ok("GET", "fiscal-years")["items"]

    assert {year["accountingMethod"] for year in years} == {"cash"}
    assert years[0]["startDate"] == "2025-01-01"
    assert api.ok("GET", "chart-of-accounts")
    assert api.ok("GET", "company-information")["name"] == "Kontantbolaget"


def test_a_person_works_in_the_companies_named(sandbox: SandboxProcess):
    company = sandbox.new_company("Nya bolaget")

    sandbox.control(
        "POST", "people", {"name": "Eva Ek", "email": "eva@example.se", "companies": [company]}
    )

    names = {row["id"]: [p["name"] for p in row["people"]] for row in sandbox.companies()}
    assert names[company] == ["Eva Ek"]


@pytest.mark.parametrize(
    "path, body",
    [
        ("applications", {"name": "X", "redirectUris": []}),
        ("applications", {"name": "X", "redirectUris": ["javascript:alert(1)"]}),
        ("applications", {"name": "", "redirectUris": [CALLBACK]}),
        ("companies", {"name": "X", "plan": "gold"}),
        ("companies", {"name": "X", "method": "guess"}),
        ("companies", {"name": "X", "firstYear": 1998}),
        ("people", {"name": "X", "email": "nobody"}),
        ("companies", {}),
        ("clock", {"seconds": -1e12}),
        ("clock", {"seconds": 1e15}),
        ("clock", {"now": "9999-12-31T23:59:59Z"}),
        ("switches", {"latency_seconds": -1}),
        ("switches", {"rate_limit": -1}),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    sandbox: SandboxProcess, path: str, body: dict[str, object]
):
    reply = sandbox.request("POST", f"/_sandbox/{path}", json_body=body)

    assert reply.status == 400
    assert reply.json["error"]
    assert sandbox.control("GET", "clock")["now"] >= "2026"
    assert sandbox.control("GET", "switches")["changed"] == {}


def test_a_private_token_lasts_and_opens_its_company_alone(api: Api):
    sandbox = api.sandbox
    other = sandbox.new_company("Ett annat")
    api.token = sandbox.private_token(api.company_id, ["customers:read"])
    sandbox.move_clock(400 * 24 * 3600)

    assert api.call("GET", "customers").status == 200
    assert api.call("GET", "invoices").status == 403
    assert sandbox.request("GET", f"/v1/companies/{other}/customers", token=api.token).status == 403
    assert sandbox.request("GET", "/v1/connections", token=api.token).status == 403


def test_a_private_integration_ends_with_its_connection(api: Api):
    made = api.sandbox.control("POST", f"companies/{api.company_id}/private-tokens", {"name": "P"})
    api.token = made["token"]
    assert api.call("GET", "customers").status == 200

    api.sandbox.revoke_connection(made["connectionId"])

    assert api.call("GET", "customers").status == 401


def test_elevated_scopes_are_not_for_private_integrations(api: Api):
    api.token = api.sandbox.private_token(api.company_id, ["bank-payments:write"])

    assert api.call("POST", "bank-payments", {}).status == 403


def _set_up(sandbox: SandboxProcess, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "SANDBOX_DATABASE_URL"}
    environment |= {
        "DJANGO_SETTINGS_MODULE": "bokio_app.sandbox.settings",
        "VAR_DIR": str(sandbox.var_dir),
    }
    return subprocess.run(
        [sys.executable, str(Path(ROOT) / "manage.py"), "sandbox_setup", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_command_sets_the_scene_beside_a_running_sandbox(sandbox: SandboxProcess):
    company = json.loads(_set_up(sandbox, "company", "--name", "Ny AB", "--rounding").stdout)["id"]

    made = json.loads(_set_up(sandbox, "private-token", "--name", "P", "--company", company).stdout)

    path = f"/v1/companies/{company}/company-information"
    assert sandbox.request("GET", path, token=made["token"]).json["name"] == "Ny AB"


def test_the_command_refuses_in_one_line(sandbox: SandboxProcess):
    done = _set_up(sandbox, "application", "--name", "X", "--redirect-uri", "nowhere")

    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr.strip().splitlines() == [
        "CommandError: A redirect address must begin with http:// or https:// and have no fragment"
    ]

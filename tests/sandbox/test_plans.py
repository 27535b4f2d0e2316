"""What a company's plan opens, to public and to private integrations, and brownouts."""

import uuid

import pytest

from tests.sandbox.conftest import Api
from tests.sandbox.entries import entry, item, make_tag, use

PUBLIC = "PublicApi"
PRIVATE = "PrivateApi"


def _with_plan(api: Api, plan: str, *, addon: bool = False) -> None:
    api.sandbox.change_company(api.company_id, plan=plan, integrationsAddon=addon)


@pytest.mark.parametrize(
    "plan, addon", [("plus", 0), ("business", 0), ("trial", 0), ("premium", 1)]
)
def test_a_public_integration_works_on_plans_that_include_it(api: Api, plan: str, addon: int):
    _with_plan(api, plan, addon=bool(addon))

    assert api.call("GET", "company-information").status == 200


@pytest.mark.parametrize("plan, addon", [("basic", 0), ("basic", 1), ("premium", 0)])
def test_a_public_integration_is_refused_on_other_plans_in_their_own_words(
    api: Api, plan: str, addon: int
):
    _with_plan(api, plan, addon=bool(addon))

    refusal = api.refused("GET", "company-information", status=403)

    assert refusal["error"] == "price_plan_feature_required"
    assert refusal["message"]
    assert refusal["details"] == {
        "requiredFeature": PUBLIC,
        "availableIn": ["Plus", "Business"],
        "availableAsAddonIn": ["Premium"],
        "isAvailableInTrial": True,
        "isInTrial": False,
    }


@pytest.mark.parametrize(
    "plan, status",
    [("plus", 200), ("premium", 200), ("business", 200), ("trial", 200), ("basic", 403)],
)
def test_a_private_integration_has_plans_of_its_own(api: Api, plan: str, status: int):
    api.token = api.sandbox.private_token(api.company_id)
    _with_plan(api, plan)

    reply = api.call("GET", "company-information")

    assert reply.status == status
    if status == 403:
        assert reply.json["details"]["requiredFeature"] == PRIVATE
        assert reply.json["details"]["availableIn"] == ["Plus", "Premium", "Business"]


@pytest.mark.parametrize(
    "method, path", [("GET", "tag-groups"), ("PUT", f"journal-entries/{uuid.UUID(int=0)}/tags")]
)
def test_tags_are_a_feature_on_top(api: Api, method: str, path: str):
    api.token = api.sandbox.private_token(api.company_id, ["tags:read", "journal-entries:write"])
    _with_plan(api, "plus")
    assert api.call(method, path, {"tags": []}).status != 403

    # A private integration is open to this plan; a constant says which plans have tags.
    _with_plan(api, "premium")

    refusal = api.refused(method, path, {"tags": []}, status=403)
    assert refusal["details"]["requiredFeature"] == "Tags"


@pytest.mark.parametrize("on_a_row", [False, True], ids=["on the whole", "on a row"])
@pytest.mark.parametrize("known", [True, False], ids=["a tag it has", "a tag it lacks"])
def test_an_entry_that_is_written_with_tags_needs_the_feature_too(
    api: Api, on_a_row: bool, known: bool
):
    tag = make_tag(api) if known else {"tagId": str(uuid.uuid4())}
    rows = [item(1930, debit=5), item(3011, credit=5)]
    tagged = rows[0] | {"tags": [use(tag)]}
    body = entry(items=[tagged, rows[1]]) if on_a_row else entry(items=rows, tags=[use(tag)])
    api.token = api.sandbox.private_token(api.company_id)
    _with_plan(api, "premium")

    refusal = api.refused("POST", "journal-entries", body, status=403)

    assert refusal["details"]["requiredFeature"] == "Tags"
    assert api.ok("GET", "journal-entries")["items"] == []
    untagged = api.ok("POST", "journal-entries", entry(items=rows, tags=[]))
    assert untagged["items"][0]["tags"] == []
    _with_plan(api, "business")
    assert api.call("POST", "journal-entries", body).status == (200 if known else 400)


def test_a_lapsed_plan_blocks_neither_tokens_nor_connections(api: Api):
    sandbox = api.sandbox
    tokens = sandbox.tokens_for(api.company_id)
    _with_plan(api, "basic")

    refreshed = sandbox.token_request(
        {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    )
    general = sandbox.token_request({"grant_type": "client_credentials"}).json["access_token"]

    assert refreshed.status == 200
    assert sandbox.request("GET", "/v1/connections", token=general).json["totalItems"] == 1


def test_a_plan_that_comes_back_opens_the_same_token_again(api: Api):
    _with_plan(api, "basic")
    assert api.call("GET", "company-information").status == 403

    _with_plan(api, "plus")

    assert api.call("GET", "company-information").status == 200


def test_the_plan_is_looked_at_before_the_rate_and_the_scope(api: Api):
    api.sandbox.set_switches(rate_limit=1)
    api.token = api.sandbox.tokens_for(api.company_id, ["customers:read"]).access_token
    _with_plan(api, "basic")

    replies = [api.call("GET", "invoices") for _ in range(2)]

    assert [reply.json.get("error") for reply in replies] == ["price_plan_feature_required"] * 2
    assert "Bokio-RateLimit-Limit" not in replies[0].headers


@pytest.mark.parametrize("status", [410, 426])
def test_a_brownout_refuses_everything_by_its_code(api: Api, status: int):
    api.sandbox.set_switches(brownout="always", brownout_status=status)

    refusal = api.refused("GET", "company-information", status=status)

    assert refusal["code"] == "version_sunset_brownout"
    assert api.sandbox.token_request({"grant_type": "client_credentials"}).status == status


def test_a_brownout_of_odd_hours_follows_the_sandboxs_clock(api: Api):
    api.sandbox.set_switches(brownout="odd-hours")

    def status_at(moment: str) -> int:
        api.sandbox.control("POST", "clock", {"now": moment})
        token = api.sandbox.private_token(api.company_id)
        path = f"/v1/companies/{api.company_id}/company-information"
        return api.sandbox.request("GET", path, token=token).status

    assert [status_at(f"2026-11-20T{hour}:59:00Z") for hour in (12, 13, 14)] == [200, 410, 200]


def test_versions_are_named_in_headers_when_a_switch_says_so(api: Api):
    assert "Bokio-Api-Supported-Versions" not in api.call("GET", "customers").headers
    api.sandbox.set_switches(supported_versions="v1, v2", deprecated_versions="v1")

    headers = api.call("GET", "customers").headers

    assert headers["Bokio-Api-Supported-Versions"] == "v1, v2"
    assert headers["Bokio-Api-Deprecated-Versions"] == "v1"


@pytest.mark.parametrize(
    "switch",
    [
        {"brownout": "sometimes"},
        {"brownout_status": 500},
        {"rate_limit": "200"},
        {"rate_limit": True},
        {"metadata_lag_seconds": "1"},
        {"unheard_of": 1},
    ],
)
def test_a_switch_takes_only_what_it_is_made_for(api: Api, switch: dict[str, object]):
    reply = api.sandbox.request("POST", "/_sandbox/switches", json_body=switch)

    assert reply.status == 400

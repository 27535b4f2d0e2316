"""Applications and their secrets, private tokens, and connections, by hand on the pages."""

import base64
import html
import re
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.sandbox.conftest import Api
from tests.sandbox.visitor import Page, Visitor
from tests.support.sandbox import Reply, SandboxProcess

CALLBACK = "http://127.0.0.1:9999/callback"


def _general_token(sandbox: SandboxProcess, client_id: str, secret: str) -> Reply:
    pair = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return sandbox.request(
        "POST",
        "/v1/token",
        body=b"grant_type=client_credentials",
        headers={
            "Authorization": f"Basic {pair}",
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )


def _shown(page: Page) -> list[str]:
    """The credentials that the page shows once, in their order."""
    return re.findall(r"<dd><code>(.*?)</code></dd>", page.text)


# The developer portal


def test_an_application_is_registered_and_its_secret_shown_once(visitor: Visitor, api: Api):
    page = visitor.get("/applications/new")

    page = visitor.send(page, "", name="Second app", redirect_uris=f"{CALLBACK}\n{CALLBACK}2")

    client_id, secret = _shown(page)
    assert _general_token(api.sandbox, client_id, secret).status == 200
    for address in ("/applications", f"/applications/{client_id}"):
        assert secret not in visitor.get(address).text
    assert page.headers["Cache-Control"] == "no-store"


def test_a_new_secret_ends_the_old_one(visitor: Visitor, api: Api):
    page = visitor.get("/applications/new")
    page = visitor.send(page, "", name="Second app", redirect_uris=CALLBACK)
    client_id, old = _shown(page)

    page = visitor.send(visitor.get(f"/applications/{client_id}"), "/secret")

    _, fresh = _shown(page)
    assert _general_token(api.sandbox, client_id, old).status == 401
    assert _general_token(api.sandbox, client_id, fresh).status == 200


def test_an_address_that_is_none_is_refused_and_kept_on_the_form(visitor: Visitor, api: Api):
    page = visitor.get("/applications/new")

    page = visitor.send(page, "", name="App of nowhere", redirect_uris="javascript:alert(1)")

    assert page.status == 422
    assert "javascript:alert(1)</textarea>" in page.text
    assert "App of nowhere" not in visitor.get("/applications").text


def test_the_addresses_of_an_application_are_changed(visitor: Visitor, api: Api):
    address = f"/applications/{api.sandbox.client_id}"

    visitor.send(visitor.get(address), "", redirect_uris=CALLBACK)

    wish = urlencode(
        {
            "response_type": "code",
            "client_id": api.sandbox.client_id,
            "redirect_uri": api.sandbox.redirect_uri,
            "state": "s",
        }
    )
    assert visitor.get(f"/v1/authorize?{wish}").status == 400
    restored = visitor.send(visitor.get(address), "", redirect_uris=api.sandbox.redirect_uri)
    assert restored.status == 200
    assert visitor.get(f"/v1/authorize?{wish}").status == 200


def test_a_private_token_works_for_its_company_until_it_is_revoked(visitor: Visitor, api: Api):
    page = visitor.get("/applications")
    company = re.findall(r'<option value="(\d+)">Aurora Works AB', page.text)[0]

    page = visitor.send(page, "/private", private_name="Spreadsheet", company=company)

    tenant, token = _shown(page)
    assert tenant == api.company_id
    private = Api(api.sandbox, tenant, token)
    assert private.call("GET", "invoices").status == 200
    page = visitor.get("/applications")
    assert token not in page.text
    visitor.send(page, "/end")
    assert private.call("GET", "invoices").status == 401


# The marketplace and its connections


def _links(page: Page) -> list[str]:
    return [html.unescape(link) for link in re.findall(r'href="(http[^"]+)"', page.text)]


def test_connecting_begins_at_the_application_with_the_company(visitor: Visitor, api: Api):
    api.sandbox.revoke_connection(api.sandbox.connections()[0]["id"])

    [link] = _links(visitor.get(f"/companies/{api.company_id}/integrations"))

    address, query = link.split("?")
    given = {name: value for name, [value] in parse_qs(query).items()}
    assert address.endswith("/bokio/connect")
    back = f"{api.sandbox.url}/{api.company_id}/integrations/{api.sandbox.client_id}"
    assert given == {
        "bokio_tenantid": api.company_id,
        "bokio_tenanttype": "company",
        "redirect_url": back,
    }
    assert visitor.get(urlsplit(back).path).status == 200


def test_disconnecting_goes_to_the_application_that_asks_for_it(visitor: Visitor, api: Api):
    address = f"/applications/{api.sandbox.client_id}"
    wanted = "http://127.0.0.1:9999/bye?from=bokio"
    visitor.send(visitor.get(address), "", disconnect_url=wanted)

    [link] = _links(visitor.get(f"/companies/{api.company_id}/integrations"))

    assert link.startswith(f"{wanted}&bokio_tenantid={api.company_id}&redirect_url=")
    visitor.send(visitor.get(address), "", disconnect_url="")


def test_disconnecting_from_an_application_without_an_address_ends_it_here(
    visitor: Visitor, api: Api
):
    page = visitor.get(f"/companies/{api.company_id}/integrations")

    visitor.send(page, "/end")

    assert api.sandbox.connections() == []
    assert api.call("GET", "invoices").status == 401


def test_access_tokens_expire_by_hand_and_the_connection_lives_on(visitor: Visitor, api: Api):
    visitor.send(visitor.get("/connections"), "/expire")

    assert api.call("GET", "invoices").status == 401
    assert len(api.sandbox.connections()) == 1

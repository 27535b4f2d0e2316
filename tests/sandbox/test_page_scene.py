"""What a person sets up on the pages: companies, applications, faults, switches, the clock."""

import base64
import html
import re
from decimal import Decimal
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.sandbox.conftest import Api, line
from tests.sandbox.others import BANK_SCOPES
from tests.sandbox.visitor import Page, Visitor
from tests.support.sandbox import Reply, SandboxProcess

CALLBACK = "http://127.0.0.1:9999/callback"


@pytest.fixture
def visitor(api: Api) -> Visitor:
    return Visitor(api.sandbox)


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


def _settings(visitor: Visitor, api: Api, **changes: object) -> Page:
    page = visitor.get(f"/companies/{api.company_id}/settings")
    return visitor.send(page, "", **changes)


# The company


def test_automatic_bookkeeping_is_switched_on_by_hand(visitor: Visitor, api: Api):
    _settings(visitor, api, automatic_recording="on")

    invoice = api.published()

    assert invoice["journalEntryRef"]
    api.refused("POST", f"invoices/{invoice['id']}/record", status=400)


def test_rounding_is_switched_on_by_hand(visitor: Visitor, api: Api):
    _settings(visitor, api, whole_krona_rounding="on")

    assert api.draft(line(unitPrice=100.3))["totalAmount"] == 125


def test_a_lapsed_plan_refuses_every_call_until_it_is_renewed(visitor: Visitor, api: Api):
    page = visitor.get(f"/companies/{api.company_id}/settings")

    visitor.send(page, "/lapse")

    refusal = api.refused("GET", "invoices", status=403)
    assert refusal["error"] == "price_plan_feature_required"
    _settings(visitor, api, plan="business")
    assert api.call("GET", "invoices").status == 200


def test_settings_that_make_no_sense_are_refused(visitor: Visitor, api: Api):
    page = _settings(visitor, api, payment_days="-1", plan="business")

    assert page.status == 422
    assert "The settings are saved." not in page.text


def test_a_fiscal_year_is_closed_reopened_and_given_another_method(visitor: Visitor, api: Api):
    invoice = api.published()
    [year] = api.ok("GET", "fiscal-years?query=startDate==2024-01-01")["items"]
    page = visitor.get(f"/companies/{api.company_id}/years")

    page = visitor.send(page, f"/years/{year['id']}", action="close")
    api.refused("POST", f"invoices/{invoice['id']}/record", status=400)
    page = visitor.send(page, f"/years/{year['id']}", action="open")
    page = visitor.send(page, f"/years/{year['id']}", action="cash")
    api.refused("POST", f"invoices/{invoice['id']}/record", status=400)
    visitor.send(page, f"/years/{year['id']}", action="accrual")

    assert api.call("POST", f"invoices/{invoice['id']}/record").status == 200


def test_the_ledger_of_an_account_runs_on_over_its_pages(visitor: Visitor, api: Api):
    items = [
        {"account": 1930, "debit": 10.10, "credit": 0},
        {"account": 3001, "debit": 0, "credit": 10.10},
    ]
    for number in range(60):
        body = {"title": f"Entry {number}", "date": "2024-05-02", "items": items}
        api.ok("POST", "journal-entries", body)

    first = visitor.get(f"/companies/{api.company_id}/accounts/1930")
    second = visitor.get(f"/companies/{api.company_id}/accounts/1930?page=2")

    assert "505.00" in first.text
    assert "Brought forward" in second.text
    assert [amount in second.text for amount in ("505.00", "515.10", "606.00")] == [True] * 3
    balances = visitor.get(f"/companies/{api.company_id}/accounts").text
    assert "606.00" in balances
    assert re.search(r'<th scope="row">Sum</th><td class="num">0.00</td>', balances)


def test_invoices_are_found_by_state_number_and_customer(visitor: Visitor, api: Api):
    api.draft(customerRef={"id": api.customer(name="Björkbacken AB")})
    api.published(customerRef={"id": api.customer(name="Solrosen AB")})
    address = f"/companies/{api.company_id}/invoices"

    def found(query: str) -> set[str]:
        text = visitor.get(f"{address}?{query}").text
        return {name for name in ("Björkbacken AB", "Solrosen AB") if f"<td>{name}</td>" in text}

    assert found("") == {"Björkbacken AB", "Solrosen AB"}
    assert found("state=draft") == {"Björkbacken AB"}
    assert found("state=overdue") == found("q=1001") == found("q=solros") == {"Solrosen AB"}
    assert found("q=9999") == found("state=paid") == set()
    assert found("q=%00&page=nonsense&customer=99999999999999999999") == {
        "Björkbacken AB",
        "Solrosen AB",
    }


def test_the_books_of_a_company_where_one_does_not_work_are_no_page(visitor: Visitor, api: Api):
    page = visitor.get("/people")
    visitor.send(page, "", name="Siv Ek", email="siv@example.com", companies=None)

    visitor.sign_in("Siv Ek")

    assert visitor.get(f"/companies/{api.company_id}").status == 404
    assert visitor.get(f"/companies/{api.company_id}/entries").status == 404
    assert "You work at no company yet." in visitor.get("/").text


# Companies and people


def test_a_company_is_made_and_can_be_connected_at_once(visitor: Visitor, sandbox: SandboxProcess):
    page = visitor.get("/companies/new")

    page = visitor.send(page, "", name="Nyströms Kafé AB", org_number="5591234567", method="cash")

    [company] = [each for each in sandbox.companies() if each["name"] == "Nyströms Kafé AB"]
    assert page.address.endswith(f"/companies/{company['id']}")
    token = sandbox.tokens_for(company["id"]).access_token
    api = Api(sandbox, company["id"], token)
    assert api.published()["invoiceNumber"]
    years = api.ok("GET", "fiscal-years")["items"]
    assert {year["accountingMethod"] for year in years} == {"cash"}


def test_a_company_without_a_name_is_refused(visitor: Visitor, sandbox: SandboxProcess):
    before = len(sandbox.companies())

    page = visitor.send(visitor.get("/companies/new"), "", name=" ", org_number="55-1")

    assert page.status == 422
    assert 'value="55-1"' in page.text
    assert len(sandbox.companies()) == before


def test_who_works_where_is_changed(visitor: Visitor, api: Api):
    page = visitor.get("/people")
    oskar = next(address for address in re.findall(r'action="(/people/[0-9a-f-]+)"', page.text)[1:])

    visitor.send(page, oskar, companies=[])

    assert "Maja Lindqvist" in visitor.get("/people").text
    visitor.sign_in("Oskar Berglund")
    assert visitor.get(f"/companies/{api.company_id}").status == 404


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


# Faults, switches, clock, calls


def test_a_fault_is_ordered_by_recipe(visitor: Visitor, api: Api):
    page = visitor.send(visitor.get("/faults"), "/faults/change", action="recipe", fault="publish")

    assert "error_after" in page.text
    draft = api.draft()
    assert api.call("POST", f"invoices/{draft['id']}/publish").status == 500
    assert api.ok("GET", f"invoices/{draft['id']}")["invoiceNumber"]


def test_a_fault_takes_its_parameters_from_the_page(visitor: Visitor, api: Api):
    page = visitor.get("/faults/order/status?operation=get-customer")

    visitor.send(
        page,
        "",
        **{
            "when": "every",
            "times": 2,
            "param-status": 503,
            "param-headers": '{"Retry-After": "7"}',
        },
    )

    replies = [api.call("GET", "customers") for _ in range(3)]
    assert [reply.status for reply in replies] == [503, 503, 200]
    assert replies[0].headers["Retry-After"] == "7"


def test_a_fault_by_lot_strikes_the_same_calls_for_the_same_seed(visitor: Visitor, api: Api):
    def strikes() -> list[int]:
        page = visitor.get("/faults/order/error_before")
        visitor.send(
            page, "", operation="get-customer", when="lot", probability="0,5", seed=11, nth=None
        )
        found = [api.call("GET", "customers").status for _ in range(12)]
        visitor.send(visitor.get("/faults"), "/faults/change", action="clear")
        return found

    first = strikes()
    assert set(first) == {200, 500}
    assert strikes() == first


def test_a_fault_holds_a_company_and_is_removed(visitor: Visitor, api: Api):
    page = visitor.get("/faults/order/error_before")
    page = visitor.send(page, "", company=api.company_id, when="every")
    assert "Aurora Works AB" in page.text
    assert api.call("GET", "customers").status == 500

    visitor.send(page, "/faults/change", action="remove")

    assert api.call("GET", "customers").status == 200


@pytest.mark.parametrize(
    "kind,fields",
    [
        ("error_before", {"when": "lot"}),
        ("error_before", {"when": "lot", "probability": "2"}),
        ("status", {"param-headers": "not JSON"}),
        ("delay", {"param-seconds": "soon"}),
    ],
)
def test_a_fault_that_cannot_be_is_not_ordered(
    visitor: Visitor, api: Api, kind: str, fields: dict[str, str]
):
    page = visitor.send(visitor.get(f"/faults/order/{kind}"), "", **fields)

    assert page.status == 422
    assert api.sandbox.control("GET", "faults") == {"faults": []}


def test_a_kind_of_fault_that_there_is_not_is_no_page(visitor: Visitor):
    assert visitor.get("/faults/order/earthquake").status == 404


def test_a_switch_is_turned_and_put_back(visitor: Visitor, api: Api):
    page = visitor.send(visitor.get("/switches"), "", rate_limit=150, fiscal_year_wrapped=None)

    changed = api.sandbox.control("GET", "switches")["changed"]
    assert changed == {"rate_limit": 150, "fiscal_year_wrapped": False}
    assert "2 differ from their defaults." in page.text
    visitor.send(page, "", action="reset")
    assert api.sandbox.control("GET", "switches")["changed"] == {}


def test_a_switch_keeps_its_value_when_another_is_refused(visitor: Visitor, api: Api):
    page = visitor.send(visitor.get("/switches"), "", rate_limit="many", newest_first="on")

    assert page.status == 422
    assert api.sandbox.control("GET", "switches")["changed"] == {}


def test_every_switch_has_a_help(visitor: Visitor, api: Api):
    page = visitor.get("/switches")

    names = api.sandbox.control("GET", "switches")["switches"]
    helped = re.findall(r'id="id_(\w+)_helptext">\S', page.text)
    assert set(helped) == set(names)


def test_the_clock_is_moved_and_the_invoice_falls_due(visitor: Visitor, api: Api):
    today = api.sandbox.control("GET", "clock")["today"]
    invoice = api.published(invoiceDate=today, dueDate=today)
    assert invoice["status"] == "published"

    page = visitor.send(visitor.get("/clock"), "", amount=1, unit="days")

    assert "The clock is moved: it is" in page.text
    [later] = api.sandbox.books(api.company_id)["invoices"]
    assert later["status"] == "overdue"
    visitor.send(page, "", action="now")
    assert api.sandbox.control("GET", "clock")["today"] == today


def test_the_clock_goes_no_further_than_twenty_years(visitor: Visitor, api: Api):
    page = visitor.send(visitor.get("/clock"), "", amount=99999, unit="days")

    assert page.status == 422
    assert "The clock goes no further than 20 years." in page.text


def test_the_record_shows_unknown_fields_and_is_cleared(visitor: Visitor, api: Api):
    api.draft(colour="red")

    page = visitor.get("/calls")
    assert "colour" in page.text
    assert "post-invoice" in page.text

    page = visitor.send(page, "")
    assert "No calls yet." in page.text
    assert api.sandbox.calls()["calls"] == []


def test_a_bank_payment_is_signed_and_then_paid(visitor: Visitor, sandbox: SandboxProcess):
    company = sandbox.companies()[0]["id"]
    api = Api(sandbox, company, sandbox.tokens_for(company, BANK_SCOPES).access_token)
    body = {
        "amount": 1200,
        "paymentDate": sandbox.control("GET", "clock")["today"],
        "recipientRef": {
            "kind": "bankgiro",
            "recipientName": "Kvarnby AB",
            "bankgiroNumber": "5805-6201",
            "ocr": "8810425",
        },
    }
    first, second = (api.ok("POST", "bank-payments", body) for _ in range(2))
    address = f"/companies/{api.company_id}/bank-payments"
    page = visitor.get(address)

    visitor.send(page, first["id"], action="sign")
    visitor.send(page, second["id"], action="reject")

    def states() -> list[str]:
        rows = (api.ok("GET", f"bank-payments/{each['id']}") for each in (first, second))
        return [row["status"] for row in rows]

    assert states() == ["onTheWay", "rejected"]
    visitor.send(page, second["id"], action="sign")
    visitor.send(page, first["id"], action="paid")
    assert states() == ["paid", "rejected"]


def test_an_uploaded_document_is_handed_out_as_a_download(visitor: Visitor, api: Api):
    content = b"%PDF-1.4 <script>alert(1)</script>"
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="hyra.pdf"\r\n'
        b"Content-Type: application/pdf\r\n\r\n" + content + b"\r\n--x--\r\n"
    )
    reply = api.sandbox.request(
        "POST",
        f"/v1/companies/{api.company_id}/uploads",
        token=api.token,
        body=body,
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )

    page = visitor.get(f"/companies/{api.company_id}/uploads/{reply.json['id']}")

    assert page.content == content
    assert page.headers["Content-Disposition"].startswith("attachment")
    assert page.headers["X-Content-Type-Options"] == "nosniff"


def test_a_sum_on_the_page_is_the_one_of_the_books(visitor: Visitor, api: Api):
    for _ in range(3):
        api.published()

    page = visitor.get(f"/companies/{api.company_id}/invoices")

    invoices = api.sandbox.books(api.company_id)["invoices"]
    total = sum(Decimal(each["outstanding"]) for each in invoices)
    assert f"{total:,.2f}" in page.text

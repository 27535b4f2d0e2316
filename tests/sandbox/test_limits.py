"""The rate limit, one write at a time per address, and many writers at once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from tests.sandbox.conftest import Api, line

BODY = {"invoiceDate": "2024-10-10", "lineItems": [line()]}


def test_the_headers_count_down_and_the_call_over_the_limit_is_refused(api: Api):
    api.sandbox.set_switches(rate_limit=3)

    replies = [api.call("GET", "company-information") for _ in range(4)]

    assert [reply.status for reply in replies] == [200, 200, 200, 429]
    remaining = [reply.headers["Bokio-RateLimit-Remaining"] for reply in replies]
    assert remaining == ["2", "1", "0", "0"]
    assert replies[3].json["code"] == "rate-limit-exceeded"
    assert 1 <= int(replies[3].headers["Bokio-RateLimit-RetryAfter"]) <= 60


def test_the_window_rolls_on_and_another_token_has_its_own(api: Api):
    api.sandbox.set_switches(rate_limit=1)
    assert api.call("GET", "company-information").status == 200
    assert api.call("GET", "company-information").status == 429
    other = api.sandbox.tokens_for(api.company_id).access_token
    path = f"/v1/companies/{api.company_id}/company-information"
    assert api.sandbox.request("GET", path, token=other).status == 200

    # The window of 60 s is 1.2 s at the time factor of these tests.
    deadline = time.monotonic() + 10
    while api.call("GET", "company-information").status == 429:
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


def test_two_writes_to_one_address_clash_and_the_second_is_not_done(api: Api):
    fault = api.sandbox.add_fault("post-invoice", "hold_after")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(api.call, "POST", "invoices", BODY)
        api.sandbox.wait_held(fault)

        second = api.call("POST", "invoices", BODY)
        read = api.call("GET", "invoices")
        api.sandbox.release(fault)

        assert first.result(30).status == 200
    assert (second.status, second.json["code"]) == (429, "concurrent-write")
    assert "Bokio-RateLimit-Limit" not in second.headers
    assert read.status == 200
    assert len(api.sandbox.books(api.company_id)["invoices"]) == 1
    assert len(api.sandbox.calls()["overlappingWrites"]) == 1


def test_many_writers_at_once_corrupt_neither_numbers_nor_balances(api: Api):
    customer = api.customer()
    drafts = [api.draft(customerRef={"id": customer})["id"] for _ in range(24)]

    def finish(draft: str) -> str:
        number = api.ok("POST", f"invoices/{draft}/publish")["invoiceNumber"]
        api.ok("POST", f"invoices/{draft}/record")
        return str(number)

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(finish, drafts))

    assert sorted(numbers) == [str(1001 + place) for place in range(24)]
    books = api.sandbox.books(api.company_id)
    entries = sorted(int(entry["journalEntryNumber"][1:]) for entry in books["journalEntries"])
    assert entries == list(range(1, 25))
    assert books["balances"]["1510"] == "30000.00"
    assert sum(Decimal(balance) for balance in books["balances"].values()) == 0


def test_two_payments_at_once_are_both_counted(api: Api):
    invoice = api.published(line(unitPrice=8000))
    other = api.published()

    def pay(place: int) -> int:
        body = {"date": "2024-10-12", "sumBaseCurrency": 1, "bookkeepingAccountNumber": 1930}
        path = invoice["id"] if place % 2 else other["id"]
        while (reply := api.call("POST", f"invoices/{path}/payments", body)).status == 429:
            threading.Event().wait(0.005)
        return reply.status

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(pay, range(20))) == {200}

    assert api.ok("GET", f"invoices/{invoice['id']}")["paidAmount"] == 10
    assert api.ok("GET", f"invoices/{other['id']}")["paidAmount"] == 10

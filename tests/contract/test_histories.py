"""Random histories of a company's sales, legal and illegal, and what the books hold each time.

Everything is read and written over plain HTTP, and worked out by `ledger_model` alone.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from hypothesis import seed
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.contract import ledger_model as model
from tests.contract.histories import CASES, SEED, run_of
from tests.contract.line import Line
from tests.contract.world import ADDRESS, SCOPES
from tests.support.sandbox import SandboxProcess, running_sandbox

pytestmark = [pytest.mark.contract, pytest.mark.slow]

HISTORIES = CASES // 50 or 20
STEPS = 24
YEARS = (2024, 2025)
DAYS = [f"{year}-{day}" for year in YEARS for day in ("01-01", "06-15", "12-31")]
PAID_INTO = (1910, 1930, 1940)

Json = dict[str, Any]
Step = TypeVar("Step", bound=Callable[..., None])

which = st.integers(min_value=0, max_value=63)
days = st.sampled_from(DAYS)
ore = st.integers(min_value=1, max_value=2_000_000).map(lambda value: Decimal(value).scaleb(-2))
quantities = st.sampled_from([Decimal(text) for text in ("1", "0.5", "1.5", "3", "0.333", "12")])


@st.composite
def sales_lines(draw: st.DrawFn) -> list[Json]:
    """One to three lines that sell something, at times a small discount and a text."""
    lines: list[Json] = [
        {
            "description": "Arbete",
            "itemType": "salesItem",
            "productType": draw(st.sampled_from(["goods", "services"])),
            "unitType": "piece",
            "quantity": draw(quantities),
            "unitPrice": draw(ore) + 10,
            "taxRate": draw(st.sampled_from([25, 12, 6, 0])),
        }
        for _ in range(draw(st.integers(min_value=1, max_value=3)))
    ]
    if draw(st.booleans()):
        discount = {"quantity": 1, "unitPrice": -draw(st.integers(1, 5))}
        lines.append(lines[0] | discount | {"bookkeepingAccountNumber": 3730})
    if draw(st.booleans()):
        lines.append({"description": "Tack!", "itemType": "descriptionOnlyItem"})
    return lines


@st.composite
def wishes(draw: st.DrawFn) -> Json:
    """Who an invoice is for, and all of it but its lines."""
    day = draw(days)
    due = dt.date.fromisoformat(day) + dt.timedelta(days=draw(st.integers(0, 1200)))
    currency, rate = draw(st.sampled_from([("SEK", 1), ("SEK", 1), ("EUR", Decimal("11.4321"))]))
    body = {
        "invoiceDate": day,
        "dueDate": due.isoformat(),
        "currency": currency,
        "currencyRate": rate,
        "totalRoundingEnabled": draw(st.booleans()),
    }
    return {"customer": draw(st.integers(0, 1)), "body": body}


def phase(document: Json) -> str:
    """Draft, published or recorded. A receipt, which is never a draft, has no number."""
    if document.get("invoiceNumber", "") is None:
        return "draft"
    return "recorded" if document["journalEntryRef"] else "published"


def sells(line: Json) -> bool:
    return line["itemType"] == "salesItem" and line["unitPrice"] > 0


def needs(kind: str, *wanted: str) -> Callable[[Step], Step]:
    """A rule that can be drawn once there is such a document."""
    return precondition(lambda machine: bool(machine.fitting(kind, *wanted)))


def path_of(receipt: Json) -> str:
    kind = "settlements" if "type" in receipt else "payments"
    return f"invoices/{receipt['invoiceId']}/{kind}/{receipt['id']}"


def day_of(receipt: Json) -> str:
    return str(receipt.get("invoiceSettlementDetails", receipt)["date"])


class Sales(RuleBasedStateMachine):
    """A company from its first customer on. `process` is one sandbox for all histories."""

    process: SandboxProcess
    line: Line

    @initialize(
        cash=st.sampled_from([False, False, False, True]),
        whole_kronor=st.booleans(),
        wishes=st.tuples(*[st.tuples(wishes(), sales_lines())] * 3),
    )
    def open_the_company(
        self, cash: bool, whole_kronor: bool, wishes: tuple[tuple[Json, list[Json]], ...]
    ) -> None:
        self.process.reset(companies=1)
        self.process.set_switches(rate_limit=1_000_000)
        self.company: str = self.process.companies()[0]["id"]
        self.cash, self.automatic = cash, False
        self.open_years = {*YEARS, 2026, 2027}
        method = "cash" if cash else "accrual"
        self.process.change_company(
            self.company,
            plan="business",
            wholeKronaRounding=whole_kronor,
            fiscalYears={str(year): {"method": method} for year in self.open_years},
        )
        self.renew_token()
        self.customers: list[str] = []
        self.invoices: list[str] = []
        self.notes: list[str] = []
        self.receipts: list[str] = []
        self.before: Json | None = None
        self.unchanged = False
        for vat_number in ("", "SE556677889901"):
            body = {"name": "Kund AB", "type": "company", "address": ADDRESS}
            made = self.legal("POST", "customers", body | {"vatNumber": vat_number})
            self.customers.append(made["id"])
        for published, (wish, lines) in zip((True, True, False), wishes, strict=True):
            self.draft(wish, lines)
            if published:
                self.legal("POST", f"invoices/{self.invoices[-1]}/publish")

    def renew_token(self) -> None:
        self.token = self.process.tokens_for(self.company, SCOPES).access_token
        self.today = dt.date.fromisoformat(self.process.control("GET", "clock")["today"])

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        return self.line.ask(method, f"/companies/{self.company}/{path}", self.token, body)

    def legal(self, method: str, path: str, body: object = None) -> Any:
        status, answer = self.ask(method, path, body)
        assert status in (200, 204), (method, path, body, status, answer)
        return answer

    def illegal(self, method: str, path: str, body: object = None) -> None:
        """A step that must be refused, and change nothing."""
        status, answer = self.ask(method, path, body)
        assert status == 400, (method, path, body, status, answer)
        self.unchanged = True

    def step(self, method: str, path: str, body: object = None, *, legal: bool) -> Any:
        if legal:
            return self.legal(method, path, body)
        self.illegal(method, path, body)
        return None

    # Picking what a step is about

    def fitting(self, kind: str, *wanted: str) -> list[Json]:
        """The invoices, notes or receipts in one of these phases; without phases, all."""
        documents: list[Json] = list(self.before[kind].values()) if self.before else []
        return [each for each in documents if not wanted or phase(each) in wanted]

    def pick(self, kind: str, place: int, *wanted: str) -> Json:
        found = self.fitting(kind, *wanted)
        return found[place % len(found)]

    def bookable(self, day: str) -> bool:
        return int(day[:4]) in self.open_years

    # What the application does

    @rule(wish=wishes(), lines=sales_lines())
    def draft(self, wish: Json, lines: list[Json]) -> None:
        customer = {"id": self.customers[wish["customer"]]}
        body = wish["body"] | {"customerRef": customer, "lineItems": lines}
        made = self.legal("POST", "invoices", body)
        assert made["totalAmount"] == model.total(lines, whole_kronor=body["totalRoundingEnabled"])
        self.invoices.append(made["id"])

    @needs("invoices", "draft")
    @rule(place=which, lines=sales_lines())
    def replace(self, place: int, lines: list[Json]) -> None:
        invoice = self.pick("invoices", place, "draft")
        kept = ("customerRef", "invoiceDate", "dueDate", "currency", "currencyRate")
        body = {key: invoice[key] for key in kept} | {"lineItems": lines}
        body["totalRoundingEnabled"] = invoice["totalRoundingEnabled"]
        self.legal("PUT", f"invoices/{invoice['id']}", body)

    @needs("invoices")
    @rule(place=which, lines=sales_lines())
    def add_line(self, place: int, lines: list[Json]) -> None:
        invoice = self.pick("invoices", place)
        legal = phase(invoice) == "draft"
        self.step("POST", f"invoices/{invoice['id']}/line-items", lines[0], legal=legal)

    @needs("invoices")
    @rule(place=which)
    def delete(self, place: int) -> None:
        invoice = self.pick("invoices", place)
        legal = phase(invoice) == "draft"
        self.step("DELETE", f"invoices/{invoice['id']}", legal=legal)
        if legal:
            self.invoices.remove(invoice["id"])

    @needs("invoices", "draft")
    @rule(place=which)
    def publish(self, place: int) -> None:
        invoice = self.pick("invoices", place, "draft")
        self.legal("POST", f"invoices/{invoice['id']}/publish")

    @needs("invoices", "published", "recorded")
    @rule(place=which)
    def publish_again(self, place: int) -> None:
        invoice = self.pick("invoices", place, "published", "recorded")
        self.illegal("POST", f"invoices/{invoice['id']}/publish")

    @needs("invoices", "published", "recorded")
    @rule(place=which)
    def change_what_is_published(self, place: int) -> None:
        invoice = self.pick("invoices", place, "published", "recorded")
        self.illegal("PUT", f"invoices/{invoice['id']}", {"invoiceDate": DAYS[0], "lineItems": []})

    @needs("invoices")
    @rule(place=which)
    def record(self, place: int) -> None:
        invoice = self.pick("invoices", place)
        legal = (
            phase(invoice) == "published"
            and self.bookable(invoice["invoiceDate"])
            and not self.cash
        )
        self.step("POST", f"invoices/{invoice['id']}/record", legal=legal)

    @needs("invoices")
    @rule(place=which, day=days, part=st.sampled_from(["half", "rest", "ore", "more"]), into=which)
    def pay(self, place: int, day: str, part: str, into: int) -> None:
        invoice = self.pick("invoices", place)
        legal = phase(invoice) != "draft"
        rest = max(self.outstanding(invoice), Decimal(1))
        amount = {
            "half": model.rounded(rest / 2),
            "rest": rest,
            "ore": Decimal("0.01"),
            "more": rest + 7,
        }[part]
        body = {
            "date": day,
            "sumBaseCurrency": amount,
            "bookkeepingAccountNumber": PAID_INTO[into % len(PAID_INTO)],
        }
        self.receive(invoice, "payments", body, legal=legal)

    @needs("invoices")
    @rule(
        place=which,
        day=days,
        kind=st.sampled_from(["bankFee", "currency", "gain", "domestic", "eu", "vatExempt"]),
        amount=st.sampled_from([Decimal("15.50"), Decimal("0.01"), Decimal(200)]),
    )
    def settle(self, place: int, day: str, kind: str, amount: Decimal) -> None:
        invoice = self.pick("invoices", place)
        details: Json = {"date": day, "sumBaseCurrency": -amount if kind == "gain" else amount}
        if kind in ("domestic", "eu", "vatExempt"):
            details["vatScheme"] = kind
            kind = "paymentServiceFee"
        body = {
            "type": "currency" if kind == "gain" else kind,
            "invoiceSettlementDetails": details,
        }
        self.receive(invoice, "settlements", body, legal=phase(invoice) != "draft")

    def receive(self, invoice: Json, kind: str, body: Json, *, legal: bool) -> None:
        path = f"invoices/{invoice['id']}/{kind}"
        made = self.step("POST", path, body, legal=legal)
        if made is not None:
            self.receipts.append(f"{path}/{made['id']}")

    @needs("receipts", "published")
    @rule(place=which)
    def record_receipt(self, place: int) -> None:
        receipt = self.pick("receipts", place, "published")
        status, _ = self.ask("POST", f"{path_of(receipt)}/record")
        # Which settlements are booked under the cash method is decided by no source.
        open_question = self.cash and "type" in receipt
        assert status == (200 if self.bookable(day_of(receipt)) else 400) or open_question
        self.unchanged = status == 400

    @needs("receipts", "recorded")
    @rule(place=which)
    def record_receipt_again(self, place: int) -> None:
        receipt = self.pick("receipts", place, "recorded")
        self.illegal("POST", f"{path_of(receipt)}/record")

    @needs("receipts", "published")
    @rule(place=which)
    def delete_receipt(self, place: int) -> None:
        receipt = self.pick("receipts", place, "published")
        self.legal("DELETE", path_of(receipt))
        self.receipts.remove(path_of(receipt))

    @needs("invoices")
    @rule(place=which)
    def credit(self, place: int) -> None:
        invoice = self.pick("invoices", place)
        if phase(invoice) == "draft":
            self.illegal("POST", f"invoices/{invoice['id']}/credit")
            return
        status, made = self.ask("POST", f"invoices/{invoice['id']}/credit")
        # Refused once nothing is left to credit; how drafts of notes count is undecided.
        assert status == 200 or self.notes_of(invoice), (status, made)
        self.unchanged = status != 200
        if status == 200:
            self.notes.append(made["id"])

    @needs("notes", "draft")
    @rule(place=which)
    def credit_a_part(self, place: int) -> None:
        note = self.pick("notes", place, "draft")
        sold = next(filter(sells, note["lineItems"]), None)
        if sold is None:
            return
        half = [sold | {"quantity": model.decimal(sold["quantity"]) / 2}]
        kept = ("id", "currency", "currencyRate", "creditDate", "dueDate")
        body = {key: note[key] for key in kept} | {"lineItems": half}
        status, changed = self.ask("PUT", f"credit-notes/{note['id']}", body)
        # Another note of the same invoice may have taken what this one was about.
        others = [each for each in self.notes_of_id(note["invoiceRef"]["id"]) if each != note]
        assert status == 200 or others, (status, changed)
        assert status != 200 or changed["totalAmount"] <= note["totalAmount"]
        self.unchanged = status != 200

    @needs("notes", "draft")
    @rule(place=which)
    def credit_too_much(self, place: int) -> None:
        note = self.pick("notes", place, "draft")
        sold = next(filter(sells, note["lineItems"]), None)
        if sold is None:
            return
        double = [sold | {"quantity": model.decimal(sold["quantity"]) * 2 + 100}]
        kept = ("id", "currency", "currencyRate", "creditDate", "dueDate")
        body = {key: note[key] for key in kept} | {"lineItems": double}
        self.illegal("PUT", f"credit-notes/{note['id']}", body)

    @needs("notes", "draft")
    @rule(place=which)
    def publish_note(self, place: int) -> None:
        note = self.pick("notes", place, "draft")
        status, answer = self.ask("POST", f"credit-notes/{note['id']}/publish")
        # Two drafts may each take the whole rest; only one of them can be published.
        others = [each for each in self.notes_of_id(note["invoiceRef"]["id"]) if each != note]
        assert status == 200 or others, (status, answer)
        self.unchanged = status != 200

    @needs("notes", "draft", "published", "recorded")
    @rule(place=which)
    def record_note(self, place: int) -> None:
        note = self.pick("notes", place, "draft", "published", "recorded")
        legal = phase(note) == "published" and self.bookable(note["creditDate"])
        if legal and self.cash:
            # What a note books under the cash method is decided by no source.
            status, _ = self.ask("POST", f"credit-notes/{note['id']}/record")
            self.unchanged = status == 400
            return
        self.step("POST", f"credit-notes/{note['id']}/record", legal=legal)

    @needs("notes", "draft", "published", "recorded")
    @rule(place=which)
    def delete_note(self, place: int) -> None:
        note = self.pick("notes", place, "draft", "published", "recorded")
        legal = phase(note) == "draft"
        self.step("DELETE", f"credit-notes/{note['id']}", legal=legal)
        if legal:
            self.notes.remove(note["id"])

    # What the company does in Bokio, and what time does

    @rule(year=st.sampled_from(YEARS), closed=st.booleans())
    def close_or_open_a_year(self, year: int, closed: bool) -> None:
        status = "closed" if closed else "open"
        self.process.change_company(self.company, fiscalYears={str(year): {"status": status}})
        (self.open_years.discard if closed else self.open_years.add)(year)

    @rule(on=st.booleans())
    def book_by_itself(self, on: bool) -> None:
        self.process.change_company(self.company, automaticRecording=on)
        self.automatic = on

    @rule(days=st.sampled_from([1, 40, 400]))
    def let_time_pass(self, days: int) -> None:
        self.process.move_clock(days * 86_400)
        self.renew_token()

    @rule(day=days, amount=ore)
    def write_an_entry(self, day: str, amount: Decimal) -> None:
        items = [
            {"account": 6110, "debit": amount, "credit": 0},
            {"account": 1930, "debit": 0, "credit": amount},
        ]
        body = {"title": "Kontorsmaterial", "date": day, "items": items}
        self.step("POST", "journal-entries", body, legal=self.bookable(day))

    @rule(day=days, amount=ore)
    def write_what_does_not_balance(self, day: str, amount: Decimal) -> None:
        items = [{"account": 6110, "debit": amount, "credit": 0}]
        self.illegal("POST", "journal-entries", {"title": "Fel", "date": day, "items": items})

    # Reading, and what must hold

    def all_of(self, path: str) -> dict[str, Json]:
        page, found = 1, {}
        while True:
            answer = self.legal("GET", f"{path}?pageSize=100&page={page}")
            found |= {each["id"]: each for each in answer["items"]}
            if page >= answer["totalPages"]:
                return found
            page += 1

    def notes_of_id(self, invoice: str) -> list[Json]:
        assert self.before is not None
        notes = self.before["notes"].values()
        return [each for each in notes if each["invoiceRef"]["id"] == invoice]

    def notes_of(self, invoice: Json) -> list[Json]:
        return self.notes_of_id(invoice["id"])

    def parts(self, invoice: Json) -> tuple[Decimal, Decimal, Decimal]:
        """What was paid, settled and credited, in SEK."""
        assert self.before is not None
        ours = [r for r in self.before["receipts"].values() if r["invoiceId"] == invoice["id"]]
        paid = sum((r["sumBaseCurrency"] for r in ours if "type" not in r), model.ZERO)
        details = [r["invoiceSettlementDetails"] for r in ours if "type" in r]
        settled = sum((each["sumBaseCurrency"] for each in details), model.ZERO)
        notes = [each for each in self.notes_of(invoice) if phase(each) != "draft"]
        return Decimal(paid), Decimal(settled), sum(map(model.owed, notes), model.ZERO)

    def outstanding(self, invoice: Json) -> Decimal:
        return model.owed(invoice) - sum(self.parts(invoice), model.ZERO)

    @invariant()
    def the_books_hold(self) -> None:
        if not hasattr(self, "company"):
            return
        seen = {
            "invoices": {
                key: each
                for key, each in self.all_of("invoices").items()
                if each["status"] != "credit"
            },
            "notes": self.all_of("credit-notes"),
            "entries": self.all_of("journal-entries"),
            "receipts": {path: self.legal("GET", path) for path in self.receipts},
        }
        if self.unchanged:
            assert seen == self.before
        self.before, self.unchanged = seen, False
        assert set(seen["invoices"]) == set(self.invoices)
        assert set(seen["notes"]) == set(self.notes)
        self.check_entries()
        self.check_documents()
        self.check_numbers()
        self.check_receivables()

    def check_entries(self) -> None:
        assert self.before is not None
        for entry in self.before["entries"].values():
            rows = model.rows_of(entry)
            assert rows, entry
            assert sum(rows.values()) == 0, entry
            assert all(item["debit"] >= 0 and item["credit"] >= 0 for item in entry["items"])

    def check_documents(self) -> None:
        assert self.before is not None
        for invoice in self.before["invoices"].values():
            lines, whole = invoice["lineItems"], invoice["totalRoundingEnabled"]
            assert invoice["totalAmount"] == model.total(lines, whole_kronor=whole), invoice
            assert invoice["totalTax"] == sum(model.vat_by_rate(lines).values())
            paid, settled, credited = self.parts(invoice)
            allowed = model.statuses(invoice, paid, settled, credited, self.today)
            assert invoice["status"] in allowed, (invoice, paid, settled, credited)
            if invoice["journalEntryRef"] and invoice["currency"] == "SEK":
                entry = self.before["entries"][invoice["journalEntryRef"]["id"]]
                assert entry["date"] == invoice["invoiceDate"]
                assert model.rows_of(entry) == model.entry_of_invoice(invoice)

    def check_numbers(self) -> None:
        """One series without gaps, in which nothing that was not published has a place."""
        assert self.before is not None
        documents = [*self.before["invoices"].values(), *self.before["notes"].values()]
        published = [each for each in documents if phase(each) != "draft"]
        published.sort(key=lambda each: each["publishedDateTime"])
        numbers = sorted(int(each["invoiceNumber"]) for each in published)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True
        for invoice in self.before["invoices"].values():
            reference = invoice["paymentReference"]
            assert (reference is None) is (invoice["invoiceNumber"] is None)
            assert reference is None or model.has_check_digit(reference), invoice

    def check_receivables(self) -> None:
        """On every day, 1510 is what is open of all that is recorded."""
        assert self.before is not None
        entries = self.before["entries"]
        booked = [
            (entry["date"], model.rows_of(entry).get(model.RECEIVABLES, model.ZERO))
            for entry in entries.values()
        ]
        expected = [] if self.cash else self.recorded_movements()
        moved = [row for row in booked if row[1]]
        assert _last_of(model.balances_by_day(moved)) == _last_of(model.balances_by_day(expected))

    def recorded_movements(self) -> list[tuple[str, Decimal]]:
        assert self.before is not None
        rows = [
            (each["invoiceDate"], model.owed(each))
            for each in self.before["invoices"].values()
            if each["journalEntryRef"]
        ]
        rows += [
            (each["creditDate"], -model.owed(each))
            for each in self.before["notes"].values()
            if each["journalEntryRef"]
        ]
        for receipt in self.before["receipts"].values():
            if receipt["journalEntryRef"]:
                details = receipt.get("invoiceSettlementDetails", receipt)
                rows.append((details["date"], -Decimal(details["sumBaseCurrency"])))
        return rows


def _last_of(balances: dict[str, Decimal]) -> dict[str, Decimal]:
    """Days on which the balance is another than the day before."""
    found, last = {}, model.ZERO
    for day, balance in balances.items():
        if balance != last:
            found[day] = last = balance
    return found


@pytest.fixture(scope="module")
def process() -> Iterator[SandboxProcess]:
    with running_sandbox({"TIME_FACTOR": "0.02"}) as process:
        yield process


def test_the_books_hold_after_each_step_of_any_history(process: SandboxProcess):
    Sales.process, Sales.line = process, Line(process.url)
    try:
        histories = run_of(HISTORIES, stateful_step_count=STEPS)
        run_state_machine_as_test(seed(SEED)(Sales), settings=histories)
    finally:
        Sales.line.close()

"""The SIE file, read back by a reader that knows the format and nothing of the sandbox."""

import datetime as dt
import re
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from tests.sandbox.conftest import Api, line
from tests.sandbox.entries import item, make, make_tag, use
from tests.support.sandbox import SandboxProcess

# A field between quotation marks, a list of objects between braces, or a bare word.
FIELD = re.compile(r'"((?:\\"|[^"])*)"|\{([^}]*)\}|(\S+)')


@dataclass
class Verification:
    number: str
    date: dt.date
    text: str
    rows: list[tuple[int, list[str], Decimal]] = field(default_factory=list)

    @property
    def sum(self) -> Decimal:
        return sum((amount for _, _, amount in self.rows), Decimal(0))


@dataclass
class Sie:
    """What a SIE file says. Balances are by label and year, then by account."""

    labels: dict[str, list[list[str]]] = field(default_factory=lambda: defaultdict(list))
    balances: dict[tuple[str, str], dict[int, Decimal]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    verifications: list[Verification] = field(default_factory=list)

    @classmethod
    def read(cls, raw: bytes) -> "Sie":
        text = raw.decode("cp437")
        assert text.endswith("\r\n")
        assert "\n" not in text.replace("\r\n", "")
        found = cls()
        for row in text.split("\r\n")[:-1]:
            if row not in ("{", "}"):
                found._take(row)
        return found

    def _take(self, row: str) -> None:
        label, _, rest = row.partition(" ")
        fields = [
            quoted.replace('\\"', '"') if quoted else braced or bare
            for quoted, braced, bare in FIELD.findall(rest)
        ]
        if label in ("#IB", "#UB", "#RES"):
            year, account, amount = fields
            self.balances[label[1:], year][int(account)] = Decimal(amount)
        elif label == "#VER":
            _, number, date, text = fields
            day = dt.datetime.strptime(date, "%Y%m%d").date()  # noqa: DTZ007  # a day has no zone
            self.verifications.append(Verification(number, day, text))
        elif label == "#TRANS":
            account, objects, amount = fields
            names = [word.strip('"') for word in objects.split()]
            self.verifications[-1].rows.append((int(account), names, Decimal(amount)))
        else:
            self.labels[label[1:]].append(fields)

    def changes(self) -> dict[int, Decimal]:
        sums: dict[int, Decimal] = defaultdict(Decimal)
        for verification in self.verifications:
            for account, _, amount in verification.rows:
                sums[account] += amount
        return sums

    def check(self) -> None:
        """The file agrees with itself."""
        assert {verification.sum for verification in self.verifications} <= {Decimal(0)}
        opening, closing = self.balances["IB", "0"], self.balances["UB", "0"]
        assert sum(opening.values()) == 0
        changes = self.changes()
        for account in opening.keys() | closing.keys() | changes.keys():
            change, before = changes.get(account, 0), opening.get(account, 0)
            if account < 3000:
                assert before + change == closing.get(account, 0), account
            else:
                assert change == self.balances["RES", "0"].get(account, 0), account
        known = {int(account) for account, _ in self.labels["KONTO"]}
        assert opening.keys() | closing.keys() | changes.keys() <= known


def download(api: Api, year: str = "2024") -> Sie:
    years = api.ok("GET", f"fiscal-years?query=startDate=={year}-01-01")["items"]
    reply = api.call("GET", f"sie/{years[0]['id']}/download")
    assert reply.status == 200, reply.body
    assert reply.headers["Content-Type"] == "application/octet-stream"
    found = Sie.read(reply.body)
    found.check()
    return found


def test_the_head_says_what_the_file_is_and_whose(api: Api):
    company = api.ok("GET", "company-information")
    today = api.sandbox.control("GET", "clock")["now"][:10].replace("-", "")

    labels = download(api).labels

    assert list(labels)[:8] == [
        *("FLAGGA", "PROGRAM", "FORMAT", "GEN"),
        *("SIETYP", "ORGNR", "FNAMN", "RAR"),
    ]
    assert (labels["FLAGGA"], labels["FORMAT"], labels["SIETYP"]) == ([["0"]], [["PC8"]], [["4"]])
    assert labels["GEN"][0][0] >= today
    assert labels["ORGNR"] == [[company["organizationNumber"]]]
    assert labels["FNAMN"] == [[company["name"]]]
    assert labels["RAR"] == [["0", "20240101", "20241231"]]
    assert ["1930", "Företagskonto"] in labels["KONTO"]


def test_an_invoice_and_its_payment_are_in_the_file_as_in_the_books(api: Api):
    invoice = api.published(line(unitPrice=999.99), line(taxRate=12))
    path = f"invoices/{invoice['id']}"
    api.ok("POST", f"{path}/record")
    sent = {"date": "2024-10-20", "sumBaseCurrency": 500, "bookkeepingAccountNumber": 1930}
    payment = api.ok("POST", f"{path}/payments", sent)
    api.ok("POST", f"{path}/payments/{payment['id']}/record")

    file = download(api)

    books = api.sandbox.books(api.company_id)["balances"]
    assert {account: f"{total:.2f}" for account, total in file.changes().items()} == {
        int(account): balance for account, balance in books.items()
    }
    assert [verification.number for verification in file.verifications] == ["1", "2"]
    assert [verification.date.isoformat() for verification in file.verifications] == [
        "2024-10-10",
        "2024-10-20",
    ]


def test_a_year_begins_where_the_one_before_ended(api: Api):
    make(api, date="2024-05-02")
    make(api, date="2025-02-03")
    make(api, date="2026-01-07")

    file = download(api, "2025")

    assert [verification.date.year for verification in file.verifications] == [2025]
    assert file.labels["RAR"] == [["0", "20250101", "20251231"], ["-1", "20240101", "20241231"]]
    # What 2024 earned is no longer a result but part of the equity.
    assert file.balances["IB", "0"] == {1930: 200, 2091: -160, 2611: -40}
    assert file.balances["UB", "0"] == {1930: 400, 2091: -160, 2611: -80}
    assert file.balances["RES", "0"] == {3011: -160}
    assert ("IB", "-1") not in file.balances
    assert file.balances["UB", "-1"] == {1930: 200, 2611: -40}
    assert file.balances["RES", "-1"] == {3011: -160}


@pytest.mark.parametrize(
    "title, expected",
    [
        ('Kaffe "mörkrost" {1}', 'Kaffe "mörkrost" {1}'),
        ("Räksmörgås à la Ångström", "Räksmörgås à la Ångström"),
        ("A\u030angstro\u0308m", "Ångström"),
        ("Pris 5 € – billigt 😀", "Pris 5 ? ? billigt ?"),
        ("rad ett\r\n#VER V 9", "rad ett  #VER V 9"),
        ("slut\\", "slut/"),
    ],
)
def test_texts_stay_texts_whatever_is_in_them(api: Api, title: str, expected: str):
    make(api, title=title)

    assert [verification.text for verification in download(api).verifications] == [expected]


def test_tags_become_dimensions_with_objects(api: Api):
    tag = make_tag(api, "Bryggan")
    rows = [item(1930, debit=5), item(3011, credit=5, tags=[use(tag)])]
    make(api, items=rows)

    file = download(api)

    dimension, number, name = file.labels["OBJEKT"][0]
    assert file.labels["DIM"] == [[dimension, "Projekt"]]
    assert name == "Bryggan"
    assert file.verifications[0].rows == [
        (1930, [], Decimal(5)),
        (3011, [dimension, number], Decimal(-5)),
    ]


def test_shares_divide_each_row_to_the_ore(api: Api):
    group = api.ok("POST", "tag-groups", {"name": "Projekt", "alias": "@"})
    path = f"tag-groups/{group['id']}/tags"
    thirds = [
        {"tagId": api.ok("POST", path, {"name": name})["id"], "weight": 0.333333}
        for name in ("Bryggan", "Kajen")
    ]
    half = use(make_tag(api, "Norr", alias="#"), 0.5)
    make(api, items=[item(1930, debit=100), item(3011, credit=100)], tags=[*thirds, half])

    rows = download(api).verifications[0].rows

    # Two projects and none, each times north and nowhere: six parts of either row.
    assert [len([row for row in rows if row[0] == account]) for account in (1930, 3011)] == [6, 6]
    assert [amount for account, _, amount in rows if account == 1930] == [
        *(Decimal("16.67"),) * 5,
        Decimal("16.65"),
    ]
    assert sorted(len(objects) for account, objects, _ in rows if account == 3011) == [
        *(0, 2, 2),
        *(2, 4, 4),
    ]


def test_an_empty_year_has_accounts_and_no_entries(api: Api):
    file = download(api, "2025")

    assert file.labels["KONTO"]
    assert file.verifications == []
    assert dict(file.balances["IB", "0"]) == {}


def test_a_year_that_the_company_lacks_is_not_found(api: Api):
    for year in (uuid.uuid4(), "x"):
        refusal: Any = api.refused("GET", f"sie/{year}/download", status=404)
        assert refusal["code"] == "not-found"


def test_the_files_of_all_years_come_to_what_the_books_hold(sandbox: SandboxProcess):
    sandbox.reset(companies=1, history=40)
    company = sandbox.companies()[0]["id"]
    api = Api(sandbox, company, sandbox.tokens_for(company).access_token)
    years = api.ok("GET", "fiscal-years?pageSize=100")["items"]

    files = [download(api, year["startDate"][:4]) for year in years]

    books = {
        int(account): Decimal(balance)
        for account, balance in sandbox.books(company)["balances"].items()
    }
    sums: dict[int, Decimal] = defaultdict(Decimal)
    for file in files:
        for account, amount in file.changes().items():
            sums[account] += amount
    assert len(books) > 4
    assert {account: amount for account, amount in sums.items() if amount} == {
        account: amount for account, amount in books.items() if amount
    }
    for file, after in pairwise(files):
        closing, opening = file.balances["UB", "0"], after.balances["IB", "0"]
        moved = {account for account in closing if closing[account] != opening.get(account)}
        assert moved <= {2091}

"""Lines as they are read: exact in amounts, strict in everything, at one with the schema."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import jsonschema_rs
import pytest

from bokio_app.batches import orders
from bokio_app.batches.files import LARGE, LONGEST_LINE, groups_of, lines_of
from bokio_app.batches.orders import Order, parse
from bokio_app.batches.reading import BadLine, decode
from tests.batches import lines

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = Path(orders.__file__).with_name("line.schema.json")
COMPANY: Any = SimpleNamespace(company_id=uuid4())


def encoded(line: object) -> bytes:
    return json.dumps(line).encode()


def order(*path: str | int, to: object) -> dict[str, Any]:
    """The guide's line with one place changed; `...` takes it away."""
    line = copy.deepcopy(lines.guide(COMPANY))
    *way, last = path
    place: Any = line
    for key in way:
        place = place[key]
    if to is ...:
        del place[last]
    else:
        place[last] = to
    return line


ITEM = ("invoice", "lineItems", 0)
BAD = [
    ((("reference",), ""), "reference: must not be empty"),
    ((("reference",), ...), "reference: is missing"),
    ((("reference",), 17), "reference: must be a text"),
    ((("reference",), " A"), "reference: has spaces around it"),
    ((("reference",), "A\x00"), "reference: holds control characters"),
    ((("reference",), "A" * 201), "reference: is longer than 200 characters"),
    ((("company",), "5567"), "company: must be an id of Bokio's, a UUID"),
    ((("customer",), ...), "customer: is missing"),
    ((("customer",), []), "customer: must be an object"),
    ((("customer",), {"id": 5}), "customer.id: must be an id of Bokio's, a UUID"),
    ((("customer",), {"id": str(uuid4()), "name": "A"}), "customer.name: is not known here"),
    ((("customer", "name"), ...), "customer.name: is missing"),
    ((("customer", "type"), "person"), "customer.type: must be one of company, private"),
    ((("customer", "type"), "private"), "customer.orgNumber: is not kept of a private person"),
    ((("customer", "address"), ...), "customer.address: is missing"),
    ((("customer", "address", "city"), ...), "customer.address.city: is missing"),
    ((("customer", "address", "country"), "se"), "customer.address.country: must be two capital"),
    ((("invoice",), ...), "invoice: is missing"),
    ((("invoice", "invoiceDate"), "2026-02-30"), "invoice.invoiceDate: must be a day like"),
    ((("invoice", "invoiceDate"), "2026-11-30T10:00"), "invoice.invoiceDate: must be a day like"),
    ((("invoice", "dueDate"), 20261130), "invoice.dueDate: must be a day like"),
    ((("invoice", "customerRef"), {}), "invoice.customerRef: is not known here"),
    ((("invoice", "metadata"), {"op_key": "1"}), "invoice.metadata: has a key that Bokio does not"),
    ((("invoice", "metadata"), {"a b": "1"}), "invoice.metadata: has a key that Bokio does not"),
    ((("invoice", "lineItems"), []), "invoice.lineItems: must have 1 to 300 entries"),
    (((*ITEM, "description"), ...), "invoice.lineItems[0].description: is missing"),
    (((*ITEM, "unitPrice"), ...), "invoice.lineItems[0].unitPrice: is missing"),
    (((*ITEM, "unitPrice"), "1,50"), "invoice.lineItems[0].unitPrice: must be a number"),
    (((*ITEM, "unitPrice"), "1.505"), "invoice.lineItems[0].unitPrice: has more than 2 decimals"),
    (((*ITEM, "unitPrice"), True), "invoice.lineItems[0].unitPrice: must be a number"),
    (((*ITEM, "unitPrice"), 10**13), "invoice.lineItems[0].unitPrice: has more than 13 digits"),
    (((*ITEM, "quantity"), 0.0001), "invoice.lineItems[0].quantity: has more than 3 decimals"),
    (((*ITEM, "taxRate"), 24), "invoice.lineItems[0].taxRate: must be one of 0, 6, 12, 25"),
    (((*ITEM, "unitType"), "hours"), "invoice.lineItems[0].unitType: must be one of"),
    (((*ITEM, "discount"), 5), "invoice.lineItems[0].discount: is not known here"),
    ((("publish",), "yes"), "publish: must be true or false"),
    ((("publish",), False), "record: needs an invoice that is published"),
    ((("settlements", 0, "type"), "fee"), "settlements[0].type: must be one of"),
    ((("settlements", 0, "vatScheme"), "eu"), "settlements[0].vatScheme: goes with a payment"),
    ((("settlements", 0, "type"), "paymentServiceFee"), "settlements[0].vatScheme: goes with"),
    ((("payments", 0, "account"), "1940"), "payments[0].account: must be a whole number"),
    ((("payments", 0, "date"), ...), "payments[0].date: is missing"),
    ((("payments",), {}), "payments: must be a list"),
    ((("credit",), {"record": True}), "credit: needs publish to be recorded"),
    ((("credit",), "all"), "credit: must be true or false"),
    ((("payment",), []), "payment: is not known here"),
]
GOOD: list[tuple[tuple[str | int, ...], object]] = [
    (("customer",), {"id": str(uuid4())}),
    (("customer", "contactsDetails"), [{"email": "a@example.com", "isDefault": True}]),
    (("customer", "constructionReverseChargeEnabled"), False),
    (("invoice", "metadata"), {"shop": "north", "note": None}),
    (("invoice", "currency"), None),
    (("invoice", "deliveryAddress"), lines.guide(COMPANY)["customer"]["address"]),
    ((*ITEM, "unitPrice"), 12.5),
    ((*ITEM, "unitPrice"), "12.500"),
    ((*ITEM, "quantity"), "0.125"),
    (ITEM, {"itemType": "descriptionOnlyItem", "description": "Words"}),
    (("credit",), True),
    (("credit",), {"publish": True, "record": True}),
    (("payments",), None),
    (("settlements", 0), ...),
]


@pytest.fixture(scope="module")
def schema() -> Any:
    return jsonschema_rs.validator_for(json.loads(SCHEMA.read_text()), validate_formats=True)


@pytest.mark.parametrize("change, message", BAD)
def test_a_line_that_is_not_understood_is_refused_by_place_and_by_the_schema(
    change: tuple[tuple[str | int, ...], object], message: str, schema: Any
) -> None:
    path, to = change
    line = order(*path, to=to)

    with pytest.raises(BadLine) as refused:
        parse(encoded(line))

    assert str(refused.value).startswith(message)
    assert not schema.is_valid(line)


@pytest.mark.parametrize("path, to", GOOD)
def test_a_line_that_is_understood_is_one_for_the_schema_too(
    path: tuple[str | int, ...], to: object, schema: Any
) -> None:
    line = order(*path, to=to)

    assert isinstance(parse(encoded(line)), Order)
    assert schema.is_valid(line), [*schema.iter_errors(line)]


def test_amounts_keep_every_digit_of_the_file() -> None:
    text = encoded(lines.guide(COMPANY)).replace(b"64609.5", b"64609.10")
    amounts = [each.amount for each in parse(text).payments]

    assert amounts == [Decimal("64609.10")]
    assert decode(b'{"a": 0.1}') == {"a": Decimal("0.1")}


@pytest.mark.parametrize(
    "text, message",
    [
        (b"{", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"\xff", "is not UTF-8"),
        (b'{"a": 1, "a": 2}', "names a field twice"),
        (b'{"a": NaN}', "holds NaN, which is not a number"),
        (b'{"a": 1e999}', "holds a number that is too large"),
        (b'{"a": 1e99999999999999999999}', "holds a number that is too large"),
        (b"[]", "must be an object"),
    ],
)
def test_what_is_no_object_of_json_is_refused(text: bytes, message: str) -> None:
    with pytest.raises(BadLine, match=f"^{message}$"):
        parse(text)


def test_a_message_never_quotes_what_stands_in_the_line() -> None:
    with pytest.raises(BadLine) as refused:
        parse(encoded(order("customer", "type", to="19121212-1212")))

    assert "1212" not in str(refused.value)


@pytest.mark.parametrize(
    "path, to",
    [
        (("publish",), False),
        (("customer", "name"), "Jane Doe"),
        (("invoice", "totalRoundingEnabled"), False),
        ((*ITEM, "taxRate"), 0),
        (("payments", 0, "amount"), "64609.51"),
        (("credit",), {}),
    ],
)
def test_every_difference_makes_another_content(path: tuple[str | int, ...], to: object) -> None:
    line = order(*path, to=to)
    if path == ("publish",):
        line |= {"record": False, "settlements": [], "payments": []}

    changed = parse(encoded(line)).content_hash

    assert changed != parse(encoded(lines.guide(COMPANY))).content_hash


def test_the_content_of_a_line_that_an_earlier_release_has_kept_is_still_the_same() -> None:
    """Else the same file, given once more after a deploy, would be refused line by line."""
    day = "2026-11-21"
    kept = {
        "reference": "order-1",
        "company": "0a7f2c1e-4b6d-4f0e-9c11-7d2f5a3b8e10",
        "customer": {
            "name": "Eva",
            "type": "private",
            "address": {"line1": "Storgatan 1", "postalCode": "111 22", "city": "Lund"},
            "contactsDetails": [{"name": "Eva", "email": "eva@example.com", "isDefault": True}],
            "constructionReverseChargeEnabled": False,
        },
        "invoice": {
            "invoiceDate": day,
            "currency": "EUR",
            "currencyRate": "11.50",
            "metadata": {"shop": "north", "empty": ""},
            "lineItems": [
                {"description": "Advice", "quantity": 0, "unitType": "hour", "unitPrice": "290.00"},
                {"itemType": "descriptionOnlyItem", "description": "Thank you"},
                {"description": "Off", "unitPrice": -5, "bookkeepingAccountNumber": 3730},
            ],
        },
        "publish": True,
        "settlements": [
            {"type": "paymentServiceFee", "vatScheme": "eu", "date": day, "amount": "15.50"}
        ],
        "payments": [{"date": day, "amount": 64609.5, "account": 1940, "record": True}],
        "credit": {"publish": True},
    }

    assert (
        parse(encoded(kept)).content_hash
        == "b97b7cde473c865791cc82b04b06777725ce304974ac1b082b9364ac9d2ec24d"
    )


def test_a_file_is_read_line_by_line_whatever_its_ends_look_like(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b'\xef\xbb\xbf{"a":1}\r\n\n  \n' + b"x" * (LONGEST_LINE + 5) + b"\n{}")

    with path.open("rb") as file:
        found = [
            (number, str(line) if isinstance(line, BadLine) else line)
            for number, line in lines_of(file)
        ]

    assert found == [(1, b'{"a":1}'), (4, f"is longer than {LONGEST_LINE} bytes"), (5, b"{}")]


def test_few_large_lines_are_kept_together_and_many_small_ones() -> None:
    small, large = b"{}", b" " * (LARGE // 2)
    lines_there = [*enumerate([large, small, large, large, *[small] * 120, BadLine("", "is long")])]

    groups = [*groups_of(lines_there)]

    assert [len(group) for group in groups] == [3, 50, 50, 22]
    assert [line for group in groups for line in group] == lines_there


def test_the_documentation_shows_the_schema_that_the_code_keeps() -> None:
    text = (ROOT / "docs" / "bulk-format.md").read_text()
    shown = text.partition("```json schema\n")[2].partition("\n```")[0]

    assert json.loads(shown) == json.loads(SCHEMA.read_text())


def test_the_examples_of_the_documentation_can_be_taken(schema: Any) -> None:
    text = (ROOT / "docs" / "bulk-format.md").read_text()
    examples = [part.partition("\n```")[0] for part in text.split("```json\n")[1:]]

    assert examples
    for example in examples:
        line = json.loads(example)
        parse(encoded(line))
        assert schema.is_valid(line)

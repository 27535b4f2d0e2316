"""What the state of a thing or a rule forbids; `test_sandbox_contract.py` tries it.

The refusals that every operation has (no token, an unknown id, nonsense) are the test's own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.contract import consent
from tests.contract.sandbox_cases import Good, at, below, invoice_body
from tests.contract.world import DAY, ENTRY, ITEM, PAYMENT, SALE, SETTLEMENT, World, form, png
from tests.support.sandbox import Reply


@dataclass(frozen=True)
class Refused:
    """A call that a state or a rule forbids."""

    operation: str
    name: str
    status: int
    call: Good


REFUSED: list[Refused] = []


def refused(
    operation: str,
    name: str,
    method: str,
    path: Callable[[World], str],
    body: Any = None,
    *,
    status: int = 400,
) -> None:
    def call(world: World) -> Reply:
        target = path(world)
        return world.call(method, target, body(world) if callable(body) else body)

    REFUSED.append(Refused(operation, name, status, call))


def _done(make: Callable[[World], str], step: str) -> Callable[[World], str]:
    """The path of what was made and has taken the step already."""

    def path(world: World) -> str:
        made = make(world)
        world.ok("POST", f"{made}/{step}")
        return made

    return path


refused("put-invoice", "published", "PUT", World.published, invoice_body)
refused("delete-invoice-with-id", "published", "DELETE", World.published)
refused("post-invoice-lineItem", "published", "POST", below(World.published, "line-items"), SALE)
refused("post-invoices-invoiceId-publish", "twice", "POST", below(World.published, "publish"))
refused("record-invoice-with-id", "draft", "POST", below(World.draft, "record"))
refused(
    "record-invoice-with-id",
    "twice",
    "POST",
    below(_done(World.published, "record"), "record"),
)
refused("download-invoice", "draft", "GET", below(World.draft, "download"))
refused("post-invoices-invoiceId-credit", "draft", "POST", below(World.draft, "credit"))
refused("post-invoice-payment", "draft", "POST", below(World.draft, "payments"), PAYMENT)
refused(
    "post-invoice-payment",
    "an account without payments",
    "POST",
    below(World.published, "payments"),
    PAYMENT | {"bookkeepingAccountNumber": 3001},
)
refused("post-invoice-settlement", "draft", "POST", below(World.draft, "settlements"), SETTLEMENT)
refused(
    "post-invoice-settlement",
    "bad debt is the app's",
    "POST",
    below(World.published, "settlements"),
    SETTLEMENT | {"type": "badDebt"},
)
refused(
    "record-invoice-payment-with-id",
    "twice",
    "POST",
    below(_done(World.payment, "record"), "record"),
)
refused(
    "record-invoice-settlement-with-id",
    "twice",
    "POST",
    below(_done(World.settlement, "record"), "record"),
)
refused(
    "update-credit-note-v1",
    "published",
    "PUT",
    World.published_credit_note,
    {"currency": "SEK", "creditDate": DAY, "dueDate": DAY, "lineItems": [SALE]},
)
refused("delete-credit-note-with-id", "published", "DELETE", World.published_credit_note)
refused("publish-credit-note-v1", "twice", "POST", below(World.published_credit_note, "publish"))
refused("record-credit-note-with-id", "draft", "POST", below(World.credit_note, "record"))
refused("download-credit-note", "draft", "GET", below(World.credit_note, "download"))
refused("put-item", "a rate that Sweden lacks", "PUT", World.item, ITEM | {"taxRate": 20})
refused(
    "post-journalentry",
    "unbalanced",
    "POST",
    at("journal-entries"),
    ENTRY | {"items": [{"account": 1930, "debit": 1, "credit": 0}]},
)
refused("reverse-journalentry", "twice", "POST", below(_done(World.entry, "reverse"), "reverse"))
refused(
    "post-tag-group", "a long alias", "POST", at("tag-groups"), {"name": "Ort", "alias": "ORTE"}
)


def refused_file(operation: str, name: str, path: Callable[[World], str], *file: Any) -> None:
    """A file that is not taken: its name, content and media type."""

    def call(world: World) -> Reply:
        target = path(world)
        content, media_type = form(*file)
        return world.call("POST", target, body=content, headers={"Content-Type": media_type})

    REFUSED.append(Refused(operation, name, 400, call))


PROGRAM = ("program.exe", b"MZ\x90\x00", "application/octet-stream")
refused_file("add-upload", "a program", at("uploads"), *PROGRAM)
refused_file("post-invoice-attachment", "a program", below(World.draft, "attachments"), *PROGRAM)
refused_file(
    "post-invoice-attachment",
    "published",
    below(World.published, "attachments"),
    *("a.png", png(), "image/png"),
)


def _consent_without_state(world: World) -> Reply:
    path = consent.authorize_path(world.sandbox, state="")
    return world.call("GET", path.removeprefix("/v1"), token="")


def _unknown_grant(world: World) -> Reply:
    reply = world.sandbox.token_request({"grant_type": "code", "code": "x"})
    world.hold("POST", "/token", reply)
    return reply


REFUSED += [
    Refused("authorize", "without a state", 400, _consent_without_state),
    Refused("request-token", "a grant of the old pages", 400, _unknown_grant),
]

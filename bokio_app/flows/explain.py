"""What a stopped flow means, and what a step wanted beside what Bokio holds, in people's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bokio_app.connections.causes import TABLE, Cause
from bokio_app.core.formats import money, number, percent
from bokio_app.core.personal import DOTS, without_last_four

from .models import Flow, Step
from .sealed import is_sealed

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


@dataclass(frozen=True)
class Explanation:
    """`title` says what stopped the flow, `meaning` what that means for the books."""

    title: str
    meaning: str


DISCONNECTED = "disconnected"
TOTAL_DIFFERS = "total-differs"

OURS: dict[str, tuple[StrPromise, StrPromise]] = {
    "ambiguous": (
        gettext_lazy("Is this already in Bokio?"),
        gettext_lazy(
            "No answer came, and what Bokio holds may or may not be ours. "
            "Nothing more is sent until you have looked."
        ),
    ),
    "bound-elsewhere": (
        gettext_lazy("What was found in Bokio belongs to another run"),
        gettext_lazy(
            "Another run has already taken this as its own. Compare the two before you go on."
        ),
    ),
    "too-many-attempts": (
        gettext_lazy("Bokio has not carried it out after many attempts"),
        gettext_lazy("Reading in Bokio shows that nothing was done. Nothing more is sent."),
    ),
    "draft-changed": (
        gettext_lazy("The draft was changed after it was sent off"),
        gettext_lazy("Nothing is at Bokio. Open the draft, check it, and publish it once more."),
    ),
    "customer-unknown": (
        gettext_lazy("The customer is not in Bokio yet"),
        gettext_lazy("Nothing is at Bokio. Choose a customer that Bokio has, and publish again."),
    ),
    "note-differs": (
        gettext_lazy("The draft of the credit note is not what was agreed to"),
        gettext_lazy(
            "It holds other lines, or comes to another amount. Nothing was published. Cancel the "
            "rest, then look at the draft: it can be deleted, or published as it is."
        ),
    ),
    DISCONNECTED: (
        gettext_lazy("The company was disconnected before this was settled"),
        gettext_lazy(
            "A request was sent and no answer came, and we can no longer read in Bokio whether it "
            "was carried out. Look in Bokio, and mark the run as handled."
        ),
    ),
    TOTAL_DIFFERS: (
        gettext_lazy("The total in Bokio is another one"),
        gettext_lazy(
            "Our lines come to %(ours)s, the draft in Bokio to %(theirs)s, and rounding does not "
            "explain it. Nothing is published."
        ),
    ),
    "recorded": (
        gettext_lazy("It has been recorded in Bokio"),
        gettext_lazy(
            "What is in the books is never deleted, so nothing was taken back. Undo it on the "
            "invoice in Bokio, and mark the run as handled."
        ),
    ),
    "changed-meanwhile": (
        gettext_lazy("Somebody changed it in Bokio meanwhile"),
        gettext_lazy("Nothing was sent, so that nothing is written over unseen."),
    ),
    "internal-error": (
        gettext_lazy("A fault of ours stopped the run"),
        gettext_lazy("What was done is kept, and nothing is sent until you try again."),
    ),
}


LACKS_SCOPE = "lacks-scope"


def explain(code: str, message: str = "") -> Explanation:
    """The words for a stop. `code` is one of ours, else Bokio's, whose own message is quoted."""
    if code in OURS:
        title, meaning = OURS[code]
        said = str(meaning) % _totals(message) if code == TOTAL_DIFFERS else str(meaning)
        return Explanation(title=str(title), meaning=said)
    if code == LACKS_SCOPE:
        needs = _(
            "Nothing is sent for this step. It needs %(scopes)s: connect the company again with "
            "that permission, and the run goes on by itself."
        )
        return Explanation(
            title=TABLE[Cause.SCOPE].title,
            meaning=needs % {"scopes": message or "–"},
        )
    return Explanation(
        title=_("Bokio refused the request"),
        meaning=_("Bokio says: %(message)s") % {"message": message or code},
    )


def _totals(message: str) -> dict[str, str]:
    """Both amounts of a stop for `TOTAL_DIFFERS`, ours first, which its message holds."""
    ours, _sign, theirs = message.partition(" ")
    said = {"ours": ours, "theirs": theirs}
    return {key: money(Decimal(each)) if each else "–" for key, each in said.items()}


def explain_stop(flow: Flow, step: Step) -> Explanation:
    """The words for where a flow has stopped; to a permission that lacks, Bokio's own are added."""
    said = explain(step.error_code or flow.stuck_code, step.error_message)
    if flow.stuck_code != LACKS_SCOPE or step.error_code == LACKS_SCOPE:
        return said
    lacking = explain(LACKS_SCOPE, ", ".join(lacking_scopes(flow, step)))
    return Explanation(title=lacking.title, meaning=f"{lacking.meaning} {said.meaning}")


def lacking_scopes(flow: Flow, step: Step) -> list[str]:
    """The permissions for want of which a flow has stopped at a step; none for other stops."""
    if flow.stuck_code != LACKS_SCOPE:
        return []
    if step.error_code == LACKS_SCOPE:
        return step.error_message.split(", ")
    return sorted(step.operation.scopes) if step.operation else []


LABELS: dict[str, StrPromise] = {
    "account": gettext_lazy("Account"),
    "amount": gettext_lazy("Amount"),
    "city": gettext_lazy("City"),
    "country": gettext_lazy("Country"),
    "currency": gettext_lazy("Currency"),
    "date": gettext_lazy("Date"),
    "description": gettext_lazy("Description"),
    "due_date": gettext_lazy("Due date"),
    "email": gettext_lazy("E-mail"),
    "invoice_date": gettext_lazy("Invoice date"),
    "journal_entry_id": gettext_lazy("Journal entry"),
    "line1": gettext_lazy("Address"),
    "line2": gettext_lazy("Address, second line"),
    "lines": gettext_lazy("Line items"),
    "name": gettext_lazy("Name"),
    "number": gettext_lazy("Number"),
    "ocr": gettext_lazy("OCR reference"),
    "org_number": gettext_lazy("Organisation number"),
    "payment_terms": gettext_lazy("Payment terms"),
    "postal_code": gettext_lazy("Postal code"),
    "remote_id": gettext_lazy("Bokio's id"),
    "status": gettext_lazy("Status"),
    "total": gettext_lazy("Total"),
    "type": gettext_lazy("Type"),
    "vat_number": gettext_lazy("VAT number"),
    "your_reference": gettext_lazy("Your reference"),
}
AMOUNTS = {"amount", "total"}
NUMBERS_OF_PEOPLE = {"org_number", "vat_number"}
OUR_IDS = {"customer", "invoice", "payment", "settlement", "remote_invoice", "cash", "version"} | {
    "item", "mark", "more", "remote_customer", "seen",
}  # fmt: skip
NOT_FOR_EYES = OUR_IDS | {"draft"}


Values = dict[str, list[str]]


@dataclass(frozen=True)
class Seen:
    """One value that Bokio holds, as lines of text, and whether it differs from ours."""

    lines: list[str]
    differs: bool


@dataclass(frozen=True)
class Fact:
    """One row of the comparison: what we wanted, and what each thing seen in Bokio holds.
    `same` is None where there is nothing to compare.
    """

    label: str
    ours: list[str]
    theirs: list[Seen]
    same: bool | None


def facts(step: Step) -> list[Fact]:
    """What the step wanted beside each thing that a proof read saw; only what is worth reading."""
    return compared(step.payload, step.evidence)


def compared(wanted: Mapping[str, Any], found: Iterable[Mapping[str, Any]]) -> list[Fact]:
    """What we have of a thing beside what Bokio has of each that may be it."""
    ours, seen = readable(wanted), [readable(each) for each in found]
    keys = [*ours, *(key for each in seen for key in each)]
    return [_fact(key, ours, seen) for key in dict.fromkeys(keys)]


def _fact(key: str, ours: Values, seen: Iterable[Values]) -> Fact:
    wanted, found = ours.get(key, []), [each.get(key, []) for each in seen]
    comparable = bool(wanted) and any(found)
    theirs = [Seen(lines, differs=comparable and lines not in ([], wanted)) for lines in found]
    return Fact(
        label=str(LABELS.get(key, key.replace("_", " "))),
        ours=wanted,
        theirs=theirs,
        same=not any(each.differs for each in theirs) if comparable else None,
    )


def readable(values: Mapping[str, Any]) -> Values:
    """A payload or result for people: no ids of ours, no empty values, no personal numbers."""
    private = values.get("type") == "private"
    return {
        key: _lines(key, value, private=private)
        for key, value in values.items()
        if key not in NOT_FOR_EYES and value not in (None, "", [])
    }


def _lines(key: str, value: Any, *, private: bool) -> list[str]:
    if key in AMOUNTS:
        return [_amount(value)]
    if is_sealed(value):
        return [DOTS]
    if key in NUMBERS_OF_PEOPLE:
        return [without_last_four(str(value), private=private)]
    if key == "lines":
        return [_row(row) for row in value]
    return [str(value)]


def _amount(value: Any) -> str:
    try:
        return money(Decimal(str(value)))
    except InvalidOperation:
        return str(value)


def _row(row: Mapping[str, Any]) -> str:
    if not Decimal(str(row.get("unit_price", 0))):
        return str(row["description"])
    price, quantity = _amount(row["unit_price"]), number(Decimal(str(row["quantity"])))
    return f"{row['description']}: {quantity} × {price}, {percent(row['tax_rate'])}"

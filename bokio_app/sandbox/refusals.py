"""The ways in which the API says no, each with the body that Bokio gives it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bokio_app.sandbox.wire import Answer, json_answer


@dataclass(frozen=True)
class FieldError:
    """`pointer` is a JSON Pointer with a leading `#`, or `query` for a filter."""

    pointer: str
    message: str


@dataclass(eq=False)
class Refusal(Exception):
    """Ends the handling of a call with an error answer. Nothing of the call is kept."""

    status: int
    code: str
    message: str
    errors: Sequence[FieldError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def answer(self) -> Answer:
        body: dict[str, object] = {
            "code": self.code,
            "message": self.message,
            "bokioErrorId": str(uuid.uuid4()),
        }
        if self.errors:
            body["errors"] = [{"field": e.pointer, "message": e.message} for e in self.errors]
        return json_answer(body, self.status, self.headers)


def invalid(errors: Sequence[FieldError]) -> Refusal:
    """400 that names every field at fault."""
    count = f"{len(errors)} error" + ("" if len(errors) == 1 else "s")
    return Refusal(400, "validation-error", f"Validation failed with {count}", errors)


def impossible(kind: str, value: object) -> Refusal:
    """400 without an `errors` list: the resource is not in a state for this."""
    message = f"Action cannot be performed on {kind} with value {value}"
    return Refusal(400, "validation-error", message)


def against_rules(message: str) -> Refusal:
    """400 without an `errors` list: a rule is broken that no single field breaks alone."""
    return Refusal(400, "validation-error", message)


def not_allowed(message: str) -> Refusal:
    """400 for a state or an owner that forbids the operation altogether."""
    return Refusal(400, "operation-not-allowed", message)


def not_found(kind: str, value: object) -> Refusal:
    return Refusal(
        404, "not-found", f"The requested resource {kind} with value {value} was not found"
    )


def forbidden(message: str) -> Refusal:
    return Refusal(403, "forbidden", message)


def bad_query(message: str) -> Refusal:
    return invalid([FieldError("query", message)])

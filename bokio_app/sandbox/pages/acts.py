"""Doing something in the books as a person: one write, and a refusal that is shown."""

from collections.abc import Callable
from dataclasses import dataclass

from bokio_app.sandbox import store
from bokio_app.sandbox.refusals import Refusal


@dataclass(frozen=True)
class Refused:
    """Why the books did not change, in the words of the API."""

    reasons: tuple[str, ...]

    @classmethod
    def of(cls, refusal: Refusal) -> "Refused":
        if refusal.errors:
            return cls(tuple(error.message for error in refusal.errors))
        return cls((refusal.message,))


def attempt(act: Callable[[], object]) -> Refused | None:
    """Run the act in the only write transaction. Everything of it is undone when it is refused."""
    try:
        with store.write():
            act()
    except Refusal as refusal:
        return Refused.of(refusal)
    return None

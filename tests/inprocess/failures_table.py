"""`docs/failures.md`: the rows of `failures.py`, in the words that people read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from django.utils import translation

from bokio_app.connections.causes import TABLE

from .failures import FAILURES, WAITS, Failure

PAGE = Path(__file__).resolve().parents[2] / "docs" / "failures.md"
NOTICES = {
    "broke": "one at once",
    "lasting": "one when it lasts",
    "recovered": "one when it works again",
}

HEAD = """\
# What can come between us and a company

Written by `make failures`, once every row is green on PostgreSQL and on SQLite; a test fails when
this page is not what the rows are. Each row is played by real worker code against the sandbox's
rules, on an injected clock (`tests/inprocess/failures.py`): an invoice is queued, the failure
strikes, workers try, people look, the cure is applied. Each asserts

- **what people read**, in English and in Swedish: title and cause on the list of companies, and on
  the start page where a person is needed; with the cure on the company's page and in notices. All
  words come from one table (`connections/causes.py`), and none is an unknown error;
- **that no live connection is called dead**: only the rows whose work is *parked* need a new
  consent or token;
- **the queued run**: done after the cure, without anybody starting it again, and Bokio's books hold
  its customer, its invoice and its journal entry once;
- **the notices**, each with one mail to each person who sees the company.

"""


def page() -> str:
    """The whole page."""
    heads = (
        "Injected",
        "What the person sees",
        "What cures it",
        "The queued run",
        "It ends",
        "Notices",
        "Found by the daily check alone",
    )
    lines = [_row(heads), _row(["---"] * len(heads)), *map(_told, FAILURES)]
    return HEAD + "\n".join(lines) + "\n"


def _told(failure: Failure) -> str:
    words = TABLE[failure.cause]
    with translation.override("en"):
        seen, cure = f"**{words.title}.** {words.happened}", str(words.cure)
    said = ", ".join(NOTICES[each] for each in failure.told) or "none"
    daily = "yes" if failure.daily else "–"
    return _row((failure.injected, seen, cure, WAITS[failure.flow], failure.ends, said, daily))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"

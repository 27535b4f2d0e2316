"""The fault matrix as a page: which runs each cell is made of, and what each fault must lead to."""

from __future__ import annotations

from pathlib import Path

from tests.flows.cases import Case
from tests.inprocess.axis import BY_OP, FAULTS, Fault, Strike

PAGE = Path(__file__).resolve().parents[2] / "docs" / "fault-matrix.md"

# The rows of the design's table of proof reads, each with the operations that it names.
ROWS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("create customer", ("ensure_customer",)),
    ("create invoice", ("create_invoice",)),
    ("add line item", ("add_line_item",)),
    ("update draft", ("update_draft",)),
    ("publish", ("publish_invoice",)),
    ("record invoice", ("record_invoice",)),
    ("create settlement", ("create_settlement",)),
    ("record settlement", ("record_settlement",)),
    ("create payment", ("create_payment",)),
    ("record payment", ("record_payment",)),
    ("credit invoice", ("credit_invoice",)),
    ("attach to invoice", ("attach_to_invoice",)),
    ("upload", ("upload_voucher",)),
    ("journal entry", ("write_journal_entry",)),
    ("reverse entry", ("reverse_journal_entry",)),
    ("delete", ("delete_draft", "delete_attachment", "delete_payment", "delete_settlement")),
)
ALSO = (
    "publish_credit_note",
    "record_credit_note",
    "update_credit_note",
    "update_customer",
    "delete_customer",
    "create_item",
    "update_item",
    "delete_item",
    "prepare_bank_payment",
)

WORDS = """\
What Bokio sees of the step and what the attempt log says, in the words of
`tests/inprocess/axis.py`.

"""

HEAD = """\
# The fault matrix

Written by `make fault-matrix`, once every run below is green on PostgreSQL and on SQLite; a test
fails when this page is not what the runs are. Each cell is one operation and one fault. Its number
counts the ways in which the fault strikes there; each of them is a run of its own, from just before
the step is claimed until the flow rests, by the real engine against the sandbox's rules, on an
injected clock (`tests/inprocess`). Each run asserts

- **what Bokio holds**: one effect, and books equal to those after a run without any fault;
- **what our rows hold**: the same as after such a run, and how the step was settled;
- **every call**, in its order, and when the one came that carried the step on;
- **the attempt log and the audit trail**, line by line, and the reason that was shown for waiting.

"""


def page() -> str:
    """The whole page."""
    cells = len(ROWS) * len(FAULTS)
    runs = sum(len(strikes_of(fault, ops)) for _row, ops in ROWS for fault in FAULTS)
    others = [(op, (op,)) for op in ALSO]
    more = sum(len(strikes_of(fault, ops)) for _row, ops in others for fault in FAULTS)
    parts = [
        HEAD,
        f"## {len(ROWS)} operations × {len(FAULTS)} faults × 2 databases = {2 * cells} cells\n\n",
        f"{runs} runs on each database.\n\n",
        _table(ROWS),
        "\n## The other operations that write\n\n",
        f"{more} runs on each database.\n\n",
        _table(tuple(others)),
        "\n## The faults\n\n",
        WORDS,
        *map(_told, FAULTS),
    ]
    return "".join(parts)


def strikes_of(fault: Fault, ops: tuple[str, ...]) -> list[tuple[Strike, Case]]:
    """The runs of one cell."""
    cases = [BY_OP[op] for op in ops]
    return [(each, case) for case in cases for each in fault.strikes if each.suits(case)]


def _table(rows: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    heads = [fault.code for fault in FAULTS]
    lines = [
        "| Operation | " + " | ".join(heads) + " |",
        "| --- |" + " ---: |" * len(heads),
        *(
            f"| {row} | "
            + " | ".join(f"✓ {len(strikes_of(fault, ops))}" for fault in FAULTS)
            + " |"
            for row, ops in rows
        ),
    ]
    return "\n".join(lines) + "\n"


def _told(fault: Fault) -> str:
    lines = [
        f"- **{each.name}**: {each.story}" if isinstance(each.story, str) else f"- **{each.name}**"
        for each in fault.strikes
    ]
    return f"**{fault.code}, {fault.title}**\n\n" + "\n".join(lines) + "\n\n"

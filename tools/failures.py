"""`make failures`: every failure of `docs/failures.md` played on both databases, then the page.

Exits non-zero, and writes nothing, when a row is red.
"""

from tools.fault_matrix import write_page

ROWS = "tests/inprocess/test_failures.py"


def main() -> None:
    """Play the rows on each database, and write `docs/failures.md` when all are green."""
    write_page(ROWS, page="docs/failures.md", named="WRITE_FAILURES")


if __name__ == "__main__":
    main()

"""What Bokio's books must hold after the guide's invoice, however it came to be."""

from __future__ import annotations

from decimal import Decimal

from bokio_app.connections.models import Connection
from tests.support.sandbox import SandboxProcess


def assert_guide_is_booked(sandbox: SandboxProcess, connection: Connection) -> None:
    books = sandbox.books(str(connection.company_id))
    assert [len(books[kind]) for kind in ("invoices", "payments", "settlements")] == [1, 1, 1]
    assert len(books["customers"]) == 1
    assert len(books["journalEntries"]) == 3
    balances = {number: Decimal(amount) for number, amount in books["balances"].items()}
    assert balances.pop("1510", Decimal(0)) == 0
    assert {number: amount for number, amount in balances.items() if amount} == {
        "1940": Decimal("64609.50"),
        "2611": Decimal("-12925.00"),
        "3001": Decimal("-52200.00"),
        "3730": Decimal("500.00"),
        "6570": Decimal("15.50"),
    }

"""What companies have when a run begins, made once: a known customer and two recorded invoices."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from bokio_app.core import clock
from bokio_app.flows.models import Flow
from bokio_app.invoicing import services as invoicing
from tests.inprocess.harness import Harness
from tests.simulation.wishes import Stock
from tests.support import bokio, make

INVOICES = 2
PRICE = Decimal("10000.00")


@dataclass(frozen=True)
class Stocked:
    """The harness's companies with their stock, and the ids that Bokio's books held `before`."""

    companies: list[Stock]
    before: frozenset[str]


def stock_up(harness: Harness) -> Stocked:
    """Send two invoices for each company, and let that be where every run begins."""
    found: list[Stock] = []
    before: set[str] = set()
    with harness.fresh(seed="stocking"):
        for connection in harness.connections:
            customer = make.customer(connection, name="Känd Kund AB", org_number="556012-5790")
            rows = []
            for _each in range(INVOICES):
                line = invoicing.LineInput(description="Förut", unit_price=PRICE)
                draft = invoicing.DraftInput(
                    customer=customer,
                    invoice_date=clock.today(),
                    due_date=None,
                    your_reference="",
                    lines=[line],
                )
                row = invoicing.create_draft(connection, draft, by=harness.person)
                invoicing.start_sending(row, by=harness.person)
                rows.append(str(row.pk))
            bokio.work(connection)
            books = harness.sandbox.books(str(connection.company_id))
            kinds = ("invoices", "payments", "settlements", "creditNotes", "customers")
            before |= {each["id"] for kind in kinds for each in books[kind]}
            found.append(Stock(str(connection.pk), str(customer.pk), tuple(rows)))
        assert not Flow.objects.exclude(state="done").exists()
        harness.keep()
    return Stocked(found, frozenset(before))

"""The storm's account must see what is lost, doubled or wrong: here it is shown each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.flows.models import Flow
from bokio_app.tenants.models import User
from tests.support import bokio
from tests.support.sandbox import SandboxProcess
from tools.storm import books
from tools.storm.feeding import Office
from tools.storm.wanted import Company, Wanted, draw

pytestmark = pytest.mark.slow


@pytest.fixture
def company(connection: Connection) -> Company:
    return Company(str(connection.company_id), ())


@pytest.fixture
def ordered(connection: Connection, company: Company, person: User, settings: Any) -> list[Wanted]:
    """Orders of every shape, carried out without any fault."""
    settings.FLOW_SEND_GUARD, settings.FLOW_DEADLINE = 5, 30  # nothing here waits for them to pass
    office = Office(connection.tenant, person)
    orders = draw([company], flows=2, day=clock.today().isoformat(), seed=3, name="quiet")
    for each in orders:
        office.order(each)
    bokio.work(connection)
    assert office.pay([each for each in orders if each.clicked]) == 1
    bokio.work(connection)
    return orders


def kinds(
    sandbox: SandboxProcess, company: Company, wanted: Sequence[Wanted]
) -> set[tuple[str, bool]]:
    """What is found, and whether the rows tell a story of it."""
    found = books.findings(sandbox, [company], wanted)
    return {(each.kind, bool(each.story)) for each in found}


def dearer(order: Wanted) -> Wanted:
    """The same order with a price that is one öre higher."""
    first, *rest = order.rows
    return replace(order, rows=(replace(first, price=first.price + Decimal("0.01")), *rest))


def test_books_are_compared_with_what_was_wanted_to_the_oere(
    ordered: list[Wanted], sandbox: SandboxProcess, company: Company
) -> None:
    first, *others = ordered
    never_made = replace(first, reference="quiet-99999")

    assert len(ordered) == 5
    assert books.findings(sandbox, [company], ordered) == []
    assert ("doubled", False) in kinds(sandbox, company, others)
    assert ("lost", True) in kinds(sandbox, company, [*ordered, never_made])
    assert ("wrong", True) in kinds(sandbox, company, [dearer(first), *others])


def test_a_second_payment_and_a_flow_that_has_not_ended_are_told_with_their_stories(
    ordered: list[Wanted], sandbox: SandboxProcess, company: Company
) -> None:
    paid = next(each for each in ordered if not each.clicked and not each.credited)
    invoice = next(
        each
        for each in sandbox.books(company.id)["invoices"]
        if each["metadata"].get("externalId") == paid.reference
    )

    sandbox.pay_invoice(company.id, invoice["id"], str(paid.payment), date=paid.day)
    assert ("doubled", True) in kinds(sandbox, company, ordered)

    Flow.objects.filter(pk=Flow.objects.latest("pk").pk).update(state="stuck")
    assert ("open", True) in kinds(sandbox, company, ordered)

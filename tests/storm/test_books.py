"""The storm's account must see what is lost, doubled or wrong: here it is shown each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

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
def ordered(connection: Connection, company: Company, person: User) -> list[Wanted]:
    """Orders of every shape, carried out without any fault."""
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


def test_orders_of_every_shape_leave_what_was_wanted_to_the_oere(
    ordered: list[Wanted], sandbox: SandboxProcess, company: Company
) -> None:
    assert len(ordered) == 5
    assert books.findings(sandbox, [company], ordered) == []


def dearer(order: Wanted) -> Wanted:
    first, *rest = order.rows
    return replace(order, rows=(replace(first, price=first.price + Decimal("0.01")), *rest))


@pytest.mark.parametrize(
    "told, seen",
    [
        pytest.param(lambda orders: orders[1:], ("doubled", False), id="one that nobody wanted"),
        pytest.param(
            lambda orders: [*orders, replace(orders[0], reference="quiet-99999")],
            ("lost", True),
            id="one that was never made",
        ),
        pytest.param(
            lambda orders: [dearer(orders[0]), *orders[1:]], ("wrong", True), id="one öre more"
        ),
    ],
)
def test_books_that_differ_from_what_was_wanted_are_told(
    told: Callable[[list[Wanted]], list[Wanted]],
    seen: tuple[str, bool],
    ordered: list[Wanted],
    sandbox: SandboxProcess,
    company: Company,
) -> None:
    assert seen in kinds(sandbox, company, told(ordered))


def test_a_payment_that_came_twice_is_told_with_its_story(
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


def test_a_flow_that_has_not_ended_is_told(
    ordered: list[Wanted], sandbox: SandboxProcess, company: Company
) -> None:
    Flow.objects.filter(pk=Flow.objects.latest("pk").pk).update(state="stuck")

    assert ("open", True) in kinds(sandbox, company, ordered)

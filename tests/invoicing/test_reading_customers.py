"""Reading a customer after it was kept at Bokio."""

from __future__ import annotations

import pytest

from bokio_app.bokio.errors import NotFound
from bokio_app.flows.operations import StepContext
from bokio_app.flows.patterns import GONE
from bokio_app.invoicing.sync.customers import ReadCustomer
from tests.support import make

pytestmark = pytest.mark.django_db
REMOTE = "11111111-2222-4333-8444-555555555555"


class Customers:
    """Bokio's customers, of which none is there; it keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def get(self, remote_id: object) -> None:
        self.asked.append(str(remote_id))
        raise NotFound("gone", code=GONE)


class Bokio:
    def __init__(self) -> None:
        self.customers = Customers()


@pytest.mark.parametrize("results", [{}, {"ensure_customer": {}}])
def test_after_a_creation_that_was_skipped_the_id_is_that_of_our_row(results):
    connection = make.connection()
    customer = make.customer(connection, remote_id=REMOTE)
    flow = make.flow(connection, ops=("ensure_customer", "read_customer"))
    ensure, read = flow.steps.order_by("pos")
    flow.steps.filter(pk=ensure.pk).update(payload={"customer": str(customer.pk)})
    ctx, bokio = StepContext(flow, read, results), Bokio()

    done = ReadCustomer().send(ctx, bokio)  # type: ignore[arg-type]
    ReadCustomer().apply(ctx, done)

    assert bokio.customers.asked == [REMOTE]
    customer.refresh_from_db()
    assert customer.gone_at

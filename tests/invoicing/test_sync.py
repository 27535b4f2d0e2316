"""What reading a company's customers keeps."""

from bokio_app.bokio.addresses import Address
from bokio_app.bokio.customers import CustomerDraft
from bokio_app.connections import grants
from bokio_app.connections.models import Connection
from bokio_app.connections.remote import bokio_for
from bokio_app.invoicing.models import Customer
from bokio_app.invoicing.sync import read_customers
from bokio_app.tenants.models import User
from tests.support import bokio


def test_a_private_persons_number_is_not_kept_and_a_companys_is(
    connection: Connection, person: User
) -> None:
    remote = bokio_for(
        connection,
        access=grants.access(connection),
        before_call=bokio.uncounted,
    )
    numbers = {"private": "811228-9874", "company": "556703-4185"}
    for kind, number in numbers.items():
        remote.customers.create(
            CustomerDraft(
                name=f"Kund {kind}",
                type=kind,
                org_number=number,
                address=Address("Storgatan 1", "111 22", "Stockholm"),
            )
        )

    read_customers(connection=connection, by=person, occasion="test")
    bokio.work(connection)

    kept = Customer.objects.filter(name__startswith="Kund ")
    assert dict(kept.values_list("type", "org_number")) == {
        "private": "",
        "company": "556703-4185",
    }

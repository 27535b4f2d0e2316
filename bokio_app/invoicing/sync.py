"""Reading customers from Bokio into our own rows."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.customers import Customer as RemoteCustomer
from bokio_app.connections.models import Connection
from bokio_app.connections.signals import reading_wanted
from bokio_app.flows import services as flows
from bokio_app.flows.models import Lane
from bokio_app.flows.operations import Done, Operation, StepContext, register, register_kind
from bokio_app.flows.readings import is_newest
from bokio_app.tenants.models import User

from .models import Customer
from .payloads import CUSTOMER_FIELDS

READ_CUSTOMERS = register_kind("read_customers", _("Read customers"))


@register
class ReadCustomers(Operation):
    """All customers of the company. One that we hold and Bokio no longer has keeps its row."""

    name = "read_customers"
    scopes = ("customers:read",)
    label = _("Customers")
    reads_only = True

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        customers = list(bokio.customers.find())
        return Done({"count": len(customers)}, read=customers)

    def apply(self, ctx: StepContext, done: Done) -> None:
        if not is_newest(ctx, self.name):
            return
        flow = ctx.flow
        known = dict(
            Customer.objects.filter(connection_id=flow.connection_id)
            .exclude(remote_id="")
            .values_list("remote_id", "pk")
        )
        new, old = [], []
        for remote in done.read:
            row = Customer(
                tenant_id=flow.tenant_id,
                connection_id=flow.connection_id,
                remote_id=str(remote.id),
                **_values(remote),
            )
            if pk := known.get(row.remote_id):
                row.pk = pk
                old.append(row)
            else:
                new.append(row)
        # A flow may be giving one of them its row at this very moment.
        Customer.objects.bulk_create(new, batch_size=500, ignore_conflicts=True)
        Customer.objects.bulk_update(old, CUSTOMER_FIELDS, batch_size=500)


def _values(remote: RemoteCustomer) -> dict[str, str]:
    address = remote.address
    email = next((each.email for each in remote.contacts if each.email), "")
    is_person = remote.type == Customer.Type.PRIVATE  # whose numbers nothing here needs
    return {
        "name": remote.name[:200],
        "type": remote.type or Customer.Type.COMPANY,
        "org_number": "" if is_person else remote.org_number[:40],
        "vat_number": "" if is_person else remote.vat_number[:40],
        "email": email[:254],
        "line1": (address.line1 if address else "")[:200],
        "line2": ((address.line2 if address else "") or "")[:200],
        "postal_code": (address.postal_code if address else "")[:20],
        "city": (address.city if address else "")[:100],
        "country": ((address.country if address else "") or "SE")[:2],
        "payment_terms": remote.payment_terms[:40],
    }


@receiver(reading_wanted, dispatch_uid="invoicing_reads_customers")
def read_customers(connection: Connection, by: User | None, occasion: str, **_kwargs: Any) -> None:
    """Read the company's customers anew, in the background."""
    flows.start(
        READ_CUSTOMERS,
        connection=connection,
        steps=[flows.NewStep(ReadCustomers.name, {})],
        business_key=f"{connection.pk}:{occasion}",
        lane=Lane.SYNC,
        by=by,
    )

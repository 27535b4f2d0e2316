"""Whom orders go to: rows of customers that say the same, or new ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError

from bokio_app.connections.models import Connection
from bokio_app.invoicing import numbers
from bokio_app.invoicing.models import Customer
from bokio_app.invoicing.payloads import CUSTOMER_FIELDS

from .checks import Refused
from .orders import AddressPart, CustomerPart, Order

Said = tuple[UUID, tuple[Any, ...]]  # the connection, and what is said of the customer


def customer_values(part: CustomerPart) -> dict[str, Any]:
    """The fields of the customer's row. Raises `Refused` for a number that cannot be one."""
    address = part.address or AddressPart("", "", "")
    try:
        org_number = part.org_number
        if address.country == "SE":
            org_number = numbers.organisation_number(org_number)
        vat_number = numbers.vat_number(part.vat_number)
    except ValidationError as error:
        raise Refused(f"customer: {error.messages[0]}") from None
    return {
        "name": part.name,
        "type": part.type,
        "org_number": org_number,
        "vat_number": vat_number,
        "email": next((each.email for each in part.contacts if each.email), ""),
        "line1": address.line1,
        "line2": address.line2,
        "postal_code": address.postal_code,
        "city": address.city,
        "country": address.country,
        "payment_terms": part.payment_terms,
    }


class Customers:
    """The customers of some orders, known ones read at once. Orders that say the same share one.

    `new` are those of orders that were taken, by their keys, and are no rows yet.
    """

    def __init__(self, connections: Iterable[Connection], orders: Iterable[Order]) -> None:
        self._connections = {each.pk: each for each in connections}
        self._by_id: dict[tuple[UUID, str], Customer] = {}
        self._by_content: dict[Said, Customer] = {}
        self._kept: set[UUID] = set()
        self.new: dict[UUID, Customer] = {}
        parts = [order.customer for order in orders]
        rows = Customer.objects.filter(connection__in=self._connections)
        if ids := {str(part.id) for part in parts if part.id}:
            for row in rows.filter(remote_id__in=ids):
                self._by_id[row.connection_id, row.remote_id] = row
                self._kept.add(row.pk)
        if names := {part.name for part in parts if not part.id}:
            streets = {part.address.line1 for part in parts if part.address}
            # Whom Bokio has comes first, then whoever has been here longest.
            same = rows.filter(name__in=names, line1__in=streets)
            for row in same.order_by("-remote_id", "created_at"):
                self._by_content.setdefault(_said(row), row)
                self._kept.add(row.pk)

    def find(self, connection: Connection, part: CustomerPart) -> Customer:
        """The row of the customer, or what will be one. Raises `Refused`."""
        if part.id:
            remote_id = str(part.id)
            known = self._by_id.get((connection.pk, remote_id))
            # What it is called comes with a reading.
            return known or _new(connection, remote_id=remote_id, name=remote_id)
        customer = _new(connection, **customer_values(part))
        return self._by_content.get(_said(customer), customer)

    def take(self, customer: Customer) -> None:
        """An order for this one is taken: the next that says the same finds it."""
        if customer.pk in self._kept:
            return
        self.new[customer.pk] = customer
        if customer.remote_id:
            self._by_id[customer.connection_id, customer.remote_id] = customer
        else:
            self._by_content[_said(customer)] = customer

    def of_strangers(self) -> list[Connection]:
        """The companies of new ones whom only Bokio knows: there customers are to be read."""
        ids = {each.connection_id for each in self.new.values() if each.remote_id}
        return [self._connections[pk] for pk in ids]


def _new(connection: Connection, **values: Any) -> Customer:
    return Customer(tenant_id=connection.tenant_id, connection=connection, **values)


def _said(customer: Customer) -> Said:
    return customer.connection_id, tuple(getattr(customer, name) for name in CUSTOMER_FIELDS)

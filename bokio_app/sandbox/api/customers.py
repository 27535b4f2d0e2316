"""Customers: list, read, create, replace, delete."""

import re
import uuid
from typing import Any

from bokio_app.sandbox import clock, refusals
from bokio_app.sandbox.api import lists, shapes
from bokio_app.sandbox.api.reader import Reader
from bokio_app.sandbox.api.registry import Context, operation
from bokio_app.sandbox.models import Company, Customer
from bokio_app.sandbox.prepared import Prepared

PROPERTIES = {
    "name": lists.text("name"),
    "type": lists.choice("type"),
    "vatNumber": lists.text("vat_number"),
    "orgNumber": lists.text("org_number"),
    "customerNumber": lists.text("customer_number"),
    "modifiedDateTime": lists.moment("modified_at"),
}
MOST_CONTACTS = 3
_COUNTRY = re.compile(r"[A-Z]{2}\Z")
NOT_A_COUNTRY = ("XX", "ZZ", "AA")
NEEDS_SUBDIVISION = ("GB",)


@operation("GET", "/customers", "get-customer", scope="customers:read")
def customers(context: Context) -> object:
    rows = lists.filtered(
        context.company.customers.all(), context.call.query.get("query", ""), PROPERTIES
    )
    return lists.page(rows, context.call.query, shapes.customer)


@operation("POST", "/customers", "post-customer", scope="customers:write", creates=True)
def create(context: Context) -> object:
    row = Customer(company=context.company, made_by=context.application)
    _fill(row, Reader(context.body()))
    row.save()
    return shapes.customer(row)


@operation("GET", "/customers/{customerId}", "get-customers-customerId", scope="customers:read")
def customer(context: Context) -> object:
    return shapes.customer(_find(context))


@operation("PUT", "/customers/{customerId}", "put-customer", scope="customers:write")
def replace(context: Context) -> object:
    row = _find(context)
    _fill(row, Reader(context.body()))
    row.save()
    return shapes.customer(row)


@operation("DELETE", "/customers/{customerId}", "delete-customer", scope="customers:write")
def delete(context: Context) -> None:
    row = _find(context)
    if row.made_by_id is None or row.invoices.exists():
        raise refusals.not_allowed("The customer was not made through the API, or has invoices")
    row.delete()


_one_customer = Prepared(lambda: Customer.objects.filter(company=0, uuid=uuid.UUID(int=0)))


def by_id(company: Company, customer_id: uuid.UUID) -> Customer | None:
    row = _one_customer.first(company.pk, customer_id)
    if row:
        row.company = company
    return row


def _find(context: Context) -> Customer:
    customer_id = context.id("customerId", "customer")
    row = by_id(context.company, customer_id)
    if row is None:
        raise refusals.not_found("customer", customer_id)
    return row


def _fill(row: Customer, body: Reader) -> None:
    """Take every field from the body, which replaces the whole customer."""
    body.read_only("id", "modifiedDateTime")
    row.name = body.text("name", required=True, longest=200)
    row.type = body.choice("type", ("company", "private"), required=True)
    row.vat_number = body.text("vatNumber", longest=40)
    row.org_number = body.text("orgNumber", longest=40)
    row.payment_terms = body.text("paymentTerms", longest=40)
    row.customer_number = body.text("customerNumber", longest=40)
    row.language = body.choice("language", ("sv", "en"), default="sv")
    row.construction_reverse_charge = body.flag("constructionReverseChargeEnabled")
    known = frozenset(contact["id"] for contact in row.contacts)
    row.contacts = [_contact(contact, known) for contact in body.objects("contactsDetails")]
    if len(row.contacts) > MOST_CONTACTS:
        body.note("contactsDetails", f"At most {MOST_CONTACTS} contacts are allowed")
    row.address = read_address(body, "address")
    row.modified_at = clock.now()
    body.finish()


def _contact(body: Reader, known: frozenset[str]) -> dict[str, Any]:
    """A contact, which keeps its id if the customer has it already."""
    given = body.text("id").lower()
    contact = {
        "id": given if given in known else str(uuid.uuid4()),
        "name": body.text("name", longest=200),
        "email": body.text("email", longest=200),
        "phone": body.text("phone", longest=50),
        "isDefault": body.flag("isDefault"),
    }
    body.done()
    return contact


def read_address(body: Reader, name: str, *, complete: bool = True) -> dict[str, Any] | None:
    """A postal address, or None where none was given. One that need not be complete is Swedish."""
    inner = body.object(name)
    if inner is None:
        return None
    address = {
        "line1": inner.text("line1", required=complete, longest=200),
        "line2": inner.text("line2", longest=200) or None,
        "city": inner.text("city", required=complete, longest=100),
        "postalCode": inner.text("postalCode", required=complete, longest=20),
        "country": inner.text("country", required=complete, longest=2)
        or ("" if complete else "SE"),
    }
    country = str(address["country"])
    if country and (not _COUNTRY.match(country) or country in NOT_A_COUNTRY):
        inner.note("country", f"Invalid country code: {country}")
    if subdivision := inner.text("countrySubdivision", longest=10):
        address["countrySubdivision"] = subdivision
    elif complete and country in NEEDS_SUBDIVISION:
        inner.note("countrySubdivision", f"The country subdivision is required for {country}")
    inner.done()
    return address

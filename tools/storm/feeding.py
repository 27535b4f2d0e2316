"""Ordering as people and files do: through the product's own services, again after any failure.

A database that crashes under an order leaves the caller not knowing whether it was kept. The
caller does what a person would: asks for the same thing again, under the same reference.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Self, TypeVar
from uuid import UUID, uuid5

from django.db import DatabaseError, InterfaceError, connection

from bokio_app.batches.orders import parse
from bokio_app.batches.services import accept
from bokio_app.bokio.oauth import Tokens
from bokio_app.connections import grants
from bokio_app.connections.models import Connection, State
from bokio_app.connections.services import SCOPES
from bokio_app.flows.models import Flow, FlowState
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.models import Customer, Invoice
from bokio_app.ledger.sync import start_reading
from bokio_app.payments import services as payments
from bokio_app.tenants.models import Member, Tenant, User
from tests.support.sandbox_client import SandboxClient

from .wanted import Buyer, Company, Wanted

T = TypeVar("T")
PATIENCE = 120.0  # seconds in which a crashed database comes back
NAMESPACE = UUID("6f2b5f0a-6f0e-4f4c-9a51-0f6f1d6f7c11")


def surely(act: Callable[[], T]) -> T:
    """Do it again until the database has answered: it must be safe to do twice."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return act()
        except (DatabaseError, InterfaceError):
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@dataclass(frozen=True)
class Office:
    """One workspace with a person who clicks, and the companies that it works for."""

    tenant: Tenant
    person: User

    @classmethod
    def open(cls) -> Self:
        """A new workspace with one member."""
        tenant = Tenant.objects.create(name="Sturm & Drang", slug="storm")
        person = User.objects.create_user("storm@example.com", None, name="Storm")
        Member.objects.create(tenant=tenant, user=person)
        return cls(tenant, person)

    def connect(self, sandbox: SandboxClient, companies: Iterable[Company]) -> None:
        """Connect each company by consent and exchange, and have its books read by workers."""
        for company in companies:
            found = sandbox.tokens_for(company.id, SCOPES)
            made = Connection.objects.create(
                tenant=self.tenant,
                company_id=UUID(found.company_id),
                remote_id=UUID(found.connection_id),
                state=State.BROKEN,
                scopes=list(SCOPES),
                created_by=self.person,
                name=f"Company {company.id[:8]}",
            )
            tokens = Tokens(
                access_token=found.access_token,
                refresh_token=found.refresh_token,
                expires_in=3600,
                company_id=made.company_id,
                connection_id=made.remote_id,
            )
            grants.store(made, tokens, after=0)
            Connection.objects.filter(pk=made.pk).update(state=State.ACTIVE)
            start_reading(made, by=self.person, occasion="storm")

    def order(self, wanted: Wanted) -> None:
        """Take one order: a line of a file, or a person's draft that is sent off."""
        if wanted.clicked:
            self._click(wanted)
        else:
            accept(self.tenant, parse(json.dumps(wanted.order()).encode()))

    def pay(self, wanted: Iterable[Wanted]) -> int:
        """Register the payments of clicked invoices that are sent by now; return how many."""
        by_key = {_sending_key(each): each for each in wanted}
        sent = Flow.objects.filter(request_key__in=by_key, state=FlowState.DONE)
        paid = set(
            Flow.objects.filter(
                request_key__in=[_paying_key(each) for each in by_key.values()]
            ).values_list("request_key", flat=True)
        )
        count = 0
        for key, business_key in sent.values_list("request_key", "business_key"):
            each = by_key[key]
            if _paying_key(each) not in paid:
                self._pay(each, Invoice.objects.get(pk=business_key))
                count += 1
        return count

    def _pay(self, wanted: Wanted, invoice: Invoice) -> None:
        received = payments.PaymentInput(
            date=date.fromisoformat(wanted.day),
            amount=wanted.payment,
            account=wanted.bank,
            fee=wanted.fee,
        )
        payments.register(invoice, received, by=self.person, request_key=_paying_key(wanted))

    def _click(self, wanted: Wanted) -> None:
        company = self.tenant.connections.get(company_id=wanted.company)
        draft = invoicing.DraftInput(
            customer=self._customer(company, wanted.buyer),
            invoice_date=date.fromisoformat(wanted.day),
            due_date=None,
            your_reference=wanted.reference,
            lines=[
                invoicing.LineInput(
                    description=row.description,
                    quantity=Decimal(row.quantity),
                    unit_price=row.price,
                    tax_rate=row.rate,
                )
                for row in wanted.rows
            ],
        )
        form = uuid5(NAMESPACE, wanted.reference)
        if Flow.objects.filter(request_key=_sending_key(wanted)).exists():
            return
        invoice = invoicing.create_draft(company, draft, by=self.person, draft_id=form)
        invoicing.start_sending(invoice, by=self.person, request_key=_sending_key(wanted))

    def _customer(self, company: Connection, buyer: Buyer) -> Customer:
        """The row of the customer, whoever has made it: an order, or a click before this one."""
        known = company.customers.filter(name=buyer.name, org_number=buyer.org_number).first()
        return known or invoicing.create_customer(
            company,
            by=self.person,
            name=buyer.name,
            org_number=buyer.org_number,
            line1="Storgatan 1",
            postal_code="111 22",
            city="Stockholm",
        )


def moving_flows() -> int:
    """How many flows have not ended and do not wait for a person."""
    open_ = Flow.objects.filter(state__in=[FlowState.READY, FlowState.RUNNING])
    return open_.filter(connection__state=State.ACTIVE).count()


def invoices_of(wanted: Iterable[Wanted]) -> dict[str, str]:
    """Our invoice's id by the reference, for those that were clicked."""
    keys = {_sending_key(each): each.reference for each in wanted if each.clicked}
    rows = Flow.objects.filter(request_key__in=keys).values_list("request_key", "business_key")
    return {keys[key]: invoice for key, invoice in rows}


def _sending_key(wanted: Wanted) -> str:
    return f"{wanted.reference}:send"


def _paying_key(wanted: Wanted) -> str:
    return f"{wanted.reference}:pay"

"""A workspace with one row of each kind that a page can show or change."""

from __future__ import annotations

import secrets
import uuid
from decimal import Decimal
from typing import Any

from bokio_app.audit.services import record
from bokio_app.connections import colleagues, company_access, invitations
from bokio_app.connections.models import Connection, Kind
from bokio_app.core import clock
from bokio_app.flows.models import Finding, Flow, FlowState, StepState
from bokio_app.invoicing import attaching
from bokio_app.invoicing.listing.kept import SavedView
from bokio_app.invoicing.models import Customer, Invoice
from bokio_app.payments.models import Payment, Settlement
from bokio_app.tenants.models import Role, Tenant, User
from tests.support import make

ACCOUNTS = (1510, 1930, 1940, 2611, 3001, 3011, 3730, 6570)


class Scene:
    """A workspace, its member, and what they work with.

    Every name in it holds one of `words`, and no id does: where such a word is read, something
    of this workspace was told. The customer has one of its own, since the editor's form names it.
    """

    def __init__(self) -> None:
        self.secret, customer, office = (f"x{secrets.token_hex(8)}" for _ in range(3))
        self.words = self.secret, customer, office
        self.words_of_company = self.secret, customer
        self.tenant: Tenant = make.tenant(f"Byrå {office}")
        self.person: User = make.member(
            self.tenant, name=f"Person {office}", email=f"{office}@example.com"
        )
        self.person.memberships.update(role=Role.OWNER)
        partner = make.member(self.tenant, name=f"Partner {office}")
        partner.memberships.update(role=Role.OWNER)
        self.colleague = make.member(self.tenant, name=f"Colleague {office}").memberships.get()
        self.company: Connection = make.connection(self.tenant, name=f"Aspen {self.secret} AB")
        make.fiscal_year(self.company)
        for number in ACCOUNTS:
            make.account(self.company, number, f"Konto {number} {self.secret}")
        self.customer: Customer = make.customer(
            self.company, name=f"Kund {customer} AB", line1=f"Storgatan {self.secret}"
        )
        self.lonely: Customer = make.customer(self.company, name=f"Ensam {customer} AB")
        self.refused: Customer = make.customer(
            self.company, name=f"Nekad {customer} AB", remote_id=str(uuid.uuid4()), mark="m"
        )
        self._refusal("update_customer", f"customer:{self.refused.pk}")
        self.item = make.item(self.company, f"Vara {self.secret}")
        self.refused_item = make.item(self.company, f"Nekad {self.secret}")
        self._refusal("update_item", f"item:{self.refused_item.pk}")
        self.begun = self._refusal("create_item", "")
        self.draft = self._invoice()
        self.published = self._invoice(status="published")
        self.note = make.credit_note(
            self._invoice(status="published"),
            status="draft",
            number="",
            journal_entry_id="",
        )
        self.published_note = make.credit_note(self._invoice(status="published"))
        self.document = make.document(
            self.company, name=f"{self.secret}.pdf", content=b"%PDF-1.4 " + self.secret.encode()
        )
        self.attachment = attaching.attach(
            self.draft,
            name=f"Bilaga {self.secret}.pdf",
            content=b"%PDF-1.4 attached " + self.secret.encode(),
            by=self.person,
            request_key="",
        )
        self.settled = self._invoice(status="published")
        at_bokio = {"invoice": self.settled, "date": clock.today(), "amount": Decimal(5)}
        self.paid = Payment.objects.create(account=1930, remote_id=str(uuid.uuid4()), **at_bokio)
        self.kept = Settlement.objects.create(
            type=Settlement.Type.BANK_FEE, remote_id=str(uuid.uuid4()), **at_bokio
        )
        self.lost = self._invoice(remote_id=str(uuid.uuid4()))
        self._stopped_for(self.lost, op="publish_invoice", code="not-found")
        self.doubted = self._invoice(remote_id=str(uuid.uuid4()))
        doubted = self._stopped_for(self.doubted, op="publish_invoice", code="total-differs")
        doubted.steps.filter(op="create_invoice").update(result={"total": "1.00"})
        self.unclear = self._stopped_for(self.published, op="create_invoice", code="ambiguous")
        self.moving: Flow = make.flow(self.company)
        self.private: Connection = make.connection(
            self.tenant, name=f"Private {self.secret} AB", kind=Kind.PRIVATE
        )
        make.flow(self.private, kind="read_private_token", ops=["read_company"])
        self.invitation, _link = invitations.invite(
            self.tenant, by=self.person, for_name=office, email="", chosen=()
        )
        self.colleagues, _link = colleagues.invite(
            self.tenant,
            by=self.person,
            email=f"new-{office}@example.com",
            role=Role.MEMBER,
            sees_all=False,
            companies=[self.company.pk],
            language="en",
        )
        self.finding: Finding = Finding.objects.create(
            tenant=self.tenant,
            connection=self.company,
            step=self.unclear.steps.get(pos=0),
            kind=Finding.Kind.SURPLUS,
            object_type="invoice",
            remote_id=str(uuid.uuid4()),
            seen={"customer": self.secret},
        )
        self.saved_view = SavedView.objects.create(
            tenant=self.tenant,
            member=self.person.memberships.get(),
            connection=self.company,
            name=f"View {self.secret}",
            query=f"q={self.secret}",
        )
        self.elsewhere = uuid.uuid4()  # an id at Bokio
        self.form_key, self.draft_key = uuid.uuid4(), uuid.uuid4()
        record(
            "invoice.saved",
            tenant=self.tenant.pk,
            subject="invoice",
            subject_id=self.draft.pk,
            actor=self.person,
            note=self.secret,
        )

    def crediting(self) -> dict[str, Any]:
        """The form that credits all of the published invoice."""
        quantities = {str(line.pk): line.quantity for line in self.published.lines.all()}
        seen = {"seen": self.published.total, "request_key": self.form_key, "action": "credit"}
        return {**seen, **quantities}

    def limited(self) -> User:
        """A member of the workspace who was given another company than these."""
        person = make.member(self.tenant)
        company_access.set_access(
            person.memberships.get(),
            sees_all=False,
            companies=[make.connection(self.tenant).pk],
            by=self.person,
        )
        return person

    def _invoice(self, **fields: Any) -> Invoice:
        line = {"description": f"Rådgivning {self.secret}"}
        return make.invoice(
            self.company,
            customer=self.customer,
            by=self.person,
            lines=[line],
            your_reference=f"Ref {self.secret}"[:50],
            **fields,
        )

    def _stopped_for(self, invoice: Invoice, *, op: str, code: str) -> Flow:
        """A run of the invoice that needs a person at the step `op`."""
        flow = make.flow(
            self.company,
            state=FlowState.STUCK,
            stuck_code=code,
            business_key=str(invoice.pk),
            resource_key=invoice.resource_key,
            holds_resource=True,
            created_by=self.person,
        )
        step = flow.steps.get(op=op)
        flow.steps.filter(pos__lt=step.pos).update(state=StepState.DONE, done_at=clock.now())
        unclear = {"state": StepState.UNKNOWN, "evidence": [{"name": self.secret}]}
        flow.steps.filter(pk=step.pk).update(
            error_code=code,
            payload={"name": self.secret},
            **(unclear if code == "ambiguous" else {}),
        )
        Flow.objects.filter(pk=flow.pk).update(cursor=step.pos)
        flow.refresh_from_db()
        return flow

    def _refusal(self, op: str, resource_key: str) -> Flow:
        """A run that Bokio has refused."""
        flow = make.flow(
            self.company,
            kind=op,
            ops=[op],
            state=FlowState.STUCK,
            stuck_code="invalid",
            resource_key=resource_key,
            holds_resource=bool(resource_key),
            created_by=self.person,
        )
        words = {"name": f"Kund {self.words[1]}", "description": f"Vara {self.secret}"}
        payload = {**words, "type": "salesItem", "unit_price": "1.00", "mark": ""}
        flow.steps.update(payload=payload, error_message=f"No {self.secret}")
        return flow

    def customer_form(self) -> dict[str, Any]:
        """The form of a customer, new or changed."""
        return {
            "request_key": self.form_key,
            "name": "Nytt AB",
            "type": "company",
            "country": "SE",
            "language": "sv",
        }

    def item_form(self) -> dict[str, Any]:
        """The form of an item, new or changed."""
        return {
            "request_key": self.form_key,
            "type": "salesItem",
            "description": "Timme",
            "product": "services",
            "unit": "hour",
            "unit_price": "900",
            "tax_rate": "25",
        }

    def editor(self, invoice: Invoice | None) -> dict[str, Any]:
        """The editor's form, for a draft or a new one."""
        return {
            "draft_id": invoice.pk if invoice else self.draft_key,
            "request_key": self.form_key,
            "version": invoice.version if invoice else 0,
            "customer": self.customer.pk,
            "customer_text": self.customer.name,
            "invoice_date": clock.today(),
            "terms": "30",
            "action": "save",
            "lines-0-type": "salesItem",
            "lines-0-product": "goods",
            "lines-0-unit": "hour",
            "lines-0-tax_rate": "25",
            "lines-0-description": "Timmar",
            "lines-0-quantity": "2",
            "lines-0-unit_price": "290",
        }

    def view_form(self) -> dict[str, Any]:
        """The form that saves a view of the list."""
        return {"name": "To call", "is_shared": "on", "request_key": self.form_key}

    def payment(self) -> dict[str, Any]:
        """The form that registers a payment of the published invoice."""
        return {
            "request_key": self.form_key,
            "amount": f"{Decimal(self.published.total) / 2:.2f}".replace(".", ","),
            "date": clock.today(),
            "account": "1930",
            "fee": "0",
        }

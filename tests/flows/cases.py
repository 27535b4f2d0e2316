"""Every operation that writes at Bokio, as a row: how it begins, what it leaves, who meddles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from bokio_app.bokio.addresses import Address
from bokio_app.bokio.bank_payments import BankPaymentDraft
from bokio_app.bokio.client import Bokio
from bokio_app.bokio.credit_notes import CreditNoteDraft
from bokio_app.bokio.customers import CustomerDraft
from bokio_app.bokio.files import OutgoingFile
from bokio_app.bokio.invoices import Invoice as RemoteInvoice
from bokio_app.bokio.invoices import InvoiceDraft
from bokio_app.bokio.items import ItemDraft
from bokio_app.bokio.journal_entries import JournalEntryDraft, JournalRow
from bokio_app.bokio.line_items import LineItem
from bokio_app.bokio.payees import BankgiroRecipient
from bokio_app.bokio.payments import PaymentDraft
from bokio_app.bokio.settlements import SettlementDraft
from bokio_app.connections import grants
from bokio_app.connections.models import Connection
from bokio_app.connections.remote import bokio_for
from bokio_app.core import clock
from bokio_app.flows import held
from bokio_app.flows import services as flows
from bokio_app.flows.models import Flow
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.credit import whole_draft
from bokio_app.invoicing.models import Invoice
from bokio_app.invoicing.payloads import customer_payload
from bokio_app.payments import services as payments
from bokio_app.tenants.models import User
from tests.support import bokio as support
from tests.support import make
from tests.support.sandbox import SandboxProcess

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


class World:
    """A connected company with its sandbox, and somebody who works in Bokio meanwhile."""

    def __init__(self, sandbox: SandboxProcess, connection: Connection, person: User) -> None:
        self.sandbox, self.connection, self.person = sandbox, connection, person
        self.made: dict[str, Any] = {}

    @property
    def api(self) -> Bokio:
        """Bokio as another user of the company's sees and changes it."""
        access = grants.access(self.connection)
        return bokio_for(self.connection, access=access, before_call=support.uncounted)

    @property
    def books(self) -> Any:
        return self.sandbox.books(str(self.connection.company_id))

    def draft(self) -> RemoteInvoice:
        """A draft of one line that is at Bokio, and none of ours."""
        address = Address("Storgatan 1", "111 22", "Stockholm")
        customer = self.api.customers.create(CustomerDraft(name="Kund AB", address=address))
        line = LineItem(description="Rådgivning", unit_price=Decimal("1000.00"))
        found = self.api.invoices.create(
            InvoiceDraft(customer_id=customer.id, invoice_date=clock.today(), line_items=(line,))
        )
        self.made["invoice"] = found.id
        return found

    def recorded(self) -> RemoteInvoice:
        found = self.draft()
        self.api.invoices.publish(found.id)
        return self.api.invoices.record(found.id)

    def copy_of(self, found: RemoteInvoice) -> Invoice:
        """Our row of an invoice that is at Bokio."""
        return make.invoice(self.connection, status="published", remote_id=str(found.id))

    def start(self, op: str, payload: dict[str, Any], **more: Any) -> Flow:
        flow, _started = flows.start(
            op,
            connection=self.connection,
            steps=[flows.NewStep(op, payload)],
            business_key=str(uuid4()),
            by=self.person,
            **more,
        )
        return flow

    def sent(self) -> Flow:
        invoice = support.guide_draft(self.connection, by=self.person)
        self.made["row"] = invoice
        flow, _started = invoicing.start_sending(invoice, by=self.person)
        return flow

    def paid(self) -> Flow:
        self.sent()
        support.work(self.connection)
        invoice = Invoice.objects.get(pk=self.made["row"].pk)
        self.made["invoice"] = UUID(invoice.remote_id)
        flow, _started = payments.register(
            invoice, support.guide_payment(), by=self.person, request_key=str(uuid4())
        )
        return flow


@dataclass(frozen=True)
class Case:
    """`call` is the sandbox's name of the write, `look` of the read before its first sending (if
    any), `proof` of the read that tells whether it took effect, and `compares` of another that
    follows when it did. `effects` counts what the books hold of it.

    `meddle` is what a person does in Bokio after the first attempt, which had its effect when
    `after_effect`; a proof then reads what `meddled` says. `beforehand` is the story (see
    `tests.inprocess.axis`) of a step that meets what `meddle` did before it was sent at all.
    `removes` takes away in Bokio what the step works on.
    """

    op: str
    call: str
    proof: str
    begin: Callable[[World], Flow]
    effects: Callable[[World], int]
    meddle: Callable[[World], object]
    look: str = ""
    compares: str = ""
    after_effect: bool = False
    meddled: str = "found"
    beforehand: str = ""
    removes: Callable[[World], object] | None = None

    @property
    def ends(self) -> str:
        """Where the flow comes to rest after `meddle`."""
        return "stuck" if self.meddled == "ambiguous" else "done"


def line(**fields: Any) -> dict[str, Any]:
    values = {
        "description": "Resa",
        "type": "salesItem",
        "product": "services",
        "quantity": "2",
        "unit": "hour",
        "unit_price": "150.00",
        "tax_rate": "25",
        "account": None,
    }
    return values | fields


def count(kind: str) -> Callable[[World], int]:
    return lambda world: len(world.books[kind])


def recorded(kind: str) -> Callable[[World], int]:
    return lambda world: sum(bool(each["journalEntryRef"]) for each in world.books[kind])


# Customers and invoices


def rename_customer(world: World) -> None:
    [found] = world.api.customers.find()
    world.api.customers.update(found.id, CustomerDraft(name="Nytt namn", org_number="556016-0680"))


def change_invoice(world: World) -> None:
    [found] = world.api.invoices.find()
    draft = InvoiceDraft.from_invoice(found)
    other = LineItem(description="Annat", unit_price=Decimal(7))
    changed = {**vars(draft), "line_items": (*draft.line_items, other)}
    world.api.invoices.update(found.id, InvoiceDraft(**changed))


def act(action: str) -> Callable[[World], object]:
    def acted(world: World) -> None:
        [found] = world.books["invoices"]
        company = str(world.connection.company_id)
        world.sandbox.act_on_invoice(company, found["id"], action)

    return acted


def add_line(world: World) -> Flow:
    payload = {"remote_invoice": str(world.draft().id), "line": line()}
    return world.start("add_line_item", payload)


def update_draft(world: World) -> Flow:
    found = world.draft()
    payload = {
        "remote_invoice": str(found.id),
        "remote_customer": str(found.customer_id),
        "invoice_date": str(found.invoice_date),
        "due_date": None,
        "currency": "SEK",
        "your_reference": "Anna",
        "lines": [line(description="Ny rad")],
        "metadata": {"externalId": "A1"},
        "invoice": None,
    }
    return world.start("update_draft", payload)


def draft_is_as_wanted(world: World) -> int:
    found = world.api.invoices.get(world.made["invoice"])
    return int(
        [each.description for each in found.line_items] == ["Ny rad"]
        and found.buyer_reference == "Anna"
        and found.metadata == {"externalId": "A1"}
    )


def delete_draft(world: World) -> Flow:
    payload = {"remote_invoice": str(world.draft().id), "invoice": None}
    return world.start("delete_draft", payload)


def update_customer(world: World) -> Flow:
    found = world.api.customers.create(CustomerDraft(name="Kund AB"))
    row = make.customer(world.connection, name="Nya Kund AB", org_number="556016-0680")
    world.made["customer"] = found.id
    payload = {"remote_customer": str(found.id), **customer_payload(row)}
    return world.start("update_customer", payload)


def customer_is_as_wanted(world: World) -> int:
    found = world.api.customers.get(world.made["customer"])
    return int((found.name, found.org_number) == ("Nya Kund AB", "556016-0680"))


def delete_customer(world: World) -> Flow:
    found = world.api.customers.create(CustomerDraft(name="Kund AB"))
    world.made["customer"] = found.id
    return world.start("delete_customer", {"remote_customer": str(found.id)})


def customers(world: World) -> int:
    return len(list(world.api.customers.find()))


def update_credit_note(world: World) -> Flow:
    note = world.api.invoices.credit(world.recorded().id)
    world.made["note"] = note.id
    [row] = note.line_items
    kept = line(id=row.id, description=row.description, quantity="0.5", unit_price="1000.00")
    payload = {
        "credit_note": str(note.id),
        "credit_date": str(clock.today()),
        "due_date": str(clock.today()),
        "currency": "SEK",
        "your_reference": "",
        "lines": [kept | {"unit": "unspecified"}],
        "metadata": dict(note.metadata),
    }
    return world.start("update_credit_note", payload)


def credit_part(world: World) -> Flow:
    note = world.api.invoices.credit(world.recorded().id)
    world.made["note"] = note.id
    [row] = note.line_items
    part = {"description": row.description, "unit_price": "1000.00", "tax_rate": 25}
    payload = {
        "remote_id": str(note.id),
        "draft": whole_draft(note),
        "lines": [part | {"quantity": "0.5"}],
        "total": "625.00",
    }
    return world.start("credit_part", payload)


def delete_drafted_note(world: World) -> Flow:
    return world.start("delete_credit_note", {"remote_id": drafted_note(world)})


def drafted_note(world: World) -> str:
    world.made["note"] = world.api.invoices.credit(world.recorded().id).id
    return str(world.made["note"])


def credit(world: World) -> Flow:
    return world.start("credit_invoice", {"remote_invoice": str(world.recorded().id)})


def publish_note(world: World) -> Flow:
    return world.start("publish_credit_note", {"remote_id": drafted_note(world)})


def record_note(world: World) -> Flow:
    note = drafted_note(world)
    world.api.credit_notes.publish(UUID(note))
    return world.start("record_credit_note", {"remote_id": note, "cash": False})


def change_note(world: World) -> None:
    found = world.api.credit_notes.get(world.made["note"])
    draft = CreditNoteDraft.from_credit_note(found)
    changed = {**vars(draft), "buyer_reference": "Någon annan"}
    world.api.credit_notes.update(found.id, CreditNoteDraft(**changed))


def delete_note(world: World) -> None:
    world.api.credit_notes.delete(world.made["note"])


# Files


def attach(world: World) -> Flow:
    file = held.hold(PDF, name="avtal.pdf", tenant_id=world.connection.tenant_id)
    return world.start("attach_to_invoice", {"remote_invoice": str(world.draft().id), **file})


def remove_attachments(world: World) -> None:
    for each in world.api.attachments.list(world.made["invoice"]):
        world.api.attachments.delete(world.made["invoice"], each.id)


def attachments(world: World) -> int:
    return len(world.api.attachments.list(world.made["invoice"]))


def delete_attachment(world: World) -> Flow:
    invoice = world.draft()
    found = world.api.attachments.create(invoice.id, OutgoingFile("bild.pdf", PDF))
    payload = {"remote_invoice": str(invoice.id), "attachment": str(found.id)}
    return world.start("delete_attachment", payload)


def upload(world: World) -> Flow:
    file = held.hold(PDF, name="kvitto.pdf", tenant_id=world.connection.tenant_id)
    payload = {**file, "description": "Kvitto", "media_type": "application/pdf", "entry": ""}
    return world.start("upload_voucher", payload)


# Items


def item() -> ItemDraft:
    return ItemDraft(description="Timme", unit_type="hour", unit_price=Decimal("950.00"))


def item_payload(**fields: Any) -> dict[str, Any]:
    return line(description="Timme", unit_price="950.00") | fields


def change_item(world: World) -> None:
    changed = ItemDraft(description="Timme", unit_price=Decimal(1))
    world.api.items.update(world.made["item"], changed)


def on_item(op: str, **fields: Any) -> Callable[[World], Flow]:
    def begun(world: World) -> Flow:
        world.made["item"] = world.api.items.create(item()).id
        return world.start(op, item_payload(item=str(world.made["item"]), **fields))

    return begun


def items(world: World) -> int:
    return len(list(world.api.items.find()))


def item_is_as_wanted(world: World) -> int:
    return int(world.api.items.get(world.made["item"]).unit_price == Decimal("1050.00"))


# Books


def write_entry(world: World) -> Flow:
    rows = [
        {"account": 1930, "debit": "100.00", "credit": "0.00"},
        {"account": 6570, "debit": "0.00", "credit": "100.00"},
    ]
    payload = {"title": "Insättning", "date": str(clock.today()), "rows": rows}
    return world.start("write_journal_entry", payload)


def reverse_found_entry(world: World) -> None:
    [found] = world.api.journal_entries.find()
    world.api.journal_entries.reverse(found.id)


def reverse_entry(world: World) -> Flow:
    rows = (JournalRow(1930, debit=Decimal(100)), JournalRow(6570, credit=Decimal(100)))
    draft = JournalEntryDraft(title="Insättning", date=clock.today(), items=rows)
    entry = world.api.journal_entries.create(draft)
    world.made["entry"] = entry.id
    return world.start("reverse_journal_entry", {"entry": str(entry.id)})


def entries_written(world: World) -> int:
    return sum("Insättning ref " in each["title"] for each in world.books["journalEntries"])


def reversals(world: World) -> int:
    return sum(bool(each["reversingJournalEntryId"]) for each in world.books["journalEntries"])


# Payments


def equal_payment(world: World) -> None:
    draft = PaymentDraft(date=clock.today(), amount=Decimal("64609.50"), account=1940)
    world.api.payments.create(world.made["invoice"], draft)


def equal_settlement(world: World) -> None:
    draft = SettlementDraft(type="bankFee", date=clock.today(), amount=Decimal("15.50"))
    world.api.settlements.create(world.made["invoice"], draft)


def record_payment(world: World) -> None:
    [found] = world.api.payments.list(world.made["invoice"])
    world.api.payments.record(world.made["invoice"], found.id)


def record_settlement(world: World) -> None:
    [found] = world.api.settlements.list(world.made["invoice"])
    world.api.settlements.record(world.made["invoice"], found.id)


def delete_payment(world: World) -> Flow:
    invoice = world.recorded()
    draft = PaymentDraft(date=clock.today(), amount=Decimal(50), account=1930)
    found = world.api.payments.create(invoice.id, draft)
    row = world.copy_of(invoice)
    payload = {
        "invoice": str(row.pk),
        "remote_invoice": str(invoice.id),
        "remote_payment": str(found.id),
    }
    return world.start("delete_payment", payload, resource_key=row.resource_key)


def delete_settlement(world: World) -> Flow:
    invoice = world.recorded()
    draft = SettlementDraft(type="bankFee", date=clock.today(), amount=Decimal(5))
    found = world.api.settlements.create(invoice.id, draft)
    row = world.copy_of(invoice)
    payload = {
        "invoice": str(row.pk),
        "remote_invoice": str(invoice.id),
        "remote_settlement": str(found.id),
    }
    return world.start("delete_settlement", payload, resource_key=row.resource_key)


def take_payments_back(world: World) -> None:
    for payment in world.api.payments.list(world.made["invoice"]):
        world.api.payments.delete(world.made["invoice"], payment.id)


def take_all_back(world: World) -> None:
    take_payments_back(world)
    for settlement in world.api.settlements.list(world.made["invoice"]):
        world.api.settlements.delete(world.made["invoice"], settlement.id)


def recipient() -> BankgiroRecipient:
    return BankgiroRecipient(name="Leverantören AB", number="5555-5551", message="Faktura 7")


def bank_payment(world: World) -> Flow:
    payload = {
        "amount": "1250.00",
        "date": str(clock.today() + timedelta(days=3)),
        "note": "Hyra",
        "recipient": {
            "kind": "bankgiro",
            "name": "Leverantören AB",
            "number": "5555-5551",
            "message": "Faktura 7",
        },
    }
    return world.start("prepare_bank_payment", payload)


def equal_bank_payment(world: World) -> None:
    day = clock.today() + timedelta(days=3)
    draft = BankPaymentDraft(amount=Decimal(1250), date=day, recipient=recipient(), note="Hyra")
    world.api.bank_payments.create(draft)


def bank_payments(world: World) -> int:
    return sum("Hyra ref " in each.note for each in world.api.bank_payments.find())


def gone(counted: Callable[[World], int]) -> Callable[[World], int]:
    return lambda world: int(counted(world) == 0)


CASES = (
    Case(
        op="ensure_customer",
        call="post-customer",
        look="get-customer",
        proof="get-customer",
        begin=World.sent,
        effects=count("customers"),
        meddle=rename_customer,
        meddled="ambiguous",
        after_effect=True,
    ),
    Case(
        op="create_invoice",
        call="post-invoice",
        proof="get-invoice",
        begin=World.sent,
        effects=count("invoices"),
        meddle=change_invoice,
        meddled="ambiguous",
        after_effect=True,
    ),
    Case(
        op="publish_invoice",
        call="post-invoices-invoiceId-publish",
        proof="get-invoices-invoiceId",
        begin=World.sent,
        effects=lambda world: sum(bool(each["invoiceNumber"]) for each in world.books["invoices"]),
        meddle=act("publish"),
        beforehand="doubted found rest",
        removes=act("delete"),
    ),
    Case(
        op="record_invoice",
        call="record-invoice-with-id",
        proof="get-invoices-invoiceId",
        begin=World.sent,
        effects=count("journalEntries"),
        meddle=act("record"),
        beforehand="doubted found rest",
    ),
    Case(
        op="create_settlement",
        call="post-invoice-settlement",
        look="get-invoice-settlements",
        proof="get-invoice-settlements",
        begin=World.paid,
        effects=count("settlements"),
        meddle=equal_settlement,
    ),
    Case(
        op="record_settlement",
        call="record-invoice-settlement-with-id",
        proof="get-invoice-settlement",
        begin=World.paid,
        effects=recorded("settlements"),
        meddle=record_settlement,
        beforehand="doubted found rest",
        removes=take_all_back,
    ),
    Case(
        op="create_payment",
        call="post-invoice-payment",
        look="get-invoice-payments",
        proof="get-invoice-payments",
        begin=World.paid,
        effects=count("payments"),
        meddle=equal_payment,
    ),
    Case(
        op="record_payment",
        call="record-invoice-payment-with-id",
        proof="get-invoice-payment",
        begin=World.paid,
        effects=recorded("payments"),
        meddle=record_payment,
        beforehand="doubted found rest",
        removes=take_payments_back,
    ),
    Case(
        op="add_line_item",
        call="post-invoice-lineItem",
        look="get-invoices-invoiceId",
        proof="get-invoices-invoiceId",
        begin=add_line,
        effects=lambda world: len(world.api.invoices.get(world.made["invoice"]).line_items) - 1,
        meddle=change_invoice,
        meddled="ambiguous",
        removes=act("delete"),
    ),
    Case(
        op="update_draft",
        call="put-invoice",
        look="get-invoices-invoiceId",
        proof="get-invoices-invoiceId",
        begin=update_draft,
        effects=draft_is_as_wanted,
        meddle=change_invoice,
        meddled="ambiguous",
        beforehand="looks answered rest",
        removes=act("delete"),
    ),
    Case(
        op="delete_draft",
        call="delete-invoice-with-id",
        proof="get-invoices-invoiceId",
        begin=delete_draft,
        effects=gone(count("invoices")),
        meddle=act("delete"),
        beforehand="answered rest",
    ),
    Case(
        op="credit_invoice",
        call="post-invoices-invoiceId-credit",
        look="get-invoices-invoiceId",
        proof="get-invoices-invoiceId",
        compares="get-credit-note-v1",
        begin=credit,
        effects=count("creditNotes"),
        meddle=lambda world: world.api.invoices.credit(world.made["invoice"]),
    ),
    Case(
        op="publish_credit_note",
        call="publish-credit-note-v1",
        proof="get-credit-note-v1",
        begin=publish_note,
        effects=lambda world: sum(
            bool(each["invoiceNumber"]) for each in world.books["creditNotes"]
        ),
        meddle=lambda world: world.api.credit_notes.publish(world.made["note"]),
        beforehand="doubted found rest",
        removes=delete_note,
    ),
    Case(
        op="record_credit_note",
        call="record-credit-note-with-id",
        proof="get-credit-note-v1",
        begin=record_note,
        effects=recorded("creditNotes"),
        meddle=lambda world: world.api.credit_notes.record(world.made["note"]),
        beforehand="doubted found rest",
    ),
    Case(
        op="update_credit_note",
        call="update-credit-note-v1",
        look="get-credit-note-v1",
        proof="get-credit-note-v1",
        begin=update_credit_note,
        effects=lambda world: int(
            world.api.credit_notes.get(world.made["note"]).total == Decimal(625)
        ),
        meddle=change_note,
        meddled="ambiguous",
        beforehand="looks answered rest",
        removes=delete_note,
    ),
    Case(
        op="credit_part",
        call="update-credit-note-v1",
        look="get-credit-note-v1",
        proof="get-credit-note-v1",
        begin=credit_part,
        effects=lambda world: int(
            world.api.credit_notes.get(world.made["note"]).total == Decimal(625)
        ),
        meddle=change_note,
        meddled="ambiguous",
        beforehand="looks answered rest",
        removes=delete_note,
    ),
    Case(
        op="delete_credit_note",
        call="delete-credit-note-with-id",
        proof="get-credit-note-v1",
        begin=delete_drafted_note,
        effects=gone(count("creditNotes")),
        meddle=delete_note,
        beforehand="answered rest",
    ),
    Case(
        op="update_customer",
        call="put-customer",
        look="get-customers-customerId",
        proof="get-customers-customerId",
        begin=update_customer,
        effects=customer_is_as_wanted,
        meddle=rename_customer,
        meddled="ambiguous",
        beforehand="looks answered rest",
        removes=lambda world: world.api.customers.delete(world.made["customer"]),
    ),
    Case(
        op="delete_customer",
        call="delete-customer",
        proof="get-customers-customerId",
        begin=delete_customer,
        effects=gone(customers),
        meddle=lambda world: world.api.customers.delete(world.made["customer"]),
        beforehand="answered rest",
    ),
    Case(
        op="attach_to_invoice",
        call="post-invoice-attachment",
        proof="get-invoice-attachments",
        begin=attach,
        effects=attachments,
        meddle=remove_attachments,
        after_effect=True,
        meddled="absent",
        removes=act("delete"),
    ),
    Case(
        op="delete_attachment",
        call="delete-invoice-attachment",
        proof="get-invoice-attachment",
        begin=delete_attachment,
        effects=gone(attachments),
        meddle=remove_attachments,
        beforehand="answered rest",
    ),
    Case(
        op="upload_voucher",
        call="add-upload",
        proof="get-uploads",
        begin=upload,
        effects=lambda world: sum(
            "Kvitto ref " in each.description for each in world.api.uploads.find()
        ),
        meddle=lambda world: world.api.uploads.create(
            OutgoingFile("annat.pdf", PDF), description="Kvitto"
        ),
        meddled="absent",
        beforehand="answered rest",
    ),
    Case(
        op="create_item",
        call="post-item",
        look="get-items",
        proof="get-items",
        begin=lambda world: world.start("create_item", item_payload()),
        effects=items,
        meddle=lambda world: world.api.items.create(item()),
    ),
    Case(
        op="update_item",
        call="put-item",
        look="get-items-itemId",
        proof="get-items-itemId",
        begin=on_item("update_item", unit_price="1050.00"),
        effects=item_is_as_wanted,
        meddle=change_item,
        meddled="ambiguous",
        beforehand="looks answered rest",
        removes=lambda world: world.api.items.delete(world.made["item"]),
    ),
    Case(
        op="delete_item",
        call="delete-item",
        proof="get-items-itemId",
        begin=on_item("delete_item"),
        effects=gone(items),
        meddle=lambda world: world.api.items.delete(world.made["item"]),
        beforehand="answered rest",
    ),
    Case(
        op="write_journal_entry",
        call="post-journalentry",
        proof="get-journalentry",
        begin=write_entry,
        effects=entries_written,
        meddle=reverse_found_entry,
        after_effect=True,
    ),
    Case(
        op="reverse_journal_entry",
        call="reverse-journalentry",
        proof="get-journalentries-journalId",
        begin=reverse_entry,
        effects=reversals,
        meddle=lambda world: world.api.journal_entries.reverse(world.made["entry"]),
        beforehand="doubted found rest",
    ),
    Case(
        op="delete_payment",
        call="delete-invoice-payment",
        look="get-invoice-payment",
        proof="get-invoice-payment",
        begin=delete_payment,
        effects=gone(count("payments")),
        meddle=take_all_back,
        beforehand="found rest",
    ),
    Case(
        op="delete_settlement",
        call="delete-invoice-settlement",
        look="get-invoice-settlement",
        proof="get-invoice-settlement",
        begin=delete_settlement,
        effects=gone(count("settlements")),
        meddle=take_all_back,
        beforehand="found rest",
    ),
    Case(
        op="prepare_bank_payment",
        call="post-bank-payment",
        proof="get-bank-payments-limited",
        begin=bank_payment,
        effects=bank_payments,
        meddle=equal_bank_payment,
        meddled="absent",
        beforehand="answered rest",
    ),
)

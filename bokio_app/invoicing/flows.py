"""The steps that send an invoice: create draft, publish, record. The first is in `customers`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from bokio_app.bokio.addresses import Address
from bokio_app.bokio.client import Bokio
from bokio_app.bokio.errors import Unsendable
from bokio_app.bokio.filters import F
from bokio_app.bokio.invoices import Invoice as RemoteInvoice
from bokio_app.bokio.invoices import InvoiceDraft, InvoiceStatus
from bokio_app.bokio.line_items import LineItem as RemoteLine
from bokio_app.core.clock import now
from bokio_app.flows.epochs import may_be_lost
from bokio_app.flows.operations import (
    ALREADY_RECORDED,
    Absent,
    Change,
    Done,
    Operation,
    Proof,
    StepContext,
    entry_of,
    equal_or_unclear,
    exactly_one,
    register,
    register_kind,
)
from bokio_app.flows.rows import run, table

from .bokios_total import require_agreement
from .currencies import rate_kept
from .customers import EnsureCustomer
from .drafts import remote_line, remote_reduction, same_reduction
from .models import Customer, Invoice
from .services import SEND_INVOICE

register_kind(SEND_INVOICE, _("Publish and record"))

OP_KEY = "op_key"
FOUND_BEFORE = "found_before"  # in the result of a draft that a lost flow had made
EXTERNAL_ID = "externalId"  # whoever ordered the invoice finds it in Bokio by this
ROUNDING = Decimal(1)  # a company may have its totals rounded to whole kronor


@register
class CreateInvoice(Operation):
    """Create the draft with all its lines, marked with the step's own key."""

    name = "create_invoice"
    scopes = ("invoices:read", "invoices:write")
    label = _("Draft in Bokio")
    object_type = "invoice"
    looks_first = True
    by_filter = True

    def known_before(self, ctx: StepContext) -> list[str] | None:
        """Only an order that a restore may have lost can be there under its own reference."""
        ordered = ctx.payload.get("external_id")
        return None if ordered and may_be_lost(ctx.flow) else []

    def before(self, ctx: StepContext, bokio: Bokio) -> Done | list[str]:
        found = bokio.invoices.find(F(f"metadata.{EXTERNAL_ID}") == ctx.payload["external_id"])
        theirs = [each for each in found if each.status != InvoiceStatus.CREDIT]
        equal = [each for each in theirs if isinstance(_compared(ctx, each), Done)]
        if not equal:
            return [str(each.id) for each in theirs]
        done = _invoice_done(equal[0])
        return Done(done.result | {FOUND_BEFORE: True}, remote_id=done.remote_id)

    def address(self, ctx: StepContext) -> str:
        return "POST invoices"

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        customer = _customer_of_unchanged(ctx)
        return _invoice_done(bokio.invoices.create(_invoice_draft(ctx, customer)))

    def prove(self, ctx: StepContext, bokio: Bokio) -> Proof:
        found = bokio.invoices.find(F(f"metadata.{OP_KEY}") == ctx.step.op_key)
        # A credit note carries the metadata of its invoice, and is listed beside it.
        marked = [each for each in found if each.status != InvoiceStatus.CREDIT]
        proof = exactly_one(map(_invoice_done, marked), what=str(_("invoice")))
        return _compared(ctx, marked[0]) if isinstance(proof, Done) else proof

    def fetch(self, ctx: StepContext, bokio: Bokio, remote_id: UUID) -> Proof:
        return _compared(ctx, bokio.invoices.get(remote_id))

    def changes(self, ctx: StepContext, done: Done) -> list[Change]:
        return [Change(Invoice, ctx.payload["invoice"], {"remote_id": done.remote_id})]


@register
class PublishInvoice(Operation):
    """Have Bokio give the invoice its number and OCR reference."""

    name = "publish_invoice"
    scopes = ("invoices:read", "invoices:write")
    label = _("Published")
    looks_first = True

    def known_before(self, ctx: StepContext) -> list[str] | None:
        """Only what a lost flow had made can be published already."""
        return None if ctx.results.get(CreateInvoice.name, {}).get(FOUND_BEFORE) else []

    def before(self, ctx: StepContext, bokio: Bokio) -> Done | list[str]:
        proof = self.prove(ctx, bokio)
        return proof if isinstance(proof, Done) else []

    def address(self, ctx: StepContext) -> str:
        return f"POST invoices/{_remote_id(ctx)}/publish"

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        require_agreement(ctx)
        return _published(bokio.invoices.publish(_remote_id(ctx)))

    def prove(self, ctx: StepContext, bokio: Bokio) -> Proof:
        invoice = bokio.invoices.get(_remote_id(ctx))
        return _published(invoice) if invoice.status != "draft" and invoice.number else Absent()

    def changes(self, ctx: StepContext, done: Done) -> list[Change]:
        found: RemoteInvoice = done.read
        published = {
            "number": found.number or "",
            "ocr": found.ocr or "",
            "status": found.status,
            "published_at": found.published_at or now(),
            "currency_rate": rate_kept(found.currency[:3], found.currency_rate),
            "total": found.total,
            "tax": found.total_tax,
            "net": found.total - found.total_tax,
            "open_amount": found.total - found.paid,
            "journal_entry_id": str(found.journal_entry_id or ""),
        }
        return [Change(Invoice, ctx.payload["invoice"], published)]


@register
class RecordInvoice(Operation):
    """Have Bokio write the invoice's journal entry."""

    name = "record_invoice"
    scopes = ("invoices:read", "invoices:write")
    label = _("Recorded")

    def skip(self, ctx: StepContext) -> str:
        if ctx.payload["cash"]:
            return "cash_method"
        # A company may have its invoices recorded as they are published; Bokio has just said so.
        published = ctx.results.get(PublishInvoice.name, {})
        return ALREADY_RECORDED if published.get("journal_entry_id") else ""

    def address(self, ctx: StepContext) -> str:
        return f"POST invoices/{_remote_id(ctx)}/record"

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        return _recorded(bokio.invoices.record(_remote_id(ctx)))

    def prove(self, ctx: StepContext, bokio: Bokio) -> Proof:
        invoice = bokio.invoices.get(_remote_id(ctx))
        return _recorded(invoice) if invoice.journal_entry_id else Absent()

    def changes(self, ctx: StepContext, done: Done) -> list[Change]:
        entry_id, status = done.result["journal_entry_id"], done.read.status
        recorded = {"journal_entry_id": entry_id, "status": status}
        return [Change(Invoice, ctx.payload["invoice"], recorded)]


def invoice_of(ctx: StepContext) -> UUID:
    """The invoice that this flow made, else the one that the step was started for."""
    made = ctx.results.get(CreateInvoice.name, {}).get("remote_id")
    return UUID(made or ctx.payload["remote_invoice"])


def nothing_before(ctx: StepContext) -> list[str] | None:
    """What an invoice held before this flow, if this flow made it: nothing, known without a call.
    What the flow itself has added since is bound to its steps.
    """
    made = ctx.results.get(CreateInvoice.name)
    return None if made is None or made.get(FOUND_BEFORE) else []


def _compared(ctx: StepContext, found: RemoteInvoice) -> Proof:
    equal = found.status != InvoiceStatus.CREDIT and _same_invoice(
        found, _invoice_draft(ctx), total=Decimal(ctx.payload["total"])
    )
    why = str(_("The draft in Bokio differs from ours."))
    return equal_or_unclear(_invoice_done(found), equal=equal, why=why)


_UNCHANGED = f"""
SELECT customer.remote_id FROM {table(Invoice)} AS invoice
JOIN {table(Customer)} AS customer ON customer.id = invoice.customer_id
WHERE invoice.id = %s AND invoice.version = %s
"""  # noqa: S608  only our own names stand in it


def _customer_of_unchanged(ctx: StepContext) -> str:
    """Bokio's id of the draft's customer, if it is known.

    A draft that was saved after it was sent off must be sent off again, by a person.
    """
    found = run(_UNCHANGED, of=Invoice, pk=ctx.payload["invoice"], more=[ctx.payload["version"]])
    if not found:
        raise Unsendable("The draft was changed after it was sent off.", code="draft-changed")
    return str(found[0][0])


def _remote_id(ctx: StepContext) -> UUID:
    return UUID(ctx.result("create_invoice", "remote_id"))


def _invoice_draft(ctx: StepContext, known_customer: str = "") -> InvoiceDraft:
    """What the step sends. `known_customer` is Bokio's id of the draft's customer, if it has just
    been read.
    """
    payload = ctx.payload
    due, more = payload["due_date"], payload.get("more", {})
    marks = {OP_KEY: str(ctx.step.op_key), "invoice": payload["invoice"]}
    if reference := payload.get("external_id"):
        marks[EXTERNAL_ID] = reference
    address = more.get("delivery_address")
    return InvoiceDraft(
        customer_id=_remote_customer(ctx, known_customer),
        invoice_date=date.fromisoformat(payload["invoice_date"]),
        due_date=date.fromisoformat(due) if due else None,
        currency=payload["currency"],
        buyer_reference=payload["your_reference"],
        line_items=tuple(map(remote_line, payload["lines"])),
        metadata={**more.get("metadata", {}), **marks},
        currency_rate=Decimal(more.get("currency_rate", 1)),
        order_number=more.get("order_number", ""),
        project=more.get("project", ""),
        contract=more.get("contract", ""),
        delivery_address=Address(**address) if address else None,
        total_rounding=more.get("total_rounding"),
        tax_reduction=remote_reduction(ctx),
    )


def _remote_customer(ctx: StepContext, known: str) -> UUID:
    """The customer that an earlier step made or found; our own row's when it was known before."""
    if found := ctx.results.get(EnsureCustomer.name, {}).get("remote_id"):
        return UUID(found)
    step = next((each for each in ctx.steps if each.op == EnsureCustomer.name), None)
    if known and step is None:
        return UUID(known)
    # Without such a step the customer was known at the start; a correction can have changed that.
    whose = {"pk": step.payload["customer"]} if step else {"invoice": ctx.payload["invoice"]}
    customers = Customer.objects.filter(**whose)
    if remote_id := customers.values_list("remote_id", flat=True).first():
        return UUID(remote_id)
    raise Unsendable("The customer is not in Bokio yet.", code="customer-unknown")


def _same_invoice(found: RemoteInvoice, wanted: InvoiceDraft, *, total: Decimal) -> bool:
    def facts(lines: Iterable[RemoteLine]) -> list[tuple[object, ...]]:
        return [
            (each.description, each.quantity, each.unit_price, each.tax_rate, each.account)
            for each in lines
        ]

    return (
        found.customer_id == wanted.customer_id
        and found.currency == wanted.currency
        and abs(found.total - total) <= ROUNDING
        and facts(found.line_items) == facts(wanted.line_items)
        and same_reduction(found.tax_reduction, wanted.tax_reduction)
    )


def _invoice_done(invoice: RemoteInvoice) -> Done:
    found = {"remote_id": str(invoice.id), "total": invoice.total, "status": invoice.status}
    return Done(found, remote_id=str(invoice.id))


def _published(invoice: RemoteInvoice) -> Done:
    found = {"number": invoice.number, "ocr": invoice.ocr, "status": invoice.status}
    return Done(found | entry_of(invoice.journal_entry_id), read=invoice)


def _recorded(invoice: RemoteInvoice) -> Done:
    return Done({"journal_entry_id": str(invoice.journal_entry_id or "")}, read=invoice)

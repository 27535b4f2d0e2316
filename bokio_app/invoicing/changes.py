"""The steps that change what Bokio has: a draft and its lines, a credit note, a customer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db.models import F as Column
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.credit_notes import CreditNote, CreditNoteDraft
from bokio_app.bokio.customers import Customer as RemoteCustomer
from bokio_app.bokio.customers import CustomerDraft
from bokio_app.bokio.invoices import Invoice as RemoteInvoice
from bokio_app.bokio.invoices import InvoiceDraft
from bokio_app.bokio.line_items import LineItem as RemoteLine
from bokio_app.core import clock
from bokio_app.flows.operations import (
    Absent,
    Ambiguous,
    Done,
    Operation,
    Proof,
    StepContext,
    register,
    register_kind,
)
from bokio_app.flows.patterns import Delete, Json, Replace, remote, within

from .drafts import customer_draft, remote_line
from .models import Customer, Invoice
from .sync.customers import values_of

REFERENCES = frozenset(
    {
        "buyerReference",
        "contractReference",
        "deliveryAddress",
        "metadata",
        "orderNumberReference",
        "projectReference",
    }
)


@register
class AddLineItem(Operation):
    """Add a line to a draft. Payload: `remote_invoice`, `line` as `create_invoice` has its lines.

    Slower to prove than a draft that is created or updated with all its lines at once. The ids
    of the lines that are there are noted before.
    """

    name = "add_line_item"
    scopes = ("invoices:read", "invoices:write")
    label = gettext_lazy("Line added")
    looks_first = True

    def before(self, ctx: StepContext, bokio: Bokio) -> Done | list[str]:
        lines = bokio.invoices.get(remote(ctx, "remote_invoice")).line_items
        return [str(each.id) for each in lines]

    def address(self, ctx: StepContext) -> str:
        return f"POST invoices/{ctx.payload['remote_invoice']}/line-items"

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        line = remote_line(ctx.payload["line"])
        return _line_done(bokio.invoices.add_line(remote(ctx, "remote_invoice"), line))

    def prove(self, ctx: StepContext, bokio: Bokio) -> Proof:
        before = set(ctx.step.baseline or [])
        lines = bokio.invoices.get(remote(ctx, "remote_invoice")).line_items
        new = [each for each in lines if str(each.id) not in before]
        if not new:
            return Absent()
        wanted = remote_line(ctx.payload["line"]).to_json()
        if len(new) == 1 and lines[-1] is new[0] and within(wanted, new[0].to_json()):
            return _line_done(new[0])
        why = _("The draft has other new lines than ours.")
        return Ambiguous(why, [dict(_line_done(each).result) for each in new])

    def prove_anew(self, ctx: StepContext, bokio: Bokio) -> Proof:
        """Without the ids from before, a line like ours may be ours or an earlier one."""
        lines = bokio.invoices.get(remote(ctx, "remote_invoice")).line_items
        wanted = remote_line(ctx.payload["line"]).to_json()
        equal = [each for each in lines if within(wanted, each.to_json())]
        if not equal:
            return Absent()
        return Ambiguous(str(_("line item")), [dict(_line_done(each).result) for each in equal])


@register
class UpdateDraft(Replace[RemoteInvoice]):
    """Give a draft other content, as a whole. Payload: `remote_invoice`, `seen` (or none),
    `remote_customer`, `invoice_date`, `due_date`, `currency`, `your_reference`, `lines` (as
    `create_invoice` has them, those that stay with their `id`), `metadata` (all of it: Bokio
    forgets what is not sent again), and `invoice`, our own row, or none.
    """

    name = "update_draft"
    scopes = ("invoices:read", "invoices:write")
    label = gettext_lazy("Draft changed")
    clearable = REFERENCES

    def read(self, ctx: StepContext, bokio: Bokio) -> RemoteInvoice:
        return bokio.invoices.get(remote(ctx, "remote_invoice"))

    def address(self, ctx: StepContext) -> str:
        return f"PUT invoices/{ctx.payload['remote_invoice']}"

    def put(self, ctx: StepContext, bokio: Bokio) -> RemoteInvoice:
        return bokio.invoices.update(remote(ctx, "remote_invoice"), _draft(ctx))

    def wanted(self, ctx: StepContext) -> Json:
        return _draft(ctx).to_json() | {"status": "draft"}

    def held(self, found: RemoteInvoice) -> Json:
        return InvoiceDraft.from_invoice(found).to_json() | {"status": found.status}

    def done(self, found: RemoteInvoice) -> Done:
        result = {"total": found.total, "status": found.status, "lines": _told(found.line_items)}
        return Done(result, read=found)

    def apply(self, ctx: StepContext, done: Done) -> None:
        if not ctx.payload.get("invoice"):
            return
        found: RemoteInvoice = done.read
        Invoice.objects.filter(pk=ctx.payload["invoice"]).update(
            total=found.total,
            tax=found.total_tax,
            net=found.total - found.total_tax,
            open_amount=found.total - found.paid,
        )


@register
class DeleteDraft(Delete):
    """Delete a draft at Bokio; our own row, if any, becomes a draft of ours again.

    Payload: `remote_invoice`, and `invoice`, our own row, or none. A published invoice can only
    be credited: Bokio refuses, and a person sees it.
    """

    name = "delete_draft"
    scopes = ("invoices:read", "invoices:write")
    label = gettext_lazy("Draft deleted in Bokio")

    def read(self, ctx: StepContext, bokio: Bokio) -> object:
        return bokio.invoices.get(remote(ctx, "remote_invoice"))

    def address(self, ctx: StepContext) -> str:
        return f"DELETE invoices/{ctx.payload['remote_invoice']}"

    def remove(self, ctx: StepContext, bokio: Bokio) -> None:
        bokio.invoices.delete(remote(ctx, "remote_invoice"))

    def apply(self, ctx: StepContext, done: Done) -> None:
        if not ctx.payload.get("invoice"):
            return
        Invoice.objects.filter(
            pk=ctx.payload["invoice"],
            remote_id=ctx.payload["remote_invoice"],
            status=Invoice.Status.DRAFT,
        ).update(remote_id="", version=Column("version") + 1)


@register
class UpdateCreditNote(Replace[CreditNote]):
    """Give a drafted credit note other content, as a whole, such as a part of the invoice.

    Payload: `credit_note` (Bokio's id), `seen` (or none), `credit_date`, `due_date`, `currency`,
    `your_reference`, `lines` with their `id`s, `metadata` (all of it).
    """

    name = "update_credit_note"
    scopes = ("credit-notes:read", "credit-notes:write")
    label = gettext_lazy("Credit note changed")
    clearable = REFERENCES

    def read(self, ctx: StepContext, bokio: Bokio) -> CreditNote:
        return bokio.credit_notes.get(remote(ctx, "credit_note"))

    def address(self, ctx: StepContext) -> str:
        return f"PUT credit-notes/{ctx.payload['credit_note']}"

    def put(self, ctx: StepContext, bokio: Bokio) -> CreditNote:
        return bokio.credit_notes.update(remote(ctx, "credit_note"), _note_draft(ctx))

    def wanted(self, ctx: StepContext) -> Json:
        return _note_draft(ctx).to_json() | {"status": "draft"}

    def held(self, found: CreditNote) -> Json:
        return CreditNoteDraft.from_credit_note(found).to_json() | {"status": found.status}

    def done(self, found: CreditNote) -> Done:
        return Done(
            {"total": found.total, "status": found.status, "lines": _told(found.line_items)}
        )


@register
class UpdateCustomer(Replace[RemoteCustomer]):
    """Change a customer as a whole. Payload: `remote_customer`, `seen` (or none), and the fields
    of `ensure_customer`; a person's numbers are sealed.
    """

    name = "update_customer"
    scopes = ("customers:read", "customers:write")
    label = gettext_lazy("Customer changed")
    clearable = frozenset({"orgNumber", "vatNumber", "paymentTerms", "address", "contactsDetails"})

    def read(self, ctx: StepContext, bokio: Bokio) -> RemoteCustomer:
        return bokio.customers.get(remote(ctx, "remote_customer"))

    def address(self, ctx: StepContext) -> str:
        return f"PUT customers/{ctx.payload['remote_customer']}"

    def put(self, ctx: StepContext, bokio: Bokio) -> RemoteCustomer:
        return bokio.customers.update(remote(ctx, "remote_customer"), customer_draft(ctx))

    def wanted(self, ctx: StepContext) -> Json:
        return customer_draft(ctx).to_json()

    def held(self, found: RemoteCustomer) -> Json:
        return CustomerDraft.from_customer(found).to_json()

    def done(self, found: RemoteCustomer) -> Done:
        return Done({"name": found.name, "type": found.type}, read=found)

    def apply(self, ctx: StepContext, done: Done) -> None:
        """What Bokio has now; no reading that asked before this puts the old back."""
        _copies(ctx).update(**values_of(done.read), read_at=clock.now(), gone_at=None)


@register
class DeleteCustomer(Delete):
    """Take a customer away; our row stays, as of one that is gone. Payload: `remote_customer`.

    Bokio refuses for one that has invoices, or was not made through the API: a person sees it.
    """

    name = "delete_customer"
    scopes = ("customers:read", "customers:write")
    label = gettext_lazy("Customer deleted")

    def read(self, ctx: StepContext, bokio: Bokio) -> object:
        return bokio.customers.get(remote(ctx, "remote_customer"))

    def address(self, ctx: StepContext) -> str:
        return f"DELETE customers/{ctx.payload['remote_customer']}"

    def remove(self, ctx: StepContext, bokio: Bokio) -> None:
        bokio.customers.delete(remote(ctx, "remote_customer"))

    def apply(self, ctx: StepContext, done: Done) -> None:
        _copies(ctx).filter(gone_at=None).update(gone_at=clock.now())


for _operation in (
    AddLineItem,
    UpdateDraft,
    DeleteDraft,
    UpdateCreditNote,
    UpdateCustomer,
    DeleteCustomer,
):
    register_kind(_operation.name, _operation.label)


def _copies(ctx: StepContext) -> QuerySet[Customer]:
    """Our row of the customer that a step works on."""
    return Customer.objects.filter(
        connection_id=ctx.flow.connection_id, remote_id=ctx.payload["remote_customer"]
    )


def _draft(ctx: StepContext) -> InvoiceDraft:
    payload = ctx.payload
    due = payload["due_date"]
    return InvoiceDraft(
        customer_id=remote(ctx, "remote_customer"),
        invoice_date=date.fromisoformat(payload["invoice_date"]),
        due_date=date.fromisoformat(due) if due else None,
        **_shared(payload),
    )


def _note_draft(ctx: StepContext) -> CreditNoteDraft:
    payload = ctx.payload
    return CreditNoteDraft(
        credit_date=date.fromisoformat(payload["credit_date"]),
        due_date=date.fromisoformat(payload["due_date"]),
        **_shared(payload),
    )


def _shared(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "currency": payload["currency"],
        "buyer_reference": payload["your_reference"],
        "line_items": tuple(map(remote_line, payload["lines"])),
        "metadata": payload["metadata"],
    }


def _line_done(line: RemoteLine) -> Done:
    [told] = _told((line,))
    return Done({**told, "remote_id": line.id})


def _told(lines: tuple[RemoteLine, ...]) -> list[dict[str, Any]]:
    """Lines as payloads have them, for results and for comparing."""
    return [
        {
            "description": each.description,
            "quantity": each.quantity,
            "unit_price": each.unit_price,
            "tax_rate": each.tax_rate,
        }
        for each in lines
    ]

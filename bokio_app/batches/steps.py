"""The steps of an order, and the rows of what closes its invoice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from bokio_app.flows.services import NewStep
from bokio_app.invoicing.models import Invoice
from bokio_app.invoicing.payloads import payloads_of
from bokio_app.invoicing.services import NewDraft
from bokio_app.payments.models import Payment, Settlement

from .orders import CustomerPart, InvoicePart, Order


def sending(order: Order, draft: NewDraft, *, cash: bool) -> Iterator[NewStep]:
    """Up to where the order goes; a customer whom Bokio has needs no step."""
    invoice = draft.invoice
    payloads = payloads_of(invoice, draft.lines, cash=cash)
    payloads["ensure_customer"]["more"] = _more_of_customer(order.customer)
    payloads["create_invoice"] |= {
        # The editor's guess is not sent: Bokio knows the customer's terms.
        "due_date": order.invoice.due_date,
        "external_id": order.reference,
        "more": _more_of_invoice(order.invoice),
    }
    wanted = {
        "ensure_customer": not (invoice.customer and invoice.customer.remote_id),
        "create_invoice": True,
        "publish_invoice": order.publish,
        "record_invoice": order.record,
    }
    for op, payload in payloads.items():
        if wanted[op]:
            yield NewStep(op, payload)


def _more_of_customer(part: CustomerPart) -> dict[str, Any]:
    """What our row of a customer does not hold."""
    return _filled(
        contacts=[asdict(each) for each in part.contacts],
        language=part.language,
        customer_number=part.customer_number,
        construction_reverse_charge=part.construction_reverse_charge,
    )


def _more_of_invoice(part: InvoicePart) -> dict[str, Any]:
    """What our row of an invoice does not hold."""
    return _filled(
        currency_rate=part.currency_rate,
        order_number=part.order_number,
        project=part.project,
        contract=part.contract,
        delivery_address=asdict(part.delivery_address) if part.delivery_address else None,
        total_rounding=part.total_rounding,
        metadata=part.metadata,
    )


def _filled(**values: Any) -> dict[str, Any]:
    return {key: each for key, each in values.items() if each not in (None, "", [], {})}


def settlements_of(order: Order, invoice: Invoice) -> list[Settlement]:
    """The rows of its fees and differences, not kept yet."""
    return [
        Settlement(
            invoice=invoice,
            type=part.type,
            vat_scheme=part.vat_scheme,
            date=part.date,
            amount=part.amount,
        )
        for part in order.settlements
    ]


def payments_of(order: Order, invoice: Invoice) -> list[Payment]:
    """The rows of its payments, not kept yet."""
    return [
        Payment(invoice=invoice, date=part.date, amount=part.amount, account=part.account)
        for part in order.payments
    ]


def closing(
    order: Order, invoice: Invoice, settlements: list[Settlement], payments: list[Payment]
) -> Iterator[NewStep]:
    """What lowers the invoice to nothing; the rows are those of the order's parts."""
    ours = {"invoice": str(invoice.pk)}
    for fee, row in zip(order.settlements, settlements, strict=True):
        mine = {**ours, "settlement": str(row.pk)}
        facts = {"type": fee.type, "date": fee.date, "amount": fee.amount}
        scheme = _filled(vat_scheme=fee.vat_scheme)
        yield NewStep("create_settlement", {**mine, **facts, **scheme})
        if fee.record:
            yield NewStep("record_settlement", mine)
    for received, paid in zip(order.payments, payments, strict=True):
        mine = {**ours, "payment": str(paid.pk)}
        facts = {"date": received.date, "amount": received.amount, "account": received.account}
        yield NewStep("create_payment", {**mine, **facts})
        if received.record:
            yield NewStep("record_payment", mine)


def taking_back(order: Order, invoice: Invoice, *, cash: bool) -> Iterator[NewStep]:
    """The credit note, as far as the order goes."""
    if order.credit is None:
        return
    ours = {"invoice": str(invoice.pk)}
    yield NewStep("credit_invoice", ours)
    if order.credit.publish:
        yield NewStep("publish_credit_note", ours)
    if order.credit.record:
        yield NewStep("record_credit_note", {**ours, "cash": cash})

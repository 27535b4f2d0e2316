"""Registering payments: what came in, what the bank kept, and all of it in the books."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import Q, Sum

from bokio_app.audit.services import record
from bokio_app.core.money import ZERO
from bokio_app.flows import services as flows
from bokio_app.flows.models import Flow
from bokio_app.invoicing.models import Invoice
from bokio_app.ledger.queries import fiscal_year_of
from bokio_app.tenants.models import User

from .models import Payment, Settlement

REGISTER_PAYMENT = "register_payment"
PAYMENT_ACCOUNTS = (1930, 1940, 1910)


class CannotPay(Exception):
    """The payment is not registered. `problems` are (field, code) pairs; see `problems_of`."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__(problems)
        self.problems = problems


@dataclass(frozen=True)
class PaymentInput:
    """What a person enters: amounts in SEK; `fee` is what the bank kept, 0 for none.

    `open_seen` is what the page showed as open, None when there was no page.
    """

    date: date
    amount: Decimal
    account: int
    fee: Decimal = ZERO
    open_seen: Decimal | None = None


def problems_of(invoice: Invoice, wanted: PaymentInput) -> list[tuple[str, str]]:
    """Why it cannot be registered, as (field, code); judged from our own copy alone.

    Fields: `amount`, `fee`, `date`, `account` and empty for the whole. Codes: `not_published`,
    `not_positive`, `more_than_open`, `paid_meanwhile`, `no_fiscal_year`, `closed_year`,
    `unknown_account`. An overpayment is accepted from a person who has seen what is open now.
    """
    problems: list[tuple[str, str]] = []
    left = still_open(invoice)
    if invoice.is_draft:
        problems.append(("", "not_published"))
    if wanted.amount <= 0:
        problems.append(("amount", "not_positive"))
    if wanted.fee < 0:
        problems.append(("fee", "not_positive"))
    too_much = wanted.fee + wanted.amount > left
    if too_much and wanted.open_seen is not None and wanted.open_seen > left:
        problems.append(("amount", "paid_meanwhile"))
    elif too_much and wanted.fee:
        problems.append(("fee", "more_than_open"))
    year = fiscal_year_of(invoice.connection, wanted.date)
    if year is None:
        problems.append(("date", "no_fiscal_year"))
    elif not year.is_open:
        problems.append(("date", "closed_year"))
    accounts = invoice.connection.accounts
    if accounts.exists() and not accounts.filter(number=wanted.account).exists():
        problems.append(("account", "unknown_account"))
    return problems


def still_open(invoice: Invoice) -> Decimal:
    """What is open once all is done that is on its way or not yet in our reading, in SEK."""
    unseen = Q(remote_id="")
    if invoice.read_at:
        unseen |= Q(created_at__gt=invoice.read_at)
    else:
        unseen = Q()
    on_the_way = ZERO
    for rows in (invoice.payments, invoice.settlements):
        on_the_way += rows.filter(unseen).aggregate(sum=Sum("amount"))["sum"] or ZERO
    return invoice.open_amount - on_the_way


def register(
    invoice: Invoice, wanted: PaymentInput, *, by: User, request_key: str
) -> tuple[Flow, bool]:
    """Register and record a payment and its bank fee in one flow, each exactly once.

    `request_key` comes with the form: sent again, the flow that exists is returned with False.
    Two equal payments from two forms are two payments. Raises `CannotPay`.
    """
    with transaction.atomic():
        invoice = Invoice.objects.select_for_update().get(pk=invoice.pk)
        earlier = Flow.objects.filter(tenant_id=invoice.tenant_id, request_key=request_key).first()
        if earlier:
            return earlier, False
        if problems := problems_of(invoice, wanted):
            raise CannotPay(problems)
        payment = Payment.objects.create(
            invoice=invoice,
            date=wanted.date,
            amount=wanted.amount,
            account=wanted.account,
            created_by=by,
        )
        _audit(payment, wanted, by=by)
        return flows.start(
            REGISTER_PAYMENT,
            connection=invoice.connection,
            steps=_steps(invoice, payment, wanted),
            business_key=str(payment.pk),
            resource_key=invoice.resource_key,
            request_key=request_key,
            by=by,
        )


def _audit(payment: Payment, wanted: PaymentInput, *, by: User) -> None:
    record(
        "payment.registered",
        tenant=payment.invoice.tenant_id,
        subject="invoice",
        subject_id=payment.invoice.pk,
        actor=by,
        payment=str(payment.pk),
        amount=str(payment.amount),
        fee=str(wanted.fee),
    )


def _steps(invoice: Invoice, payment: Payment, wanted: PaymentInput) -> list[flows.NewStep]:
    reference = {"invoice": str(invoice.pk), "remote_invoice": invoice.remote_id}
    steps = []
    if wanted.fee:
        fee = Settlement.objects.create(
            invoice=invoice,
            payment=payment,
            type=Settlement.Type.BANK_FEE,
            date=wanted.date,
            amount=wanted.fee,
        )
        ours = {**reference, "settlement": str(fee.pk)}
        facts = {"type": fee.type, "date": fee.date, "amount": fee.amount}
        steps += [
            flows.NewStep("create_settlement", {**ours, **facts}),
            flows.NewStep("record_settlement", ours),
        ]
    ours = {**reference, "payment": str(payment.pk)}
    facts = {"date": payment.date, "amount": payment.amount, "account": payment.account}
    return [
        *steps,
        flows.NewStep("create_payment", {**ours, **facts}),
        flows.NewStep("record_payment", ours),
    ]

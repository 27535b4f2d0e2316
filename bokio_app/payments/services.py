"""Registering payments: what came in, what the bank kept, and all of it in the books."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import Q, Sum

from bokio_app.audit.services import record
from bokio_app.core.money import ZERO, rounded
from bokio_app.flows import services as flows
from bokio_app.flows.models import Flow
from bokio_app.invoicing.models import Invoice
from bokio_app.invoicing.services import is_cash
from bokio_app.ledger.queries import fiscal_year_of
from bokio_app.tenants.models import User

from .models import Payment, Settlement

REGISTER_PAYMENT = "register_payment"
PAYMENT_ACCOUNTS = (1930, 1940, 1910)
ONE = Decimal(1)


class CannotPay(Exception):
    """The payment is not registered. `problems` are (field, code) pairs; see `problems_of`."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__(problems)
        self.problems = problems


@dataclass(frozen=True)
class PaymentInput:
    """What a person enters, in SEK: what came in, and what closes more of the invoice than that.

    `fee` is what the bank kept, `service_fee` what a payment service did (with its VAT scheme);
    `difference` is a currency loss, below zero a gain. `open_seen` is what the page showed as
    open, in the invoice's currency, None when there was no page; `rate` is SEK per unit of that.
    """

    date: date
    amount: Decimal
    account: int
    fee: Decimal = ZERO
    service_fee: Decimal = ZERO
    vat_scheme: str = ""
    difference: Decimal = ZERO
    open_seen: Decimal | None = None
    rate: Decimal = ONE

    @property
    def settled(self) -> Decimal:
        """What closes the invoice beside the money."""
        return self.fee + self.service_fee + self.difference

    @property
    def settlements(self) -> list[tuple[str, Decimal, str]]:
        """Type, amount and VAT scheme of each settlement, in the order they are written."""
        types = Settlement.Type
        wanted = [
            (str(types.BANK_FEE), self.fee, ""),
            (str(types.PAYMENT_SERVICE_FEE), self.service_fee, self.vat_scheme),
            (str(types.CURRENCY), self.difference, ""),
        ]
        return [each for each in wanted if each[1]]


def problems_of(invoice: Invoice, wanted: PaymentInput) -> list[tuple[str, str]]:
    """Why it cannot be registered, as (field, code); judged from our own copy alone.

    Fields: `amount`, `fee`, `service_fee`, `vat_scheme`, `difference`, `date`, `account` and empty
    for the whole. Codes: `not_published`, `not_positive`, `more_than_open`, `paid_meanwhile`,
    `no_scheme`, `no_gain`, `not_in_cash`, `no_fiscal_year`, `closed_year`, `unknown_account`. An
    overpayment is accepted from a person who has seen what is open now.
    """
    problems: list[tuple[str, str]] = []
    if invoice.is_draft:
        problems.append(("", "not_published"))
    problems += _of_amounts(wanted)
    problems += _of_sum(wanted, left=still_open(invoice, rate=wanted.rate))
    if wanted.difference and is_cash(invoice):
        problems.append(("difference", "not_in_cash"))
    year = fiscal_year_of(invoice.connection, wanted.date)
    if year is None:
        problems.append(("date", "no_fiscal_year"))
    elif not year.is_open:
        problems.append(("date", "closed_year"))
    accounts = invoice.connection.accounts
    if accounts.exists() and not accounts.filter(number=wanted.account).exists():
        problems.append(("account", "unknown_account"))
    return problems


def _of_amounts(wanted: PaymentInput) -> Iterator[tuple[str, str]]:
    if wanted.amount <= 0:
        yield "amount", "not_positive"
    if wanted.fee < 0:
        yield "fee", "not_positive"
    if wanted.service_fee < 0:
        yield "service_fee", "not_positive"
    if bool(wanted.service_fee) != bool(wanted.vat_scheme):
        yield "vat_scheme", "no_scheme"


def _of_sum(wanted: PaymentInput, *, left: Decimal) -> Iterator[tuple[str, str]]:
    """A fee or loss closes what is open and no more; a gain is what came in beyond it."""
    beyond = wanted.amount + wanted.settled - left
    seen = None if wanted.open_seen is None else rounded(wanted.open_seen * wanted.rate)
    if beyond > 0 and seen is not None and seen > left:
        yield "amount", "paid_meanwhile"
    elif beyond > 0:
        costs = {name: getattr(wanted, name) for name in ("fee", "service_fee", "difference")}
        if field := next((name for name, cost in costs.items() if cost > 0), ""):
            yield field, "more_than_open"
    elif beyond < 0 and wanted.difference < 0:
        yield "difference", "no_gain"


def still_open(invoice: Invoice, *, rate: Decimal = ONE) -> Decimal:
    """What is open once all is done that is on its way or not yet in our reading, in SEK.

    `rate` is SEK per unit of the invoice's currency.
    """
    unseen = Q(remote_id="")
    if invoice.read_at:
        unseen |= Q(created_at__gt=invoice.read_at)
    else:
        unseen = Q()
    on_the_way = ZERO
    for rows in (invoice.payments, invoice.settlements):
        on_the_way += rows.filter(unseen).aggregate(sum=Sum("amount"))["sum"] or ZERO
    return rounded(invoice.open_amount * rate) - on_the_way


def register(
    invoice: Invoice, wanted: PaymentInput, *, by: User, request_key: str
) -> tuple[Flow, bool]:
    """Register and record a payment and what settles the rest in one flow, each exactly once.

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
        service_fee=str(wanted.service_fee),
        difference=str(wanted.difference),
    )


def _steps(invoice: Invoice, payment: Payment, wanted: PaymentInput) -> list[flows.NewStep]:
    reference = {"invoice": str(invoice.pk), "remote_invoice": invoice.remote_id}
    steps = []
    for kind, amount, scheme in wanted.settlements:
        row = Settlement.objects.create(
            invoice=invoice,
            payment=payment,
            type=kind,
            vat_scheme=scheme,
            date=wanted.date,
            amount=amount,
        )
        ours = {**reference, "settlement": str(row.pk)}
        facts = {"type": row.type, "date": row.date, "amount": row.amount}
        if scheme:
            facts["vat_scheme"] = scheme
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

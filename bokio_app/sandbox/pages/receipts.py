"""The forms by which a person registers that an invoice was paid, or settled in another way."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bokio_app.sandbox import clock, invoicing
from bokio_app.sandbox.models import Company, Invoice
from bokio_app.sandbox.pages import fields

FEE = "paymentServiceFee"
KINDS = {
    "bankFee": _("Bank fee"),
    "currency": _("Currency difference"),
    FEE: _("Payment service fee"),
    "badDebt": _("Bad debt"),
    "balanceAdjustment": _("Balance adjustment, not booked"),
}
VAT_SCHEMES = {
    "": "–",
    "domestic": _("Swedish"),
    "eu": _("From the EU"),
    "nonEu": _("From outside the EU"),
    "vatExempt": _("Exempt from VAT"),
}
NOT_BOOKED = "balanceAdjustment"


class PaymentForm(forms.Form):
    """A payment in SEK. It may be more than what is owed, and on any day."""

    amount = fields.money(label=_("Amount, SEK"), min_value=Decimal("0.01"))
    date = fields.day(label=_("Date"))
    account = forms.TypedChoiceField(label=_("To account"), coerce=int)
    record = forms.BooleanField(label=_("Record it at once"), required=False)

    def __init__(self, company: Company, data: Any, *, initial: dict[str, Any]) -> None:
        super().__init__(data, auto_id="pay-%s", initial=initial)
        rows = company.accounts.filter(receives_payments=True).order_by("number")
        fields.offer(self, "account", [(row.number, str(row)) for row in rows])

    def put_on(self, invoice: Invoice) -> None:
        data = self.cleaned_data
        payment = invoicing.pay(
            invoice, day=data["date"], amount=data["amount"], account=data["account"]
        )
        if data["record"] and payment.entry_id is None:
            invoicing.record_payment(payment)


class SettlementForm(forms.Form):
    """What closes the rest without money: a fee, a difference, a loss, an adjustment."""

    type = forms.ChoiceField(label=_("Kind"), choices=list(KINDS.items()))
    amount = fields.money(
        label=_("Amount, SEK"), help_text=_("Negative for a gain on the currency.")
    )
    date = fields.day(label=_("Date"))
    vat_scheme = forms.ChoiceField(
        label=_("VAT of the payment service"), choices=list(VAT_SCHEMES.items()), required=False
    )
    record = forms.BooleanField(label=_("Record it at once"), required=False)

    def __init__(self, data: Any, *, initial: dict[str, Any]) -> None:
        super().__init__(data, auto_id="settle-%s", initial=initial)

    def clean(self) -> None:
        super().clean()
        data = self.cleaned_data
        kind, amount = data.get("type"), data.get("amount")
        if amount == 0 or (amount is not None and amount < 0 and kind != "currency"):
            self.add_error("amount", gettext("The amount must be more than zero."))
        if kind == FEE and not data.get("vat_scheme"):
            self.add_error("vat_scheme", gettext("Say where the payment service is."))

    def put_on(self, invoice: Invoice) -> None:
        data = self.cleaned_data
        settlement = invoicing.settle(
            invoice,
            kind=data["type"],
            day=data["date"],
            amount=data["amount"],
            vat_scheme=data["vat_scheme"] if data["type"] == FEE else "",
        )
        if data["record"] and data["type"] != NOT_BOOKED and settlement.entry_id is None:
            invoicing.record_settlement(settlement)


def payment_form(invoice: Invoice, given: Any = None) -> PaymentForm:
    """The form with what is left to pay, today, to the company's usual account."""
    initial = {
        "amount": invoice.outstanding if invoice.outstanding > 0 else None,
        "date": clock.today(),
        "account": 1930,
        "record": True,
    }
    return PaymentForm(invoice.company, given, initial=initial)


def settlement_form(given: Any = None) -> SettlementForm:
    return SettlementForm(given, initial={"date": clock.today(), "record": True})

"""The form that registers a payment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bokio_app.core import clock
from bokio_app.core.money import CENT, ZERO
from bokio_app.invoicing.currencies import HOME, RATE_STEP
from bokio_app.invoicing.forms import AmountField, DayField

from .models import Settlement
from .services import ONE, PAYMENT_ACCOUNTS, PaymentInput

SMALLEST_RATE = RATE_STEP
MONEY_ACCOUNTS = range(1900, 2000)
LOSS, GAIN = "loss", "gain"


def payment_accounts(names: Mapping[int, str]) -> list[int]:
    """The accounts of the company's chart that hold money, the usual ones first. `names` is the
    chart; without one, the usual ones.
    """
    usual = [number for number in PAYMENT_ACCOUNTS if not names or number in names]
    others = sorted(number for number in names if number in MONEY_ACCOUNTS)
    return list(dict.fromkeys([*usual, *others])) or list(PAYMENT_ACCOUNTS)


class PaymentForm(forms.Form):
    """What came in, when, where, and what closes more of the invoice than that. Amounts are SEK.

    With `currency`, that of an invoice which is not in SEK, it asks for the rate as well.
    """

    request_key = forms.UUIDField(widget=forms.HiddenInput)
    open_seen = forms.DecimalField(required=False, widget=forms.HiddenInput)
    amount = AmountField(label=gettext_lazy("Amount that came in"))
    date = DayField(label=gettext_lazy("Payment date"))
    account = forms.TypedChoiceField(label=gettext_lazy("Paid into"), coerce=int)
    fee = AmountField(label=gettext_lazy("Bank fee"), required=False)
    service_fee = AmountField(label=gettext_lazy("Payment service fee"), required=False)
    vat_scheme = forms.ChoiceField(
        label=gettext_lazy("VAT on the payment service fee"),
        required=False,
        choices=[("", gettext_lazy("Choose")), *Settlement.VatScheme.choices],
    )
    difference = AmountField(label=gettext_lazy("Currency difference"), required=False)
    direction = forms.ChoiceField(
        label=gettext_lazy("Loss or gain"),
        required=False,
        choices=[(LOSS, gettext_lazy("Loss")), (GAIN, gettext_lazy("Gain"))],
    )
    rate = AmountField(
        label=gettext_lazy("Rate of the invoice"), required=False, digits=20, decimals=8
    )

    def __init__(
        self, *args: Any, names: Mapping[int, str], currency: str = HOME, **options: Any
    ) -> None:
        options.setdefault("use_required_attribute", False)
        super().__init__(*args, **options)
        account: Any = self.fields["account"]
        account.choices = [
            (number, f"{number} {names.get(number, '')}".strip())
            for number in payment_accounts(names)
        ]
        if currency == HOME:
            del self.fields["rate"]
        else:
            self.fields["rate"].required = True

    def clean_amount(self) -> Decimal:
        return _positive(self.cleaned_data["amount"], least=CENT)

    def clean_fee(self) -> Decimal:
        return self._optional("fee")

    def clean_service_fee(self) -> Decimal:
        return self._optional("service_fee")

    def clean_difference(self) -> Decimal:
        return self._optional("difference")

    def clean_rate(self) -> Decimal:
        return _positive(self.cleaned_data["rate"], least=SMALLEST_RATE)

    def _optional(self, name: str) -> Decimal:
        amount: Decimal | None = self.cleaned_data[name]
        return ZERO if amount is None else _positive(amount, least=ZERO)

    @property
    def payment(self) -> PaymentInput:
        """The payment as the services take it, of a form whose amount and account can be read."""
        values = self.cleaned_data
        service_fee = values.get("service_fee", ZERO)
        difference = values.get("difference", ZERO)
        return PaymentInput(
            date=values.get("date") or clock.today(),
            amount=values["amount"],
            account=values["account"],
            fee=values.get("fee", ZERO),
            service_fee=service_fee,
            vat_scheme=values.get("vat_scheme", "") if service_fee else "",
            difference=-difference if values.get("direction") == GAIN else difference,
            open_seen=values.get("open_seen"),
            rate=values.get("rate", ONE),
        )

    @property
    def is_readable(self) -> bool:
        """Whether enough of it can be read to say what it would do."""
        self.is_valid()
        needed = {"amount", "account", *({"rate"} & self.fields.keys())}
        return needed <= self.cleaned_data.keys()

    def add_problems(self, problems: Iterable[tuple[str, str]]) -> None:
        """Put what `services.problems_of` found on its fields."""
        for field, code in problems:
            self.add_error(field or None, problem_text(code))


def _positive(amount: Decimal, *, least: Decimal) -> Decimal:
    if amount < least:
        raise ValidationError(_("Write a positive amount."))
    return amount


def problem_text(code: str) -> str:
    """A problem of `services.problems_of` in words that say what to do."""
    return {
        "no_scheme": _("Choose how the fee is taxed."),
        "no_gain": _("A gain is what came in beyond what was open. Is it a loss?"),
        "not_in_cash": _("By the cash method currency differences are not recorded."),
        "not_published": _("The invoice is not published, so nothing can be paid yet."),
        "not_positive": _("Write a positive amount."),
        "more_than_open": _("Together this is more than what is open."),
        "paid_meanwhile": _(
            "Another payment was registered after this page was opened. "
            "Open it again and see what is left."
        ),
        "no_fiscal_year": _("The company has no fiscal year for this date."),
        "closed_year": _("The fiscal year of this date is closed. Choose a date in an open one."),
        "unknown_account": _("This account is not in the company's chart."),
    }[code]

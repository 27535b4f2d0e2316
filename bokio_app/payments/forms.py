"""The form that registers a payment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bokio_app.core.money import ZERO
from bokio_app.invoicing.fields import AmountField, DayField

from .services import PAYMENT_ACCOUNTS, PaymentInput


class PaymentForm(forms.Form):
    """What came in, when, where, and what the bank kept of it. Amounts are SEK."""

    request_key = forms.UUIDField(widget=forms.HiddenInput)
    open_seen = forms.DecimalField(required=False, widget=forms.HiddenInput)
    amount = AmountField(label=gettext_lazy("Amount that came in"))
    date = DayField(label=gettext_lazy("Payment date"))
    account = forms.TypedChoiceField(label=gettext_lazy("Paid into"), coerce=int)
    fee = AmountField(label=gettext_lazy("Bank fee"), required=False)

    def __init__(self, *args: Any, names: Mapping[int, str], **options: Any) -> None:
        options.setdefault("use_required_attribute", False)
        super().__init__(*args, **options)
        account: Any = self.fields["account"]
        known = [number for number in PAYMENT_ACCOUNTS if not names or number in names]
        account.choices = [
            (number, f"{number} {names.get(number, '')}".strip())
            for number in known or PAYMENT_ACCOUNTS
        ]

    def clean_amount(self) -> Decimal:
        return _positive(self.cleaned_data["amount"], least=Decimal("0.01"))

    def clean_fee(self) -> Decimal:
        fee: Decimal | None = self.cleaned_data["fee"]
        return ZERO if fee is None else _positive(fee, least=ZERO)

    @property
    def payment(self) -> PaymentInput:
        """The payment as the services take it, of a valid form."""
        values = self.cleaned_data
        return PaymentInput(
            date=values["date"],
            amount=values["amount"],
            account=values["account"],
            fee=values["fee"],
            open_seen=values["open_seen"],
        )

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
        "not_published": _("The invoice is not published, so nothing can be paid yet."),
        "not_positive": _("Write a positive amount."),
        "more_than_open": _("Amount and fee together are more than what is open."),
        "paid_meanwhile": _(
            "Another payment was registered after this page was opened. "
            "Open it again and see what is left."
        ),
        "no_fiscal_year": _("The company has no fiscal year for this date."),
        "closed_year": _("The fiscal year of this date is closed. Choose a date in an open one."),
        "unknown_account": _("This account is not in the company's chart."),
    }[code]

"""Which accounts an invoice and what closes it touch, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from django.utils.translation import gettext_lazy as _

RECEIVABLES = 1510
TAX_AGENCY = 1513
BANK_FEES = 6570
BAD_DEBTS = 6351
DISCOUNTS = 3730
ROUNDING = 3740
CURRENCY_GAIN, CURRENCY_LOSS = 3960, 7960
CONSTRUCTION = 3231
REVERSED_VAT_DEBIT, REVERSED_VAT_CREDIT = 2645, 2614
OUTPUT_VAT = {25: 2611, 12: 2621, 6: 2631}
SERVICE_FEES = {"domestic": 6040, "eu": 4535, "nonEu": 4531, "vatExempt": 6590}
FOREIGN_SERVICES = {"eu", "nonEu"}  # the buyer accounts for the VAT

GOODS = "goods"
SWEDEN = {
    True: {25: 3001, 12: 3002, 6: 3003, 0: 3004},
    False: {25: 3011, 12: 3012, 6: 3013, 0: 3014},
}
EU_BUSINESS = {True: 3108, False: 3308}
OUTSIDE_EU = {True: 3105, False: 3305}
EU_PRIVATE_GOODS = 3106
EU_COUNTRIES = frozenset(  # without Sweden
    {"AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT"}
    | {"LV", "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES"}
)

DOUBTS = {
    "not_in_chart": _("The account is not in the company's chart."),
    "no_rule": _("Bokio does not say which account it takes for this customer and VAT rate."),
    "construction": _(
        "Bokio does not say which account it takes for reverse charge; BAS has 3231."
    ),
    "service_fee": _("Bokio does not say which account it takes for a payment service's fee."),
    "currency": _("Bokio does not say which account it takes; BAS has 3960 and 7960."),
    "conversion": _("What converting row by row leaves over; Bokio may put the öre elsewhere."),
    "unexplained": _("The total in Bokio differs from the lines by more than rounding."),
    "division": _("By the cash method Bokio divides by itself; this is our reckoning."),
}


class Sold(Protocol):
    """What an entry needs to know of a line; both stored and typed lines have it. Amounts are in
    the invoice's currency.
    """

    @property
    def is_sales(self) -> bool: ...
    @property
    def product(self) -> str: ...
    @property
    def tax_rate(self) -> int: ...
    @property
    def account(self) -> int | None: ...
    @property
    def net(self) -> Decimal: ...


@dataclass(frozen=True)
class Buyer:
    """What about a customer decides the account of a sale. `country` is ISO 3166-1 alpha-2."""

    country: str = "SE"
    is_person: bool = False
    has_vat_number: bool = False
    reverse_charge: bool = False  # building work, whose VAT the buyer accounts for

    @property
    def is_in_eu(self) -> bool:
        return self.country in EU_COUNTRIES


def sales_account(line: Sold, buyer: Buyer) -> tuple[int, str]:
    """The account that Bokio books a line on, with a doubt about it or an empty text."""
    if line.account:
        return line.account, ""
    goods, rate = line.product == GOODS, line.tax_rate
    if buyer.reverse_charge and rate == 0:
        return CONSTRUCTION, "construction"
    if buyer.country == "SE":
        return SWEDEN[goods][rate], ""
    if rate == 0:
        return _untaxed_abroad(buyer, goods=goods)
    if buyer.is_in_eu and buyer.is_person:
        return (EU_PRIVATE_GOODS if goods else SWEDEN[goods][rate]), ""
    return SWEDEN[goods][rate], "no_rule"


def _untaxed_abroad(buyer: Buyer, *, goods: bool) -> tuple[int, str]:
    if not buyer.is_in_eu:
        return OUTSIDE_EU[goods], "no_rule" if buyer.is_person else ""
    if buyer.has_vat_number and not buyer.is_person:
        return EU_BUSINESS[goods], ""
    return SWEDEN[goods][0], "no_rule"

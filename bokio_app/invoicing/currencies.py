"""Amounts in other currencies, and what they are in kronor by the rate of their own document."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from django.db import models
from django.db.models import Case, F, Q, When
from django.db.models.functions import Round
from django.utils.translation import gettext_lazy as _

from bokio_app.core.money import ZERO

HOME = "SEK"
RATE_STEP = Decimal("0.00000001")
# A sum in kronor leaves these out: Bokio has not told us their rate.
WITHOUT_RATE = ~Q(currency=HOME) & Q(currency_rate=None)


class InCurrency(models.Model):
    """A document whose amounts are in a currency of its own."""

    currency = models.CharField(_("currency"), max_length=3, default=HOME)
    currency_rate = models.DecimalField(
        max_digits=20,
        decimal_places=8,
        null=True,
        help_text="SEK per unit of another currency, as Bokio says; empty in SEK or if unknown",
    )

    class Meta:
        abstract = True


def rate_kept(currency: str, rate: Decimal) -> Decimal | None:
    """What a row keeps of the rate that Bokio tells; 1 is none in another currency."""
    return (
        None if currency == HOME or rate == 1 else rate.quantize(RATE_STEP, rounding=ROUND_HALF_UP)
    )


def in_sek(name: str) -> Case:
    """The amount in the field, in SEK and rounded to öre; NULL where the rate is not known."""
    return Case(
        When(currency=HOME, then=F(name)),
        default=Round(F(name) * F("currency_rate"), 2),
        output_field=models.DecimalField(max_digits=20, decimal_places=2, default=ZERO),
    )

"""A discount on the whole invoice, as the lines that it becomes: one for each VAT rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from bokio_app.core.money import CENT, ZERO, rounded

from .expected import DISCOUNTS
from .fields import as_typed
from .inputs import Discount, LineInput
from .models import LineItem
from .more import InvoiceMore


def discountable(lines: Sequence[LineInput]) -> dict[int, Decimal]:
    """What is sold at each VAT rate, without VAT, the highest rate first; only what is above 0."""
    nets: dict[int, Decimal] = {}
    for line in lines:
        if line.is_sales:
            nets[line.tax_rate] = nets.get(line.tax_rate, ZERO) + line.net
    return {rate: nets[rate] for rate in sorted(nets, reverse=True) if nets[rate] > 0}


def shares(nets: Mapping[int, Decimal], discount: Discount) -> dict[int, Decimal]:
    """What comes off at each rate, at least 0,01. An amount is shared in proportion to what is
    sold, and the öre that are over go to the largest parts lost in rounding: the sum is exact.
    """
    if discount.kind == InvoiceMore.Discount.PERCENT:
        found = {rate: rounded(net * discount.amount / 100) for rate, net in nets.items()}
    else:
        found = _shared(nets, discount.amount)
    return {rate: share for rate, share in found.items() if share}


def _shared(nets: Mapping[int, Decimal], amount: Decimal) -> dict[int, Decimal]:
    whole = int(sum(nets.values(), ZERO) / CENT)
    if not whole:
        return {}
    wanted = int(amount / CENT)
    parts = {rate: divmod(int(net / CENT) * wanted, whole) for rate, net in nets.items()}
    left = wanted - sum(part for part, _rest in parts.values())
    by_loss = sorted(parts, key=lambda rate: (-parts[rate][1], -rate))
    return {rate: CENT * (part + (rate in by_loss[:left])) for rate, (part, _) in parts.items()}


def discount_lines(lines: Sequence[LineInput], discount: Discount | None) -> list[LineInput]:
    """The lines that the discount becomes below these lines; none without anything to discount."""
    if discount is None:
        return []
    products = {line.tax_rate: line.product for line in lines if line.is_sales}
    return [
        LineInput(
            description=text_of(discount),
            product=products[rate],
            unit_price=-share,
            tax_rate=rate,
            account=DISCOUNTS,
        )
        for rate, share in shares(discountable(lines), discount).items()
    ]


def text_of(discount: Discount) -> str:
    """What the lines say, in the language of whoever writes."""
    if discount.kind == InvoiceMore.Discount.AMOUNT:
        return _("Discount")
    return _("Discount %(percent)s %%") % {"percent": as_typed(discount.amount, decimals=None)}


def without_discount(
    lines: Sequence[LineInput], discount: Discount | None
) -> tuple[list[LineInput], Discount | None]:
    """Kept lines as they were typed, and the discount if the last of them are what it becomes.

    Where they are not (Bokio has the draft, and changed them) they are lines like all others.
    """
    for count in range(len(LineItem.TAX_RATES), 0, -1) if discount else ():
        typed, last = list(lines[:-count]), lines[-count:]
        if _amounts(last) == _amounts(discount_lines(typed, discount)):
            return typed, discount
    nothing = discount if discount and not discount_lines(lines, discount) else None
    return list(lines), nothing


def _amounts(lines: Sequence[LineInput]) -> list[tuple[object, ...]]:
    return [(each.tax_rate, each.net, each.account, each.is_sales) for each in lines]

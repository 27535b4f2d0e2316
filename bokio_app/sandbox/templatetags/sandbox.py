"""Template filters of the sandbox's pages."""

from decimal import Decimal

from django import template
from django.utils.translation import get_language

register = template.Library()


@register.filter
def money(amount: Decimal) -> str:
    """`64625.00` as `64 625,00` in Swedish (with no-break spaces) and `64,625.00` in English."""
    english = f"{amount:,.2f}"
    if get_language() != "sv":
        return english
    return english.replace(",", "\u00a0").replace(".", ",").replace("-", "\u2212")

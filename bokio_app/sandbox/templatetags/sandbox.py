"""Template filters of the sandbox's pages."""

from collections.abc import Mapping
from decimal import Decimal

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from bokio_app.sandbox import clock, invoicing
from bokio_app.sandbox.models import Invoice
from bokio_app.sandbox.totals import net

register = template.Library()


def _local(english: str) -> str:
    if get_language() != "sv":
        return english
    return english.replace(",", "\u00a0").replace(".", ",").replace("-", "\u2212")


@register.filter
def money(amount: Decimal) -> str:
    """`64625.00` as `64 625,00` in Swedish (with no-break spaces) and `64,625.00` in English."""
    return _local(f"{amount:,.2f}")


@register.filter
def quantity(given: str | Decimal) -> str:
    """A quantity or a price, such as `1.5`, with as many decimals as it has."""
    return _local(f"{Decimal(given).normalize():,f}") if given else ""


@register.filter
def line_net(line: Mapping[str, str]) -> Decimal:
    """What a sales line comes to without VAT."""
    return net(line)


@register.filter
def state(invoice: Invoice) -> str:
    """Where the invoice stands today, by the sandbox's clock."""
    return invoicing.status(invoice, clock.today())


@register.filter
def coded(text: str) -> SafeString:
    """A docstring with what stands between backticks as code."""
    parts = enumerate(text.split("`"))
    return format_html_join(
        "",
        "{}",
        ((format_html("<code>{}</code>", part) if place % 2 else part,) for place, part in parts),
    )


@register.filter
def word(words: Mapping[str, object], key: str) -> object:
    """The word for the key, or the key itself where there is none."""
    return words.get(key, key)

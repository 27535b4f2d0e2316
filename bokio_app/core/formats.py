"""How amounts, days and names are written, in the reader's language."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from bokio_app.core import clock
from bokio_app.core.money import rounded

NO_BREAK = "\u00a0"
MINUS = "\u2212"
DASH = "\u2013"
EARLIER = timedelta(days=300)  # older moments are shown with their year


def grouped(amount: Decimal, decimals: int) -> str:
    """The number in the active language: `−1 234,50` in Swedish, `−1,234.50` in English."""
    text = f"{abs(amount):,.{decimals}f}"
    if (get_language() or "sv").startswith("sv"):
        text = text.translate({ord(","): NO_BREAK, ord("."): ","})
    return f"{MINUS}{text}" if amount < 0 and any(digit in "123456789" for digit in text) else text


def money(amount: Decimal | int | None, currency: str = "") -> str:
    """An amount with two decimals, and with its currency where one is given; a dash for none.

    `12 500,00 kr` and `12 500,00 EUR` in Swedish, `SEK 12,500.00` in English; none of the
    spaces breaks. Floats are refused: they are no amounts.
    """
    if amount is None or amount == "":
        return DASH
    if not isinstance(amount, Decimal | int):
        raise TypeError(f"An amount is a Decimal, not {type(amount).__name__}.")
    text = grouped(rounded(Decimal(amount)), 2)
    if not currency:
        return text
    if (get_language() or "sv").startswith("sv"):
        return f"{text}{NO_BREAK}{'kr' if currency == 'SEK' else currency}"
    return f"{currency}{NO_BREAK}{text}"


def number(value: Decimal | int | None) -> str:
    """A count or quantity with the decimals it has: `6,5`, `1 240`; a dash for none."""
    if value is None:
        return DASH
    exact = Decimal(value).normalize()
    return grouped(exact, max(0, -int(exact.as_tuple().exponent)))


def percent(rate: Decimal | int | None) -> str:
    """`25 %` in Swedish, `25%` in English."""
    if rate is None:
        return DASH
    gap = NO_BREAK if (get_language() or "sv").startswith("sv") else ""
    return f"{number(rate)}{gap}%"


def in_stockholm(moment: datetime) -> datetime:
    return moment.astimezone(clock.STOCKHOLM)


def day(value: date | datetime | None) -> SafeString | str:
    """A calendar day as `2026-11-20`, the same in both languages; a dash for none."""
    if not value:
        return DASH
    shown = in_stockholm(value).date() if isinstance(value, datetime) else value
    return format_html('<time datetime="{0}">{0}</time>', shown.isoformat())


def moment(value: datetime | None, style: str = "log") -> SafeString | str:
    """A moment in Stockholm's time; a dash for none.

    `log`: `11-20 09:44`, with the year when older. `time`: `09:44`. `seconds`: `09:44:13`.
    `full`: `2026-11-20 09:44`. `near`: the time alone when it is today, else as `log`.
    """
    if not value:
        return DASH
    local = in_stockholm(value)
    if style == "near":
        style = "time" if local.date() == clock.today() else "log"
    if style == "log" and clock.now() - value > EARLIER:
        style = "full"
    patterns = {"log": "%m-%d %H:%M", "time": "%H:%M", "seconds": "%H:%M:%S"}
    text = local.strftime(patterns.get(style, "%Y-%m-%d %H:%M"))
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="seconds"), text)


def initials(name: object) -> str:
    """`Maja Lindqvist` → `ML`; at most two letters."""
    words = str(name or "").replace("@", " ").split()
    picked = words[:1] + words[-1:] if len(words) > 1 else words
    return "".join(word[0] for word in picked).upper()


def or_dash(value: object) -> object:
    """The value, or a dash where there is none."""
    return DASH if value is None or value == "" else value

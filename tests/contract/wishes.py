"""Made values for histories: days, amounts, lines, and invoices that somebody wishes for."""

import datetime as dt
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

YEARS = (2024, 2025)
DAYS = [f"{year}-{day}" for year in YEARS for day in ("01-01", "06-15", "12-31")]

Json = dict[str, Any]

which = st.integers(min_value=0, max_value=63)
days = st.sampled_from(DAYS)
ore = st.integers(min_value=1, max_value=2_000_000).map(lambda value: Decimal(value).scaleb(-2))
quantities = st.sampled_from([Decimal(text) for text in ("1", "0.5", "1.5", "3", "0.333", "12")])


@st.composite
def sales_lines(draw: st.DrawFn) -> list[Json]:
    """One to three lines that sell something, at times a small discount and a text."""
    lines: list[Json] = [
        {
            "description": "Arbete",
            "itemType": "salesItem",
            "productType": draw(st.sampled_from(["goods", "services"])),
            "unitType": "piece",
            "quantity": draw(quantities),
            "unitPrice": draw(ore) + 10,
            "taxRate": draw(st.sampled_from([25, 12, 6, 0])),
        }
        for _ in range(draw(st.integers(min_value=1, max_value=3)))
    ]
    if draw(st.booleans()):
        # Less than the least that the first line comes to, or nobody could publish the invoice.
        discount = {"quantity": 1, "unitPrice": -draw(st.integers(1, 3))}
        lines.append(lines[0] | discount | {"bookkeepingAccountNumber": 3730})
    if draw(st.booleans()):
        lines.append({"description": "Tack!", "itemType": "descriptionOnlyItem"})
    return lines


@st.composite
def wishes(draw: st.DrawFn) -> Json:
    """Who an invoice is for, and all of it but its lines."""
    day = draw(days)
    due = dt.date.fromisoformat(day) + dt.timedelta(days=draw(st.integers(0, 1200)))
    currency, rate = draw(st.sampled_from([("SEK", 1), ("SEK", 1), ("EUR", Decimal("11.4321"))]))
    body = {
        "invoiceDate": day,
        "dueDate": due.isoformat(),
        "currency": currency,
        "currencyRate": rate,
        "totalRoundingEnabled": draw(st.booleans()),
    }
    return {"customer": draw(st.integers(0, 1)), "body": body}

"""The list as a file: the same rows in the same order, with the same columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _

from bokio_app.core import clock
from bokio_app.core.sheets import sheet
from bokio_app.invoicing.models import Invoice

from .columns import Column
from .rows import FIELDS, Row, rows_of

CHUNK = 500


def as_file(invoices: QuerySet[Invoice], columns: Sequence[Column]) -> StreamingHttpResponse:
    """A download, read and sent some hundred rows at a time; the currency has its own column."""
    heads = [*(column.label for column in columns), _("Currency")]
    rows = (
        [*(column.plain(row) for column in columns), row.invoice.currency] for row in _all(invoices)
    )
    return sheet(heads, rows, name=f"invoices-{clock.today()}.csv")


def _all(invoices: QuerySet[Invoice]) -> Iterator[Row]:
    found = invoices.select_related("customer", "connection").only(*FIELDS)
    rows = found.iterator(chunk_size=CHUNK)
    while some := list(islice(rows, CHUNK)):
        yield from rows_of(some)

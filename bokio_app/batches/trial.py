"""Checking a file without keeping any of it: what `accept` would say, from few reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from bokio_app.connections.queries import open_for_work
from bokio_app.invoicing.models import Customer
from bokio_app.ledger.queries import Books, books_of
from bokio_app.tenants.models import Tenant

from . import checks, services
from .checks import Refused
from .customers import customer_values
from .files import Line
from .models import BulkLine
from .orders import CustomerPart, Order, parse, reference_of
from .reading import BadLine

TOGETHER = 500  # lines whose references are looked up by one query


@dataclass(frozen=True)
class Verdict:
    """What would become of a line: `error` is empty if it is taken, and `new` False if its
    reference is kept already.
    """

    number: int
    reference: str
    error: str = ""
    new: bool = True


class Trial:
    """Judges the lines of one file. Companies and their books are read once, and of the lines
    nothing is remembered but what tells two with one reference apart, some 200 bytes each.
    """

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        live = open_for_work(tenant)
        self._connections = {each.company_id: each for each in live}
        self._books: dict[UUID, Books] = {}
        self._contents: dict[bytes, bytes] = {}

    def judge(self, lines: Iterable[Line]) -> Iterator[Verdict]:
        """Each line in the order of the file."""
        left = iter(lines)
        while together := [parsed(number, line) for number, line in islice(left, TOGETHER)]:
            kept = self._kept(each.reference for _number, each in together)
            for number, each in together:
                yield each if isinstance(each, Verdict) else self._judge(number, each, kept)

    def _kept(self, references: Iterable[str]) -> dict[str, str]:
        """The contents' hashes of those that were accepted before, by reference."""
        rows = BulkLine.objects.filter(tenant=self._tenant, reference__in={*references})
        return dict(rows.values_list("reference", "content_hash"))

    def _judge(self, number: int, order: Order, kept: dict[str, str]) -> Verdict:
        content = order.content_hash
        is_new = order.reference not in kept
        try:
            if kept.get(order.reference, content) != content:
                raise Refused(services.OTHER_CONTENT)
            if is_new:
                is_new = self._is_first(order.reference, content)
                self._check(order)
        except Refused as refusal:
            return Verdict(number, order.reference, error=str(refusal))
        self._contents[order.reference.encode()] = bytes.fromhex(content)
        return Verdict(number, order.reference, new=is_new)

    def _is_first(self, reference: str, content_hash: str) -> bool:
        """Whether no line of this file that is taken has the reference."""
        earlier = self._contents.get(reference.encode())
        if earlier and earlier.hex() != content_hash:
            raise Refused("reference: was used before in this file, with other content")
        return earlier is None

    def _check(self, order: Order) -> None:
        connection = self._connections.get(order.company)
        if connection is None:
            raise Refused(services.NOT_CONNECTED)
        if connection.pk not in self._books:
            self._books[connection.pk] = books_of(connection)
        draft = services.draft_of(order, _customer(order.customer))
        books = self._books[connection.pk]
        checks.check(order, services.sendable(draft), books, scopes=connection.scopes)


def parsed(number: int, line: bytes | BadLine) -> tuple[int, Order | Verdict]:
    """The order that a line holds, or why it holds none."""
    if isinstance(line, BadLine):
        return number, Verdict(number, "", error=str(line))
    try:
        return number, parse(line)
    except BadLine as bad:
        return number, Verdict(number, reference_of(line), error=str(bad))


def _customer(part: CustomerPart) -> Customer:
    """The customer as far as it decides; whether Bokio has one of that id, a reading tells."""
    return Customer(remote_id=str(part.id)) if part.id else Customer(**customer_values(part))

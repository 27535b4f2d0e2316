"""One page of a list as a step: committed at once, so that whoever goes on begins behind it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.paging import Identified, Page
from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.flows.models import ListedPage, Listing, Step, StepState
from bokio_app.flows.operations import OPERATIONS, Done, Operation, StepContext
from bokio_app.flows.readings import asked_at

Remote = TypeVar("Remote", bound=Identified)

MOST_LOOKS = 3  # passes in a row over a list that will not hold still
FEW = 10  # more rows than that, and than are left, are not taken for gone by one answer alone
OVER = "over"  # why a step was skipped: its pass has ended, or has fewer pages by now
LATE = timedelta(minutes=5)  # by so much a step's end may be noted later than a page was asked for


class ReadPage(Operation, Generic[Remote]):
    """One page of a list. Payload: `pass` (its number) and `page` (from 1)."""

    reads_only = True
    confirms: ClassVar[bool] = True  # what is missing on several pages is missing in two passes

    @abstractmethod
    def ask(self, bokio: Bokio, number: int) -> Page[Remote]:
        """Ask Bokio for the page: exactly one call."""

    @abstractmethod
    def keep(self, ctx: StepContext, rows: Sequence[Remote], asked: datetime) -> None:
        """Make our rows what the page says."""

    @abstractmethod
    def held(self, connection_id: UUID) -> QuerySet[Any]:
        """Our rows of all that we believe to be on the list."""

    @abstractmethod
    def lose(self, connection_id: UUID, remote_ids: Collection[str]) -> None:
        """Bokio has these no longer."""

    def skip(self, ctx: StepContext) -> str:
        present = Listing.objects.filter(
            Q(pages=None) | Q(pages__gte=ctx.payload["page"]) | Q(pages=0),
            connection_id=ctx.flow.connection_id,
            name=self.name,
            pass_number=ctx.payload["pass"],
            is_open=True,
        )
        return "" if present.exists() else OVER

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        page = self.ask(bokio, ctx.payload["page"])
        return Done({"count": len(page.rows)}, read=page)

    def apply(self, ctx: StepContext, done: Done) -> None:
        connection_id, asked = ctx.flow.connection_id, asked_at(ctx)
        listing = Listing.objects.select_for_update().get(
            connection_id=connection_id, name=self.name
        )
        if listing.pass_number != ctx.payload["pass"]:
            return  # begun anew meanwhile: what is older than that is not needed
        page: Page[Remote] = done.read
        self.keep(ctx, page.rows, asked)
        ids = [each.id for each in page.rows]
        _page, is_new = ListedPage.objects.get_or_create(
            listing=listing,
            number=ctx.payload["page"],
            defaults={
                "total": page.total,
                "pages": page.pages,
                "ids": ListedPage.packed(ids),
                "asked_at": asked,
            },
        )
        if is_new:
            _note(listing, page)
            if _is_whole(listing):
                self._close(listing)
            listing.save()

    def _close(self, listing: Listing) -> None:
        """All pages are read. What none of them had is gone, once that is certain."""
        pages = list(listing.read_pages.all())
        seen: set[str] = set()
        for each in pages:
            seen |= each.unpacked
        totals = {each.total for each in pages if each.total is not None}
        held_still = len(pages) == 1 or (len(totals) <= 1 and len(seen) >= max(totals, default=0))
        missing = self._missing(listing, seen)
        sure = len(pages) == 1 and len(missing) <= max(len(seen), FEW)
        if self.confirms and not sure:
            lost = missing & set(listing.missing) if held_still else set()
        else:
            lost = missing
        self.lose(listing.connection_id, lost)
        doubted = missing - lost if self.confirms else missing
        listing.missing = sorted(doubted)
        listing.rows = len(seen)
        unclear = not held_still or (self.confirms and bool(doubted))
        listing.looks_again = unclear and listing.looks < MOST_LOOKS
        listing.is_open = False
        if not listing.looks_again:
            listing.complete_at = min(each.asked_at for each in pages)
            listing.filled_at = listing.filled_at or clock.now()

    def _missing(self, listing: Listing, seen: set[str]) -> set[str]:
        """What we hold and the pass has not met, but for what a step has made meanwhile, or a
        question has brought that was asked since the pass began.
        """
        began = listing.began_at or clock.now()
        held = self.held(listing.connection_id).exclude(remote_id="").exclude(read_at__gte=began)
        missing = set(held.values_list("remote_id", flat=True)) - seen
        if not missing:
            return missing
        made = Step.objects.filter(
            flow__connection_id=listing.connection_id,
            state=StepState.DONE,
            done_at__gte=began - LATE,
            remote_id__in=missing,
        )
        return missing - set(made.values_list("remote_id", flat=True))


def _note(listing: Listing, page: Page[Any]) -> None:
    listing.rows += len(page.rows)
    listing.pages = max(page.pages or 0, 1) if page.pages is not None else None
    if page.pages is None:  # Bokio does not tell: a page that is full has another behind it
        full = len(page.rows) > 0
        listing.pages = listing.read_pages.count() + full
    listing.total = page.total if page.total is not None else listing.rows


def _is_whole(listing: Listing) -> bool:
    pages = listing.pages or 1
    return listing.read_pages.filter(number__lte=pages).count() >= pages


def missing_pages(listing: Listing) -> list[int]:
    """The pages that the present pass has not read; the first one if it knows of none."""
    read = set(listing.read_pages.values_list("number", flat=True))
    return [each for each in range(1, (listing.pages or 1) + 1) if each not in read]


def begin(connection: Connection, name: str, *, again: bool = False) -> Listing:
    """Begin a pass over the list, a first one or, with `again`, a further look of the same round.

    Call it inside a transaction. Steps of an earlier pass find nothing to do any more.
    """
    Listing.objects.get_or_create(connection=connection, name=name)
    listing = Listing.objects.select_for_update().get(connection=connection, name=name)
    listing.read_pages.all().delete()
    listing.pass_number += 1
    listing.began_at = clock.now()
    listing.is_open, listing.looks_again = True, False
    listing.looks = listing.looks + 1 if again else 1
    listing.rows = 0
    listing.save()
    return listing


def refused(connection: Connection, name: str) -> bool:
    """Whether Bokio has said that the list lacks a permission: nobody knew it before, as of a
    private integration.
    """
    return bool(set(OPERATIONS[name].scopes) & set(connection.lacks))


def readable(connection: Connection, name: str) -> bool:
    """Whether the connection was given leave to read the list; yes where that is not known."""
    given = set(connection.scopes)
    return not given or set(OPERATIONS[name].scopes) <= given

"""Drafts while they are being written: saved by themselves, and perhaps by two people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils.translation import ngettext

from bokio_app.core import clock
from bokio_app.tenants.models import User

from .models import Invoice
from .more import Opened, Writing

LOGGED_EVERY = timedelta(minutes=10)
PRESENT = timedelta(seconds=45)


@dataclass(frozen=True)
class Page:
    """The page that saves a draft. `typed` is the form as it stands while it is not whole."""

    key: str = ""
    seq: int = 0
    typed: Mapping[str, Any] = field(default_factory=dict)
    by_itself: bool = False

    @property
    def is_whole(self) -> bool:
        return not self.typed


def was_last(invoice: Invoice, page: Page) -> bool:
    """Whether this very page saved last, though the answer may not have reached it."""
    return bool(page.key) and Writing.objects.filter(invoice=invoice, page_key=page.key).exists()


def is_late(invoice: Invoice, page: Page) -> bool:
    """Whether a later save of the same page has overtaken this one."""
    later = Writing.objects.filter(invoice=invoice, page_key=page.key, page_seq__gt=page.seq)
    return bool(page.key) and later.exists()


def note(invoice: Invoice, page: Page, *, by: User | None) -> bool:
    """Remember who saved, and what is not whole yet. True if the log is to have a line of it:
    of what saves itself every few seconds it has one now and then.
    """
    now = clock.now()
    row = Writing.objects.filter(invoice=invoice).first() or Writing(invoice=invoice)
    logged = not (
        page.by_itself
        and row.saved_by_id == (by and by.pk)
        and row.noted_at
        and now - row.noted_at < LOGGED_EVERY
    )
    row.typed, row.page_key, row.page_seq = dict(page.typed), page.key, page.seq
    row.saved_by, row.saved_at = by, now
    if logged:
        row.noted_at = now
    row.save()
    return logged


def typed_of(invoice: Invoice) -> Mapping[str, Any]:
    """The form of a draft that is not whole, as it was typed; empty for one that is."""
    kept = Writing.objects.filter(invoice=invoice).values_list("typed", flat=True).first()
    return kept or {}


def saved_last(invoice: Invoice) -> Writing | None:
    """Who saved the draft last, and when; None for one that nobody has saved in the editor."""
    return Writing.objects.filter(invoice=invoice).select_related("saved_by").first()


def open_for(invoice: Invoice, user: User) -> str:
    """Note that the person has the draft open, and tell who else has."""
    Opened.objects.update_or_create(invoice=invoice, user=user, defaults={"seen_at": clock.now()})
    others = invoice.opened.filter(seen_at__gt=clock.now() - PRESENT).exclude(user=user)
    names = sorted(str(each.user) for each in others.select_related("user"))
    if not names:
        return ""
    told = ngettext(
        "%(names)s has this draft open too.", "%(names)s have this draft open too.", len(names)
    )
    return told % {"names": ", ".join(names)}

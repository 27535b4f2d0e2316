"""How far each list of a company has been read, and what every copied row has in common."""

from __future__ import annotations

from uuid import UUID

from django.db import models
from django.db.models import UniqueConstraint
from django.utils.translation import gettext_lazy as _

BYTES = 16  # of one id in `ListedPage.ids`
# Kinds of flows that only read, are many, and are removed some days after they have ended.
FLEETING = ("read_lists", "read_open", "read_details", "read_changed")


class Copied(models.Model):
    """A row that may be a copy of something at Bokio."""

    read_at = models.DateTimeField(
        _("read from Bokio"), null=True, help_text="when Bokio was asked for what is kept here"
    )
    gone_at = models.DateTimeField(
        _("gone from Bokio"), null=True, help_text="when it was found that Bokio has it no longer"
    )

    class Meta:
        abstract = True


class Listing(models.Model):
    """One list of a company's, read in passes: each reads all pages once, in any order.

    `pages` and `total` (rows) are what Bokio last told, None before it has told anything.
    `looks` counts the passes that one round needed, as rows may shift between pages.
    `complete_at` is when the last pass that came to its end began to ask: our copy is as of then.
    """

    connection = models.ForeignKey(
        "connections.Connection", models.CASCADE, related_name="listings"
    )
    name = models.CharField(max_length=40)
    pass_number = models.PositiveIntegerField(default=0)
    began_at = models.DateTimeField(null=True, help_text="when the present pass was begun")
    is_open = models.BooleanField(default=False, help_text="the present pass is not at its end")
    looks_again = models.BooleanField(default=False, help_text="another pass must follow at once")
    looks = models.PositiveSmallIntegerField(default=0)
    pages = models.PositiveIntegerField(null=True)
    total = models.PositiveIntegerField(null=True)
    rows = models.PositiveIntegerField(default=0, help_text="rows read in the present pass")
    missing = models.JSONField(
        default=list, help_text="Bokio's ids of what the last pass did not meet"
    )
    filled_at = models.DateTimeField(null=True, help_text="when the first pass came to its end")
    complete_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [UniqueConstraint(fields=["connection", "name"], name="listing_once")]

    def __str__(self) -> str:
        return f"{self.name} of {self.connection_id}"


class ListedPage(models.Model):
    """A page that the present pass has read: which ids were on it, and what Bokio counted then."""

    listing = models.ForeignKey(Listing, models.CASCADE, related_name="read_pages")
    number = models.PositiveIntegerField()
    total = models.PositiveIntegerField(null=True)
    pages = models.PositiveIntegerField(null=True)
    ids = models.BinaryField(help_text="16 bytes for each row")
    asked_at = models.DateTimeField()

    class Meta:
        constraints = [UniqueConstraint(fields=["listing", "number"], name="listed_page_once")]

    def __str__(self) -> str:
        return f"page {self.number} of {self.listing_id}"

    @staticmethod
    def packed(ids: list[UUID]) -> bytes:
        """Ids as they are kept."""
        return b"".join(each.bytes for each in ids)

    @property
    def unpacked(self) -> set[str]:
        """The ids that were on the page."""
        data = bytes(self.ids)
        return {str(UUID(bytes=data[at : at + BYTES])) for at in range(0, len(data), BYTES)}

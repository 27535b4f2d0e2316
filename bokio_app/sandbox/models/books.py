"""The ledger: journal entries and their items, tags and comments."""

import uuid

from django.db import models
from django.db.models import Q

from bokio_app.sandbox.models.access import Application
from bokio_app.sandbox.models.amounts import ZERO, Amount
from bokio_app.sandbox.models.companies import Company


class JournalEntry(models.Model):
    """An entry of the books. `made_by` is the application that wrote it as an entry of its own."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    company = models.ForeignKey(Company, models.CASCADE, related_name="entries")
    number = models.PositiveIntegerField(help_text="shown with the series letter, such as V342")
    title = models.CharField(max_length=200)
    date = models.DateField()
    made_by = models.ForeignKey(Application, models.PROTECT, null=True, related_name="+")
    reversing = models.UUIDField(null=True)
    reversed_by = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "number"], name="entry_one_per_number")
        ]

    def __str__(self) -> str:
        return f"V{self.number}"


class JournalItem(models.Model):
    entry = models.ForeignKey(JournalEntry, models.CASCADE, related_name="items")
    company = models.ForeignKey(Company, models.CASCADE, related_name="+")
    account = models.PositiveIntegerField()
    debit = Amount(default=ZERO)
    credit = Amount(default=ZERO)

    class Meta:
        indexes = [models.Index(fields=["company", "account"], name="item_account")]
        constraints = [
            models.CheckConstraint(
                condition=Q(debit=0, credit__gt=0) | Q(debit__gt=0, credit=0),
                name="item_debit_or_credit",
            )
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.debit or -self.credit}"


class TagGroup(models.Model):
    """A dimension by which entries are followed up, such as cost centres."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    company = models.ForeignKey(Company, models.CASCADE, related_name="tag_groups")
    name = models.CharField(max_length=100)
    alias = models.CharField(max_length=3)
    dimension_number = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "alias"], name="tag_group_alias"),
            models.UniqueConstraint(
                fields=["company", "dimension_number"], name="tag_group_dimension"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    group = models.ForeignKey(TagGroup, models.CASCADE, related_name="tags")
    name = models.CharField(max_length=100)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "name"], name="tag_name")]

    def __str__(self) -> str:
        return self.name


class EntryTag(models.Model):
    """A tag on an entry, or on one of its items. `weight` is a share above 0, at most 1."""

    tag = models.ForeignKey(Tag, models.PROTECT, related_name="uses")
    entry = models.ForeignKey(JournalEntry, models.CASCADE, related_name="tags")
    item = models.ForeignKey(JournalItem, models.CASCADE, null=True, related_name="tags")
    weight = models.DecimalField(max_digits=7, decimal_places=6)

    def __str__(self) -> str:
        return f"{self.tag} {self.weight}"


class Comment(models.Model):
    """A remark on an entry. `application` is None for one that a person wrote."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    entry = models.ForeignKey(JournalEntry, models.CASCADE, related_name="comments")
    application = models.ForeignKey(Application, models.PROTECT, null=True, related_name="+")
    author_name = models.CharField(max_length=80)
    content = models.TextField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.content[:40]

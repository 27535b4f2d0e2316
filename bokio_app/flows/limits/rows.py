"""The limiter's state as rows, where there is no Redis. Times are the database's own."""

from __future__ import annotations

from django.db import models
from django.db.models import UniqueConstraint


class Pace(models.Model):
    """One company's pace; whoever asks for it locks this row first.

    `due` is when the next paced call would come if all kept the pace. Until `known_until` our
    count of calls holds; after that one call finds out (`probe`) what Bokio has counted.
    """

    connection = models.OneToOneField(
        "connections.Connection", models.CASCADE, primary_key=True, related_name="pace"
    )
    due = models.DateTimeField(null=True)
    known_until = models.DateTimeField(null=True)
    probe = models.CharField(max_length=40, blank=True)
    probe_until = models.DateTimeField(null=True)
    blocked_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"pace of {self.connection_id}"


class RateSlot(models.Model):
    """One call that Bokio may still count."""

    token = models.CharField(max_length=50, primary_key=True)
    connection = models.ForeignKey("connections.Connection", models.CASCADE)
    until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["connection", "until"], name="rate_slot_until")]

    def __str__(self) -> str:
        return self.token


class UrgentAsker(models.Model):
    """Somebody whom the next free slot belongs to."""

    connection = models.ForeignKey("connections.Connection", models.CASCADE)
    who = models.CharField(max_length=40)
    until = models.DateTimeField()

    class Meta:
        constraints = [UniqueConstraint(fields=["connection", "who"], name="urgent_asker_once")]

    def __str__(self) -> str:
        return self.who


class Booking(models.Model):
    """When a paced asker may come: a moment of its own, until it has come."""

    connection = models.ForeignKey("connections.Connection", models.CASCADE)
    who = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta:
        constraints = [UniqueConstraint(fields=["connection", "who"], name="booking_once")]

    def __str__(self) -> str:
        return self.who


class PathLease(models.Model):
    """A write under way: no other may go to the same method and path before `until`."""

    connection = models.ForeignKey("connections.Connection", models.CASCADE)
    address = models.CharField(max_length=300)
    token = models.CharField(max_length=40)
    since = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        constraints = [UniqueConstraint(fields=["connection", "address"], name="path_lease_once")]

    def __str__(self) -> str:
        return self.address

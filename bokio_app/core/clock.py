"""The only place that says what time and what day it is."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils import timezone

STOCKHOLM = ZoneInfo("Europe/Stockholm")


def now() -> datetime:
    """The present moment, aware and in UTC."""
    return timezone.now()


def today() -> date:
    """The accounting day: the calendar day in Stockholm, which is ahead of UTC's."""
    return now().astimezone(STOCKHOLM).date()

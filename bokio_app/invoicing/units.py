"""What a line's quantity is counted in: Bokio's words for it, and those for pages."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Unit(models.TextChoices):
    """The units that Bokio names, the usual ones first."""

    UNSPECIFIED = "unspecified", "–"
    PIECE = "piece", _("pcs")
    HOUR = "hour", _("h")
    DAY = "day", _("day")
    WEEK = "week", _("week")
    MONTH = "month", _("month")
    YEAR = "year", _("year")
    KILOGRAM = "kilogram", "kg"
    METER = "meter", "m"
    METER_SQUARED = "meterSquared", "m²"
    METER_CUBIC = "meterCubic", "m³"
    LITER = "liter", "l"
    KILOMETER = "kilometer", "km"
    MILE = "mile", _("mile")
    MINUTE = "minute", "min"
    WORDS = "words", _("words")
    GRAM = "gram", "g"
    TON = "ton", _("t")
    CENTIMETER = "centimeter", "cm"
    MILLIMETER = "millimeter", "mm"
    HECTARE = "hectar", "ha"
    MEGABYTE = "megabyte", "MB"
    GIGABYTE = "gigabyte", "GB"

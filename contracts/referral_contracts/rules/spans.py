"""How a limit is written: ``PT12H``, ``P15D``, a number of days or months, ``--12-15``."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

_CLOCK: Final = re.compile(r"PT(?=[0-9])(?:([0-9]{1,4})H)?(?:([0-9]{1,5})M)?(?:([0-9]{1,7})S)?\Z")
_DAYS: Final = re.compile(r"P([0-9]{1,4})D\Z")
_MONTH_DAY: Final = re.compile(r"--([0-9]{2})-([0-9]{2})\Z")
_LEAP_YEAR: Final = 2024
COUNT_MAX: Final = 1000
"""Days or months. The longest clock of the law is four months."""

SECOND: Final = 1000
HOUR: Final = 3600 * SECOND
DAY: Final = 24 * HOUR


class Unit(StrEnum):
    """What a span is counted in."""

    MILLISECONDS = "milliseconds"
    WORKING_DAYS = "working_days"
    CALENDAR_DAYS = "calendar_days"
    MONTHS = "months"
    BEFORE_DAY = "before_day"
    """Before a day of the year; the amount is month * 100 + day."""


@dataclass(frozen=True, slots=True)
class Span:
    """A limit, read."""

    unit: Unit
    amount: int


def milliseconds(text: str) -> int | None:
    """Return how long ``PT1H30M`` or ``P2D`` lasts, a day being 24 hours; None when *text* is neither."""
    if found := _CLOCK.match(text):
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return (hours * 3600 + minutes * 60 + seconds) * SECOND
    if found := _DAYS.match(text):
        return int(found[1]) * DAY
    return None


def elapsed(text: str) -> Span | None:
    """Return the span of hours, minutes and seconds that *text* writes, or None."""
    lasting = milliseconds(text) if _CLOCK.match(text) else None
    return Span(Unit.MILLISECONDS, lasting) if lasting else None


def lasting(text: str) -> Span | None:
    """Return the span of whole days, or of hours, that *text* writes, or None."""
    if found := _DAYS.match(text):
        return counted(Unit.CALENDAR_DAYS, int(found[1]))
    return elapsed(text)


def counted(unit: Unit, amount: int) -> Span | None:
    """Return the span of *amount* days or months, or None when there cannot be so many."""
    return Span(unit, amount) if 0 < amount <= COUNT_MAX else None


def before_day(text: str) -> Span | None:
    """Return the span that ends before the day of the year that *text* writes, or None. A 29 February is none."""
    found = _MONTH_DAY.match(text)
    if found is None:
        return None
    month, day = int(found[1]), int(found[2])
    try:
        date(_LEAP_YEAR + 1, month, day)
    except ValueError:
        return None
    return Span(Unit.BEFORE_DAY, month * 100 + day)

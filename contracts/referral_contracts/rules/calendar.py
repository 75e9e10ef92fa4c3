"""
When a limit ends: the days of Viet Nam, which of them are worked on, and the last moment that is still in time.

A day is a number: how many have begun at Hồ Chí Minh City since 1 January 1970 there. That city has been seven hours
ahead of UTC without a break since 13 June 1975, so no time zone database is asked: a due instant is the same on every
machine and in every language.
"""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, TypeAlias

from referral_contracts.payloads.basis import Confidence
from referral_contracts.rules.pack import Counting, FirstDay, LastDay
from referral_contracts.rules.spans import DAY, HOUR, Span, Unit

OFFSET: Final = 7 * HOUR
_EPOCH: Final = date(1970, 1, 1)
_FRIDAY: Final = 4
_EARLIEST: Final = Counting(first_day=FirstDay.INCLUDED, last_day=LastDay.STAYS)
_LATEST: Final = Counting(first_day=FirstDay.EXCLUDED, last_day=LastDay.ROLLS)

Interval: TypeAlias = tuple[int, int]
"""From a moment, up to and not including another."""


def day_of(ms: int) -> int:
    """Return the day of Viet Nam on which *ms* lies."""
    return (ms + OFFSET) // DAY


def end_of(day: int) -> int:
    """Return the last millisecond of *day*."""
    return (day + 1) * DAY - OFFSET - 1


def date_of(day: int) -> date:
    """Return *day* as a date."""
    return _EPOCH + timedelta(days=day)


def number_of(day: date) -> int:
    """Return the number of the day *day*."""
    return (day - _EPOCH).days


@dataclass(frozen=True, slots=True)
class Due:
    """Until when something is in time."""

    strict_ms: int
    """By the earliest of all readings: what people are shown."""
    lenient_ms: int
    """By the last of them: nothing is missed before."""
    provisional: bool = False
    """It rests on a year for which no days off were announced yet."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days on which nobody works, and the weekend days on which everybody does."""

    version: str
    """Names the data: base64url of its SHA-256."""
    announced: frozenset[int]
    """The years whose days off were announced."""
    off: frozenset[int] = field(default=frozenset(), repr=False)
    worked: frozenset[int] = field(default=frozenset(), repr=False)
    """Weekend days that a swap made working days."""
    doubtful: frozenset[int] = field(default=frozenset(), repr=False)
    """Days of either kind for which nobody has seen the announcement: by the strict reading they are worked on."""

    def works(self, day: int, *, strict: bool) -> bool:
        """Whether *day* is a working day."""
        if day in self.doubtful:
            return strict
        if day in self.worked:
            return True
        return (day + 3) % 7 <= _FRIDAY and day not in self.off

    def knows(self, first: int, last: int) -> bool:
        """Whether the days off of all years from the day *first* to the day *last* were announced."""
        return all(year in self.announced for year in range(date_of(first).year, date_of(last).year + 1))


def due(
    calendar: Calendar,
    start_ms: int,
    span: Span,
    counting: Counting,
    paused: Sequence[Interval] = (),
    *,
    lost: Sequence[Interval] = (),
) -> Due:
    """
    Return until when what began at *start_ms* is in time.

    Args:
        lost: Outages: no time in them counts, by either reading.
        paused: When the clock stood still. Hours go on from where they stopped. Of days, those on which it stood still
            from beginning to end do not count; by the lenient reading, those on which it did so at all.
    """
    if span.unit is Unit.MILLISECONDS:
        due_ms = shifted(start_ms, start_ms + span.amount, (*paused, *lost))
        return Due(due_ms, due_ms)
    start, verified = day_of(start_ms), counting.confidence is not Confidence.NOT_VERIFIED
    whole = [(day_of(begin - 1) + 1, day_of(end)) for begin, end in paused]
    touched = [(day_of(begin), day_of(end - 1) + 1) for begin, end in paused]
    strict = _Reading(calendar, counting if verified else _EARLIEST, whole, strict=True).last_day(start, span)
    lenient = _Reading(calendar, counting if verified else _LATEST, touched, strict=False).last_day(start, span)
    if span.unit is Unit.WORKING_DAYS:
        known = calendar.knows(start, lenient)
    else:
        known = (verified and counting.last_day is LastDay.STAYS) or calendar.knows(strict, lenient)
    strict_ms, lenient_ms = (shifted(start_ms, end_of(day), lost) for day in (strict, lenient))
    return Due(strict_ms, lenient_ms, not known)


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to count days."""

    calendar: Calendar
    counting: Counting
    paused: Sequence[Interval]
    """In days."""
    strict: bool = field(kw_only=True)

    def last_day(self, start: int, span: Span) -> int:
        """Return the last day on which what began on the day *start* is in time."""
        included = self.counting.first_day is FirstDay.INCLUDED
        match span.unit:
            case Unit.WORKING_DAYS:
                return self._after_working(start - included, span.amount)
            case Unit.MONTHS:
                last = _after_months(start, span.amount) - included
            case Unit.BEFORE_DAY:
                last = _before(start, span.amount)
            case Unit.CALENDAR_DAYS | Unit.MILLISECONDS:  # hours never come here
                last = start + span.amount - included
        last = shifted(start, last + 1, self.paused) - 1
        if self.counting.last_day is LastDay.ROLLS:
            while not self.calendar.works(last, strict=self.strict):
                last += 1
        return last

    def _after_working(self, day: int, amount: int) -> int:
        while amount:
            day += 1
            stood = any(begin <= day < end for begin, end in self.paused)
            amount -= not stood and self.calendar.works(day, strict=self.strict)
        return day


def _after_months(day: int, amount: int) -> int:
    """Return the same day so many months later, or the last of a month that has no such day."""
    began = date_of(day)
    year, month = divmod(began.year * 12 + began.month - 1 + amount, 12)
    return number_of(date(year, month + 1, min(began.day, monthrange(year, month + 1)[1])))


def _before(day: int, month_day: int) -> int:
    """Return the first day, not before *day*, that is the one before this day of the year."""
    year, (month, number) = date_of(day).year, divmod(month_day, 100)
    last = number_of(date(year, month, number)) - 1
    return last if last >= day else number_of(date(year + 1, month, number)) - 1


def shifted(start_ms: int, due_ms: int, lost: Iterable[Interval]) -> int:
    """
    Return *due_ms* moved so that no time in *lost* counts: an outage, or a pause.

    What was lost before *start_ms*, or after the moment that comes out, moves nothing. Days can be told as well.
    """
    reached = start_ms
    for begin, end in sorted(lost):
        if begin >= due_ms:
            break
        if end > max(begin, reached):
            due_ms += end - max(begin, reached)
            reached = end
    return due_ms

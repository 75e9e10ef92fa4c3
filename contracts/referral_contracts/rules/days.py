"""The file of days off and swap days, each with its source: read into a `Calendar`."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Final

from pydantic import BaseModel, ConfigDict

from referral_contracts.encoding import b64, jcs, sha256
from referral_contracts.payloads.basis import Confidence
from referral_contracts.rules.calendar import Calendar, number_of
from referral_contracts.rules.faults import Fault, PackRefused, Problem
from referral_contracts.rules.loading import read_row, read_toml
from referral_contracts.rules.pack import LongWords, Name, Words

_SATURDAY: Final = 5


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class CalendarHead(_Row):
    """Which calendar it is."""

    id: Name
    vi: Words
    en: Words


class Year(_Row):
    """Whether the days off of a year were announced, and where."""

    year: int
    announced: bool
    source: LongWords
    confidence: Confidence


class DayOff(_Row):
    """A day on which nobody works, or a weekend day on which everybody does."""

    date: date
    works: bool = False
    vi: Words
    en: Words
    source: LongWords
    confidence: Confidence


def read_calendar(file: str, text: str) -> Calendar:
    """
    Return the calendar that *text* writes.

    Raises:
        PackRefused: Something is wrong with it; all of it is told.
    """
    problems: list[Problem] = []
    years, days = _rows(file, text, problems)
    problems += _faults(file, years, days)
    if problems:
        raise PackRefused(problems)
    announced = [year.year for year in years if year.announced]
    return calendar_in(announced, {day.date.isoformat(): _word(day) for day in days})


def calendar_in(announced: Collection[int], days: Mapping[str, str]) -> Calendar:
    """
    Return the calendar of these *days*, each ``off``, ``worked`` or ``doubtful``.

    Its version is a hash over what decides, and not over the words.
    """
    found: dict[str, set[int]] = {"off": set(), "worked": set(), "doubtful": set()}
    for day, word in days.items():
        found[word].add(number_of(date.fromisoformat(day)))
    return Calendar(
        version=b64(sha256(jcs({"announced": sorted(announced), "days": dict(days)}))),
        announced=frozenset(announced),
        off=frozenset(found["off"]),
        worked=frozenset(found["worked"]),
        doubtful=frozenset(found["doubtful"]),
    )


def _word(day: DayOff) -> str:
    if day.confidence is Confidence.NOT_VERIFIED:
        return "doubtful"
    return "worked" if day.works else "off"


def _rows(file: str, text: str, problems: list[Problem]) -> tuple[list[Year], list[DayOff]]:
    told = read_toml(file, text, problems)
    if told is None:
        return [], []
    strange = sorted(told.keys() - {"calendar", "year", "day"})
    problems += [Problem(file, "", name, Fault.UNKNOWN_FIELD, "no such table") for name in strange]
    read_row(CalendarHead, told.get("calendar", {}), file, "calendar", problems)
    years = [read_row(Year, row, file, f"year {number}", problems) for number, row in _listed(told, "year")]
    days = [read_row(DayOff, row, file, f"day {number}", problems) for number, row in _listed(told, "day")]
    return [year for year in years if year is not None], [day for day in days if day is not None]


def _listed(told: dict[str, object], name: str) -> Iterator[tuple[int, object]]:
    rows = told.get(name, [])
    yield from enumerate(rows if isinstance(rows, list) else [rows], start=1)


def _faults(file: str, years: list[Year], days: list[DayOff]) -> Iterator[Problem]:
    known, seen = {year.year for year in years}, set[date]()
    for day in days:
        name = day.date.isoformat()
        if day.date in seen:
            yield Problem(file, name, "date", Fault.DUPLICATE_RULE, "the day stands twice")
        seen.add(day.date)
        if day.date.year not in known:
            yield Problem(file, name, "date", Fault.MISSING_FIELD, "its year has no [[year]]")
        weekend = day.date.weekday() >= _SATURDAY
        if day.works and not weekend:
            yield Problem(file, name, "works", Fault.WRONG_VALUE, "a weekday is worked on anyhow")

"""Until when something is in time, worked out: one vector for each rule of section 21, and the name of a clock."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from referral_contracts.encoding import format_time, parse_time
from referral_contracts.payloads.basis import Confidence
from referral_contracts.rules.calendar import due
from referral_contracts.rules.clock import clock_id
from referral_contracts.rules.days import calendar_in
from referral_contracts.rules.pack import Counting, FirstDay, LastDay
from referral_contracts.rules.spans import HOUR, Span, Unit
from tools.vectors.cast import BUS
from tools.vectors.vector import Vector, valid

ANNOUNCED: Final = (2024, 2026)
DAYS: Final[Mapping[str, str]] = {
    "2024-04-29": "off",
    "2024-04-30": "off",
    "2024-05-01": "off",
    "2024-05-04": "worked",
    **{f"2026-02-{day}": "off" for day in range(16, 21)},
    "2026-11-24": "doubtful",
}
READ: Final = Counting(confidence=Confidence.TEXT)
STAYS: Final = Counting(last_day=LastDay.STAYS, confidence=Confidence.TEXT)
INCLUDED: Final = Counting(first_day=FirstDay.INCLUDED, confidence=Confidence.TEXT)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    comment: str
    start: str
    unit: Unit
    amount: int
    counting: Counting = READ
    paused: Sequence[Sequence[str]] = ()
    lost: Sequence[Sequence[str]] = field(default=())


CASES: Final[Mapping[str, _Case]] = {
    "hours": _Case(
        comment="twelve hours run through the night of Tết",
        start="2026-02-16T13:00:00.000Z",
        unit=Unit.MILLISECONDS,
        amount=12 * HOUR,
    ),
    "hours_over_an_outage": _Case(
        comment="what was lost in an outage is added, and an outage that begins afterwards is not",
        start="2026-03-02T02:00:00.000Z",
        unit=Unit.MILLISECONDS,
        amount=12 * HOUR,
        lost=(
            ("2026-03-02T13:00:00.000Z", "2026-03-02T17:00:00.000Z"),
            ("2026-03-02T16:00:00.000Z", "2026-03-02T17:30:00.000Z"),
            ("2026-03-02T20:00:00.000Z", "2026-03-02T21:00:00.000Z"),
        ),
    ),
    "working_days": _Case(
        comment="begun on Monday morning",
        start="2026-03-02T01:00:00.000Z",
        unit=Unit.WORKING_DAYS,
        amount=5,
    ),
    "working_days_in_the_evening_of_utc": _Case(
        comment="18:30 UTC on Sunday is Monday in Viet Nam",
        start="2026-03-01T18:30:00.000Z",
        unit=Unit.WORKING_DAYS,
        amount=5,
    ),
    "working_days_over_tet": _Case(
        comment="nine days off, weekends among them",
        start="2026-02-13T01:00:00.000Z",
        unit=Unit.WORKING_DAYS,
        amount=2,
    ),
    "working_days_over_a_swap": _Case(
        comment="Monday 29 April was swapped for Saturday 4 May",
        start="2024-04-26T01:00:00.000Z",
        unit=Unit.WORKING_DAYS,
        amount=3,
    ),
    "working_days_over_a_doubt": _Case(
        comment="a day in doubt is worked on by the strict reading and off by the lenient",
        start="2026-11-23T01:00:00.000Z",
        unit=Unit.WORKING_DAYS,
        amount=1,
    ),
    "working_days_in_an_unannounced_year": _Case(
        comment="it rests on a year for which nothing was announced, and says so",
        start="2026-12-30T01:00:00.000Z",
        unit=Unit.WORKING_DAYS,
        amount=5,
    ),
    "working_days_from_the_first": _Case(
        comment="the day of the trigger counts",
        start="2026-03-02T01:00:00.000Z",
        unit=Unit.WORKING_DAYS,
        amount=5,
        counting=INCLUDED,
    ),
    "working_days_over_a_pause": _Case(
        comment="of two days that it stood still in part and one wholly, the strict reading leaves out the one",
        start="2026-03-02T01:00:00.000Z",
        unit=Unit.WORKING_DAYS,
        amount=5,
        paused=(("2026-03-03T03:00:00.000Z", "2026-03-05T03:00:00.000Z"),),
    ),
    "days_that_roll": _Case(
        comment="the last day is a Sunday",
        start="2026-03-01T01:00:00.000Z",
        unit=Unit.CALENDAR_DAYS,
        amount=7,
    ),
    "days_that_stay": _Case(
        comment="the same where a last day stays what it is",
        start="2026-03-01T01:00:00.000Z",
        unit=Unit.CALENDAR_DAYS,
        amount=7,
        counting=STAYS,
    ),
    "days_nobody_has_read_about": _Case(
        comment="how days are counted is not verified: the earliest of the readings, and the last",
        start="2026-03-02T01:00:00.000Z",
        unit=Unit.CALENDAR_DAYS,
        amount=5,
        counting=Counting(),
    ),
    "days_over_a_leap_day": _Case(
        comment="29 February 2024 is a day like others",
        start="2024-02-20T01:00:00.000Z",
        unit=Unit.CALENDAR_DAYS,
        amount=9,
    ),
    "days_over_an_outage": _Case(
        comment="an outage moves the end of the day by as much as was lost",
        start="2026-03-02T01:00:00.000Z",
        unit=Unit.CALENDAR_DAYS,
        amount=3,
        lost=(("2026-03-03T01:00:00.000Z", "2026-03-03T02:30:00.000Z"),),
    ),
    "months": _Case(
        comment="31 January and one month is the last day of February",
        start="2024-01-31T01:00:00.000Z",
        unit=Unit.MONTHS,
        amount=1,
    ),
    "before_a_day": _Case(
        comment="before 15 December is until the end of the 14th; on the 15th, next year's",
        start="2025-12-15T01:00:00.000Z",
        unit=Unit.BEFORE_DAY,
        amount=1215,
        counting=STAYS,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    comment: str
    starts: Sequence[tuple[str, str]]
    """When each was, and when it was admitted."""
    late_after: str


TOLD: Final[Mapping[str, _Told]] = {
    "in_time": _Told(
        comment="an earlier start that leaves more time than `settle` is heard",
        starts=(("2026-03-02T08:00", "2026-03-02T08:01"), ("2026-03-02T02:00", "2026-03-02T09:00")),
        late_after="2026-03-02T14:00",
    ),
    "at_the_last_moment": _Told(
        comment="one that leaves just as much as `settle` is heard",
        starts=(("2026-03-02T08:00", "2026-03-02T08:01"), ("2026-03-02T02:00", "2026-03-02T13:00")),
        late_after="2026-03-02T14:00",
    ),
    "too_late": _Told(
        comment="one that leaves less than `settle` changes what is due, and not from when it is late",
        starts=(("2026-03-02T08:00", "2026-03-02T08:01"), ("2026-03-02T02:00", "2026-03-02T13:01")),
        late_after="2026-03-02T20:00",
    ),
    "in_time_and_then_too_late": _Told(
        comment="of two earlier starts the one that leaves time is heard, and the other is not",
        starts=(
            ("2026-03-02T08:00", "2026-03-02T08:01"),
            ("2026-03-02T01:30", "2026-03-02T13:00"),
            ("2026-03-02T02:00", "2026-03-02T09:00"),
        ),
        late_after="2026-03-02T14:00",
    ),
    "later": _Told(
        comment="a later start changes nothing",
        starts=(("2026-03-02T02:00", "2026-03-02T02:01"), ("2026-03-02T08:00", "2026-03-02T08:01")),
        late_after="2026-03-02T14:00",
    ),
}
"""Twelve hours, and an hour to settle."""


def cases() -> Iterator[Vector]:
    for name, case in CASES.items():
        yield _due(name, case)
    for name, told in TOLD.items():
        yield _due_told(name, told)
    named = {"bus": BUS, "subject": "00" * 16, "rule": "emergency-measures-12h", "scope": "", "cycle": 0}
    yield valid("clock-name", "clock_name", "a clock of a whole case", **named, clock=clock_id(*_parts(named), 0))


def _parts(named: Mapping[str, object]) -> tuple[str, str, str, str]:
    return str(named["bus"]), str(named["subject"]), str(named["rule"]), str(named["scope"])


def _due(name: str, case: _Case) -> Vector:
    calendar = calendar_in(ANNOUNCED, DAYS)
    paused, lost = _moments(case.paused), _moments(case.lost)
    span = Span(case.unit, case.amount)
    found = due(calendar, parse_time(case.start), span, case.counting, paused, lost=lost)
    return valid(
        "due",
        f"due_{name}",
        case.comment,
        start=case.start,
        limit={"unit": case.unit.value, "amount": case.amount},
        counting=case.counting.model_dump(mode="json"),
        announced=list(ANNOUNCED),
        days=dict(DAYS),
        paused=[list(one) for one in case.paused],
        lost=[list(one) for one in case.lost],
        due_at=format_time(found.strict_ms),
        late_after=format_time(found.lenient_ms),
        provisional=found.provisional,
        calendar=calendar.version,
    )


def _due_told(name: str, told: _Told) -> Vector:
    def moment(text: str) -> str:
        return f"{text}:00.000Z"

    span, calendar = Span(Unit.MILLISECONDS, 12 * HOUR), calendar_in(ANNOUNCED, DAYS)
    earliest = min(start for start, _ in told.starts)
    return valid(
        "due-told",
        f"due_told_{name}",
        told.comment,
        starts=[[moment(start), moment(admitted)] for start, admitted in told.starts],
        settle=HOUR,
        limit={"unit": span.unit.value, "amount": span.amount},
        counting=READ.model_dump(mode="json"),
        announced=list(ANNOUNCED),
        days=dict(DAYS),
        paused=[],
        lost=[],
        due_at=format_time(due(calendar, parse_time(moment(earliest)), span, READ).strict_ms),
        late_after=moment(told.late_after),
    )


def _moments(told: Sequence[Sequence[str]]) -> list[tuple[int, int]]:
    return [(parse_time(begin), parse_time(end)) for begin, end in told]

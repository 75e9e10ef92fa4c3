"""
What the watcher keeps of a case: its docket, what was said of its clocks, and what is still to be said.

A record is JSON, in lists without names: a million clocks are kept in memory as these very bytes, and most of them
sleep. Events are told once and then named by their number. In front lies what is asked of every case at a restart.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import repeat
from operator import attrgetter
from typing import Any, Final, NamedTuple, Self

from pydantic_core import from_json, to_json

from referral_contracts.codes import Code
from referral_contracts.errors import Fatal
from referral_contracts.rules.book import RuleBook
from referral_contracts.rules.clock import Clock, Step
from referral_contracts.rules.docket import Docket
from referral_contracts.rules.heard import Happening, Say, Saying, Stamp

SAID: Final = "said"
GIVEN_UP: Final = "given-up"
_ARMED: Final = f"{Step.ARMED.value}/"
"""What became of a notice: it is on the ledger, or the bus refuses it for good."""


@dataclass(frozen=True, slots=True)
class Unread:
    """An event whose clock section could not be read: its sender is told."""

    event: str
    sha256: str
    recipient: str
    code: str


@dataclass(frozen=True, slots=True)
class Told:
    """A notice that is done with."""

    recipient: str
    became: str
    admitted_ms: int
    """When the bus admitted, or refused it."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case."""

    docket: Docket
    exercise: bool = False
    untold: Mapping[str, int] = field(default_factory=dict)
    """
    Clocks of which the responsible agency has to be told: the section that started them was not sealed to it, or they
    began earlier than it was told. And how often it was to be told so before.
    """
    told: Mapping[str, Mapping[str, Told]] = field(default_factory=dict)
    """By clock, or by the hash of an unread event: the notices that are done with, by their names."""
    unread: tuple[Unread, ...] = ()
    links: frozenset[str] = frozenset()
    """Cases of the same child: it is counted once."""
    received: frozenset[str] = frozenset()
    """The hand-offs, as ``opening id/recipient``, whose receipt is on record."""
    ended_ms: int | None = None
    """Since when the case is closed, or was entered in error."""
    by: str = ""
    """The calendar and the outages that its clocks were worked out by."""

    def notices_of(self, about: str) -> Mapping[str, Told]:
        """Return what is done with of the clock or event *about*."""
        return self.told.get(about, {})

    def armings(self, clock: str) -> int:
        """Return how often the responsible agency was told, or has to be told, when *clock* began."""
        told = [int(name.removeprefix(_ARMED)) for name in self.notices_of(clock) if name.startswith(_ARMED)]
        return 1 + max([*told, self.untold.get(clock, -1)], default=-1)

    def owed(self, clock: str) -> str | None:
        """Return the name of the notice by which the responsible agency has to be told when *clock* began."""
        return f"{_ARMED}{self.untold[clock]}" if clock in self.untold else None

    def heard_by(self, name: str, settled_ms: int) -> Self:
        """Return the case once it was told when the clock *name* began: at first, it has until *settled_ms*."""
        clocks = tuple(
            replace(clock, told_ms=settled_ms) if clock.id == name and clock.told_ms is None else clock
            for clock in self.docket.clocks
        )
        left = {clock: number for clock, number in self.untold.items() if clock != name}
        return replace(self, docket=replace(self.docket, clocks=clocks), untold=left)


class Shown(NamedTuple):
    """One clock as the metrics count it."""

    rule: str
    role: str
    basis: str
    since_ms: int | None = None
    """Since when a receipt is being waited for, by the clock that waits for it."""
    overdue_ms: int | None = None
    """Since when it is overdue: it was called missed, and nothing has come since."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What is asked of every case at a restart."""

    next_ms: int | None
    """The moment that has to be seen on the ledger before something is to be said; 0: at once."""
    shown: tuple[Shown, ...]
    """Its clocks that run, of a case that is no exercise."""
    missed: bool = False
    """Whether one of its clocks was called missed."""
    ended_ms: int | None = None


class Kept(NamedTuple):
    """A case as it is kept."""

    record: bytes
    summary: Summary


def encode(case: Case, summary: Summary) -> bytes:
    """Return the record of *case*."""
    events: dict[tuple[str, str, int], int] = {}
    docket = case.docket
    told = [
        [
            summary.next_ms,
            summary.shown,
            int(summary.missed),
            case.ended_ms,
        ],
        [
            int(case.exercise),
            case.by,
            dict(sorted(case.untold.items())),
            sorted(case.links),
            sorted(case.received),
            [[one.event, one.sha256, one.recipient, one.code] for one in case.unread],
            {
                about: {name: [done.recipient, done.became, done.admitted_ms] for name, done in notices.items()}
                for about, notices in case.told.items()
            },
        ],
        [_happening(one, events) for one in docket.heard],
        [
            [one.clock, one.say.value, one.event, one.admitted_ms, one.until_ms, int(one.superior)]
            for one in docket.sayings
        ],
        [_clock(clock, events) for clock in docket.clocks],
    ]
    return to_json([*told, [list(event) for event in events]])


def summary_in(value: bytes) -> Summary:
    """Return the summary in front of a record."""
    next_ms, shown, missed, ended_ms = from_json(value)[0]
    return Summary(next_ms, tuple(Shown(*one) for one in shown), bool(missed), ended_ms)


def decode(value: bytes, subject: str, book: RuleBook) -> Case:
    """
    Return the case of a record.

    Raises:
        Fatal: STATE_FORMAT. MALFORMED_PACK: a clock runs by a rule that is in none of the packs any more.
    """
    try:
        (*_, ended_ms), beside, heard, sayings, clocks, events = from_json(value)
        exercise, by, untold, links, received, unread, told = beside
        return Case(
            docket=Docket(
                subject=subject,
                heard=tuple(_read_happening(one, events) for one in heard),
                sayings=tuple(
                    Saying(clock, Say(say), event, admitted_ms, until_ms, bool(superior))
                    for clock, say, event, admitted_ms, until_ms, superior in sayings
                ),
                clocks=tuple(_read_clock(one, events, book) for one in clocks),
            ),
            exercise=bool(exercise),
            by=by,
            ended_ms=ended_ms,
            untold=dict(untold),
            links=frozenset(links),
            received=frozenset(received),
            unread=tuple(Unread(*one) for one in unread),
            told={about: {name: Told(*done) for name, done in notices.items()} for about, notices in told.items()},
        )
    except (ValueError, TypeError, IndexError, KeyError, AttributeError) as error:
        raise Fatal(Code.STATE_FORMAT, "a case record of another format") from error


def _number(event: str, sha256: str, admitted_ms: int, events: dict[tuple[str, str, int], int]) -> int:
    return events.setdefault((event, sha256, admitted_ms), len(events))


def _happening(one: Happening, events: dict[tuple[str, str, int], int]) -> list[object]:
    number = _number(one.event, one.sha256, one.admitted_ms, events)
    told = [
        one.name,
        number,
        one.scope,
        one.occurred_ms,
        one.whose,
        one.province,
        one.commune,
        one.sender,
        one.corrects,
    ]
    return _trimmed(told)


def _read_happening(told: Sequence[Any], events: Sequence[Any]) -> Happening:
    padded: list[Any] = [*told, *repeat(None, 9 - len(told))]
    name, number, scope, occurred_ms, whose, province, commune, sender, corrects = padded
    event, sha256, admitted_ms = events[number]
    return Happening(
        name,
        event,
        sha256,
        admitted_ms,
        occurred_ms=occurred_ms,
        whose=whose,
        province=province,
        commune=commune,
        scope=scope,
        sender=sender,
        corrects=corrects,
    )


def _stamp(stamp: Stamp | None, events: dict[tuple[str, str, int], int]) -> list[int] | None:
    return None if stamp is None else [_number(stamp.event, stamp.sha256, stamp.admitted_ms, events), stamp.moment_ms]


def _read_stamp(told: Sequence[int] | None, events: Sequence[Any]) -> Stamp | None:
    if told is None:
        return None
    event, sha256, admitted_ms = events[told[0]]
    return Stamp(event, sha256, told[1], admitted_ms)


_FIELDS: Final = tuple(one.name for one in fields(Clock))
_VALUES: Final = attrgetter(*_FIELDS)
_RULE_AT: Final = _FIELDS.index("rule")
_STAMPS: Final = ("started", "second", "done", "cancelled", "delay_told")
_STAMPS_AT: Final = tuple(map(_FIELDS.index, _STAMPS))


def _clock(clock: Clock, events: dict[tuple[str, str, int], int]) -> list[object]:
    found = [None if value is False else value for value in _VALUES(clock)]
    found[_RULE_AT] = clock.rule.ref
    for at in _STAMPS_AT:
        found[at] = _stamp(found[at], events)
    return _trimmed(found)


def _read_clock(told: Sequence[Any], events: Sequence[Any], book: RuleBook) -> Clock:
    values = dict(zip(_FIELDS, [*told, *repeat(None, len(_FIELDS) - len(told))], strict=True))
    rule = book.by_ref(values["rule"])
    if rule is None:
        raise Fatal(Code.MALFORMED_PACK, "a clock runs by a rule that is in none of the packs any more")
    stamps = {name: _read_stamp(values[name], events) for name in _STAMPS}
    flags = {name: bool(values[name]) for name in ("provisional", "paused")}
    return Clock(**{**values, **stamps, **flags, "rule": rule})


def _trimmed(values: list[object]) -> list[object]:
    """Leave out what is None at the end."""
    while values and values[-1] is None:
        values.pop()
    return values


def running(case: Case) -> Iterator[Clock]:
    """Yield the clocks of *case* of which nothing has come yet."""
    return (clock for clock in case.docket.clocks if clock.outcome is None)

"""
A pack: rules as data, as its TOML file writes them.

A row is never changed: a rule that ends gets `valid_until`, and what follows is a row of its own under the same id. So
a clock that runs keeps the rule that was in force when it was triggered.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from referral_contracts.encoding import AGENCY
from referral_contracts.payloads.base import Choice
from referral_contracts.payloads.basis import Confidence
from referral_contracts.rules import happenings, spans
from referral_contracts.rules.faults import Fault
from referral_contracts.rules.roles import ANYBODY, ROLES
from referral_contracts.rules.spans import Span, Unit


def _known_happening(name: str) -> str:
    if not happenings.known(name):
        raise PydanticCustomError(Fault.UNKNOWN_HAPPENING, "{name}", {"name": name})
    return name


def _known_role(role: str) -> str:
    if role not in ROLES:
        raise PydanticCustomError(Fault.UNKNOWN_ROLE, "{role}", {"role": role})
    return role


def _several(told: object) -> object:
    # One role is written without brackets.
    match told:
        case str():
            return (told,)
        case list():
            return tuple(told)
        case _:
            return told


Name: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
HappeningName: TypeAlias = Annotated[str, AfterValidator(_known_happening)]
Words: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]
LongWords: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
RoleName: TypeAlias = Annotated[str, AfterValidator(_known_role)]
Roles: TypeAlias = Annotated[tuple[RoleName, ...], BeforeValidator(_several)]
Lasting: TypeAlias = Annotated[str, StringConstraints(pattern=r"^P([0-9]{1,4}D|T[0-9HMS]{2,20})$")]


class PackKind(StrEnum):
    """Who speaks in a pack."""

    NATIONAL = "national"
    LOCAL = "local"
    POLICY = "policy"
    DEMO = "demo"


class Kind(Choice):
    """How a clock counts."""

    ELAPSED = "elapsed", "giờ liên tục, kể cả đêm và ngày nghỉ", "hours, through nights and holidays"
    WORKING_DAYS = "working_days", "ngày làm việc", "working days"
    CALENDAR_DAYS = "calendar_days", "ngày", "calendar days"
    MONTHS = "months", "tháng", "months"
    IMMEDIATE = "immediate", "ngay, không quy định số giờ", "at once, without a number"
    FIXED_DATE = "fixed_date", "trước một ngày cố định trong năm", "before a day of the year"
    DURATION = "duration", "thời gian tối đa của biện pháp", "the longest that a measure may last"
    NONE = "none", "không quy định thời hạn", "without a limit"
    AVAILABILITY = "availability", "thường trực", "being reachable"


class Basis(Choice):
    """What a clock rests on. Policy never calls itself law."""

    LAW = "law", "pháp luật", "law"
    POLICY = "policy", "quy định nội bộ của trục", "policy of the bus"


class Scope(StrEnum):
    """What there is one clock of."""

    CASE = "case"
    HANDOFF = "handoff"


class Whose(StrEnum):
    """How the agency is found whose clock it is. Whom the trigger names has it, if the role is its."""

    PLACE = "place"
    """Else the one agency of the role for the place."""
    NAMED = "named"
    """Else nobody: such a trigger starts nothing."""
    SENDER = "sender"
    """Else whoever sent the event, if the role is its; else it starts nothing."""


class Teller(StrEnum):
    """Whose word ends a clock."""

    ANYBODY = "anybody"
    ROLE = "role"
    """That of an agency of the rule's role: what another one says of its own doing is not this duty done."""


class FirstDay(StrEnum):
    """Whether the day of the trigger is counted."""

    EXCLUDED = "excluded"
    INCLUDED = "included"


class LastDay(StrEnum):
    """What becomes of a last day on which nobody works."""

    ROLLS = "rolls"
    STAYS = "stays"


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Counting(_Row):
    """How days are counted, and how that is known."""

    first_day: FirstDay = FirstDay.EXCLUDED
    last_day: LastDay = LastDay.ROLLS
    confidence: Confidence = Confidence.NOT_VERIFIED
    """N: the due instant that is shown is the earliest of all readings, and nothing is missed before the last."""


class Place(_Row):
    """Where a pack or a rule holds: codes as in the directory."""

    province: Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")]
    commune: Annotated[str, StringConstraints(pattern=r"^[0-9]{5}$")] | None = None

    def holds(self, province: str | None, commune: str | None) -> bool:
        """Whether what happened there happened here."""
        return self.province == province and self.commune in {None, commune}


class Escalation(_Row):
    """One step up: whom it goes to, how long after the miss, and how often."""

    up: Annotated[int, Field(ge=1, le=9)] | None = None
    """So many levels up the responsible agency's `parent`s."""
    role: RoleName | None = None
    """Or the agency of this role for the place."""
    wait: Lasting = "PT0S"
    repeat: Lasting | None = None
    times: Annotated[int, Field(ge=1, le=99)] = 1

    @cached_property
    def moments_ms(self) -> tuple[int, ...]:
        """How long after the miss it is said, each time."""
        wait, repeat = spans.milliseconds(self.wait) or 0, spans.milliseconds(self.repeat or "PT0S") or 0
        return tuple(wait + number * repeat for number in range(self.times))


class Longer(_Row):
    """A longer limit, once something was told."""

    when: HappeningName
    limit: str | int


class Timed(_Row):
    """What a rule, an override and a threshold have in common."""

    limit: str | int | None = None
    source: Words
    quote: LongWords | None = None
    note_vi: LongWords | None = None
    note_en: LongWords | None = None
    valid_from: date
    valid_until: date | None = None
    """The first day on which it holds no more."""
    remind: tuple[Lasting, ...] | None = None
    """How long before it is due; absent: as the pack says."""
    escalate: tuple[Escalation, ...] | None = None

    def in_force(self, day: date) -> bool:
        """Whether it holds on *day*."""
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


class Rule(Timed):
    """One rule."""

    id: Name
    vi: Words
    en: Words
    trigger: tuple[HappeningName, ...] = ()
    """What starts it; the earliest counts. Empty: nothing that the bus hears of, and the note says why."""
    second: tuple[HappeningName, ...] = ()
    """What is measured beside, such as receipt at the commune."""
    role: Roles
    """Whose duty it is: one role, or any of several."""
    whose: Whose = Whose.PLACE
    required: tuple[HappeningName, ...] = ()
    """Any of these ends it."""
    told_by: Teller = Teller.ANYBODY
    told_to: Roles = ()
    """Whom what ends it has to have gone to: an agency of one of these roles. Where that is not told, it counts."""
    cancelled_by: tuple[HappeningName, ...] = ()
    off_told_by: Teller = Teller.ROLE
    """Whose word takes it off, by `cancelled_by` or `unless`: nobody else rules out another's duty."""
    paused_by: tuple[HappeningName, ...] = ()
    resumed_by: tuple[HappeningName, ...] = ()
    requires: tuple[HappeningName, ...] = ()
    """It is armed only in a case in which all of these were found."""
    unless: tuple[HappeningName, ...] = ()
    """It does not apply in a case in which any of these was found."""
    longer: tuple[Longer, ...] = ()
    """What gives more time, if it was before the rule's own limit ended: the whole limit then, from the same start."""
    delay_told_by: tuple[HappeningName, ...] = ()
    """A notice that it will be late: recorded on the clock, and changing nothing."""
    kind: Kind
    scope: Scope = Scope.CASE
    repeats: bool = False
    """A trigger after an end arms it once more."""
    counting: Counting = Counting()
    confidence: Confidence
    limit_confidence: Confidence | None = None
    """Where the limit is known less well than the rule."""
    condition_vi: LongWords | None = None
    condition_en: LongWords | None = None
    places: tuple[Place, ...] = ()
    """Where it holds; empty: everywhere that its pack does."""

    @cached_property
    def verified(self) -> bool:
        """Whether somebody has read that it is so, the limit included."""
        return Confidence.NOT_VERIFIED not in {self.confidence, self.limit_confidence}

    @cached_property
    def span(self) -> Span | None:
        """The limit, read; None for what is only measured."""
        return read_limit(self.kind, self.limit)

    @cached_property
    def longer_spans(self) -> tuple[tuple[str, Span], ...]:
        """What gives more time, and the whole limit then."""
        read = ((one.when, read_limit(self.kind, one.limit)) for one in self.longer)
        return tuple((when, span) for when, span in read if span is not None)

    @cached_property
    def role_name(self) -> str:
        """The role or roles, as one word: the label of a metric."""
        return "any" if self.role == (ANYBODY,) else "-or-".join(self.role)

    @cached_property
    def remind_ms(self) -> tuple[int, ...]:
        """How long before it is due it is said, the earliest first."""
        return tuple(sorted({spans.milliseconds(text) or 0 for text in self.remind or ()}, reverse=True))


class Change(Timed):
    """Another limit for a rule of another pack."""

    rule: Name


class Override(Change):
    """A stricter limit for one place, with a source of its own."""

    confidence: Confidence
    limit: str | int
    basis: Basis = Basis.LAW
    """Law takes the place of the country's limit. Policy, a house's own procedure, runs beside it."""


class Threshold(Change):
    """From when on something that is due at once is called late here. Policy, never law."""

    limit: str


class PackHead(_Row):
    """What the pack is."""

    id: Annotated[str, StringConstraints(pattern=AGENCY)]
    kind: PackKind
    version: Annotated[int, Field(ge=1)]
    issued: date
    vi: Words
    en: Words
    places: tuple[Place, ...] = ()
    remind: tuple[Lasting, ...] = ()
    escalate: tuple[Escalation, ...] = ()
    settle: Lasting | None = None
    """How long after it was armed a clock is not called missed: late paper accuses nobody. A policy pack's to say."""


class Pack(_Row):
    """One file of rules."""

    pack: PackHead
    rule: tuple[Rule, ...] = ()
    override: tuple[Override, ...] = ()
    threshold: tuple[Threshold, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """What it changes in the rules of other packs."""
        return (*self.override, *self.threshold)

    @property
    def basis(self) -> Basis:
        """What its rules rest on."""
        return Basis.LAW if self.pack.kind in {PackKind.NATIONAL, PackKind.LOCAL} else Basis.POLICY


TIMED: Final[Mapping[Kind, str]] = {
    Kind.ELAPSED: "hours, such as PT12H",
    Kind.WORKING_DAYS: "a number of days",
    Kind.CALENDAR_DAYS: "a number of days",
    Kind.MONTHS: "a number of months",
    Kind.FIXED_DATE: "a day of the year before which it is due, such as --12-15",
    Kind.DURATION: "days or hours, such as P15D or PT2H",
}
"""The kinds that have a limit, and how it is written."""

_COUNTED: Final[Mapping[Kind, Unit]] = {
    Kind.WORKING_DAYS: Unit.WORKING_DAYS,
    Kind.CALENDAR_DAYS: Unit.CALENDAR_DAYS,
    Kind.MONTHS: Unit.MONTHS,
}


def read_limit(kind: Kind, limit: str | int | None) -> Span | None:
    """Return the *limit* of a clock of *kind*; None when there is none, or not one that this kind has."""
    if isinstance(limit, int):
        return spans.counted(_COUNTED[kind], limit) if kind in _COUNTED else None
    if limit is None:
        return None
    match kind:
        case Kind.ELAPSED | Kind.IMMEDIATE:
            # What is due at once has a limit where a policy pack set a threshold.
            return spans.elapsed(limit)
        case Kind.DURATION:
            return spans.lasting(limit)
        case Kind.FIXED_DATE:
            return spans.before_day(limit)
        case _:
            return None

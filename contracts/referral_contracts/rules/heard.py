"""What is heard of a case: happenings, and agencies' words about its clocks."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from referral_contracts.rules.book import RuleBook, RuleInForce
from referral_contracts.rules.calendar import Calendar, Interval


@dataclass(frozen=True, slots=True)
class Stamp:
    """When something happened, and which event said so."""

    event: str
    sha256: str
    moment_ms: int
    """When it was, as told; else when the bus admitted it."""
    admitted_ms: int


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that an event says has happened: a trigger of its clock section, or the event's own verb."""

    name: str
    event: str
    sha256: str
    admitted_ms: int
    occurred_ms: int | None = None
    sender: str | None = None
    """Who said it."""
    whose: str | None = None
    """Whom it concerns: as the trigger says, or for a verb that opens a hand-off its recipient."""
    province: str | None = None
    commune: str | None = None
    scope: str = ""
    """
    The hand-off that the event is about, as ``opening id/recipient``; empty for a verb of the case. An opening event
    opens one hand-off for each recipient, and has a happening for each.
    """
    corrects: str | None = None
    """The hash of the event in whose place it is told, if it is a correction."""

    @property
    def moment_ms(self) -> int:
        """When it was. Nothing happens after it was told."""
        return self.admitted_ms if self.occurred_ms is None else min(self.occurred_ms, self.admitted_ms)

    @property
    def stamp(self) -> Stamp:
        """What a clock keeps of it."""
        return Stamp(self.event, self.sha256, self.moment_ms, self.admitted_ms)


class Say(StrEnum):
    """What an agency says about a clock."""

    DISPUTED = "disputed"
    EXTENDED = "extended"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Saying:
    """An agency's word about one clock. Whether it may say it, `owners` judges."""

    clock: str
    say: Say
    event: str
    admitted_ms: int
    until_ms: int | None = None
    superior: bool = False
    """It is a superior's word, and not the responsible agency's own."""


Owner: TypeAlias = Callable[[RuleInForce, Happening], str | None]
"""Whose clock a happening starts; None: nobody was found."""


@dataclass(frozen=True, slots=True)
class World:
    """What the clocks of all cases are judged by."""

    bus: str
    book: RuleBook
    calendar: Calendar
    owner: Owner
    outages: tuple[Interval, ...] = ()
    """When nobody could submit anything: no time in them counts."""

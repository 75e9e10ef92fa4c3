"""
What an agency can look at: its own view of cases and hand-offs, what is wrong, and what it should be told.

A view is folded from the agency's own inbox and verdicts; the router alone knows the rest.
"""

from dataclasses import dataclass
from enum import StrEnum

from referral_contracts.codes import Code
from referral_contracts.envelope import EventRef, HandoffKey
from referral_contracts.lifecycle import CaseState, Receipt, State
from referral_contracts.payloads.basis import Confidence
from referral_contracts.payloads.deadline import Delivered, Ground, Standing
from referral_contracts.payloads.link import Relation
from referral_contracts.rules.book import RuleBook
from referral_contracts.rules.calendar import Calendar
from referral_contracts.verbs import Verb


class Corrects(StrEnum):
    """What a correction is, to the agency that got it."""

    HELD = "held"
    """It corrects an event that this agency holds."""
    NOT_HELD = "not-held"
    """It names an event that this agency does not hold."""
    ELSEWHERE = "elsewhere"
    """It names an event of another agency, case or hand-off: it corrects nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffView:
    """A hand-off as this agency knows it."""

    key: HandoffKey
    subject: str
    exercise: bool
    """Whether its case is only an exercise."""
    opened_by: str
    opened_with: Verb | None
    """None to the owner of the case that was told of it by a refused closing alone."""
    sender: str
    """Who stands on the sender's side: who opened it, or the successor that it was moved to."""
    holder: str
    """The address that stands on the recipient's side: that of the key, or the successor's."""
    state: State
    head: EventRef
    """The last event that moved it: what the next one has to answer."""
    receipt: Receipt | None
    """None where `opened_with` is: what the recipient's side said of it is not known here."""
    follows: EventRef | None
    """What ended an earlier hand-off of the case, which this one takes up."""
    followed: HandoffKey | None
    """That hand-off, where it is known here: to who opened it, and who else had part in it."""
    admitted_ms: int
    """When the last event of it was admitted, or the refusal that told of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """What the owner of a case says that it has in common with another."""

    subject: str
    """The case whose owner says so."""
    other: str
    relation: Relation
    said_by: str
    admitted_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """A case as this agency knows it."""

    subject: str
    exercise: bool
    owned: bool
    """Whether this agency owns the case, as far as it knows."""
    state: CaseState | None
    """None to one that is not told: a party that never owned it."""
    head: EventRef | None
    handoffs: tuple[HandoffView, ...]
    links: tuple[LinkView, ...] = ()
    """What ties it to other cases, said in this one or in theirs, as far as we were told."""
    links_left: int = 0
    """How many events tie it to others, or take that back, that an agency before us was told: sealed to its keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """By what an agency works out its own clocks."""

    book: RuleBook
    calendar: Calendar


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockView:
    """A clock as this agency knows it."""

    clock: str
    """Its id, by which it is answered."""
    subject: str
    exercise: bool
    rule: str
    vi: str
    en: str
    """What the rule is called."""
    ground: Ground
    source: str | None
    confidence: Confidence
    responsible: str | None
    """Whose clock it is; None: nobody was found."""
    started_ms: int
    due_ms: int | None
    """None: the rule states no number."""
    done_ms: int | None
    standing: Standing
    delivery: Delivered | None
    told_by_watcher: bool
    """Or worked out here, from what this agency said and heard."""
    known_ms: int
    """When the last word of it was admitted."""

    @property
    def runs(self) -> bool:
        """Whether what it asks for is still to be done, and it has not been called missed."""
        return self.standing in {Standing.RUNNING, Standing.PAUSED} and self.done_ms is None

    @property
    def overdue(self) -> bool:
        """Whether it was called missed, and what it asks for is still to be done."""
        return self.standing is Standing.MISSED and self.done_ms is None

    def late(self, now_ms: int) -> bool:
        """Whether its due instant is past and nothing is done, whatever it is called."""
        past = self.standing is Standing.RUNNING and self.due_ms is not None and self.due_ms < now_ms
        return self.overdue or (past and self.done_ms is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenMatters:
    """What an agency still has open: what has to be ended, or moved, before it closes."""

    owned: tuple[CaseView, ...]
    """Cases that it owns: closed, or transferred to another."""
    offered: tuple[CaseView, ...]
    """Cases that it was offered: accepted, or declined."""
    received: tuple[HandoffView, ...]
    """Hand-offs on whose recipient's side it stands."""
    sent: tuple[HandoffView, ...]
    """Those on whose sender's side it stands."""
    waiting: int
    """Events in the outbox that the bus has not answered."""
    takers: tuple[str, ...]
    """To whom its sides may be moved, as the directory names them."""

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.owned or self.offered or self.received or self.sent or self.waiting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something a person should be told; kept until it is cleared."""

    number: int
    code: Code
    count: int
    """How often, for this code and case."""
    noted_ms: int
    """When it was first noted."""
    last_ms: int
    offset: int | None = None
    """Where in the inbox the last one was, when it is about a record there."""
    subject: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the SDK is doing."""

    sending: Code | None
    """What keeps the outbox from being sent, such as ``broker-away``."""
    receiving: Code | None
    """What keeps the inbox from being read."""
    directory: Code | None
    """``directory-missing``, ``directory-expired`` or ``directory-behind``."""
    directory_version: int
    waiting: int
    """Entries of the outbox without a verdict."""
    unacknowledged: int
    """Deliveries that were not yet acknowledged."""
    alarms: int
    clock_offset_ms: int
    """This machine's clock less the broker's, as far as verdicts told."""

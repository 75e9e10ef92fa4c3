"""
What a trail is: one row for each leaf of a case, what was found wrong, and how the case stands at its end.

Computed, never parsed: whoever is handed a trail works it out anew from the leaves beneath it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from referral_contracts.codes import Code
from referral_contracts.directory_model import Head
from referral_contracts.envelope import EventRef, HandoffKey
from referral_contracts.lifecycle import CaseState
from referral_contracts.log.policy import Checked
from referral_contracts.payloads.shown import Row as FormRow
from referral_contracts.trail.standing import Handoff, Move
from referral_contracts.verbs import Verb


class Kind(StrEnum):
    """What a leaf holds."""

    EVENT = "event"
    """A record of the ledger: something that was submitted, and the router's decision on it."""
    STATEMENT = "statement"
    """A statement of the log itself: who read the trail, what was erased."""
    ERASED = "erased"
    """Nothing any more; the leaf's hash is still there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionSeen:
    """A sealed section of an event, as far as this trail may show it."""

    number: int
    readers: tuple[str, ...]
    """Who can open it."""
    schema: str | None = None
    """What it is, where it was disclosed; None: it stays sealed."""
    body: Mapping[str, object] | None = field(default=None, repr=False)
    """What it says."""
    rows: tuple[FormRow, ...] = ()
    """The same for people, in the words that its form has today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One leaf of the trail. What is not known, or is not there, is None."""

    index: int
    """Its number in the log."""
    kind: Kind
    at: str | None = None
    """When the bus admitted it, or the log stated it."""
    partition: int | None = None
    counter: int | None = None
    """The number of the decision within its partition."""
    code: Code | None = None
    """What the router decided."""
    case: int | None = None
    """The event's number within the case."""
    event: str | None = None
    """Its hash."""
    event_id: str | None = None
    source: str | None = None
    verb: Verb | None = None
    recipients: tuple[str, ...] = ()
    handoff: HandoffKey | None = None
    answers: EventRef | None = None
    supersedes: EventRef | None = None
    follows: EventRef | None = None
    moves: tuple[Move, ...] = ()
    sections: tuple[SectionSeen, ...] = ()
    disputed: bool = False
    """Signed by a key that its registrar has since called compromised, from before this event on."""
    statement: str | None = None
    """What kind of statement it is."""
    told: Mapping[str, str] | None = None
    """What else a statement says, as text."""
    erased_by: int | None = None
    """The leaf of the statement that its bytes were erased."""

    @property
    def accepted(self) -> bool:
        """Whether it is an event that stands."""
        return self.code is Code.ACCEPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that does not follow, or is not proven."""

    code: Code
    index: int | None
    """In which leaf; None: in the trail as a whole."""
    detail: str

    def __str__(self) -> str:
        """Return what is wrong, and where."""
        place = "" if self.index is None else f"leaf {self.index}: "
        return f"{place}{self.code.value}: {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """One case, as far as the log was shown."""

    bus: str
    subject: str
    checked: Checked
    """The checkpoint that every leaf was proven under, and who has cosigned it."""
    head: Head
    """The directory that its keys are from."""
    names: Mapping[str, tuple[str, str]]
    """What people call the agencies, in Vietnamese and English."""
    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]
    exercise: bool
    state: CaseState | None
    """None where it cannot be said: the first event is missing, or something between was erased."""
    owner: str | None
    handoffs: tuple[Handoff, ...]

    @property
    def sound(self) -> bool:
        """Whether everything in it is proven, and follows."""
        return not self.faults

    @property
    def events(self) -> int:
        """How many events of the case stand."""
        return sum(row.accepted for row in self.rows)

    @property
    def refused(self) -> int:
        """How many were refused."""
        return sum(row.kind is Kind.EVENT and not row.accepted for row in self.rows)

    @property
    def erased(self) -> int:
        """Of how many leaves the bytes are gone."""
        return sum(row.kind is Kind.ERASED for row in self.rows)

    def faults_of(self, index: int) -> tuple[Fault, ...]:
        """Return what is wrong with a leaf."""
        return tuple(fault for fault in self.faults if fault.index == index)

"""
What an agency wants to say, before anything of it is sealed: a draft, and the plan of who will see which field.

A draft has its id from the beginning: sent twice, it goes out once. `ReferralBus` makes drafts; nothing here does I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from referral_contracts.envelope import EventRef, HandoffKey
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.shown import Missing, Row
from referral_contracts.verbs import Verb


@dataclass(frozen=True, slots=True, kw_only=True)
class Superseded:
    """An event of ours that is to be corrected."""

    ref: EventRef
    verb: Verb


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One thing to say. Where its recipients may not know of each other, it becomes an event for each."""

    id: str
    """The event's id; of several events, the first's."""
    verb: Verb
    subject: str
    """The case. A draft that opens one knows its pseudonym already."""
    parts: Mapping[str, tuple[Payload, ...]] = field(default_factory=dict, repr=False)
    """What each recipient is to read. A body that several are given is sealed once, to all of them."""
    own: tuple[Payload, ...] = field(default=(), repr=False)
    """What is sealed to the sender alone: the forms of a case that is being opened."""
    handoff: HandoffKey | None = None
    follows: HandoffKey | None = None
    """The hand-off that ended, which those that this opens take up."""
    exercise: bool = False
    corrects: Superseded | None = None
    """What a correction corrects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSection:
    """One section as it will be sealed."""

    name: str
    """``s0``, ``s1``: its place in the event."""
    schema: str
    readers: tuple[str, ...]
    """Every address that can open it, the sender's own among them."""
    rows: tuple[Row, ...] = field(repr=False)
    """The fields, for a person."""
    missing: tuple[Missing, ...] = ()
    """Essential fields that are empty: shown, never enforced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedEvent:
    """One event as it will go out."""

    verb: Verb
    recipients: tuple[str, ...]
    """They see each other's ids, and that a section exists which they cannot open."""
    sections: tuple[PlannedSection, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Who will see which field, if the draft is sent now."""

    subject: str
    exercise: bool
    events: tuple[PlannedEvent, ...]

    def seen_by(self, address: str) -> tuple[PlannedSection, ...]:
        """Return the sections that *address* will be able to open."""
        return tuple(section for event in self.events for section in event.sections if address in section.readers)

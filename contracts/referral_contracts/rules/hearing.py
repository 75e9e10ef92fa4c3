"""
What one event makes heard of its case: the triggers of its clock section, and its own verb.

Whoever reads an event can work this out: the deadline watcher of every event, an agency of those that it sent or got.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from referral_contracts.envelope import Envelope
from referral_contracts.lifecycle import OPENINGS
from referral_contracts.payloads.clock import ClockSection
from referral_contracts.rules.heard import Happening
from referral_contracts.topics import agency_of
from referral_contracts.verbs import Verb


class Told(Protocol):
    """An event in the clear, as far as it makes something heard."""

    @property
    def id(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def verb(self) -> Verb: ...
    @property
    def recipients(self) -> Sequence[str]: ...
    @property
    def scope(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Letter:
    """An envelope and the hash of its bytes, as an event that makes something heard."""

    envelope: Envelope
    sha256: str

    @property
    def id(self) -> str:
        """The event's id."""
        return self.envelope.id

    @property
    def source(self) -> str:
        """Whose it is."""
        return self.envelope.source

    @property
    def verb(self) -> Verb:
        """What it says."""
        return self.envelope.verb

    @property
    def recipients(self) -> Sequence[str]:
        """Whom it goes to."""
        return self.envelope.data.recipients

    @property
    def scope(self) -> str:
        """The hand-off that it is about, as ``opening id/recipient``, or nothing."""
        handoff = self.envelope.data.handoff
        return "" if handoff is None else f"{handoff.opening}/{handoff.recipient}"


def happenings(told: Told, section: ClockSection | None, admitted_ms: int) -> Iterator[Happening]:
    """
    Yield what an event makes heard.

    Args:
        told: An event that the bus accepted.
        section: What its clock section says; None: it has none, or it is not for us.
        admitted_ms: When the bus admitted it.
    """
    event, sha256, verb, source = told.id, told.sha256, told.verb, told.source
    opened = [(to, f"{event}/{to}") for to in told.recipients] if verb in OPENINGS else []
    for whose, scope in opened or [(source, told.scope)]:
        yield Happening(verb.value, event, sha256, admitted_ms, sender=source, whose=whose, scope=scope)
    for trigger in section.listed if section is not None else ():
        yield Happening(
            trigger.trigger,
            event,
            sha256,
            admitted_ms,
            occurred_ms=moment_ms(trigger.occurred_at),
            sender=source,
            whose=concerned(verb, source, told.recipients, trigger.whose),
            province=trigger.province,
            commune=trigger.commune,
            scope=opened[0][1] if len(opened) == 1 else told.scope,
        )


def concerned(verb: Verb, source: str, recipients: Iterable[str], whose: str | None) -> str | None:
    """
    Return whom a trigger concerns that names *whose*, in an event of *source*; None: it may not name that one.

    An agency speaks for itself. A misdirection alone tells of another: who opened the hand-off, and is told of it.
    """
    named = None if whose is None else agency_of(whose)
    told = {agency_of(address) for address in recipients} if verb is Verb.MISDIRECTED else ()
    return whose if named == source or named in told else None


def moment_ms(moment: datetime | None) -> int | None:
    """Return *moment* in milliseconds since the epoch."""
    return None if moment is None else round(moment.timestamp() * 1000)

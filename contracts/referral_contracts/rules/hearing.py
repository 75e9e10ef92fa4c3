"""
What one event makes heard of its case: the triggers of its clock section, and its own verb.

Whoever reads an event can work this out: the deadline watcher of every event, an agency of those that it sent or got.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from referral_contracts.envelope import Envelope
from referral_contracts.lifecycle import OPENINGS
from referral_contracts.payloads.clock import ClockSection
from referral_contracts.rules.heard import Happening
from referral_contracts.topics import agency_of
from referral_contracts.verbs import Verb


def happenings(envelope: Envelope, sha256: str, section: ClockSection | None, admitted_ms: int) -> Iterator[Happening]:
    """
    Yield what *envelope* makes heard.

    Args:
        envelope: An event that the bus accepted.
        sha256: The hash of its bytes.
        section: What its clock section says; None: it has none, or it is not for us.
        admitted_ms: When the bus admitted it.
    """
    event, verb, source = envelope.id, envelope.verb, envelope.source
    handoff = envelope.data.handoff
    about = "" if handoff is None else f"{handoff.opening}/{handoff.recipient}"
    opened = [(to, f"{event}/{to}") for to in envelope.data.recipients] if verb in OPENINGS else []
    for whose, scope in opened or [(source, about)]:
        yield Happening(verb.value, event, sha256, admitted_ms, sender=source, whose=whose, scope=scope)
    for trigger in section.listed if section is not None else ():
        yield Happening(
            trigger.trigger,
            event,
            sha256,
            admitted_ms,
            occurred_ms=_ms(trigger.occurred_at),
            sender=source,
            whose=concerned(verb, source, envelope.data.recipients, trigger.whose),
            province=trigger.province,
            commune=trigger.commune,
            scope=opened[0][1] if len(opened) == 1 else about,
        )


def concerned(verb: Verb, source: str, recipients: Iterable[str], whose: str | None) -> str | None:
    """
    Return whom a trigger concerns that names *whose*, in an event of *source*; None: it may not name that one.

    An agency speaks for itself. A misdirection alone tells of another: who opened the hand-off, and is told of it.
    """
    named = None if whose is None else agency_of(whose)
    told = {agency_of(address) for address in recipients} if verb is Verb.MISDIRECTED else ()
    return whose if named == source or named in told else None


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)

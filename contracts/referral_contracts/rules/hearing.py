"""
What one event makes heard of its case: the triggers of its clock section, and its own verb.

Whoever reads an event can work this out: the deadline watcher of every event, an agency of those that it sent or got.
"""

from collections.abc import Iterator
from datetime import datetime

from referral_contracts.envelope import Envelope
from referral_contracts.lifecycle import OPENINGS
from referral_contracts.payloads.clock import ClockSection
from referral_contracts.rules.heard import Happening


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
            whose=trigger.whose,
            province=trigger.province,
            commune=trigger.commune,
            scope=opened[0][1] if len(opened) == 1 else about,
        )


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)

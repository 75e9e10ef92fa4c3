"""How a test spells an event by hand, whatever it puts into the sections."""

from collections.abc import Iterable

from referral_contracts.encoding import format_time
from referral_contracts.envelope import Envelope, EventData, EventRef, HandoffKey
from referral_contracts.verbs import Verb
from referral_contracts.wire import Section


def spelled(
    source: str,
    verb: Verb,
    recipients: Iterable[str],
    sections: Iterable[Section],
    *,
    bus: str,
    event_id: str,
    subject: str,
    now_ms: int,
    about: HandoffKey | None = None,
    answers: EventRef | None = None,
    follows: EventRef | None = None,
    supersedes: EventRef | None = None,
) -> Envelope:
    """Return the envelope of an event, which nobody has signed yet."""
    data = EventData(
        answers=answers,
        follows=follows,
        handoff=about,
        recipients=tuple(recipients),
        sections=tuple(sections),
        supersedes=supersedes,
    )
    return Envelope(
        bus=bus,
        data=data,
        exercise=False,
        id=event_id,
        source=source,
        subject=subject,
        time=format_time(now_ms),
        type=verb.type,
    )

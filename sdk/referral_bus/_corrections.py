"""
What a correction corrects. The router forgets ids, so it is for each recipient to look: both events are kept, and
shown beside each other only where one agency said both, in one hand-off or one case.
"""

import sqlite3

from referral_bus._store import inbox, outbox
from referral_bus._store.inbox import Stored
from referral_bus.views import Corrects
from referral_contracts.envelope import Envelope, EventRef
from referral_contracts.lifecycle import CORRECTIONS


def original(db: sqlite3.Connection, correction: Envelope, recipient: str) -> tuple[Corrects, Stored | None]:
    """Return what *correction*, delivered to *recipient*, says that it corrects, where that is its sender's to say."""
    named = correction.data.supersedes
    found = [] if named is None else inbox.of_event(db, named.sha256)
    if named is None or not found:
        ours = named is not None and outbox.attempt(db, named.sha256) is not None
        return (Corrects.ELSEWHERE if ours else Corrects.NOT_HELD), None
    # One event may have come to several of our addresses.
    held = next((stored for stored in found if stored.recipient == recipient), found[0])
    return (Corrects.HELD, held) if fits(held.read_back().envelope, correction, named) else (Corrects.ELSEWHERE, None)


def corrections(db: sqlite3.Connection, held: Stored) -> list[Stored]:
    """Return what corrects an event that is held, oldest first; not what others only say does."""
    found = []
    wrong = held.read_back().envelope
    for stored in inbox.corrections(db, held.hash):
        envelope = stored.read_back().envelope
        named = envelope.data.supersedes
        if named is not None and fits(wrong, envelope, named):
            found.append(stored)
    return found


def fits(wrong: Envelope, correction: Envelope, named: EventRef) -> bool:
    """Whether *correction*, which names *wrong* by its hash, is its sender's to say of it, there."""
    if (wrong.source, wrong.subject, wrong.id) != (correction.source, correction.subject, named.id):
        return False
    key = correction.data.handoff
    if wrong.verb in CORRECTIONS:
        # It names what was wrong first: one beside another correction would be read as if it counted.
        return False
    if key is None:
        return wrong.verb.of_case
    return wrong.data.handoff == key or wrong.id == key.opening

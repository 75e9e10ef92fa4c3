"""
What a hand-off rests on, as far as this agency can open it: what was asked of it, or what it asked itself.

When a side of a hand-off goes to a successor, or a duty to the competent body, this is what is sealed again, to that
one alone.
"""

from referral_bus._home import Home
from referral_bus._open import open_own
from referral_bus._store import inbox, outbox
from referral_bus._store.views import Handoff
from referral_contracts.envelope import Envelope
from referral_contracts.payloads.moving import Moving
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.registry import USES
from referral_contracts.payloads.relay import Relay
from referral_contracts.verbs import Verb


def asked_of_us(home: Home, handoff: Handoff) -> tuple[Payload, ...]:
    """Return what the event that opened *handoff* for us says, or what came with it when it was moved to us."""
    db, key = home.store.db, handoff.key
    if handoff.moved_in is not None:
        stored = inbox.get(db, handoff.moved_in, handoff.holder)
    else:
        stored = inbox.opening(db, handoff.subject, handoff.opened_by, key)
    found = () if stored is None else home.kept.take(stored).opened.payloads
    return tuple(payload for payload in found if not isinstance(payload, Moving))


def passed_on(home: Home, handoff: Handoff) -> tuple[Payload, ...]:
    """Return what was asked of us as the next of a duty is given it: whom it was meant for before is not its part."""
    forms = tuple(model for model in USES[Verb.ASSIGNED] if model is not Relay)
    return tuple(payload for payload in asked_of_us(home, handoff) if isinstance(payload, forms))


def asked_by_us(home: Home, handoff: Handoff) -> tuple[Payload, ...]:
    """Return what we said when we opened *handoff*, from our own copy; or what came when it was moved to us."""
    if handoff.moved_in is not None:
        stored = inbox.get(home.store.db, handoff.moved_in, handoff.sender)
        found = () if stored is None else home.kept.take(stored).opened.payloads
        return tuple(payload for payload in found if not isinstance(payload, Moving))
    said = outbox.in_force(home.store.db, handoff.key.opening)
    return () if said is None else open_own(Envelope.decode(said.value), home.agency, home.keys)

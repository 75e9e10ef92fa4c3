"""
The answer that nobody types: ``received``, or ``unreadable`` with the code and the section.

Owed once for an event that opens a hand-off for one of our addresses, and put into the outbox in the transaction that
stores the event. What it tells the deadline watcher follows from what the event asks for; so it is made only when it
goes out, from the sealed event, and nothing of that lies open in the store.
"""

import sqlite3

from referral_bus._compose import Composer
from referral_bus._kept import AtHand, Kept
from referral_bus._store import inbox, views
from referral_bus._store.outbox import Row
from referral_bus.draft import Draft
from referral_contracts.codes import Code
from referral_contracts.envelope import HandoffKey
from referral_contracts.errors import LocalError
from referral_contracts.lifecycle import OPENINGS
from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.handoff import Receipt, Unreadable
from referral_contracts.payloads.payload import Payload
from referral_contracts.sealing import new_event_id
from referral_contracts.verbs import Verb


def owed(db: sqlite3.Connection, delivery: AtHand, now_ms: int) -> Row | None:
    """Return the receipt that a delivery calls for, if it opened a hand-off for us; the view has been folded by now."""
    envelope, recipient = delivery.verified.envelope, delivery.verified.recipient
    key = HandoffKey(opening=envelope.id, recipient=recipient)
    if envelope.verb not in {*OPENINGS, Verb.FORWARDED}:
        return None
    handoff = views.handoff(db, envelope.subject, key)
    # A forwarding opens one for the next and none for the one who assigned; and one event alone opens it.
    if handoff is None or handoff.head.sha256 != delivery.verified.event:
        return None
    event_id, fault = new_event_id(now_ms), delivery.opened.unreadable
    return Row(
        id=event_id,
        draft=event_id,
        subject=envelope.subject,
        verb=Verb.RECEIVED if fault is None else Verb.UNREADABLE,
        recipients=(envelope.source,),
        handoff=key,
        exercise=envelope.exercise,
        about=None if fault is None else f"{fault.code} {fault.name}",
        answers=envelope.id,
        answers_hash=delivery.verified.event,
    )


def make_receipt(db: sqlite3.Connection, row: Row, composer: Composer, kept: Kept) -> bytes:
    """
    Return a receipt, sealed.

    Raises:
        LocalError: A reader has no valid key, now.
    """
    about = row.handoff
    stored = None if about is None else inbox.get(db, row.answers_hash or "", about.recipient)
    if stored is None:
        raise LocalError(Code.INTERNAL, "a receipt for what is not in the store")
    answering = kept.take(stored).opened.payloads
    draft = Draft(
        id=row.id,
        verb=row.verb,
        subject=row.subject,
        parts=dict.fromkeys(row.recipients, (_body(row),)),
        handoff=row.handoff,
        exercise=row.exercise,
    )
    (shape,) = composer.shapes(draft, answering)
    return composer.seal(draft, shape, row.id)


def _body(row: Row) -> Payload:
    actor = Actor(role=Role.SYSTEM)
    if row.about is None:
        return Receipt(actor=actor)
    code, _, section = row.about.partition(" ")
    return Unreadable(actor=actor, code=code, section=section)

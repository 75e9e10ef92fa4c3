"""
The answer that nobody types: ``received``, or ``unreadable`` with the code and the section.

Owed once for an event that opens a hand-off for one of our addresses, and put into the outbox in the transaction that
stores the event. What it tells the deadline watcher follows from what the event asks for; so it is made only when it
goes out, from the sealed event, and nothing of that lies open in the store.

Whoever stands on the recipient's side says it. If that side was moved before anybody had, the successor owes it, of
what came along; and it goes to whoever stands on the sender's side when it goes out. What was refused because that was
somebody else by then is entered anew.
"""

import sqlite3
from dataclasses import replace
from typing import Final

from referral_bus._compose import Composer, Opening
from referral_bus._kept import AtHand, Kept
from referral_bus._store import inbox, outbox, views
from referral_bus._store.outbox import Row
from referral_bus._store.views import Handoff
from referral_bus.draft import Draft
from referral_contracts.codes import Code
from referral_contracts.envelope import HandoffKey
from referral_contracts.errors import LocalError
from referral_contracts.lifecycle import OPENINGS
from referral_contracts.lifecycle import Receipt as Said
from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.handoff import Receipt, Unreadable
from referral_contracts.payloads.moving import Moving
from referral_contracts.payloads.payload import Payload
from referral_contracts.sealing import new_event_id
from referral_contracts.topics import agency_of
from referral_contracts.verbs import Verb

VERBS: Final = frozenset({Verb.RECEIVED, Verb.UNREADABLE})

_SENT_ASTRAY: Final = frozenset({Code.WRONG_RECIPIENTS, Code.UNKNOWN_RECIPIENT, Code.TOPIC_MISSING, Code.WRONG_READERS})
"""Refusals of a receipt that is right, and went to whom it does not go, or was sealed to a key that is no more."""


def owed(db: sqlite3.Connection, delivery: AtHand, now_ms: int) -> Row | None:
    """Return the receipt that a delivery calls for, if it is for us to say; the view has been folded by now."""
    envelope, recipient = delivery.verified.envelope, delivery.verified.recipient
    if envelope.verb is Verb.MOVED:
        return _owed_by_successor(db, delivery, now_ms)
    key = HandoffKey(opening=envelope.id, recipient=recipient)
    if envelope.verb not in {*OPENINGS, Verb.FORWARDED}:
        return None
    handoff = views.handoff(db, envelope.subject, key)
    # A forwarding opens one for the next and none for the one who assigned; and one event alone opens it.
    if handoff is None or handoff.head.sha256 != delivery.verified.event:
        return None
    return _row(handoff, _fault(delivery), envelope.exercise, now_ms)


def _owed_by_successor(db: sqlite3.Connection, delivery: AtHand, now_ms: int) -> Row | None:
    envelope, found = delivery.verified.envelope, delivery.verified
    key = envelope.data.handoff
    handoff = None if key is None else views.handoff(db, envelope.subject, key)
    if handoff is None or (handoff.moved_in, handoff.holder) != (found.event, found.recipient):
        return None
    if handoff.receipt is not Said.NONE or handoff.opened_in is None:
        return None
    fault = _fault(delivery)
    if fault is None and all(isinstance(payload, Moving) for payload in delivery.opened.payloads):
        # Who moved it had nothing to hand on: we know that we have to do it, and not what.
        fault = f"{Code.NOT_A_READER} s0"
    return _row(handoff, fault, envelope.exercise, now_ms)


def _fault(delivery: AtHand) -> str | None:
    fault = delivery.opened.unreadable
    return None if fault is None else f"{fault.code} {fault.name}"


def _row(handoff: Handoff, fault: str | None, exercise: bool, now_ms: int) -> Row:  # noqa: FBT001 - as it is written
    event_id = new_event_id(now_ms)
    return Row(
        id=event_id,
        draft=event_id,
        subject=handoff.subject,
        verb=Verb.RECEIVED if fault is None else Verb.UNREADABLE,
        recipients=(handoff.sender,),
        handoff=handoff.key,
        exercise=exercise,
        about=fault,
        answers=handoff.key.opening,
        answers_hash=handoff.opened_in,
    )


def enter_anew(db: sqlite3.Connection, row: Row, code: Code, agency: str, now_ms: int) -> None:
    """Enter a receipt once more that was refused with *code*, if it went astray and is still ours to say."""
    handoff = None if row.handoff is None else views.handoff(db, row.subject, row.handoff)
    if row.verb not in VERBS or code not in _SENT_ASTRAY or handoff is None or agency_of(handoff.holder) != agency:
        return
    event_id = new_event_id(now_ms)
    outbox.insert(db, replace(row, id=event_id, draft=event_id, recipients=(handoff.sender,)))
    if row.recipients == (handoff.sender,):
        # Nothing that we know of has changed since: what has to change is the directory, or a topic.
        outbox.postpone(db, event_id, now_ms + outbox.PAUSE_MS, code)


def say_for(db: sqlite3.Connection, row: Row, now_ms: int) -> None:
    """Enter the receipt of an agency that has ended, as our own: nobody had answered it."""
    event_id = new_event_id(now_ms)
    outbox.insert(db, replace(row, id=event_id, draft=event_id))


def make_receipt(db: sqlite3.Connection, row: Row, composer: Composer, kept: Kept) -> bytes:
    """
    Return a receipt, sealed.

    Raises:
        LocalError: A reader has no valid key, now.
    """
    handoff = None if row.handoff is None else views.handoff(db, row.subject, row.handoff)
    if handoff is None:
        raise LocalError(Code.INTERNAL, "a receipt for what is not in the store")
    # Of what was taken over with the store of an agency that has ended there is nothing that we could read.
    stored = inbox.get(db, handoff.moved_in or row.answers_hash or "", handoff.holder)
    opened = None if stored is None else kept.take(stored).opened
    asked = () if opened is None else tuple(one for one in opened.payloads if not isinstance(one, Moving))
    if row.about is not None and asked and opened is not None and opened.unreadable is None:
        # It came while the key file was another one, and nothing was said of it yet.
        row = replace(row, verb=Verb.RECEIVED, about=None)
        outbox.say_received(db, row.id)
    draft = Draft(
        id=row.id,
        verb=row.verb,
        subject=row.subject,
        # The sender's side may have gone to another since the event came.
        parts={handoff.sender: (_body(row),)},
        handoff=row.handoff,
        exercise=row.exercise,
    )
    (shape,) = composer.shapes(draft, Opening(asked, handoff.opened_by))
    return composer.seal(draft, shape, row.id)


def _body(row: Row) -> Payload:
    actor = Actor(role=Role.SYSTEM)
    if row.about is None:
        return Receipt(actor=actor)
    code, _, section = row.about.partition(" ")
    return Unreadable(actor=actor, code=code, section=section)

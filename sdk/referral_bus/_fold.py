"""
How events move the agency's own view of cases and hand-offs.

The inbox holds deliveries and verdicts in the order in which the router decided them, so folding them in that order
gives the state in which the router left what this agency is a party of. What a verdict tells is taken from it. Where
the table has no such step the view was behind (a store that began late): it is left alone, and nothing is made up.
"""

import sqlite3
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from referral_bus import _duties as duties
from referral_bus._store import views
from referral_bus._store.views import Case, Handoff
from referral_contracts.decisions import OpenHandoff, Verdict
from referral_contracts.duties import gives_back
from referral_contracts.encoding import parse_time
from referral_contracts.envelope import Envelope, EventRef, HandoffKey
from referral_contracts.errors import RemoteError
from referral_contracts.lifecycle import (
    ENDED_CASES,
    HEADLESS,
    LINKS,
    ON_NEXT_GIVEN_BACK,
    ON_RECEIVED,
    OPEN_STATES,
    OPENINGS,
    CaseState,
    Part,
    Receipt,
    State,
    advance_case,
    advance_handoff,
    advance_receipt,
    playing,
)
from referral_contracts.payloads.moving import Moving, Side
from referral_contracts.topics import agency_of
from referral_contracts.verbs import Verb

_W = TypeVar("_W", Verb, State)

_RECEIPTS: Final = frozenset({Verb.RECEIVED, Verb.UNREADABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """An event that the router accepted."""

    envelope: Envelope
    event: str
    """Its hash."""
    admitted_ms: int
    agency: str
    """Who we are."""
    moving: Moving | None = None
    """What it says of a side that it moves, where it could be read."""
    recipient: str | None
    """Which of our addresses it was delivered to; None for an event of our own."""

    @property
    def own(self) -> bool:
        """Whether we said it."""
        return self.recipient is None

    @property
    def ref(self) -> EventRef:
        """The event, as a head."""
        return EventRef(id=self.envelope.id, sha256=self.event)


def fold(db: sqlite3.Connection, happened: Happened) -> None:
    """Move the view by one accepted event."""
    envelope = happened.envelope
    case = views.case(db, envelope.subject) or Case(subject=envelope.subject, exercise=envelope.exercise)
    # Any party may say of its own event that it is only practised; a case of which one event is real is real.
    case = replace(case, exercise=case.exercise and envelope.exercise)
    if envelope.verb.of_case:
        case = _fold_case(case, happened)
    views.put_case(db, case)
    if envelope.verb in LINKS:
        views.put_link(db, envelope.subject, happened.event, own=happened.own, admitted_ms=happened.admitted_ms)
    if envelope.verb in OPENINGS:
        _open(db, happened)
    elif envelope.data.handoff is not None:
        _fold_handoff(db, envelope.data.handoff, happened)


def _fold_case(case: Case, happened: Happened) -> Case:
    verb, own = happened.envelope.verb, happened.own
    match verb:
        case Verb.CASE_OPENED:
            return replace(case, owned=True, state=CaseState.OPEN, head=happened.ref)
        case Verb.CASE_TRANSFER_OFFERED if not own:
            offered = CaseState.TRANSFER_OFFERED
            return replace(case, offered_by=happened.envelope.source, state=offered, head=happened.ref)
        case Verb.CASE_TRANSFER_ACCEPTED if own:
            return replace(case, owned=True, offered_by=None, state=CaseState.OPEN, head=happened.ref)
        case Verb.CASE_TRANSFER_ACCEPTED:
            # From here on only the new owner is told how the case stands.
            return replace(case, owned=False, offered_to=None, state=None, head=None)
        case Verb.CASE_TRANSFER_DECLINED if own:
            return replace(case, offered_by=None, state=None, head=None)
        case Verb.CASE_TRANSFER_WITHDRAWN if not own:
            return replace(case, offered_by=None, state=None, head=None)
        case _ if verb in HEADLESS:
            return case
        case _:
            return _step_case(case, happened)


def _step_case(case: Case, happened: Happened) -> Case:
    verb = happened.envelope.verb
    part = Part.PENDING if verb is Verb.CASE_TRANSFER_DECLINED else Part.OWNER
    # Whatever else moves a case ends the offer of it.
    to = agency_of(happened.envelope.data.recipients[0]) if verb is Verb.CASE_TRANSFER_OFFERED else None
    try:
        after = advance_case(case.state or CaseState.OPEN, verb, part)
        return replace(case, offered_to=to, state=after, head=happened.ref)
    except RemoteError:
        return case


def _open(db: sqlite3.Connection, happened: Happened) -> None:
    envelope = happened.envelope
    opened = envelope.data.recipients if happened.recipient is None else (happened.recipient,)
    for recipient in opened:
        _put_new(db, happened, recipient, OPENINGS[envelope.verb], None)


def _put_new(
    db: sqlite3.Connection, happened: Happened, recipient: str, state: State, forwarded_from: HandoffKey | None
) -> None:
    envelope = happened.envelope
    key = HandoffKey(opening=envelope.id, recipient=recipient)
    follows = envelope.data.follows
    if views.handoff(db, envelope.subject, key) is None:
        new = Handoff(
            key=key,
            subject=envelope.subject,
            opened_by=envelope.source,
            opened_in=happened.event,
            opened_with=envelope.verb,
            sender=envelope.source,
            holder=recipient,
            state=state,
            head=happened.ref,
            forwarded_from=forwarded_from,
            follows=follows,
            followed=None if follows is None else views.ended_by(db, envelope.subject, follows),
            admitted_ms=happened.admitted_ms,
        )
        views.put_handoff(db, new)


def _fold_handoff(db: sqlite3.Connection, key: HandoffKey, happened: Happened) -> None:
    envelope, before = happened.envelope, views.handoff(db, happened.envelope.subject, key)
    if envelope.verb is Verb.FORWARDED:
        _open_next(db, key, happened)
    if envelope.verb is Verb.MOVED:
        _move_side(db, key, happened, before)
        return
    if before is None:
        return
    if envelope.verb in _RECEIPTS:
        _receive(db, before, happened)
        return
    state = _advanced(before, envelope)
    if state is None:
        return
    head = before.head if envelope.verb in HEADLESS else happened.ref
    relieves = before.forwarded_from
    back = relieves is not None and gives_back(before.state, state, done=key in duties.done(db, before.subject))
    left = None if back else relieves
    moved = replace(before, state=state, head=head, forwarded_from=left, admitted_ms=happened.admitted_ms)
    views.put_handoff(db, moved)
    duties.settle(db, before.subject, relieves)


def _open_next(db: sqlite3.Connection, key: HandoffKey, happened: Happened) -> None:
    # A forwarding answers the one who assigned, and is the next one's assignment: that one is named last.
    following = happened.envelope.data.recipients[-1]
    if happened.recipient in {None, following}:
        _put_new(db, happened, following, State.ASSIGNED, key)


def _receive(db: sqlite3.Connection, before: Handoff, happened: Happened) -> None:
    try:
        receipt = advance_receipt(before.receipt, happened.envelope.verb)
    except RemoteError:
        return
    state, received = before.state, happened.envelope.verb is Verb.RECEIVED
    if received:
        state = ON_RECEIVED.get(state, state)
    views.put_handoff(db, replace(before, receipt=receipt, state=state, admitted_ms=happened.admitted_ms))
    if received:
        duties.settle(db, before.subject, before.forwarded_from)


def _move_side(db: sqlite3.Connection, key: HandoffKey, happened: Happened, before: Handoff | None) -> None:
    side = _side(key, happened, before)
    handoff = before or _told_of(key, happened, side)
    if handoff is None:
        return
    taker = _taker(handoff, happened, side)
    moved = replace(handoff, head=happened.ref, admitted_ms=happened.admitted_ms)
    moved = replace(moved, holder=taker) if side is Side.RECIPIENT else replace(moved, sender=agency_of(taker))
    views.put_handoff(db, replace(moved, moved_in=happened.event) if taker == happened.recipient else moved)


def _side(key: HandoffKey, happened: Happened, before: Handoff | None) -> Side:
    """Return which side *happened* moves: as far as it shows in the clear, and only else by its mover's word."""
    us, source, told = happened.agency, happened.envelope.source, happened.moving
    if before is None:
        stand = agency_of(key.recipient), None if told is None else told.opened_by
    else:
        stand = agency_of(before.holder), before.sender
        if happened.recipient is None:
            # Where both are ours the recipient's goes first.
            return Side.RECIPIENT if stand[0] == us else Side.SENDER
        if us in stand:
            # Another has moved its own side, and we stand on this one.
            return Side.SENDER if stand[0] == us else Side.RECIPIENT
    if source in stand:
        return Side.RECIPIENT if stand[0] == source else Side.SENDER
    return (None if told is None else told.side) or Side.RECIPIENT


def _taker(handoff: Handoff, happened: Happened, side: Side) -> str:
    """Return who took the *side* over."""
    recipients, us = happened.envelope.data.recipients, happened.agency
    if happened.recipient is None:
        # We name the successor last.
        return recipients[-1]
    # Who stands on the other side is only told.
    others = [address for address in recipients if agency_of(address) != us]
    told = others and (agency_of(handoff.holder) == us if side is Side.SENDER else handoff.sender == us)
    return others[0] if told else happened.recipient


def _told_of(key: HandoffKey, happened: Happened, side: Side) -> Handoff | None:
    # What we are told is the mover's word. If it is wrong, the verdict on the first thing we say puts it right.
    told = happened.moving
    if told is None or told.opened_by is None or happened.recipient is None:
        return None
    others = [address for address in happened.envelope.data.recipients if address != happened.recipient]
    sender, holder = told.opened_by, key.recipient
    if others:
        sender, holder = (agency_of(others[0]), holder) if side is Side.RECIPIENT else (sender, others[0])
    state = _known(State, told.state)
    return Handoff(
        key=key,
        subject=happened.envelope.subject,
        opened_by=told.opened_by,
        opened_in=told.opened_in,
        opened_with=_known(Verb, told.opened_with),
        sender=sender,
        holder=holder,
        # Nothing else is moved: what was over would be hidden from whoever has to do it.
        state=state if state in OPEN_STATES else State.ACCEPTED,
        head=happened.ref,
        receipt=Receipt.RECEIVED if told.received else Receipt.NONE,
        forwarded_from=None if told.forwarded_from is None else _key(told.forwarded_from),
        admitted_ms=happened.admitted_ms,
    )


def _known(words: type[_W], text: str | None) -> _W | None:
    with suppress(ValueError):
        return None if text is None else words(text)
    return None


def _key(text: str) -> HandoffKey | None:
    with suppress(ValueError):
        return HandoffKey.parse(text)
    return None


def _advanced(handoff: Handoff, envelope: Envelope) -> State | None:
    # That a duty came back is told to the forwarder; whoever assigned it sees it by what the forwarder does next.
    for state in (handoff.state, ON_NEXT_GIVEN_BACK.get(handoff.state, handoff.state)):
        part = playing(state, envelope.verb, _parts(handoff, envelope.source))
        if part is not None:
            with suppress(RemoteError):
                return advance_handoff(state, envelope.verb, part)
    return None


def _parts(handoff: Handoff, source: str) -> tuple[Part, ...]:
    # Who is neither of the two was let by the router as the owner, as the watcher, or as the successor of one who has
    # ended: what it says tells which.
    if source == agency_of(handoff.holder):
        return Part.RECIPIENT, Part.OWNER
    if source == handoff.sender:
        return Part.SENDER, Part.OWNER
    return Part.OWNER, Part.WATCHER, Part.RECIPIENT, Part.SENDER


def take_standing(db: sqlite3.Connection, verdict: Verdict) -> None:
    """Take what a verdict tells of how things stand: of a refusal too, that is how the loser of a race is told."""
    if verdict.subject is None:
        return
    if verdict.handoff is not None and verdict.state is not None and verdict.head is not None:
        known = views.handoff(db, verdict.subject, verdict.handoff)
        if known is not None:
            views.put_handoff(db, replace(known, state=verdict.state, head=verdict.head))
    if verdict.case_state is not None and verdict.case_head is not None:
        case = views.case(db, verdict.subject)
        if case is not None:
            views.put_case(db, replace(case, owned=True, state=verdict.case_state, head=verdict.case_head))
    if verdict.open is not None or verdict.case_state in ENDED_CASES:
        # What else we were told of so has ended since; how, nobody told us.
        views.forget_told(db, verdict.subject)
    for told in verdict.open or ():
        _take_told(db, verdict.subject, told, verdict.admitted)


def _take_told(db: sqlite3.Connection, subject: str, told: OpenHandoff, admitted: str) -> None:
    known = views.handoff(db, subject, told.key)
    if known is None:
        known = Handoff(
            key=told.key,
            subject=subject,
            opened_by=told.sender,
            opened_with=None,
            sender=told.sender,
            holder=told.holder or told.recipient,
            state=told.state,
            head=told.head,
            admitted_ms=parse_time(admitted),
        )
    holder = told.holder or told.recipient
    views.put_handoff(db, replace(known, sender=told.sender, holder=holder, state=told.state, head=told.head))

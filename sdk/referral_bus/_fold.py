"""
How events move the agency's own view of cases and hand-offs.

The inbox holds deliveries and verdicts in the order in which the router decided them, so folding them in that order
gives the state in which the router left what this agency is a party of. What a verdict tells is taken from it. Where
the table has no such step the view was behind (a store that began late): it is left alone, and nothing is made up.
"""

import sqlite3
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from referral_bus._store import views
from referral_bus._store.views import Case, Handoff
from referral_contracts.decisions import OpenHandoff, Verdict
from referral_contracts.encoding import parse_time
from referral_contracts.envelope import Envelope, EventRef, HandoffKey
from referral_contracts.errors import RemoteError
from referral_contracts.lifecycle import (
    HEADLESS,
    ON_NEXT_GIVEN_BACK,
    ON_RECEIVED,
    OPENINGS,
    CaseState,
    Part,
    State,
    advance_case,
    advance_handoff,
    advance_receipt,
    gives_back,
    passed_on,
    playing,
)
from referral_contracts.topics import agency_of
from referral_contracts.verbs import Verb

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
            return replace(case, owned=False, state=None, head=None)
        case Verb.CASE_TRANSFER_DECLINED if own:
            return replace(case, offered_by=None, state=None, head=None)
        case Verb.CASE_NOTED:
            return case
        case _:
            return _step_case(case, happened)


def _step_case(case: Case, happened: Happened) -> Case:
    verb = happened.envelope.verb
    part = Part.PENDING if verb is Verb.CASE_TRANSFER_DECLINED else Part.OWNER
    try:
        return replace(case, state=advance_case(case.state or CaseState.OPEN, verb, part), head=happened.ref)
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
    if views.handoff(db, envelope.subject, key) is None:
        new = Handoff(
            key=key,
            subject=envelope.subject,
            opened_by=envelope.source,
            opened_with=envelope.verb,
            state=state,
            head=happened.ref,
            forwarded_from=forwarded_from,
            admitted_ms=happened.admitted_ms,
        )
        views.put_handoff(db, new)


def _fold_handoff(db: sqlite3.Connection, key: HandoffKey, happened: Happened) -> None:
    envelope, before = happened.envelope, views.handoff(db, happened.envelope.subject, key)
    if envelope.verb is Verb.FORWARDED:
        _open_next(db, key, happened, before)
    if before is None:
        return
    if envelope.verb in _RECEIPTS:
        _receive(db, before, happened)
        return
    state = _advanced(before, envelope)
    if state is None:
        return
    head = before.head if envelope.verb in HEADLESS else happened.ref
    forwarded_from = None if gives_back(before.state, state) else before.forwarded_from
    moved = replace(before, state=state, head=head, forwarded_from=forwarded_from, admitted_ms=happened.admitted_ms)
    views.put_handoff(db, moved)
    if forwarded_from != before.forwarded_from:
        _settle_duty(db, before)


def _open_next(db: sqlite3.Connection, key: HandoffKey, happened: Happened, before: Handoff | None) -> None:
    # A forwarding answers the one who assigned, and is the next one's assignment.
    assigner = None if before is None else before.opened_by
    told = happened.envelope.data.recipients if happened.recipient is None else (happened.recipient,)
    following = [address for address in told if address != assigner]
    for recipient in following:
        _put_new(db, happened, recipient, State.ASSIGNED, key)


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
        _settle_duty(db, before)


def _settle_duty(db: sqlite3.Connection, following: Handoff) -> None:
    """Work out anew whose the duty is that *following* was a forwarding of."""
    key = following.forwarded_from
    first = None if key is None else views.handoff(db, following.subject, key)
    if key is not None and first is not None:
        receipts = [one.receipt for one in views.forwarded(db, following.subject, key)]
        views.put_handoff(db, replace(first, state=passed_on(first.state, receipts)))


def _advanced(handoff: Handoff, envelope: Envelope) -> State | None:
    # That a duty came back is told to the forwarder; whoever assigned it sees it by what the forwarder does next.
    for state in (handoff.state, ON_NEXT_GIVEN_BACK.get(handoff.state, handoff.state)):
        part = playing(state, envelope.verb, _parts(handoff, envelope.source))
        if part is not None:
            with suppress(RemoteError):
                return advance_handoff(state, envelope.verb, part)
    return None


def _parts(handoff: Handoff, source: str) -> tuple[Part, ...]:
    # Who is neither of the two was let by the router as the owner, or as the watcher: what it says tells which.
    if source == agency_of(handoff.key.recipient):
        return Part.RECIPIENT, Part.OWNER
    return (Part.SENDER, Part.OWNER) if source == handoff.opened_by else (Part.OWNER, Part.WATCHER)


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
    if verdict.open is not None or verdict.case_state is CaseState.CLOSED:
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
            state=told.state,
            head=told.head,
            admitted_ms=parse_time(admitted),
        )
    views.put_handoff(db, replace(known, state=told.state, head=told.head))

"""
What may follow what in a case: parts, heads, tables and policy.

`rule` changes the case only when it accepts. One code, `not-found`, answers for absent and for forbidden alike.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from referral_contracts.codes import Code
from referral_contracts.decisions import NOTHING_TOLD, OpenHandoff, Standing
from referral_contracts.duties import gives_back
from referral_contracts.envelope import HandoffKey, case_pseudonym
from referral_contracts.errors import RemoteError
from referral_contracts.lifecycle import (
    CORRECTIONS,
    ENDED_CASES,
    ENDED_STATES,
    HANDOFFS,
    HEADLESS,
    ON_RECEIVED,
    OPENINGS,
    CaseState,
    Part,
    State,
    advance_case,
    advance_handoff,
    advance_receipt,
    check_held,
    may_ever,
    playing,
)
from referral_contracts.topics import agency_of
from referral_contracts.verbs import DEADLINES, Verb
from referral_router.core import addressing, room
from referral_router.core.addressing import Ask, speaks_for
from referral_router.core.case import Case, Handoff
from referral_router.core.duties import done, settle
from referral_router.core.moving import hand_on, holder_of, is_party, is_watcher, parts_of
from referral_router.core.refs import Ref, undigested

_BY_WATCHER: Final = frozenset(verb for steps in HANDOFFS.values() for verb, part in steps if part is Part.WATCHER)

_OPEN_TOLD: Final = 32
"""How many open hand-offs a refused closing names."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The event stands: it goes to its recipients."""

    standing: Standing = NOTHING_TOLD


@dataclass(frozen=True, slots=True)
class Refused:
    """The event does not stand, for this reason."""

    code: Code
    standing: Standing = field(default=NOTHING_TOLD)


Ruling: TypeAlias = Accepted | Refused


def rule(case: Case, ask: Ask) -> Ruling:
    """Return whether the event stands in *case*; if it does, the case is as after it."""
    verb = ask.envelope.verb
    restoring = case.archived and speaks_for(ask, case.owner)
    if restoring and verb is not Verb.CASE_REOPENED:
        return Refused(Code.ARCHIVED)
    if verb is Verb.CASE_OPENED:
        return _open_case(case, ask)
    # What time has done is said by one who need not be a party.
    timely = verb in DEADLINES or (verb in _BY_WATCHER and ask.envelope.data.handoff is not None)
    heard = is_party(case, ask) or restoring or (timely and is_watcher(ask))
    if case.state is None or not heard:
        return Refused(Code.NOT_FOUND)
    if case.archived and verb in DEADLINES:
        return Refused(Code.ARCHIVED)
    if ask.envelope.exercise != case.exercise:
        # What was practised is never taken for real, nor what was real for practised.
        return Refused(Code.WRONG_EXERCISE)
    # Which event a correction names, its recipients know: here ids are forgotten.
    corrects, follows = ask.envelope.data.supersedes is not None, ask.envelope.data.follows is not None
    if corrects != (verb in CORRECTIONS) or (follows and verb not in OPENINGS):
        owns = verb.of_case and speaks_for(ask, case.owner)
        return Refused(Code.MALFORMED_ENVELOPE, _case_standing(case) if owns else NOTHING_TOLD)
    if verb.of_case:
        return _rule_case(case, case.state, ask)
    if verb in OPENINGS:
        return _open_handoffs(case, ask)
    return _rule_handoff(case, ask)


def _open_case(case: Case, ask: Ask) -> Ruling:
    envelope = ask.envelope
    if case.state is not None or envelope.subject != case_pseudonym(envelope.bus, envelope.source, envelope.id):
        return Refused(Code.WRONG_SUBJECT)
    if envelope.data.answers or envelope.data.follows or envelope.data.handoff or envelope.data.supersedes:
        return Refused(Code.MALFORMED_ENVELOPE)
    try:
        addressing.check_opening_of_case(ask)
    except RemoteError as error:
        return Refused(error.code)
    case.state, case.owner, case.head = CaseState.OPEN, envelope.source, ask.ref
    case.exercise = envelope.exercise
    _routed(case, ask)
    return Accepted(_case_standing(case))


def _case_standing(case: Case) -> Standing:
    return Standing(case_head=case.head.wire, case_restored=case.restored, case_state=case.state)


def _rule_case(case: Case, state: CaseState, ask: Ask) -> Ruling:
    envelope, verb = ask.envelope, ask.envelope.verb
    data = envelope.data
    owns = speaks_for(ask, case.owner)
    own = _case_standing(case) if owns else NOTHING_TOLD
    named = None if data.answers is None else Ref.of(data.answers.id, data.answers.sha256)
    if data.handoff is not None or (verb in HEADLESS) != (named is None):
        return Refused(Code.MALFORMED_ENVELOPE, own)
    pending = speaks_for(ask, case.pending)
    played = {Part.PARTY: True, Part.OWNER: owns, Part.PENDING: pending, Part.WATCHER: is_watcher(ask)}
    part = next((part for part, plays in played.items() if plays and may_ever(verb, part)), None)
    if part is None:
        return Refused(Code.WRONG_PARTY, own)
    if named is not None and named != case.head:
        return Refused(Code.STALE_HEAD, own)
    try:
        after = advance_case(state, verb, part)
        addressing.check_case_verb(ask, owner=case.owner, pending=case.pending)
        # What ends the offer of a case goes to its other side, and chooses nobody.
        chosen = () if verb in addressing.TRANSFER_ANSWERS else data.recipients
        _check_room(case, ask, (), chosen)
    except RemoteError as error:
        return Refused(error.code, own)
    if after in ENDED_CASES and verb not in HEADLESS and (still := case.open_handoffs()):
        told = tuple(_open_handoff(key, case.handoffs[key]) for key in still[:_OPEN_TOLD])
        return Refused(Code.OPEN_HANDOFFS, replace(own, open=told))
    if case.archived:
        case.restore()
    room.choose(case, ask, chosen)
    case.state = after
    _hand_over(case, ask)
    if verb not in HEADLESS:
        case.head = ask.ref
    _routed(case, ask)
    return Accepted(_case_standing(case) if speaks_for(ask, case.owner) else NOTHING_TOLD)


def _open_handoff(key: str, handoff: Handoff) -> OpenHandoff:
    # To the owner alone: it may end what it was never told of, and has to name the head and both sides.
    told = HandoffKey.parse(key)
    return OpenHandoff(
        head=handoff.head.wire,
        holder=handoff.holder or None,
        opening=told.opening,
        recipient=told.recipient,
        sender=handoff.sender,
        state=handoff.state,
    )


def _hand_over(case: Case, ask: Ask) -> None:
    verb = ask.envelope.verb
    if verb is Verb.CASE_TRANSFER_OFFERED:
        case.pending = agency_of(ask.envelope.data.recipients[0])
    elif verb is Verb.CASE_TRANSFER_ACCEPTED:
        case.owner, case.pending = ask.envelope.source, ""
    elif verb in (Verb.CASE_TRANSFER_DECLINED, Verb.CASE_TRANSFER_WITHDRAWN):
        case.pending = ""


def _open_handoffs(case: Case, ask: Ask) -> Ruling:
    envelope, data = ask.envelope, ask.envelope.data
    if data.answers is not None or data.handoff is not None:
        return Refused(Code.MALFORMED_ENVELOPE)
    if case.state in ENDED_CASES:
        return Refused(Code.ILLEGAL_TRANSITION)
    try:
        _check_followed(case, ask)
        _check_opening(case, envelope.id)
        team = addressing.check_opening(ask)
        _check_room(case, ask, data.recipients, data.recipients)
    except RemoteError as error:
        return Refused(error.code)
    head, opening_hash, state = ask.ref, undigested(ask.event), OPENINGS[envelope.verb]
    duty = state is State.ASSIGNED
    for recipient in data.recipients:
        case.handoffs[f"{envelope.id} {recipient}"] = Handoff(
            state=state, sender=envelope.source, head=head, opening_hash=opening_hash, team=team, duty=duty
        )
    room.choose(case, ask, data.recipients)
    _routed(case, ask)
    return Accepted()


def _check_followed(case: Case, ask: Ask) -> None:
    """Check that what is taken up is over, and was the speaker's: asked for by it, or in a case of its own."""
    named = ask.envelope.data.follows
    if named is None:
        return
    head = Ref.of(named.id, named.sha256)
    found = [one for one in case.handoffs.values() if one.head == head]
    able = found if speaks_for(ask, case.owner) else [one for one in found if speaks_for(ask, one.sender)]
    if not able:
        # One code for what is not there and for what is others': nobody learns by asking what became of theirs.
        raise RemoteError(Code.NOT_FOUND)
    if not any(one.state in ENDED_STATES for one in able):
        raise RemoteError(Code.ILLEGAL_TRANSITION)


def _check_opening(case: Case, event_id: str) -> None:
    if case.opened_by(event_id):
        # A claim is forgotten with time, a hand-off never: its id, and with it its state, is taken for good.
        raise RemoteError(Code.ID_REUSED)


def _check_room(case: Case, ask: Ask, opened: Collection[str], chosen: Collection[str]) -> None:
    """Check last of all whether there is room for the hand-offs *opened* and for the recipients that were *chosen*."""
    if opened:
        room.check_handoffs(case, ask, len(opened))
    room.check_chosen(case, ask, chosen)
    room.check_addresses(case, ask)


def _rule_handoff(case: Case, ask: Ask) -> Ruling:
    verb, data = ask.envelope.verb, ask.envelope.data
    if data.handoff is None or data.answers is None:
        return Refused(Code.MALFORMED_ENVELOPE)
    handoff = case.handoffs.get(str(data.handoff))
    parts = [] if handoff is None else parts_of(case, data.handoff, handoff, ask)
    if handoff is None or not parts:
        return Refused(Code.NOT_FOUND)
    told = _handoff_standing(data.handoff, handoff)
    part = playing(handoff.state, verb, parts)
    if part is None:
        return Refused(Code.WRONG_PARTY, told)
    left = None
    try:
        if verb in (Verb.RECEIVED, Verb.UNREADABLE):
            _receive(case, handoff, data.handoff, ask)
        else:
            left = _move(case, data.handoff, handoff, part, ask)
    except RemoteError as error:
        return Refused(error.code, told)
    _routed(case, ask)
    if left is not None and case.has_left(left):
        # What it had is another's now: to it, as to any stranger, there is no such case.
        case.parties.discard(left)
    return Accepted(_handoff_standing(data.handoff, handoff))


def _handoff_standing(key: HandoffKey, handoff: Handoff) -> Standing:
    return Standing(handoff=key, head=handoff.head.wire, state=handoff.state)


def _receive(case: Case, handoff: Handoff, key: HandoffKey, ask: Ask) -> None:
    answers = ask.envelope.data.answers
    if answers is None or (answers.id, undigested(answers.sha256)) != (key.opening, handoff.opening_hash):
        raise RemoteError(Code.STALE_HEAD)
    receipt = advance_receipt(handoff.receipt, ask.envelope.verb)
    addressing.check_answer(ask, must={handoff.sender}, may=set())
    handoff.receipt = receipt
    if ask.envelope.verb is Verb.RECEIVED:
        settle(case, handoff.forwarded_from)
        handoff.state = ON_RECEIVED.get(handoff.state, handoff.state)


def _move(case: Case, key: HandoffKey, handoff: Handoff, part: Part, ask: Ask) -> str | None:
    """Move the hand-off; return which agency's side went to a successor, if one did."""
    verb, data = ask.envelope.verb, ask.envelope.data
    left = None
    if data.answers is None or Ref.of(data.answers.id, data.answers.sha256) != handoff.head:
        raise RemoteError(Code.STALE_HEAD)
    before, after = handoff.state, advance_handoff(handoff.state, verb, part)
    if verb is Verb.FORWARDED and not handoff.duty:
        # What was only asked for is declined, or given back.
        raise RemoteError(Code.ILLEGAL_TRANSITION)
    check_held(before, verb, handoff.receipt, recalled=handoff.recalled)
    holder = holder_of(key, handoff)
    if verb is Verb.FORWARDED:
        _forward(case, key, handoff, ask)
    elif verb is Verb.MOVED:
        moved = replace(handoff)
        left = hand_on(key, moved, ask)
        room.check_addresses(case, ask)
        handoff.holder, handoff.sender, handoff.opener = moved.holder, moved.sender, moved.opener
    elif part is Part.RECIPIENT:
        addressing.check_answer(ask, must={handoff.sender}, may=_team(case, key, handoff))
    elif part is Part.SENDER:
        addressing.check_answer(ask, must={holder}, may=set())
    else:
        addressing.check_answer(ask, must={handoff.sender, holder}, may=set())
    relieves = handoff.forwarded_from
    if relieves is not None and gives_back(before, after, done=str(key) in done(case)):
        handoff.forwarded_from = None
    handoff.state = after
    handoff.recalled = handoff.recalled or after is State.RECALLED
    if verb not in HEADLESS:
        handoff.head = ask.ref
    settle(case, relieves)
    return left


def _team(case: Case, key: HandoffKey, handoff: Handoff) -> set[str]:
    if not handoff.team:
        return set()
    others = (HandoffKey(opening=key.opening, recipient=recipient) for recipient in case.opened_by(key.opening))
    return {holder_of(other, case.handoffs[str(other)]) for other in others if other != key}


def _forward(case: Case, key: HandoffKey, handoff: Handoff, ask: Ask) -> None:
    # A forwarding answers the one who assigned and, for the next, opens the same duty: not in a case that has ended.
    if case.state in ENDED_CASES:
        raise RemoteError(Code.ILLEGAL_TRANSITION)
    following = addressing.check_forwarding(ask, assigner=handoff.sender)
    _check_opening(case, ask.envelope.id)
    _check_room(case, ask, (following,), (following,))
    room.choose(case, ask, (following,))
    case.handoffs[f"{ask.envelope.id} {following}"] = Handoff(
        state=State.ASSIGNED,
        sender=ask.envelope.source,
        head=ask.ref,
        opening_hash=undigested(ask.event),
        forwarded_from=str(key),
        duty=True,
    )


def _routed(case: Case, ask: Ask) -> None:
    case.sequence += 1
    if not is_watcher(ask):
        # It is heard in every case on what time has done, and on nothing else.
        case.parties.add(ask.envelope.source)
    for recipient in ask.envelope.data.recipients:
        case.parties.add(agency_of(recipient))
        case.deliveries[recipient] = case.deliveries.get(recipient, 0) + 1

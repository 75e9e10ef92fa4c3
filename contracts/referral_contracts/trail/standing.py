"""
How a case stands after each of its events, worked out anew by the tables of `lifecycle`.

It is what the router should have made of them. To whom an event may go, and what policy allows, is not asked again:
whoever doubts that runs the router's own core over the ledger. What a step does beside its own hand-off (a duty that
was passed on comes back, or is taken over) shows as a move of the other one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from referral_contracts.codes import Code
from referral_contracts.directory import ROLE_WATCHER, Directory
from referral_contracts.duties import Next, gives_back, passed_on, was_done
from referral_contracts.envelope import Envelope, EventRef, HandoffKey, case_pseudonym
from referral_contracts.errors import RemoteError
from referral_contracts.lifecycle import (
    ENDED_CASES,
    HEADLESS,
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
    check_held,
    may_ever,
    playing,
)
from referral_contracts.succession import reached, speaker, takers
from referral_contracts.topics import agency_of
from referral_contracts.verbs import Verb

_RECEIPTS: Final = frozenset({Verb.RECEIVED, Verb.UNREADABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """One hand-off, as it stands."""

    key: HandoffKey
    state: State
    sender: str
    """Who stands on the sender's side."""
    holder: str
    """The address that stands on the recipient's side."""
    head: EventRef
    opening: EventRef
    receipt: Receipt = Receipt.NONE
    duty: bool = False
    recalled: bool = False
    forwarded_from: HandoffKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What an event did to the case, or to one hand-off of it."""

    handoff: HandoffKey | None
    """None: the case itself."""
    before: str | None
    """None: it began with this event."""
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """An event that the router accepted, and what it is judged by."""

    envelope: Envelope
    event: str
    """Its hash."""
    directory: Directory
    admitted_ms: int

    @property
    def ref(self) -> EventRef:
        """The event, as a head."""
        return EventRef(id=self.envelope.id, sha256=self.event)

    def by(self, agency: str) -> bool:
        """Whether its source speaks for *agency*: is it, or has succeeded it."""
        return bool(agency) and speaker(self.directory, agency, self.admitted_ms) == self.envelope.source

    @property
    def by_watcher(self) -> bool:
        """Whether the bus's deadline watcher said it."""
        return self.envelope.source == self.directory.service(ROLE_WATCHER)


@dataclass(slots=True)
class Standing:
    """One case."""

    state: CaseState | None = None
    owner: str = ""
    pending: str = ""
    """Who has been offered it."""
    head: EventRef | None = None
    exercise: bool = False
    handoffs: dict[str, Handoff] = field(default_factory=dict)
    """By ``opening recipient``."""

    def take(self, spoken: Spoken) -> tuple[Move, ...]:
        """
        Go on by one accepted event; return what moved, the case first.

        Raises:
            RemoteError: The tables have no such step; how the case stands then is not to be relied on.
        """
        before, state = {key: one.state for key, one in self.handoffs.items()}, self.state
        if spoken.envelope.verb is Verb.CASE_OPENED:
            self._open(spoken)
        elif self.state is None:
            raise RemoteError(Code.NOT_FOUND, "said before the case was opened")
        elif spoken.envelope.exercise != self.exercise:
            raise RemoteError(Code.WRONG_EXERCISE)
        elif spoken.envelope.verb.of_case:
            self._move_case(spoken, self.state)
        elif spoken.envelope.verb in OPENINGS:
            self._open_handoffs(spoken)
        else:
            self._move_handoff(spoken)
        return tuple(self._moves(before, state))

    def _moves(self, before: Mapping[str, State], state: CaseState | None) -> Iterable[Move]:
        if self.state is not None and self.state is not state:
            yield Move(handoff=None, before=None if state is None else state.value, after=self.state.value)
        for key, one in self.handoffs.items():
            was = before.get(key)
            if was is not one.state:
                yield Move(handoff=one.key, before=None if was is None else was.value, after=one.state.value)

    def _open(self, spoken: Spoken) -> None:
        envelope = spoken.envelope
        name = case_pseudonym(envelope.bus, envelope.source, envelope.id)
        if self.state is not None or envelope.subject != name:
            raise RemoteError(Code.WRONG_SUBJECT)
        self.state, self.owner, self.head = CaseState.OPEN, envelope.source, spoken.ref
        self.exercise = envelope.exercise

    def _move_case(self, spoken: Spoken, state: CaseState) -> None:
        envelope, verb = spoken.envelope, spoken.envelope.verb
        played = {
            Part.PARTY: True,
            Part.OWNER: spoken.by(self.owner),
            Part.PENDING: spoken.by(self.pending),
            Part.WATCHER: spoken.by_watcher,
        }
        part = next((part for part, plays in played.items() if plays and may_ever(verb, part)), None)
        if part is None:
            raise RemoteError(Code.WRONG_PARTY)
        if verb not in HEADLESS and envelope.data.answers != self.head:
            raise RemoteError(Code.STALE_HEAD)
        after = advance_case(state, verb, part)
        if after in ENDED_CASES and after is not state and any(self.open_handoffs()):
            raise RemoteError(Code.OPEN_HANDOFFS)
        if verb is Verb.CASE_TRANSFER_OFFERED:
            self.pending = agency_of(envelope.data.recipients[0])
        elif verb is Verb.CASE_TRANSFER_ACCEPTED:
            self.owner, self.pending = envelope.source, ""
        elif verb in {Verb.CASE_TRANSFER_DECLINED, Verb.CASE_TRANSFER_WITHDRAWN}:
            self.pending = ""
        self.state = after
        if verb not in HEADLESS:
            self.head = spoken.ref

    def open_handoffs(self) -> Iterable[Handoff]:
        """Return the hand-offs in which somebody still has to act."""
        return (one for one in self.handoffs.values() if one.state in OPEN_STATES)

    def _open_handoffs(self, spoken: Spoken) -> None:
        if self.state in ENDED_CASES:
            raise RemoteError(Code.ILLEGAL_TRANSITION)
        state = OPENINGS[spoken.envelope.verb]
        for recipient in spoken.envelope.data.recipients:
            self._put_new(spoken, recipient, state, None)

    def _put_new(self, spoken: Spoken, recipient: str, state: State, forwarded_from: HandoffKey | None) -> None:
        key = HandoffKey(opening=spoken.envelope.id, recipient=recipient)
        if str(key) in self.handoffs:
            raise RemoteError(Code.ID_REUSED)
        self.handoffs[str(key)] = Handoff(
            key=key,
            state=state,
            sender=spoken.envelope.source,
            holder=recipient,
            head=spoken.ref,
            opening=spoken.ref,
            duty=state is State.ASSIGNED,
            forwarded_from=forwarded_from,
        )

    def _move_handoff(self, spoken: Spoken) -> None:
        key = spoken.envelope.data.handoff
        handoff = None if key is None else self.handoffs.get(str(key))
        if handoff is None:
            raise RemoteError(Code.NOT_FOUND, "of a hand-off that was not opened")
        plays = {
            Part.RECIPIENT: spoken.by(agency_of(handoff.holder)),
            Part.SENDER: spoken.by(handoff.sender),
            Part.OWNER: spoken.by(self.owner),
            Part.WATCHER: spoken.by_watcher,
        }
        part = playing(handoff.state, spoken.envelope.verb, [part for part, does in plays.items() if does])
        if part is None:
            raise RemoteError(Code.WRONG_PARTY)
        if spoken.envelope.verb in _RECEIPTS:
            self._receive(handoff, spoken)
        else:
            self._step(handoff, part, spoken)

    def _receive(self, handoff: Handoff, spoken: Spoken) -> None:
        if spoken.envelope.data.answers != handoff.opening:
            raise RemoteError(Code.STALE_HEAD)
        verb, state = spoken.envelope.verb, handoff.state
        receipt = advance_receipt(handoff.receipt, verb)
        if verb is Verb.RECEIVED:
            state = ON_RECEIVED.get(state, state)
        self._put(replace(handoff, receipt=receipt, state=state))
        if verb is Verb.RECEIVED:
            self._settle(handoff.forwarded_from)

    def _step(self, handoff: Handoff, part: Part, spoken: Spoken) -> None:
        verb = spoken.envelope.verb
        if spoken.envelope.data.answers != handoff.head:
            raise RemoteError(Code.STALE_HEAD)
        after = advance_handoff(handoff.state, verb, part)
        check_held(handoff.state, verb, handoff.receipt, recalled=handoff.recalled)
        if verb is Verb.FORWARDED:
            if not handoff.duty or self.state in ENDED_CASES:
                raise RemoteError(Code.ILLEGAL_TRANSITION)
            # It answers the one who assigned, and is the next one's assignment: that one is named last.
            self._put_new(spoken, spoken.envelope.data.recipients[-1], State.ASSIGNED, handoff.key)
        moved = _handed_on(handoff, spoken) if verb is Verb.MOVED else handoff
        relieves = handoff.forwarded_from
        back = relieves is not None and gives_back(handoff.state, after, done=str(handoff.key) in self._done())
        self._put(
            replace(
                moved,
                state=after,
                head=handoff.head if verb in HEADLESS else spoken.ref,
                recalled=handoff.recalled or after is State.RECALLED,
                forwarded_from=None if back else relieves,
            )
        )
        self._settle(relieves)

    def _put(self, handoff: Handoff) -> None:
        self.handoffs[str(handoff.key)] = handoff

    def _done(self) -> set[str]:
        """Return the hand-offs whose duty was done: in them, or in one that it was passed on to."""
        found: set[str] = set()
        for one in self.handoffs.values():
            up: Handoff | None = one if one.forwarded_from is not None and was_done(one.state) else None
            while up is not None and str(up.key) not in found:
                found.add(str(up.key))
                up = None if up.forwarded_from is None else self.handoffs.get(str(up.forwarded_from))
        return found

    def _settle(self, forwarded: HandoffKey | None) -> None:
        """Work out anew whose a duty is that was *forwarded*, by it and by everybody before it."""
        if forwarded is None:
            return
        found, following = self._done(), defaultdict[str, list[Handoff]](list)
        for one in self.handoffs.values():
            if one.forwarded_from is not None:
                following[str(one.forwarded_from)].append(one)
        while forwarded is not None and (first := self.handoffs.get(str(forwarded))) is not None:
            nexts = [Next(one.receipt, str(one.key) in found) for one in following[str(forwarded)]]
            self._put(replace(first, state=passed_on(first.state, nexts)))
            forwarded = first.forwarded_from


def _handed_on(handoff: Handoff, spoken: Spoken) -> Handoff:
    """Return the hand-off with the side moved that went to the successor, who is named last."""
    recipients, directory = spoken.envelope.data.recipients, spoken.directory
    taker = recipients[-1] if recipients else ""
    sides = ((handoff.holder, handoff.sender), (handoff.sender, handoff.holder))
    for stands, other in sides:
        told = {reached(directory, other, spoken.admitted_ms)} - {None, spoken.envelope.source}
        taken = agency_of(taker) in takers(directory, agency_of(stands))
        if taken and spoken.by(agency_of(stands)) and {*recipients[:-1]} == told - {taker}:
            return replace(handoff, holder=taker) if stands == handoff.holder else replace(handoff, sender=taker)
    raise RemoteError(Code.WRONG_RECIPIENTS)

"""
The book of a partition: what an auditor makes of the accepted events alone, by the tables and nothing else.

It is the second opinion on the router: it complains of an event that should not have been accepted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from referral_contracts.envelope import Envelope, EventRef, HandoffKey, case_pseudonym
from referral_contracts.lifecycle import (
    HANDOFFS,
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
    may_ever,
)
from referral_contracts.topics import agency_of
from referral_contracts.verbs import DEADLINES, Verb
from referral_router.core.case import Case
from tests.services.referral_router.founding import WATCHER

BY_WATCHER = {Verb.EXPIRED, Verb.CLOSED, *DEADLINES}
"""What the watcher says of a case without being a party, and without becoming one."""
UNDONE = {
    State.WITHDRAWN,
    State.RETURNED,
    State.FAILED,
    State.STOPPED,
    State.VOIDED,
    State.RECALLED,
    State.MISDIRECTED,
}
"""Where a hand-off ends without the duty having been done."""
UNSURE = {State.WITHDRAWN, State.EXPIRED, State.STOPPED, State.VOIDED}
"""Where a hand-off may end without its recipient ever having it."""
ENDED = {CaseState.CLOSED, CaseState.VOIDED}


OVER = UNDONE | {State.DECLINED, State.EXPIRED, State.CLOSED}
"""After which somebody is asked again."""


@dataclass
class Loop:
    """A hand-off."""

    key: HandoffKey
    sender: str
    opening: EventRef
    head: EventRef
    state: State
    receipt: Receipt = Receipt.NONE
    relieves: str | None = None
    undone: bool = False
    done: bool = False
    recalled: bool = False

    @property
    def agency(self) -> str:
        return agency_of(self.key.recipient)


@dataclass
class Page:
    """A case."""

    owner: str
    head: EventRef
    state: CaseState = CaseState.OPEN
    pending: str = ""
    parties: set[str] = field(default_factory=set)
    loops: dict[str, Loop] = field(default_factory=dict)
    events: int = 0
    restored: int = 0

    def open_loops(self) -> list[str]:
        return [key for key, loop in self.loops.items() if loop.state in OPEN_STATES]


@dataclass
class Book:
    """All cases of a partition."""

    pages: dict[str, Page] = field(default_factory=dict)

    def write(self, envelope: Envelope, ref: EventRef, restored: int) -> None:
        """
        Write down an accepted event, or complain that it should not have been.

        When a case was archived is the router's to know: its verdict tells how often that has been.
        """
        verb, source, data = envelope.verb, envelope.source, envelope.data
        if verb is Verb.CASE_OPENED:
            assert envelope.subject not in self.pages, "a case is opened once"
            assert envelope.subject == case_pseudonym(envelope.bus, source, envelope.id)
            self.pages[envelope.subject] = Page(owner=source, head=ref, parties={source})
        page = self.pages[envelope.subject]
        if restored > page.restored:
            assert (verb, restored) == (Verb.CASE_REOPENED, page.restored + 1), "a case is restored by being reopened"
            page.restored, page.parties, page.loops = restored, {page.owner}, {}
        assert source in page.parties or verb in BY_WATCHER, "only parties speak"
        if verb in OPENINGS:
            self._open(page, envelope, ref)
        elif verb.of_case and verb is not Verb.CASE_OPENED:
            self._move_case(page, envelope, ref)
        elif not verb.of_case:
            assert data.handoff is not None
            assert data.answers is not None
            self._move_loop(page, page.loops[str(data.handoff)], envelope, ref)
        page.parties |= {source} - {WATCHER} | {agency_of(address) for address in data.recipients}
        page.events += 1

    def _open(self, page: Page, envelope: Envelope, ref: EventRef) -> None:
        assert page.state not in ENDED, "nothing is opened in a closed case"
        if envelope.data.follows is not None:
            ended = [loop for loop in page.loops.values() if loop.head == envelope.data.follows and loop.state in OVER]
            assert {page.owner, *(loop.sender for loop in ended)} >= {envelope.source}, "a chain is its sender's"
            assert ended, "what is followed has ended"
        for recipient in envelope.data.recipients:
            self._begin(page, envelope, ref, recipient, OPENINGS[envelope.verb])

    def _begin(self, page: Page, envelope: Envelope, ref: EventRef, recipient: str, state: State) -> Loop:
        key = HandoffKey(opening=envelope.id, recipient=recipient)
        assert str(key) not in page.loops, "a hand-off is opened once"
        loop = page.loops[str(key)] = Loop(key, envelope.source, ref, ref, state)
        return loop

    def _move_case(self, page: Page, envelope: Envelope, ref: EventRef) -> None:
        verb, source = envelope.verb, envelope.source
        plays = {Part.PARTY: True, Part.OWNER: source == page.owner, Part.PENDING: source == page.pending}
        plays[Part.WATCHER] = source == WATCHER
        part = next(part for part, does in plays.items() if does and may_ever(verb, part))
        page.state = advance_case(page.state, verb, part)
        if verb not in HEADLESS:
            assert envelope.data.answers == page.head, "the case moves from its head"
            page.head = ref
        if verb in (Verb.CASE_CLOSED, Verb.CASE_VOIDED):
            assert page.open_loops() == [], "no hand-off is left behind"
        elif verb is Verb.CASE_TRANSFER_OFFERED:
            page.pending = agency_of(envelope.data.recipients[0])
        elif verb in (Verb.CASE_TRANSFER_ACCEPTED, Verb.CASE_TRANSFER_DECLINED, Verb.CASE_TRANSFER_WITHDRAWN):
            page.owner = source if verb is Verb.CASE_TRANSFER_ACCEPTED else page.owner
            page.pending = ""

    def _move_loop(self, page: Page, loop: Loop, envelope: Envelope, ref: EventRef) -> None:
        verb, source, answers = envelope.verb, envelope.source, envelope.data.answers
        if verb in (Verb.RECEIVED, Verb.UNREADABLE):
            assert (source, answers) == (loop.agency, loop.opening), "a receipt is the recipient's, for the opening"
            loop.receipt = advance_receipt(loop.receipt, verb)
            if verb is Verb.RECEIVED:
                self._whose_duty(page, loop.relieves)
                loop.state = ON_RECEIVED.get(loop.state, loop.state)
            return
        plays = {
            Part.RECIPIENT: source == loop.agency,
            Part.SENDER: source == loop.sender,
            Part.OWNER: source == page.owner,
            Part.WATCHER: source == WATCHER,
        }
        able = [part for part, does in plays.items() if does and (verb, part) in HANDOFFS[loop.state]]
        assert able, "somebody speaks who may"
        part = able[0]
        assert answers == loop.head, "a hand-off moves from its head"
        before = loop.state
        loop.state = advance_handoff(before, verb, part)
        if verb is Verb.RECALLED and before in UNSURE:
            assert loop.receipt is not Receipt.NONE, "what nobody is known to hold is not recalled"
        assert verb is not Verb.RECALLED or not loop.recalled, "what was asked back is not asked back again"
        loop.recalled = loop.recalled or verb is Verb.RECALLED
        # What was done and closed stays done, whatever is said of its papers afterwards.
        if loop.state is State.CLOSED:
            self._done(page, loop)
        loop.undone = loop.undone or (loop.state in UNDONE and not loop.done)
        if verb not in HEADLESS:
            loop.head = ref
        if verb is Verb.FORWARDED:
            assigner, following = envelope.data.recipients
            assert assigner == loop.sender, "who assigned is told, and the next is named last"
            self._begin(page, envelope, ref, following, State.ASSIGNED).relieves = str(loop.key)
        self._whose_duty(page, loop.relieves)

    def _done(self, page: Page, loop: Loop) -> None:
        """It was done for everybody above who passed it on, as far as nobody had given it back."""
        loop.done = True
        if loop.relieves is not None and not loop.undone:
            self._done(page, page.loops[loop.relieves])

    def _whose_duty(self, page: Page, passed_on: str | None) -> None:
        first = page.loops.get(passed_on or "")
        if first is None or first.state not in {State.FORWARDED, State.RELEASED}:
            return
        # Nobody's who gave it back, also after that was closed.
        holders = [loop for loop in page.loops.values() if loop.relieves == passed_on and not loop.undone]
        first.state = State.FORWARDED if holders else State.ASSIGNED
        if any(loop.done or loop.receipt is Receipt.RECEIVED for loop in holders):
            first.state = State.RELEASED
        self._whose_duty(page, first.relieves)

    def agrees_with(self, state: Mapping[bytes, bytes]) -> bool:
        """Compare with the router's own records; an archived case has only its owner and head left."""
        kept = {key.decode(): Case.decode(value) for key, value in state.items() if len(key) == 32}
        assert set(kept) == set(self.pages)
        for subject, case in kept.items():
            page = self.pages[subject]
            assert (case.owner, case.head.wire, case.sequence) == (page.owner, page.head, page.events)
            assert case.restored == page.restored
            assert case.state is page.state
            if case.archived:
                assert page.state in ENDED
                assert page.open_loops() == [], "nothing that waits for an answer is put away"
                continue
            assert (case.parties, case.pending) == (page.parties, page.pending)
            assert {key: (loop.state, loop.receipt, loop.sender) for key, loop in page.loops.items()} == {
                key: (handoff.state, handoff.receipt, handoff.sender) for key, handoff in case.handoffs.items()
            }
        return True

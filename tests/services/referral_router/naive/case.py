"""A case and its hand-offs, and what an accepted event makes of them: SPEC section 9."""

from collections import Counter
from dataclasses import dataclass, field

from tests.services.referral_router.naive.tables import (
    CASES,
    END_AN_OFFER,
    GIVEN_BACK,
    HANDOFFS,
    MOVE_NO_HEAD,
    MOVED,
    OPEN,
    RECEIPTS,
    TALK,
)
from tests.services.referral_router.naive.town import Event, Key, Ref, agency


@dataclass(kw_only=True)
class Handoff:
    sender: str
    recipient: str
    opening: Ref
    head: Ref
    state: str
    team: frozenset[str] = frozenset()
    """The other recipients of its opening event, if answers may go to them as well."""
    receipt: str = "none"
    relieves: Key | None = None
    """The hand-off that was forwarded by this one's opening event."""
    done: bool = False
    given_back: bool = False
    recalled: bool = False
    duty: bool = False
    """Whether it was assigned, or forwarded to its recipient."""
    holder: str = ""
    """Who stands on the recipient's side, where that was moved."""

    @property
    def held_by(self) -> str:
        return self.holder or self.recipient


@dataclass(kw_only=True)
class Case:
    owner: str
    head: Ref
    state: str = "open"
    pending: str = ""
    """Whom the case is offered to."""
    parties: set[str] = field(default_factory=set)
    handoffs: dict[Key, Handoff] = field(default_factory=dict)
    events: int = 0
    copies: Counter[str] = field(default_factory=Counter)
    archived: bool = False
    restored: int = 0
    exercise: bool = False

    def archive(self) -> None:
        """Section 12: the rest stays, also whether it was voided or is an exercise."""
        self.archived, self.parties, self.handoffs, self.copies = True, set(), {}, Counter()

    def still_open(self) -> set[Key]:
        return {key for key, handoff in self.handoffs.items() if handoff.state in OPEN}

    def stands_in(self, name: str) -> bool:
        """Section 9, moving: whether an agency stands on a side of anything here, or owns the case or may get it."""
        sides = {agency(side) for one in self.handoffs.values() for side in (one.sender, one.held_by)}
        return name in sides | {self.owner, self.pending}


def begin(case: Case, said: Event, recipient: str, state: str) -> Handoff:
    ref = said.id, said.hash
    duty = state == "assigned"
    new = Handoff(sender=said.source, recipient=recipient, opening=ref, head=ref, state=state, duty=duty)
    case.handoffs[said.id, recipient] = new
    return new


def happens_to_case(case: Case, said: Event) -> None:
    steps = CASES[case.state]
    if case.archived:
        case.archived, case.restored = False, case.restored + 1
    case.state = next(after for step, after in steps.items() if step.startswith(f"{said.verb} by "))
    if said.verb not in MOVE_NO_HEAD:
        case.head = said.id, said.hash
    if said.verb == "case.transfer.accepted":
        case.owner = said.source
    if said.verb in END_AN_OFFER:
        case.pending = ""
    if said.verb == "case.transfer.offered":
        case.pending = agency(said.to[0])


def happens_to_handoff(case: Case, handoff: Handoff, said: Event, mine: list[str]) -> None:
    """Let what somebody said happen who plays these parts."""
    if said.verb in RECEIPTS["none"]:
        handoff.receipt = RECEIPTS[handoff.receipt][said.verb]
        if said.verb == "handoff.received" and handoff.state == "notified":
            handoff.state = "received"
    elif f"{said.verb} by sender" not in TALK | MOVED:
        steps = HANDOFFS[handoff.state]
        handoff.state = next(steps[step] for part in mine if (step := f"{said.verb} by {part}") in steps)
    if said.verb not in MOVE_NO_HEAD:
        handoff.head = said.id, said.hash
    handoff.recalled = handoff.recalled or handoff.state == "recalled"
    if handoff.state == "closed":
        was_done(case, handoff)
    if handoff.state in GIVEN_BACK and not handoff.done:
        handoff.given_back = True
    if said.verb == "handoff.forwarded":
        begin(case, said, said.to[-1], "assigned").relieves = said.about
    forwarded = handoff.relieves
    while forwarded:
        whose_duty(case, forwarded)
        above = case.handoffs.get(forwarded)
        forwarded = above.relieves if above else None


def was_done(case: Case, handoff: Handoff) -> None:
    """Section 9, forwarding: what was done relieves everybody above, up to one whose duty was given back."""
    handoff.done = True
    above = case.handoffs.get(handoff.relieves or ("", ""))
    if above and not handoff.given_back:
        was_done(case, above)


def whose_duty(case: Case, forwarded: Key) -> None:
    """Section 9, forwarding: work out anew who has a duty that was passed on."""
    first = case.handoffs.get(forwarded)
    if not first or first.state not in ("forwarded", "released"):
        return
    others = [one for one in case.handoffs.values() if one.relieves == forwarded and not one.given_back]
    first.state = "forwarded" if others else "assigned"
    if any(one.receipt == "received" or one.done for one in others):
        first.state = "released"

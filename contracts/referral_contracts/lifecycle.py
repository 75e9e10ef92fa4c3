"""
The life of a case and of a hand-off, as two tables.

Rule 1: every legal step is an entry in CASES or HANDOFFS. Nothing else moves a state.

Rule 2: this module does not know who we are. Sender, recipient, router and auditor fold the same events and reach the
same state.

A step is keyed by the verb and by the part that its speaker plays. What is not keyed here (who may open what, who may
know of whom) is policy, and lies in the directory.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, TypeVar

from referral_contracts.codes import Code
from referral_contracts.errors import RemoteError
from referral_contracts.verbs import CLOCKS, DEADLINES, Verb

_S = TypeVar("_S", bound=StrEnum)


class Part(StrEnum):
    """The part that the speaker of an event plays."""

    SENDER = "sender"
    """Opened the hand-off."""
    RECIPIENT = "recipient"
    """The hand-off was opened for it."""
    OWNER = "owner"
    """Owns the case."""
    PENDING = "pending"
    """Has been offered the ownership of the case."""
    PARTY = "party"
    """Sent or received an event of the case."""
    WATCHER = "watcher"
    """The bus's deadline watcher: it says what the mere passing of time has done."""


class CaseState(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    TRANSFER_OFFERED = "transfer-offered"
    """Open; the old owner is responsible until the new one has accepted."""
    CLOSED = "closed"
    VOIDED = "voided"
    """Entered in error, as a whole. It is not reopened."""


class State(StrEnum):
    """Where a hand-off stands."""

    OFFERED = "offered"
    ASSIGNED = "assigned"
    """A statutory duty: cannot be declined, only forwarded to the competent body."""
    NOTIFIED = "notified"
    RECEIVED = "received"
    """A notification that has arrived."""
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    """A request that nobody answered in time. A duty never expires."""
    WITHDRAWN = "withdrawn"
    FORWARDED = "forwarded"
    """Passed on; the forwarder is responsible until the next has received it."""
    RELEASED = "released"
    """Passed on and received by the next."""
    SUSPENDED = "suspended"
    """Accepted, and at rest until it is resumed."""
    COMPLETED = "completed"
    FAILED = "failed"
    """Tried, and it could not be done."""
    RETURNED = "returned"
    STOPPED = "stopped"
    """Cancelled after the work had begun, or ended by the owner of the case."""
    CLOSED = "closed"
    VOIDED = "voided"
    """Entered in error."""
    RECALLED = "recalled"
    """Sent by mistake and asked back: its recipient has to say what became of what it holds."""
    MISDIRECTED = "misdirected"
    """It was not for its recipient, which has said what became of it."""


class Receipt(StrEnum):
    """What the recipient's side said of the opening event: a flag beside the state that leaves the head alone."""

    NONE = "none"
    UNREADABLE = "unreadable"
    RECEIVED = "received"


OPENINGS: Final[Mapping[Verb, State]] = {
    Verb.OFFERED: State.OFFERED,
    Verb.ASSIGNED: State.ASSIGNED,
    Verb.NOTIFIED: State.NOTIFIED,
}
"""The verbs that open a hand-off for each recipient. They answer nothing."""

_ACCEPT: Final = {(Verb.ACCEPTED, Part.RECIPIENT): State.ACCEPTED}
_PASS_ON: Final = {(Verb.FORWARDED, Part.RECIPIENT): State.FORWARDED}
"""Of a duty alone, before it was accepted or afterwards: how a hand-off was opened is the router's to remember."""
_WITHDRAW: Final = {(Verb.WITHDRAWN, Part.SENDER): State.WITHDRAWN}
_END: Final = {(Verb.CANCELLED, Part.OWNER): State.STOPPED}
_CANCEL: Final = {(Verb.CANCELLED, Part.SENDER): State.STOPPED, **_END}
_GIVE_UP: Final = {(Verb.FAILED, Part.RECIPIENT): State.FAILED, (Verb.RETURNED, Part.RECIPIENT): State.RETURNED}
_REOPEN: Final = {(Verb.REOPENED, Part.SENDER): State.ACCEPTED, (Verb.REOPENED, Part.OWNER): State.ACCEPTED}
_CLOSE: Final = {(Verb.CLOSED, part): State.CLOSED for part in (Part.SENDER, Part.OWNER)}

_VOID: Final = {(Verb.VOIDED, Part.SENDER): State.VOIDED}
_OWN_UP: Final = {(Verb.MISDIRECTED, Part.RECIPIENT): State.MISDIRECTED}
_PUT_RIGHT: Final = {(Verb.RECALLED, Part.SENDER): State.RECALLED, **_OWN_UP}
"""After the end as well: who was sent something by mistake may still hold it."""

_STEPS: Final[Mapping[State, Mapping[tuple[Verb, Part], State]]] = {
    State.OFFERED: {
        **_ACCEPT,
        (Verb.DECLINED, Part.RECIPIENT): State.DECLINED,
        **_WITHDRAW,
        (Verb.EXPIRED, Part.WATCHER): State.EXPIRED,
        **_END,
        **_VOID,
        **_PUT_RIGHT,
    },
    State.ASSIGNED: {
        **_ACCEPT,
        **_PASS_ON,
        **_WITHDRAW,
        **_END,
        **_VOID,
        **_PUT_RIGHT,
    },
    State.NOTIFIED: {**_WITHDRAW, **_END, **_VOID, **_PUT_RIGHT},
    State.RECEIVED: {**_PUT_RIGHT},
    State.ACCEPTED: {
        (Verb.PROGRESSED, Part.RECIPIENT): State.ACCEPTED,
        (Verb.SUSPENDED, Part.RECIPIENT): State.SUSPENDED,
        (Verb.COMPLETED, Part.RECIPIENT): State.COMPLETED,
        **_PASS_ON,
        **_GIVE_UP,
        **_CANCEL,
        **_VOID,
        **_PUT_RIGHT,
    },
    State.SUSPENDED: {
        (Verb.PROGRESSED, Part.RECIPIENT): State.SUSPENDED,
        (Verb.RESUMED, Part.RECIPIENT): State.ACCEPTED,
        **_PASS_ON,
        **_GIVE_UP,
        **_CANCEL,
        **_VOID,
        **_PUT_RIGHT,
    },
    State.DECLINED: {**_PUT_RIGHT},
    State.EXPIRED: {**_PUT_RIGHT},
    State.WITHDRAWN: {**_PUT_RIGHT},
    State.FORWARDED: {**_PASS_ON, **_END, **_VOID, **_PUT_RIGHT},
    State.RELEASED: {**_PUT_RIGHT},
    State.COMPLETED: {**_CLOSE, (Verb.CLOSED, Part.WATCHER): State.CLOSED, **_REOPEN, **_VOID, **_PUT_RIGHT},
    State.FAILED: {**_CLOSE, **_VOID, **_PUT_RIGHT},
    State.RETURNED: {**_CLOSE, **_VOID, **_PUT_RIGHT},
    State.STOPPED: {**_PUT_RIGHT},
    State.CLOSED: {**_PUT_RIGHT},
    State.VOIDED: {**_PUT_RIGHT},
    State.RECALLED: {**_OWN_UP, **_END, **_VOID},
    State.MISDIRECTED: {},
}
TALK: Final = frozenset({Verb.ASKED, Verb.ANSWERED, Verb.CORRECTED})
"""Verbs that the two sides of a hand-off may say in every state, and that change none."""
BESIDE: Final = frozenset({*TALK, Verb.MOVED})
"""Verbs beside the work: they change no state."""
_TALKING: Final = tuple((verb, part) for verb in sorted(TALK) for part in (Part.SENDER, Part.RECIPIENT))

OPEN_STATES: Final = frozenset(
    {
        State.OFFERED,
        State.ASSIGNED,
        State.NOTIFIED,
        State.ACCEPTED,
        State.SUSPENDED,
        State.FORWARDED,
        State.COMPLETED,
        State.FAILED,
        State.RETURNED,
        State.RECALLED,
    }
)
"""States in which a hand-off keeps its case from being closed: somebody still has to act."""

_MOVING: Final = tuple((Verb.MOVED, part) for part in (Part.SENDER, Part.RECIPIENT))
"""Each side may be moved to a successor of the agency that stands on it, while somebody still has to act."""

HANDOFFS: Final[Mapping[State, Mapping[tuple[Verb, Part], State]]] = {
    state: {**steps, **dict.fromkeys((*_TALKING, *(_MOVING if state in OPEN_STATES else ())), state)}
    for state, steps in _STEPS.items()
}

RECEIPTS: Final[Mapping[Receipt, Mapping[Verb, Receipt]]] = {
    Receipt.NONE: {Verb.RECEIVED: Receipt.RECEIVED, Verb.UNREADABLE: Receipt.UNREADABLE},
    Receipt.UNREADABLE: {Verb.RECEIVED: Receipt.RECEIVED},
    Receipt.RECEIVED: {},
}
"""Said by the recipient in any state of the hand-off, once; a repaired key may turn unreadable into received."""

ON_RECEIVED: Final[Mapping[State, State]] = {State.NOTIFIED: State.RECEIVED}
"""What ``received`` does to the hand-off's own state."""

ON_NEXT_RECEIVED: Final[Mapping[State, State]] = {State.FORWARDED: State.RELEASED}
"""What ``received`` does to the hand-off that was forwarded."""

GIVEN_BACK: Final = frozenset(
    {
        State.WITHDRAWN,
        State.RETURNED,
        State.FAILED,
        State.STOPPED,
        State.VOIDED,
        State.RECALLED,
        State.MISDIRECTED,
    }
)
"""States in which a next hand-off has ended with the duty undone. It relieves nobody any more; see `duties`."""

NOT_SHOWN_HELD: Final = frozenset({State.WITHDRAWN, State.EXPIRED, State.STOPPED, State.VOIDED})
"""Ended states that do not show that the recipient ever got it: it is recalled from these only after a receipt."""

ON_NEXT_GIVEN_BACK: Final[Mapping[State, State]] = {State.FORWARDED: State.ASSIGNED, State.RELEASED: State.ASSIGNED}
"""What that does to the hand-off that was forwarded, when no other next one is on."""

CORRECTIONS: Final = frozenset({Verb.CORRECTED, Verb.CASE_CORRECTED})
"""Verbs that name, in ``supersedes``, an earlier event of the same agency. Both are kept."""

LINKS: Final = frozenset({Verb.CASE_LINKED, Verb.CASE_UNLINKED})
"""Verbs that tie a case to others, or take that back."""

HEADLESS: Final = frozenset(
    {Verb.RECEIVED, Verb.UNREADABLE, Verb.PROGRESSED, *TALK, Verb.CASE_NOTED, *CORRECTIONS, *LINKS}
    | {*CLOCKS, *DEADLINES}
)
"""Verbs that move no head."""

CLOCK_VERBS: Final = frozenset(
    {
        Verb.CASE_OPENED,
        Verb.CASE_TRANSFER_ACCEPTED,
        Verb.CASE_NOTED,
        *LINKS,
        Verb.CASE_CLOSED,
        Verb.CASE_REOPENED,
        Verb.CASE_VOIDED,
        *CORRECTIONS,
        *CLOCKS,
        Verb.OFFERED,
        Verb.ASSIGNED,
        Verb.NOTIFIED,
        Verb.ACCEPTED,
        Verb.DECLINED,
        Verb.FORWARDED,
        Verb.COMPLETED,
        Verb.FAILED,
        Verb.RETURNED,
        Verb.MISDIRECTED,
    }
)
"""Verbs that can start or stop a legal clock, or tell what is counted: they carry a section for the watcher, if only to
say that they do not."""

ENDED_STATES: Final = frozenset(
    {State.DECLINED, State.EXPIRED, State.WITHDRAWN, State.FAILED, State.RETURNED, State.STOPPED, State.CLOSED}
    | {State.VOIDED, State.RECALLED, State.MISDIRECTED}
)
"""States of a hand-off that a new one may follow: no more work is done in it."""


def _beside(state: CaseState) -> dict[tuple[Verb, Part], CaseState]:
    """Return what changes no state of a case; one that was entered in error is tied to none, and has no deadlines."""
    ties = () if state is CaseState.VOIDED else sorted(LINKS)
    told = () if state is CaseState.VOIDED else sorted(DEADLINES)
    steps = {(verb, Part.PARTY): state for verb in (Verb.CASE_NOTED, Verb.CASE_CORRECTED, *sorted(CLOCKS))}
    return {**steps, **{(verb, Part.OWNER): state for verb in ties}, **{(verb, Part.WATCHER): state for verb in told}}


_VOID_CASE: Final = {(Verb.CASE_VOIDED, Part.OWNER): CaseState.VOIDED}

CASES: Final[Mapping[CaseState, Mapping[tuple[Verb, Part], CaseState]]] = {
    CaseState.OPEN: {
        (Verb.CASE_TRANSFER_OFFERED, Part.OWNER): CaseState.TRANSFER_OFFERED,
        **_beside(CaseState.OPEN),
        (Verb.CASE_CLOSED, Part.OWNER): CaseState.CLOSED,
        **_VOID_CASE,
    },
    CaseState.TRANSFER_OFFERED: {
        (Verb.CASE_TRANSFER_OFFERED, Part.OWNER): CaseState.TRANSFER_OFFERED,
        (Verb.CASE_TRANSFER_ACCEPTED, Part.PENDING): CaseState.OPEN,
        (Verb.CASE_TRANSFER_DECLINED, Part.PENDING): CaseState.OPEN,
        (Verb.CASE_TRANSFER_WITHDRAWN, Part.OWNER): CaseState.OPEN,
        **_beside(CaseState.TRANSFER_OFFERED),
    },
    CaseState.CLOSED: {
        **_beside(CaseState.CLOSED),
        (Verb.CASE_REOPENED, Part.OWNER): CaseState.OPEN,
        **_VOID_CASE,
    },
    CaseState.VOIDED: _beside(CaseState.VOIDED),
}
"""``case.opened`` alone creates a case, in OPEN."""

ENDED_CASES: Final = frozenset({CaseState.CLOSED, CaseState.VOIDED})
"""Nothing can be opened in such a case, it is entered only with no hand-off open, and after a time it is put away."""


_EVER: Final = frozenset(step for table in (*CASES.values(), *HANDOFFS.values()) for step in table) | frozenset(
    (verb, Part.RECIPIENT) for steps in RECEIPTS.values() for verb in steps
)


def may_ever(verb: Verb, part: Part) -> bool:
    """Whether there is a state in which *part* may say *verb*: "not now" is told from "never"."""
    return (verb, part) in _EVER


def playing(state: State, verb: Verb, parts: Sequence[Part]) -> Part | None:
    """Return as which of its *parts* an agency says *verb* of a hand-off in *state*: as one that may, if any may."""
    able = (part for part in parts if (verb, part) in HANDOFFS[state])
    return next(able, next((part for part in parts if may_ever(verb, part)), None))


def advance_case(state: CaseState, verb: Verb, part: Part) -> CaseState:
    """
    Return the state of a case after *verb*, said by *part*.

    Raises:
        RemoteError: The table has no such step.
    """
    return _advance(CASES, state, verb, part)


def advance_handoff(state: State, verb: Verb, part: Part) -> State:
    """
    Return the state of a hand-off after *verb*, said by *part*.

    Raises:
        RemoteError: The table has no such step.
    """
    return _advance(HANDOFFS, state, verb, part)


def _advance(table: Mapping[_S, Mapping[tuple[Verb, Part], _S]], state: _S, verb: Verb, part: Part) -> _S:
    try:
        return table[state][verb, part]
    except KeyError:
        raise RemoteError(Code.ILLEGAL_TRANSITION if may_ever(verb, part) else Code.WRONG_PARTY) from None


def check_held(state: State, verb: Verb, receipt: Receipt, *, recalled: bool = False) -> None:
    """
    Check that there is something to recall, and that nobody was asked for it before.

    Raises:
        RemoteError: It was *recalled*; or it ended, and nothing shows that its recipient ever got it.
    """
    if verb is Verb.RECALLED and (recalled or (state in NOT_SHOWN_HELD and receipt is Receipt.NONE)):
        raise RemoteError(Code.ILLEGAL_TRANSITION)


def advance_receipt(receipt: Receipt, verb: Verb) -> Receipt:
    """
    Return the receipt of a hand-off after *verb*.

    Raises:
        RemoteError: A receipt is given once.
    """
    try:
        return RECEIPTS[receipt][verb]
    except KeyError:
        raise RemoteError(Code.ILLEGAL_TRANSITION) from None

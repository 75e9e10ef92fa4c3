"""Steps of the two lifecycles: one of each sort, for the tables themselves are in SPEC section 9."""

from collections.abc import Iterator
from typing import Final

from referral_contracts.codes import Code
from referral_contracts.lifecycle import CaseState, Part, Receipt, State
from referral_contracts.verbs import Verb
from tools.vectors.vector import Vector, fault, valid

_NOT_NOW: Final = Code.ILLEGAL_TRANSITION
_NEVER: Final = Code.WRONG_PARTY


def cases() -> Iterator[Vector]:
    yield from _handoffs()
    yield from _cases()
    yield from _receipts()
    yield from _recalls()


def _handoff(state: State, verb: Verb, part: Part) -> dict[str, object]:
    return {"state": state.value, "verb": verb.value, "part": part.value}


def _handoffs() -> Iterator[Vector]:
    kind = "handoff-step"
    accept = _handoff(State.OFFERED, Verb.ACCEPTED, Part.RECIPIENT)
    yield valid(kind, "handoff_accepted", "an offer is accepted", **accept, after=State.ACCEPTED.value)
    progress = _handoff(State.ACCEPTED, Verb.PROGRESSED, Part.RECIPIENT)
    yield valid(kind, "handoff_progressed", "progress moves no state", **progress, after=State.ACCEPTED.value)
    decline = _handoff(State.ASSIGNED, Verb.DECLINED, Part.RECIPIENT)
    yield fault(_NOT_NOW, kind, "handoff_duty_declined", "a statutory duty cannot be declined", **decline)
    twice = _handoff(State.ACCEPTED, Verb.WITHDRAWN, Part.SENDER)
    yield fault(_NOT_NOW, kind, "handoff_withdrawn_too_late", "somebody is at work on it", **twice)
    yield fault(
        _NEVER,
        kind,
        "handoff_accepted_by_its_sender",
        "not its to say",
        **_handoff(State.OFFERED, Verb.ACCEPTED, Part.SENDER),
    )


def _cases() -> Iterator[Vector]:
    kind = "case-step"

    def step(state: CaseState, verb: Verb, part: Part) -> dict[str, object]:
        return {"state": state.value, "verb": verb.value, "part": part.value}

    close = step(CaseState.OPEN, Verb.CASE_CLOSED, Part.OWNER)
    yield valid(kind, "case_closed", "by its owner", **close, after=CaseState.CLOSED.value)
    early = step(CaseState.TRANSFER_OFFERED, Verb.CASE_CLOSED, Part.OWNER)
    yield fault(_NOT_NOW, kind, "case_closed_while_offered", "somebody may be about to take it over", **early)
    stranger = step(CaseState.OPEN, Verb.CASE_CLOSED, Part.PARTY)
    yield fault(_NEVER, kind, "case_closed_by_a_party", "not its to say", **stranger)


def _recalls() -> Iterator[Vector]:
    kind, after = "recall", State.RECALLED.value

    def held(state: State, receipt: Receipt) -> dict[str, object]:
        return {"receipt": receipt.value, "state": state.value}

    declined = held(State.DECLINED, Receipt.NONE)
    yield valid(kind, "recall_declined", "who declined it has it, receipt or not", **declined, after=after)
    arrived = held(State.WITHDRAWN, Receipt.UNREADABLE)
    yield valid(kind, "recall_withdrawn_after_it_arrived", "what does not open is held too", **arrived, after=after)
    nowhere = held(State.WITHDRAWN, Receipt.NONE)
    yield fault(_NOT_NOW, kind, "recall_withdrawn_before_it_arrived", "nobody is known to hold it", **nowhere)


def _receipts() -> Iterator[Vector]:
    kind = "receipt-step"
    yield valid(
        kind,
        "receipt_after_unreadable",
        "a repaired key may turn unreadable into received",
        receipt=Receipt.UNREADABLE.value,
        verb=Verb.RECEIVED.value,
        after=Receipt.RECEIVED.value,
    )
    yield fault(
        _NOT_NOW,
        kind,
        "receipt_twice",
        "a receipt is given once",
        receipt=Receipt.RECEIVED.value,
        verb=Verb.RECEIVED.value,
    )

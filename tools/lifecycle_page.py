"""The two lifecycles: as tables for SPEC, as pictures and in the words of FHIR for `docs/lifecycle.md`."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

from referral_contracts.lifecycle import (
    BESIDE,
    CASES,
    CLOCK_VERBS,
    ENDED_STATES,
    GIVEN_BACK,
    HANDOFFS,
    HEADLESS,
    ON_NEXT_GIVEN_BACK,
    ON_NEXT_RECEIVED,
    ON_RECEIVED,
    OPEN_STATES,
    OPENINGS,
    RECEIPTS,
    TALK,
    CaseState,
    Part,
    Receipt,
    State,
    may_ever,
)
from referral_contracts.verbs import CLOCKS, DEADLINES, Verb
from tools.tables import code, table, words

PAGE: Final = Path("docs/lifecycle.md")

_S = TypeVar("_S", bound=StrEnum)
_Machine: TypeAlias = Mapping[_S, Mapping[tuple[Verb, Part], _S]]

FHIR: Final[Mapping[State, tuple[str, str, str]]] = {
    State.OFFERED: ("requested", "2.0", ""),
    State.ASSIGNED: ("ready", "2.0", "FHIR's word where assignment and acceptance are a given"),
    State.NOTIFIED: ("requested", "", "information only: FHIR would send a Communication"),
    State.RECEIVED: ("completed", "", "a notice that has arrived; not FHIR's *received*, which claims the work"),
    State.ACCEPTED: ("accepted", "3.0", "*in-progress* and 5.x once a `handoff.progressed` has come"),
    State.DECLINED: ("rejected", "4.0", ""),
    State.EXPIRED: ("cancelled", "6.0", "ended by time, not by a person; `Task.statusReason` says so"),
    State.WITHDRAWN: ("cancelled", "6.0", ""),
    State.FORWARDED: ("on-hold", "", "the next agency's hand-off is a Task of its own, `partOf` this one"),
    State.RELEASED: ("cancelled", "", "done by another; `Task.statusReason` says so"),
    State.SUSPENDED: ("on-hold", "5.x", ""),
    State.COMPLETED: ("completed", "7.0", ""),
    State.FAILED: ("failed", "6.0", ""),
    State.RETURNED: ("failed", "6.0", "work that had begun was given back, and another may be asked"),
    State.STOPPED: ("cancelled", "6.0", "BSeR asks first (5.4 cancellation requested); here it takes effect at once"),
    State.CLOSED: ("", "", "FHIR's status stays what it was; the sender has taken note"),
    State.VOIDED: ("entered-in-error", "", ""),
    State.RECALLED: ("cancelled", "", "no counterpart: the work ends, and the copy still has to be answered for"),
    State.MISDIRECTED: ("rejected", "", "no counterpart: what became of a copy that was not for its holder"),
}
"""For each state the Task status of FHIR R4, the business status of BSeR STU 1, and what is lost on the way."""

_INTRODUCTION = """# The life of a case and of a hand-off

Made from the tables in `referral_contracts/lifecycle.py`; nothing else moves a state.
The rules around them are in [SPEC](../contracts/SPEC.md), section 9.
An arrow says the verb and the part that says it.
"""

_PUT_RIGHT: Final = {
    Verb.VOIDED: (State.VOIDED, Part.SENDER),
    Verb.RECALLED: (State.RECALLED, Part.SENDER),
    Verb.MISDIRECTED: (State.MISDIRECTED, Part.RECIPIENT),
}
"""Steps from so many states that a picture of each would be all arrows; the table lists them."""

_TOLD: Final[Mapping[frozenset[Part], str]] = {
    frozenset({Part.PENDING}): "the owner",
    frozenset({Part.SENDER}): "the recipient",
    frozenset({Part.WATCHER}): "the sender and the recipient",
}
_TOLD_BY_OWNER: Final[Mapping[Verb, str]] = {
    Verb.CASE_TRANSFER_OFFERED: "one",
    Verb.CASE_TRANSFER_WITHDRAWN: "the one who was offered the case",
}

_VERBS_BACK: Final = {
    State.WITHDRAWN: Verb.WITHDRAWN,
    State.RETURNED: Verb.RETURNED,
    State.FAILED: Verb.FAILED,
    State.STOPPED: Verb.CANCELLED,
    State.VOIDED: Verb.VOIDED,
    State.RECALLED: Verb.RECALLED,
    State.MISDIRECTED: Verb.MISDIRECTED,
}

_FHIR_TEXT = """
## In the words of FHIR and BSeR

For systems that keep a hand-off as a FHIR R4 `Task`, with the `businessStatus` of
[Bidirectional Services eReferral](http://hl7.org/fhir/us/bser/) STU 1 (2.0 created, 3.0 accepted, 4.0 declined,
5.4 cancellation requested, 5.x fulfillment initiated, 6.0 cancelled, 7.0 completed).
The mapping goes one way: several states of ours share a word of theirs, and a Task says nothing of heads,
signatures and receipts.

"""


def cases() -> str:
    return _steps(CASES, {})


def handoffs() -> str:
    effects = {state: {f"{Verb.RECEIVED.value} by recipient": after} for state, after in ON_RECEIVED.items()}
    for state, after in ON_NEXT_RECEIVED.items():
        effects[state] = {f"{Verb.RECEIVED.value} by the next agency": after}
    for state, after in ON_NEXT_GIVEN_BACK.items():
        back = {f"{_VERBS_BACK[given].value} of the next hand-off": after for given in sorted(GIVEN_BACK)}
        effects[state] = {**effects.get(state, {}), **back}
    return _steps(HANDOFFS, effects)


def _steps(machine: _Machine[_S], effects: Mapping[_S, Mapping[str, _S]]) -> str:
    told = words(type(next(iter(machine))))
    # States of a case have the same words as some of a hand-off, and neither of these marks.
    marked = machine is not CASES
    rows = []
    for state, steps in machine.items():
        moves = [
            f"`{verb.value}` by {part.value} → `{after.value}`"
            for (verb, part), after in steps.items()
            if verb not in BESIDE
        ]
        moves += [
            f"`{name.split()[0]}`{name[len(name.split()[0]) :]} → `{after.value}`"
            for name, after in effects.get(state, {}).items()
        ]
        mark = ", ".join([*["open"] * (state in OPEN_STATES), *["ended"] * (state in ENDED_STATES)]) if marked else ""
        rows.append((code(state.value), mark, "<br>".join(moves) or "nothing", told.get(state.value, "")))
    head = ("state", "open or ended", "what may follow", "")
    return table(head if marked else (head[0], *head[2:]), (row if marked else (row[0], *row[2:]) for row in rows))


def receipts() -> str:
    rows = (
        (
            code(receipt.value),
            "<br>".join(f"`{verb.value}` → `{after.value}`" for verb, after in steps.items()) or "nothing",
        )
        for receipt, steps in RECEIPTS.items()
    )
    return table(("receipt", "what may follow"), rows)


def verbs() -> str:
    rows = []
    for verb in Verb:
        handoff = "" if verb.of_case or verb in OPENINGS else "yes"
        moves = "" if verb in HEADLESS else "yes"
        clock = "clock" if verb in CLOCK_VERBS else ""
        rows.append((code(verb.value), handoff, answered(verb), told(verb), moves, clock))
    return table(("verb", "`handoff`", "`answers`", "`recipients`", "moves the head", "clock"), rows)


def _speakers(verb: Verb) -> frozenset[Part]:
    return frozenset(part for part in Part if may_ever(verb, part))


def answered(verb: Verb) -> str:
    if not _speakers(verb) or (verb.of_case and verb in HEADLESS):
        return ""
    if verb.of_case:
        return "head of the case"
    return "opening event" if verb in RECEIPTS[Receipt.NONE] else "head of the hand-off"


def told(verb: Verb) -> str:
    """Return whom the router lets *verb* be told: it follows from who says it."""
    after = {state for machine in (CASES, HANDOFFS) for steps in machine.values() for state in _after(steps, verb)}
    speakers = _speakers(verb)
    if verb in BESIDE:
        talk = "the other side (from the recipient, section 10: perhaps its team)"
        return talk if verb in TALK else "the other side and the successor"
    if verb in DEADLINES:
        return "one other agency on the bus, whoever may send what to whom"
    if speakers in _TOLD:
        return _TOLD[speakers]
    if speakers == {Part.OWNER}:
        return _TOLD_BY_OWNER.get(verb, "any, or nobody")
    if speakers >= {Part.SENDER, Part.OWNER}:
        from_recipient = "; from the recipient, the sender" if Part.RECIPIENT in speakers else ""
        from_watcher = " or the watcher" if Part.WATCHER in speakers else ""
        return f"the recipient{from_recipient}; from the owner{from_watcher}, also the sender"
    if speakers == {Part.RECIPIENT}:
        if verb in RECEIPTS[Receipt.NONE]:
            return "the sender"
        return (
            "the sender and the next" if after & set(ON_NEXT_RECEIVED) else "the sender (section 10: perhaps its team)"
        )
    if speakers == {Part.PARTY}:
        return "any, or nobody"
    if verb in OPENINGS:
        return "one or more"
    return "nobody"


def _after(steps: Mapping[tuple[Verb, Part], _S], verb: Verb) -> Iterator[_S]:
    return (after for (said, _), after in steps.items() if said is verb)


def _picture(machine: _Machine[_S], first: Iterable[tuple[str, _S]], more: Iterable[str] = ()) -> str:
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    [*] --> {_name(state)}: {verb}" for verb, state in first]
    for state, steps in machine.items():
        for (verb, part), after in steps.items():
            if verb not in BESIDE and verb not in _PUT_RIGHT and verb not in CLOCKS | DEADLINES:
                lines.append(f"    {_name(state)} --> {_name(after)}: {_short(verb)} ({part.value})")
    lines += [f"    {line}" for line in more]
    lines += [
        f"    {_name(state)} --> [*]"
        for state, steps in machine.items()
        if {verb for verb, _ in steps} <= {*BESIDE, *_PUT_RIGHT} and state not in OPEN_STATES
    ]
    lines += [f"    {_name(state)}: {state.value}" for state in machine if _name(state) != state.value]
    return "\n".join([*lines, "```", ""])


def _name(state: StrEnum) -> str:
    return state.value.replace("-", "_")


def _short(verb: Verb) -> str:
    return verb.value.removeprefix("case.").removeprefix("handoff.")


def pages() -> Iterator[tuple[Path, str]]:
    """Yield the page."""
    by_receipt = [f"{_name(state)} --> {_name(after)}: received (recipient)" for state, after in ON_RECEIVED.items()]
    by_receipt += [
        f"{_name(state)} --> {_name(after)}: received (by the next)" for state, after in ON_NEXT_RECEIVED.items()
    ]
    by_receipt += [
        f"{_name(state)} --> {_name(after)}: {_short(_VERBS_BACK[given])} (of the next)"
        for state, after in ON_NEXT_GIVEN_BACK.items()
        for given in sorted(GIVEN_BACK)
    ]
    steps = {
        receipt: {(verb, Part.RECIPIENT): after for verb, after in moves.items()} for receipt, moves in RECEIPTS.items()
    }
    mistakes = [
        f"mistaken --> {_name(after)}: {_short(verb)} ({part.value})" for verb, (after, part) in _PUT_RIGHT.items()
    ]
    mistakes += ["mistaken: entered or sent by mistake, in the states that the table tells"]
    parts = [
        _INTRODUCTION,
        "\n## A case\n\n",
        _picture(CASES, [("opened", CaseState.OPEN)]),
        "\n",
        cases(),
        "\n## A hand-off\n\n",
        _picture(HANDOFFS, [(_short(verb), state) for verb, state in OPENINGS.items()], [*by_receipt, *mistakes]),
        "\nWhile a hand-off is in a state marked *open* its case cannot be closed.\n",
        "A new hand-off may follow one in a state marked *ended*.\n",
        "In every state both sides may ask (`handoff.asked`), answer (`handoff.answered`) and correct what they said\n",
        "(`handoff.corrected`); that moves nothing.\n",
        "In every state marked *open* each of its two sides may be moved to a successor (`handoff.moved`).\n\n",
        handoffs(),
        "\n## The receipt of a hand-off\n\n",
        "A flag beside the state, said by the recipient's system about the opening event.\n\n",
        _picture(steps, [("opened", Receipt.NONE)]),
        "\n",
        receipts(),
        _FHIR_TEXT,
        table(
            ("state", "Task.status", "Task.businessStatus", "what is lost"),
            ((code(state.value), code(FHIR[state][0]), FHIR[state][1], FHIR[state][2]) for state in State),
        ),
    ]
    yield PAGE, "".join(parts)

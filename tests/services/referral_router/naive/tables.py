"""
The tables of SPEC section 9 a second time, written from the prose, for `bus` to judge by.

Nothing here is imported from the code that it is held against. Whoever changes a table changes it here as well, from
the prose; `test_tables` says where the two differ.
"""

from typing import NamedTuple

WATCHER = "watcher"


class Kind(NamedTuple):
    """Section 9, the first table: what an event of a verb has to have."""

    handoff: bool = False
    answers: str = ""
    clock: bool = False
    corrects: bool = False


VERBS = {
    "case.opened": Kind(clock=True),
    "case.transfer.offered": Kind(answers="head"),
    "case.transfer.accepted": Kind(answers="head", clock=True),
    "case.transfer.declined": Kind(answers="head"),
    "case.transfer.withdrawn": Kind(answers="head"),
    "case.noted": Kind(clock=True),
    "case.corrected": Kind(clock=True, corrects=True),
    "case.linked": Kind(clock=True),
    "case.unlinked": Kind(clock=True),
    "case.closed": Kind(answers="head", clock=True),
    "case.reopened": Kind(answers="head", clock=True),
    "case.voided": Kind(answers="head", clock=True),
    "handoff.offered": Kind(clock=True),
    "handoff.assigned": Kind(clock=True),
    "handoff.notified": Kind(clock=True),
    "handoff.received": Kind(handoff=True, answers="opening"),
    "handoff.unreadable": Kind(handoff=True, answers="opening"),
    "handoff.accepted": Kind(handoff=True, answers="head", clock=True),
    "handoff.declined": Kind(handoff=True, answers="head", clock=True),
    "handoff.expired": Kind(handoff=True, answers="head"),
    "handoff.withdrawn": Kind(handoff=True, answers="head"),
    "handoff.forwarded": Kind(handoff=True, answers="head", clock=True),
    "handoff.progressed": Kind(handoff=True, answers="head"),
    "handoff.suspended": Kind(handoff=True, answers="head"),
    "handoff.resumed": Kind(handoff=True, answers="head"),
    "handoff.completed": Kind(handoff=True, answers="head", clock=True),
    "handoff.failed": Kind(handoff=True, answers="head", clock=True),
    "handoff.returned": Kind(handoff=True, answers="head", clock=True),
    "handoff.cancelled": Kind(handoff=True, answers="head"),
    "handoff.reopened": Kind(handoff=True, answers="head"),
    "handoff.closed": Kind(handoff=True, answers="head"),
    "handoff.moved": Kind(handoff=True, answers="head"),
    "handoff.asked": Kind(handoff=True, answers="head"),
    "handoff.answered": Kind(handoff=True, answers="head"),
    "handoff.corrected": Kind(handoff=True, answers="head", clock=True, corrects=True),
    "handoff.voided": Kind(handoff=True, answers="head"),
    "handoff.recalled": Kind(handoff=True, answers="head"),
    "handoff.misdirected": Kind(handoff=True, answers="head", clock=True),
    "clock.disputed": Kind(clock=True),
    "clock.extended": Kind(clock=True),
    "clock.confirmed": Kind(clock=True),
    "deadline.armed": Kind(),
    "deadline.reminded": Kind(),
    "deadline.missed": Kind(),
    "deadline.escalated": Kind(),
    "deadline.explained": Kind(),
    "deadline.unreadable": Kind(),
}

OPENING = {"handoff.offered": "offered", "handoff.assigned": "assigned", "handoff.notified": "notified"}
MOVE_NO_HEAD = {
    "handoff.received",
    "handoff.unreadable",
    "handoff.progressed",
    "handoff.asked",
    "handoff.answered",
    "handoff.corrected",
    "case.noted",
    "case.corrected",
    "case.linked",
    "case.unlinked",
    "clock.disputed",
    "clock.extended",
    "clock.confirmed",
    "deadline.armed",
    "deadline.reminded",
    "deadline.missed",
    "deadline.escalated",
    "deadline.explained",
    "deadline.unreadable",
}
END_AN_OFFER = {"case.transfer.accepted", "case.transfer.declined", "case.transfer.withdrawn"}
LINKS = {"case.linked", "case.unlinked"}
CLOCKS = {"clock.disputed", "clock.extended", "clock.confirmed"}
DEADLINES = {
    "deadline.armed",
    "deadline.reminded",
    "deadline.missed",
    "deadline.escalated",
    "deadline.explained",
    "deadline.unreadable",
}


def said_of_time(state: str) -> dict[str, str]:
    """Return what changes no state: what parties say of clocks, and the watcher, which needs to be none."""
    by_parties = {f"{verb} by party": state for verb in sorted(CLOCKS)}
    return {**by_parties, **({} if state == "voided" else {f"{verb} by watcher": state for verb in sorted(DEADLINES)})}


CASES = {
    "open": {
        "case.transfer.offered by owner": "transfer-offered",
        "case.noted by party": "open",
        "case.corrected by party": "open",
        "case.linked by owner": "open",
        "case.unlinked by owner": "open",
        "case.closed by owner": "closed",
        "case.voided by owner": "voided",
        **said_of_time("open"),
    },
    "transfer-offered": {
        "case.transfer.offered by owner": "transfer-offered",
        "case.transfer.accepted by pending": "open",
        "case.transfer.declined by pending": "open",
        "case.transfer.withdrawn by owner": "open",
        "case.noted by party": "transfer-offered",
        "case.corrected by party": "transfer-offered",
        "case.linked by owner": "transfer-offered",
        "case.unlinked by owner": "transfer-offered",
        **said_of_time("transfer-offered"),
    },
    "closed": {
        "case.noted by party": "closed",
        "case.corrected by party": "closed",
        "case.linked by owner": "closed",
        "case.unlinked by owner": "closed",
        "case.reopened by owner": "open",
        "case.voided by owner": "voided",
        **said_of_time("closed"),
    },
    "voided": {"case.noted by party": "voided", "case.corrected by party": "voided", **said_of_time("voided")},
}
ENDED = {"closed", "voided"}

# Mistakes: what was sent wrongly can be asked back and answered for in every state, also after the end.
BACK = {"handoff.recalled by sender": "recalled", "handoff.misdirected by recipient": "misdirected"}
WRONG = {**BACK, "handoff.voided by sender": "voided"}
STOP = {"handoff.cancelled by owner": "stopped"}

HANDOFFS: dict[str, dict[str, str]] = {
    "offered": {
        "handoff.accepted by recipient": "accepted",
        "handoff.declined by recipient": "declined",
        "handoff.withdrawn by sender": "withdrawn",
        "handoff.expired by watcher": "expired",
        **STOP,
        **WRONG,
    },
    "assigned": {
        "handoff.accepted by recipient": "accepted",
        "handoff.forwarded by recipient": "forwarded",
        "handoff.withdrawn by sender": "withdrawn",
        **STOP,
        **WRONG,
    },
    "notified": {"handoff.withdrawn by sender": "withdrawn", **STOP, **WRONG},
    "received": BACK,
    "accepted": {
        "handoff.progressed by recipient": "accepted",
        "handoff.suspended by recipient": "suspended",
        "handoff.completed by recipient": "completed",
        "handoff.forwarded by recipient": "forwarded",
        "handoff.failed by recipient": "failed",
        "handoff.returned by recipient": "returned",
        "handoff.cancelled by sender": "stopped",
        **STOP,
        **WRONG,
    },
    "suspended": {
        "handoff.progressed by recipient": "suspended",
        "handoff.forwarded by recipient": "forwarded",
        "handoff.resumed by recipient": "accepted",
        "handoff.failed by recipient": "failed",
        "handoff.returned by recipient": "returned",
        "handoff.cancelled by sender": "stopped",
        **STOP,
        **WRONG,
    },
    "declined": BACK,
    "expired": BACK,
    "withdrawn": BACK,
    "forwarded": {"handoff.forwarded by recipient": "forwarded", **STOP, **WRONG},
    "released": BACK,
    "completed": {
        "handoff.closed by sender": "closed",
        "handoff.closed by owner": "closed",
        "handoff.closed by watcher": "closed",
        "handoff.reopened by sender": "accepted",
        "handoff.reopened by owner": "accepted",
        **WRONG,
    },
    "failed": {"handoff.closed by sender": "closed", "handoff.closed by owner": "closed", **WRONG},
    "returned": {"handoff.closed by sender": "closed", "handoff.closed by owner": "closed", **WRONG},
    "stopped": BACK,
    "closed": BACK,
    "voided": BACK,
    "recalled": {
        "handoff.misdirected by recipient": "misdirected",
        "handoff.voided by sender": "voided",
        **STOP,
    },
    "misdirected": {},
}
OPEN = {
    "offered",
    "assigned",
    "notified",
    "accepted",
    "suspended",
    "forwarded",
    "completed",
    "failed",
    "returned",
    "recalled",
}
PERHAPS_NEVER_GOT = {"withdrawn", "expired", "stopped", "voided"}
"""From these a hand-off is recalled only if its recipient has said that it arrived."""
TALK = {
    f"{verb} by {part}"
    for verb in ("handoff.asked", "handoff.answered", "handoff.corrected")
    for part in ("sender", "recipient")
}
"""In every state; it changes none."""
MOVED = {f"handoff.moved by {part}" for part in ("sender", "recipient")}
"""In every open state; it changes none."""
RECEIPTS = {
    "none": {"handoff.received": "received", "handoff.unreadable": "unreadable"},
    "unreadable": {"handoff.received": "received"},
    "received": {},
}
FOLLOWED = {"declined", "expired", "withdrawn", "failed", "returned", "stopped", "closed"} | {
    "voided",
    "recalled",
    "misdirected",
}
"""Marked *ended*: a new hand-off may follow one in these."""
GIVEN_BACK = {"withdrawn", "stopped", "returned", "failed", "voided", "recalled", "misdirected"}
BY_WATCHER = {"handoff.expired", "handoff.closed"}

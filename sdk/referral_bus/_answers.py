"""
What an event answers or follows, and whose verdicts it has to wait for.

A moving verb answers the head of its hand-off or case: the last event that moved it, as far as we know. When that is
an event of our own without a verdict, its hash is not certain yet: the answer waits, and is signed afterwards.
"""

import sqlite3
from dataclasses import dataclass, replace
from typing import Final

from referral_bus._store import outbox, views
from referral_bus._store.outbox import Row
from referral_bus.draft import Superseded
from referral_bus.sent import EntryState
from referral_contracts.codes import Code
from referral_contracts.envelope import EventRef, HandoffKey
from referral_contracts.errors import LocalError
from referral_contracts.lifecycle import CORRECTIONS, ENDED_STATES, LINKS, OPENINGS
from referral_contracts.topics import agency_of
from referral_contracts.verbs import CLOCKS, Verb

_ANSWER_NOTHING: Final = frozenset({*OPENINGS, Verb.CASE_OPENED, Verb.CASE_NOTED, Verb.CASE_CORRECTED, *LINKS, *CLOCKS})
_UNCORRECTED: Final = frozenset({Verb.RECEIVED, Verb.UNREADABLE, *CORRECTIONS})
"""A receipt is the system's own; what was wrong in a correction is corrected where the first mistake was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Who deals with whom in a hand-off, whether its opening has a verdict or not."""

    subject: str
    sender: str
    holder: str
    """The address on the recipient's side."""

    def answered_by(self, agency: str, *, owner: bool) -> tuple[str, ...]:
        """
        Return to whom an event of *agency* about it goes.

        Raises:
            LocalError: NOT_FOUND: *agency* has no part in it.
        """
        both = (self.sender, self.holder)
        others = tuple(address for address in both if agency_of(address) != agency)
        if others == both and not owner:
            raise LocalError(Code.NOT_FOUND, "a hand-off that this agency has no part in")
        return others


def parties(db: sqlite3.Connection, key: HandoffKey, agency: str, subject: str | None) -> Parties:
    """
    Return whose hand-off *key* is, in the case *subject* if that is told.

    Raises:
        LocalError: NOT_FOUND: none that is known here. ID_REUSED: one of several cases.
    """
    known = views.only_handoff(db, key, subject)
    if known is not None:
        return Parties(subject=known.subject, sender=known.sender, holder=known.holder)
    opening = outbox.get(db, key.opening)
    if opening is None or opening.state.dead or key.recipient not in opening.recipients:
        raise LocalError(Code.NOT_FOUND, "no hand-off of that key is known here")
    # The outbox holds only what we open.
    return Parties(subject=opening.subject, sender=agency, holder=key.recipient)


def superseded(db: sqlite3.Connection, event_id: str, subject: str, handoff: HandoffKey | None) -> Superseded:
    """
    Return the event of ours, in this case or hand-off, that is to be corrected.

    Raises:
        LocalError: NOT_FOUND: we said no such thing there. ILLEGAL_TRANSITION: it does not stand, or not yet, or is
            nothing that is corrected.
    """
    row = outbox.get(db, event_id)
    if row is None or row.subject != subject or not _belongs(row, handoff):
        raise LocalError(Code.NOT_FOUND, "this agency said no such event there")
    if row.verb in _UNCORRECTED:
        raise LocalError(Code.ILLEGAL_TRANSITION, "what is corrected is the event that was wrong at first")
    if row.state.dead:
        raise LocalError(Code.ILLEGAL_TRANSITION, "it does not stand: say it anew, as it is right")
    if row.state is not EntryState.ACCEPTED or row.attempt is None:
        # What a correction names is the bytes, and until the verdict they may still be signed afresh.
        raise LocalError(Code.ILLEGAL_TRANSITION, "it has no verdict yet: wait for that, then correct it")
    return Superseded(ref=EventRef(id=row.id, sha256=row.attempt), verb=row.verb)


def _belongs(row: Row, handoff: HandoffKey | None) -> bool:
    if handoff is None:
        return row.verb.of_case
    return row.handoff == handoff or row.id == handoff.opening


def resolve(db: sqlite3.Connection, row: Row) -> tuple[Row, list[str]]:
    """
    Return *row* with what it answers or follows, and the entries whose verdicts it needs.

    Raises:
        LocalError: NOT_FOUND: nothing is known of its case or hand-off. ILLEGAL_TRANSITION: what it follows has not
            ended. Or the code by which its case was refused.
    """
    needs = _opening_of_case(db, row)
    if row.followed is not None:
        row, end = _follow(db, row, row.followed)
        needs += end
    if row.verb in _ANSWER_NOTHING or row.answers is not None:
        return row, needs
    pending = outbox.moving(db, row.subject, row.handoff)
    if pending is not None:
        return replace(row, answers=pending.id), [*needs, pending.id]
    head = _head(db, row)
    if head is None:
        raise LocalError(Code.NOT_FOUND, "nothing is known here that this could answer")
    return replace(row, answers=head.id, answers_hash=head.sha256), needs


def _follow(db: sqlite3.Connection, row: Row, key: HandoffKey) -> tuple[Row, list[str]]:
    pending = outbox.moving(db, row.subject, key)
    if pending is not None:
        # Whether that ends it, the router will say.
        return replace(row, follows=pending.id), [pending.id]
    known = views.handoff(db, row.subject, key)
    if known is None:
        raise LocalError(Code.NOT_FOUND, "no hand-off of this case that could be followed")
    if known.state not in ENDED_STATES:
        raise LocalError(Code.ILLEGAL_TRANSITION, "the hand-off that is to be followed has not ended")
    return replace(row, follows=known.head.id, follows_hash=known.head.sha256), []


def _opening_of_case(db: sqlite3.Connection, row: Row) -> list[str]:
    if row.verb is Verb.CASE_OPENED or views.case(db, row.subject) is not None:
        return []
    opening = outbox.opening_of_case(db, row.subject)
    if opening is None:
        raise LocalError(Code.NOT_FOUND, "no such case is known here")
    if opening.state.dead:
        raise LocalError(opening.code or Code.NOT_FOUND, "the case was not opened")
    return [opening.id]


def _head(db: sqlite3.Connection, row: Row) -> EventRef | None:
    if row.handoff is not None:
        handoff = views.handoff(db, row.subject, row.handoff)
        return None if handoff is None else handoff.head
    case = views.case(db, row.subject)
    return None if case is None else case.head

"""Statements for the agency's own view of cases and hand-offs."""

import sqlite3
from dataclasses import dataclass
from typing import NamedTuple

from referral_bus.views import CaseView, HandoffView
from referral_contracts.codes import Code
from referral_contracts.envelope import EventRef, HandoffKey
from referral_contracts.errors import LocalError
from referral_contracts.lifecycle import ENDED_CASES, OPEN_STATES, CaseState, Receipt, State
from referral_contracts.verbs import Verb


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case as we know it."""

    subject: str
    exercise: bool
    owned: bool = False
    state: CaseState | None = None
    head: EventRef | None = None
    offered_by: str | None = None
    offered_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """A hand-off as we know it."""

    key: HandoffKey
    subject: str
    opened_by: str
    opened_with: Verb | None
    """None: a verdict told of it, and no event."""
    opened_in: str | None = None
    """The hash of the event that opened it: what a receipt answers."""
    state: State
    head: EventRef
    sender: str
    """Who stands on the sender's side: who opened it, or a successor that it was moved to."""
    holder: str
    """The address that stands on the recipient's side."""
    moved_in: str | None = None
    """The hash of the event that moved a side of it to us."""
    receipt: Receipt = Receipt.NONE
    forwarded_from: HandoffKey | None = None
    follows: EventRef | None = None
    followed: HandoffKey | None = None
    """The hand-off that `follows` ended, where it is known here."""
    admitted_ms: int

    def view(self, db: sqlite3.Connection) -> HandoffView:
        """Return what the user sees."""
        of = case(db, self.subject)
        return HandoffView(
            key=self.key,
            subject=self.subject,
            exercise=of is not None and of.exercise,
            opened_by=self.opened_by,
            opened_with=self.opened_with,
            state=self.state,
            head=self.head,
            sender=self.sender,
            holder=self.holder,
            receipt=None if self.opened_with is None else self.receipt,
            follows=self.follows,
            followed=self.followed,
            admitted_ms=self.admitted_ms,
        )


def case(db: sqlite3.Connection, subject: str) -> Case | None:
    """Return a case."""
    row = db.execute("SELECT * FROM cases WHERE subject = ?", (subject,)).fetchone()
    if row is None:
        return None
    return Case(
        subject=row["subject"],
        exercise=bool(row["exercise"]),
        owned=bool(row["owned"]),
        state=None if row["state"] is None else CaseState(row["state"]),
        head=None if row["head_id"] is None else EventRef(id=row["head_id"], sha256=row["head_hash"]),
        offered_by=row["offered_by"],
        offered_to=row["offered_to"],
    )


def put_case(db: sqlite3.Connection, item: Case) -> None:
    """Write a case."""
    db.execute(
        "INSERT OR REPLACE INTO cases (subject, exercise, owned, state, head_id, head_hash, offered_by, offered_to)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            item.subject,
            item.exercise,
            item.owned,
            None if item.state is None else item.state.value,
            None if item.head is None else item.head.id,
            None if item.head is None else item.head.sha256,
            item.offered_by,
            item.offered_to,
        ),
    )


def handoff(db: sqlite3.Connection, subject: str, key: HandoffKey) -> Handoff | None:
    """Return a hand-off of a case."""
    return only_handoff(db, key, subject)


def only_handoff(db: sqlite3.Connection, key: HandoffKey, subject: str | None) -> Handoff | None:
    """
    Return the hand-off of that key, in the case *subject* if that is told.

    Raises:
        LocalError: ID_REUSED: somebody used another's id in another case; the case has to be told.
    """
    rows = db.execute(
        "SELECT * FROM handoffs WHERE opening = ?1 AND recipient = ?2 AND (?3 IS NULL OR subject = ?3)",
        (key.opening, key.recipient, subject),
    ).fetchall()
    if len(rows) > 1:
        # Whichever we took, what is meant for one agency could go to another.
        raise LocalError(Code.ID_REUSED, "hand-offs of several cases have this key; the case has to be told")
    return _handoff(rows[0]) if rows else None


def passing_on(db: sqlite3.Connection, subject: str) -> list[Handoff]:
    """Return the hand-offs of a case that pass a duty on."""
    found = db.execute("SELECT * FROM handoffs WHERE subject = ? AND forwarded_from IS NOT NULL", (subject,))
    return [_handoff(row) for row in found]


def ended_by(db: sqlite3.Connection, subject: str, end: EventRef) -> HandoffKey | None:
    """Return the hand-off of a case whose head is the event *end*."""
    row = db.execute(
        "SELECT opening, recipient FROM handoffs WHERE subject = ? AND head_id = ? AND head_hash = ?",
        (subject, end.id, end.sha256),
    ).fetchone()
    return None if row is None else HandoffKey(**row)


def put_handoff(db: sqlite3.Connection, item: Handoff) -> None:
    """Write a hand-off."""
    relieved, follows, followed = item.forwarded_from, item.follows, item.followed
    db.execute(
        "INSERT OR REPLACE INTO handoffs (opening, recipient, subject, opened_by, opened_in, opened_with, sender,"
        " holder, moved_in, state, head_id, head_hash, receipt, forwarded_from, follows_id, follows_hash, followed,"
        " admitted_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            item.key.opening,
            item.key.recipient,
            item.subject,
            item.opened_by,
            item.opened_in,
            None if item.opened_with is None else item.opened_with.value,
            item.sender,
            item.holder,
            item.moved_in,
            item.state.value,
            item.head.id,
            item.head.sha256,
            item.receipt.value,
            None if relieved is None else str(relieved),
            None if follows is None else follows.id,
            None if follows is None else follows.sha256,
            None if followed is None else str(followed),
            item.admitted_ms,
        ),
    )


def forget_told(db: sqlite3.Connection, subject: str) -> None:
    """Forget the open hand-offs of a case that only a verdict told of."""
    db.executemany(
        "DELETE FROM handoffs WHERE subject = ? AND opened_with IS NULL AND state = ?",
        [(subject, state.value) for state in OPEN_STATES],
    )


class LinkEvent(NamedTuple):
    """An event that ties a case to others, or takes that back."""

    subject: str
    hash: str
    own: bool
    admitted_ms: int


def put_link(db: sqlite3.Connection, subject: str, event: str, *, own: bool, admitted_ms: int) -> None:
    """Note an event about links; one that came to several of our addresses is one."""
    db.execute(
        "INSERT OR IGNORE INTO links (subject, hash, own, admitted_ms) VALUES (?, ?, ?, ?)",
        (subject, event, own, admitted_ms),
    )


def link_events(db: sqlite3.Connection) -> list[LinkEvent]:
    """Return every event about links, first decided first."""
    rows = db.execute("SELECT subject, hash, own, admitted_ms FROM links ORDER BY seq")
    return [LinkEvent(row["subject"], row["hash"], bool(row["own"]), row["admitted_ms"]) for row in rows]


def case_view(db: sqlite3.Connection, subject: str) -> CaseView | None:
    """Return a case with its hand-offs, as the user sees them."""
    found = case(db, subject)
    if found is None:
        return None
    rows = db.execute("SELECT * FROM handoffs WHERE subject = ? ORDER BY opening, recipient", (subject,))
    return CaseView(
        subject=found.subject,
        exercise=found.exercise,
        owned=found.owned,
        state=found.state,
        head=found.head,
        handoffs=tuple(_handoff(row).view(db) for row in rows),
    )


def subjects(db: sqlite3.Connection) -> list[str]:
    """Return every case there is."""
    return [row["subject"] for row in db.execute("SELECT subject FROM cases ORDER BY subject")]


def open_handoffs(db: sqlite3.Connection) -> list[Handoff]:
    """Return every hand-off in which somebody still has to act, by case."""
    rows = db.execute("SELECT * FROM handoffs ORDER BY subject, opening, recipient")
    return [found for found in map(_handoff, rows) if found.state in OPEN_STATES]


def open_cases(db: sqlite3.Connection) -> list[Case]:
    """Return every case that is ours or was offered to us, and has not ended."""
    found = (case(db, subject) for subject in subjects(db))
    return [one for one in found if one is not None and _is_open(one)]


def _is_open(item: Case) -> bool:
    ours = item.owned or item.offered_by is not None
    return ours and item.state is not None and item.state not in ENDED_CASES


def _handoff(row: sqlite3.Row) -> Handoff:
    relieved, followed = row["forwarded_from"], row["followed"]
    return Handoff(
        key=HandoffKey(opening=row["opening"], recipient=row["recipient"]),
        subject=row["subject"],
        opened_by=row["opened_by"],
        opened_in=row["opened_in"],
        opened_with=None if row["opened_with"] is None else Verb(row["opened_with"]),
        sender=row["sender"],
        holder=row["holder"],
        moved_in=row["moved_in"],
        state=State(row["state"]),
        head=EventRef(id=row["head_id"], sha256=row["head_hash"]),
        receipt=Receipt(row["receipt"]),
        forwarded_from=None if relieved is None else HandoffKey.parse(relieved),
        follows=None if row["follows_id"] is None else EventRef(id=row["follows_id"], sha256=row["follows_hash"]),
        followed=None if followed is None else HandoffKey.parse(followed),
        admitted_ms=row["admitted_ms"],
    )

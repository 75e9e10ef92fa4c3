"""
Statements for the outbox: entries, what they wait for, and every spelling of an event that Kafka may have.

An entry goes from sealed to signed to submitted to settled, and back to sealed when it is proven that none of its
spellings was or can be accepted.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from referral_bus.sent import Entry, EntryState
from referral_contracts.codes import Code
from referral_contracts.decisions import Verdict, read_verdict
from referral_contracts.envelope import HandoffKey
from referral_contracts.lifecycle import HEADLESS
from referral_contracts.verbs import Verb

PAUSE_MS: Final = 600_000
"""The longest that an entry is postponed. What lies further ahead was written by a clock that has gone back since."""
_ENTRIES: Final = "SELECT outbox.*, leaf FROM outbox LEFT JOIN verdicts ON verdicts.position = outbox.settled_by"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entry."""

    id: str
    draft: str
    subject: str
    verb: Verb
    recipients: tuple[str, ...]
    handoff: HandoffKey | None = None
    exercise: bool = False
    sealed: bytes | None = field(default=None, repr=False)
    """The envelope, but for its time and what it answers; None for a receipt, which is made when it goes out."""
    about: str | None = None
    answers: str | None = None
    answers_hash: str | None = None
    followed: HandoffKey | None = None
    """The hand-off whose end it follows, until that is looked up."""
    follows: str | None = None
    follows_hash: str | None = None
    state: EntryState = EntryState.SEALED
    code: Code | None = None
    attempt: str | None = None
    tries: int = 0

    def entry(self, verdict: Verdict | None = None) -> Entry:
        """Return the entry as its user sees it."""
        return Entry(
            id=self.id,
            draft=self.draft,
            subject=self.subject,
            verb=self.verb,
            recipients=self.recipients,
            handoff=self.handoff,
            exercise=self.exercise,
            state=self.state,
            code=self.code,
            verdict=verdict,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One spelling of an event, as it is handed to Kafka."""

    hash: str
    id: str
    subject: str
    value: bytes = field(repr=False)
    signature: bytes
    kid: str
    first_ms: int
    last_ms: int
    acked_ms: int | None = None


def insert(db: sqlite3.Connection, row: Row, needs: Iterable[str] = ()) -> None:
    """Add an entry, which waits for the verdicts on *needs*."""
    db.execute(
        "INSERT INTO outbox (id, draft, subject, verb, recipients, handoff, exercise, sealed, about, answers,"
        " answers_hash, follows, follows_hash, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'sealed')",
        (
            row.id,
            row.draft,
            row.subject,
            row.verb.value,
            " ".join(row.recipients),
            None if row.handoff is None else str(row.handoff),
            row.exercise,
            row.sealed,
            row.about,
            row.answers,
            row.answers_hash,
            row.follows,
            row.follows_hash,
        ),
    )
    db.executemany("INSERT OR IGNORE INTO dependencies (id, needs) VALUES (?, ?)", [(row.id, need) for need in needs])


def get(db: sqlite3.Connection, event_id: str) -> Row | None:
    """Return an entry."""
    found = db.execute("SELECT * FROM outbox WHERE id = ?", (event_id,)).fetchone()
    return None if found is None else _row(found)


def of_draft(db: sqlite3.Connection, draft: str) -> list[str]:
    """Return the ids of the entries that a draft became, in their order."""
    return [row["id"] for row in db.execute("SELECT id FROM outbox WHERE draft = ? ORDER BY seq", (draft,))]


def entry(db: sqlite3.Connection, event_id: str) -> Entry | None:
    """Return an entry as its user sees it."""
    found = db.execute(_ENTRIES + " WHERE id = ?", (event_id,)).fetchone()
    return None if found is None else _entry(found)


def entries(db: sqlite3.Connection) -> list[Entry]:
    """Return every entry, oldest first."""
    return [_entry(row) for row in db.execute(_ENTRIES + " ORDER BY seq")]


def ready(db: sqlite3.Connection, now_ms: int, most: int) -> list[Row]:
    """
    Return what may go out now, in order.

    An entry waits for the verdicts that it needs, and behind earlier ones of its case that wait: what is said of a
    case is said in order. But only what moves the case waits for what is said in a hand-off of others, or for what
    somebody cannot be told who has no key: that may take days. Receipts, which alone have nothing sealed yet, wait for
    nobody, and nobody for them.
    """
    found = db.execute(
        "SELECT * FROM outbox o WHERE settled = 0 AND state IN ('sealed', 'signed') AND NOT EXISTS"
        "  (SELECT 1 FROM outbox e WHERE e.subject = o.subject AND e.seq <= o.seq AND e.settled = 0"
        "   AND e.state IN ('sealed', 'signed')"
        "   AND (e.seq = o.seq OR o.sealed IS NOT NULL AND e.sealed IS NOT NULL AND CASE"
        "     WHEN o.verb LIKE 'case.%' AND o.verb NOT IN"
        "      ('case.noted', 'case.corrected', 'case.linked', 'case.unlinked') THEN 1"
        "     WHEN e.handoff IS NOT NULL THEN o.handoff IS e.handoff"
        "     ELSE e.code IS NOT 'key-not-valid' END)"
        "   AND (e.not_before_ms BETWEEN ?1 + 1 AND ?1 + ?2"
        "        OR EXISTS (SELECT 1 FROM dependencies d WHERE d.id = e.id)))"
        " ORDER BY seq LIMIT ?3",
        (now_ms, PAUSE_MS, most),
    )
    return [_row(row) for row in found]


def next_due(db: sqlite3.Connection) -> int | None:
    """Return when the first postponed entry may go out."""
    found: int | None = db.execute(
        "SELECT min(not_before_ms) FROM outbox WHERE settled = 0 AND state = 'sealed' AND not_before_ms > 0"
    ).fetchone()[0]
    return found


def overdue(db: sqlite3.Connection, before_ms: int, now_ms: int, most: int) -> list[Row]:
    """Return what has no verdict since *before_ms*, or since a clock that has gone back."""
    found = db.execute(
        "SELECT outbox.* FROM outbox JOIN attempts ON attempts.hash = outbox.attempt"
        " WHERE outbox.settled = 0 AND outbox.state = 'submitted' AND attempts.last_ms NOT BETWEEN ? + 1 AND ?"
        " ORDER BY outbox.seq LIMIT ?",
        (before_ms, now_ms, most),
    )
    return [_row(row) for row in found]


def oldest_submission(db: sqlite3.Connection) -> int | None:
    """Return when the entry that waits longest for its verdict was last handed over."""
    found: int | None = db.execute(
        "SELECT min(attempts.last_ms) FROM outbox JOIN attempts ON attempts.hash = outbox.attempt"
        " WHERE outbox.settled = 0 AND outbox.state = 'submitted'"
    ).fetchone()[0]
    return found


def waiting(db: sqlite3.Connection) -> int:
    """Return how many entries have no verdict."""
    found: int = db.execute("SELECT count(*) FROM outbox WHERE settled = 0").fetchone()[0]
    return found


def fix(db: sqlite3.Connection, attempt: Attempt) -> None:
    """Give an entry its bytes. From here on Kafka may have them."""
    db.execute(
        "INSERT INTO attempts (hash, id, subject, value, signature, kid, first_ms, last_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            attempt.hash,
            attempt.id,
            attempt.subject,
            attempt.value,
            attempt.signature,
            attempt.kid,
            attempt.first_ms,
            attempt.last_ms,
        ),
    )
    db.execute(
        "UPDATE outbox SET state = 'signed', attempt = ?, tries = tries + 1 WHERE id = ?", (attempt.hash, attempt.id)
    )


def hand_again(db: sqlite3.Connection, event_id: str, event_hash: str, now_ms: int) -> None:
    """Note that a spelling without a verdict is to be handed over once more."""
    db.execute("UPDATE attempts SET last_ms = ? WHERE hash = ?", (now_ms, event_hash))
    _turn(db, event_id, event_hash, EntryState.SUBMITTED, EntryState.SIGNED)


def handed(db: sqlite3.Connection, event_id: str, event_hash: str, now_ms: int) -> None:
    """Note that the broker has a spelling; a verdict may have been quicker."""
    db.execute("UPDATE attempts SET acked_ms = ? WHERE hash = ?", (now_ms, event_hash))
    _turn(db, event_id, event_hash, EntryState.SIGNED, EntryState.SUBMITTED)


def _turn(db: sqlite3.Connection, event_id: str, event_hash: str, before: EntryState, after: EntryState) -> None:
    db.execute(
        "UPDATE outbox SET state = ? WHERE id = ? AND attempt = ? AND state = ?",
        (after.value, event_id, event_hash, before.value),
    )


def attempt(db: sqlite3.Connection, event_hash: str) -> Attempt | None:
    """Return one spelling."""
    found = db.execute("SELECT * FROM attempts WHERE hash = ?", (event_hash,)).fetchone()
    return None if found is None else Attempt(**found)


def in_force(db: sqlite3.Connection, event_id: str) -> Attempt | None:
    """Return the spelling in force of an entry."""
    found = db.execute(
        "SELECT attempts.* FROM attempts JOIN outbox ON outbox.attempt = attempts.hash WHERE outbox.id = ?", (event_id,)
    ).fetchone()
    return None if found is None else Attempt(**found)


def accept(db: sqlite3.Connection, event_id: str, event_hash: str, position: int) -> list[str]:
    """Settle an entry as accepted in this spelling; return the ids of the entries that waited for it."""
    db.execute(
        "UPDATE outbox SET state = 'accepted', settled = 1, code = NULL, attempt = ?, settled_by = ?, sealed = NULL"
        " WHERE id = ?",
        (event_hash, position, event_id),
    )
    waited = [row["id"] for row in db.execute("SELECT id FROM dependencies WHERE needs = ?", (event_id,))]
    # What is sealed is not settled: said, so that only what waits is looked through, and not all that ever was sent.
    told = (event_hash, event_id)
    db.execute("UPDATE outbox SET answers_hash = ? WHERE settled = 0 AND answers = ? AND state = 'sealed'", told)
    db.execute("UPDATE outbox SET follows_hash = ? WHERE settled = 0 AND follows = ? AND state = 'sealed'", told)
    db.execute("DELETE FROM dependencies WHERE needs = ?", (event_id,))
    return waited


def refuse(db: sqlite3.Connection, event_id: str, code: Code, position: int) -> list[str]:
    """Settle an entry as refused; return the ids of the entries that fail with it."""
    db.execute(
        "UPDATE outbox SET state = 'refused', settled = 1, code = ?, settled_by = ? WHERE id = ?",
        (code.value, position, event_id),
    )
    return _fail_dependents(db, event_id, code)


def fail(db: sqlite3.Connection, event_id: str, code: Code) -> list[str]:
    """Settle an entry that never was submitted; return the ids of all that fail with it, itself first."""
    db.execute("UPDATE outbox SET state = 'failed', settled = 1, code = ? WHERE id = ?", (code.value, event_id))
    db.execute("DELETE FROM dependencies WHERE id = ?", (event_id,))
    return [event_id, *_fail_dependents(db, event_id, code)]


def _fail_dependents(db: sqlite3.Connection, event_id: str, code: Code) -> list[str]:
    # What was to build on it cannot stand; it never left this machine.
    waiting_for = [row["id"] for row in db.execute("SELECT id FROM dependencies WHERE needs = ?", (event_id,))]
    db.execute("DELETE FROM dependencies WHERE needs = ?", (event_id,))
    return [failed for waiter in waiting_for for failed in fail(db, waiter, code)]


def postpone(db: sqlite3.Connection, event_id: str, not_before_ms: int, code: Code) -> None:
    """Take an entry's bytes back: it is signed afresh, not before that time."""
    db.execute(
        "UPDATE outbox SET state = 'sealed', attempt = NULL, not_before_ms = ?, code = ? WHERE id = ?",
        (not_before_ms, code.value, event_id),
    )


def moving(db: sqlite3.Connection, subject: str, handoff: HandoffKey | None) -> Row | None:
    """Return the last entry without a verdict that will move the head of this hand-off, or of the case."""
    found: Sequence[sqlite3.Row] = db.execute(
        "SELECT * FROM outbox WHERE subject = ? AND settled = 0 ORDER BY seq DESC", (subject,)
    ).fetchall()
    for row in map(_row, found):
        if row.verb in HEADLESS:
            continue
        if handoff is None and row.verb.of_case:
            return row
        if handoff is not None and (row.handoff == handoff or row.id == handoff.opening):
            return row
    return None


def receipt(db: sqlite3.Connection, subject: str, handoff: HandoffKey) -> Row | None:
    """Return our last receipt of a hand-off."""
    found = db.execute(
        "SELECT * FROM outbox WHERE subject = ? AND handoff = ?"
        " AND verb IN ('handoff.received', 'handoff.unreadable') ORDER BY seq DESC LIMIT 1",
        (subject, str(handoff)),
    ).fetchone()
    return None if found is None else _row(found)


def righted(db: sqlite3.Connection, subject: str) -> list[tuple[Row, bytes]]:
    """Return the accepted entries of a case that put right what we said before, oldest first, and their bytes."""
    found = db.execute(
        "SELECT outbox.*, value FROM outbox JOIN attempts ON attempts.hash = outbox.attempt WHERE outbox.subject = ?"
        " AND outbox.state = 'accepted'"
        " AND verb IN ('handoff.corrected', 'case.corrected', 'handoff.voided', 'case.voided') ORDER BY seq",
        (subject,),
    )
    return [(_row(row), row["value"]) for row in found]


def opening_of_case(db: sqlite3.Connection, subject: str) -> Row | None:
    """Return the entry of ours that opens or opened this case."""
    found = db.execute("SELECT * FROM outbox WHERE subject = ? AND verb = 'case.opened'", (subject,)).fetchone()
    return None if found is None else _row(found)


def say_received(db: sqlite3.Connection, event_id: str) -> None:
    """Let a receipt that was to say that something is unreadable say that it was received."""
    db.execute("UPDATE outbox SET verb = ?, about = NULL WHERE id = ?", (Verb.RECEIVED.value, event_id))


def offer_of_case(db: sqlite3.Connection, subject: str) -> Row | None:
    """Return the entry of ours that offers this case to another, if it has no verdict yet; the last one."""
    found = db.execute(
        "SELECT * FROM outbox WHERE subject = ? AND verb = 'case.transfer.offered' AND state NOT IN (?, ?, ?)"
        " ORDER BY seq DESC LIMIT 1",
        (subject, EntryState.ACCEPTED.value, EntryState.REFUSED.value, EntryState.FAILED.value),
    ).fetchone()
    return None if found is None else _row(found)


def _entry(found: sqlite3.Row) -> Entry:
    return _row(found).entry(None if found["leaf"] is None else read_verdict(found["leaf"]))


def _row(found: sqlite3.Row) -> Row:
    return Row(
        id=found["id"],
        draft=found["draft"],
        subject=found["subject"],
        verb=Verb(found["verb"]),
        recipients=tuple(found["recipients"].split()),
        handoff=None if found["handoff"] is None else HandoffKey.parse(found["handoff"]),
        exercise=bool(found["exercise"]),
        sealed=found["sealed"],
        about=found["about"],
        answers=found["answers"],
        answers_hash=found["answers_hash"],
        follows=found["follows"],
        follows_hash=found["follows_hash"],
        state=EntryState(found["state"]),
        code=None if found["code"] is None else Code(found["code"]),
        attempt=found["attempt"],
        tries=found["tries"],
    )

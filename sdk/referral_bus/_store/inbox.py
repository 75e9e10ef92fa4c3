"""Statements for the inbox: verified deliveries as raw bytes, and the router's verdicts as evidence."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Self

from referral_bus._verify import VerifiedDelivery, read_back
from referral_contracts.envelope import HandoffKey
from referral_contracts.lifecycle import OPENINGS
from referral_contracts.verbs import Verb

_PAGE: Final = "SELECT * FROM inbox WHERE seq > :seq AND (:acked IS NULL OR acked = :acked) ORDER BY seq LIMIT 100"

_SAID: Final = (
    "SELECT * FROM inbox WHERE seq > :seq AND source = :source AND (:subject IS NULL OR subject = :subject)"
    " ORDER BY seq LIMIT 100"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A delivery as it came. What it says is sealed."""

    seq: int = 0
    """Its place in the store; the database gives it."""
    source: str
    id: str
    recipient: str
    subject: str
    hash: str
    position: int
    value: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    leaf: bytes = field(repr=False)
    path: bytes = field(repr=False)
    root: bytes = field(repr=False)
    handed: bool = False
    acked: bool = False

    @classmethod
    def of(cls, verified: VerifiedDelivery, position: int) -> Self:
        """Return what to store of a delivery that lay at *position* in the inbox."""
        return cls(
            source=verified.envelope.source,
            id=verified.envelope.id,
            recipient=verified.recipient,
            subject=verified.envelope.subject,
            hash=verified.event,
            position=position,
            value=verified.value,
            signature=verified.signature,
            leaf=verified.leaf,
            path=verified.path,
            root=verified.root,
        )

    def read_back(self) -> VerifiedDelivery:
        """Return the delivery again."""
        return read_back(value=self.value, signature=self.signature, leaf=self.leaf, path=self.path, root=self.root)


def insert(db: sqlite3.Connection, item: Stored) -> int:
    """Store a delivery; return its place."""
    cursor = db.execute(
        "INSERT INTO inbox (source, id, recipient, subject, hash, position, value, signature, leaf, path, root)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            item.source,
            item.id,
            item.recipient,
            item.subject,
            item.hash,
            item.position,
            item.value,
            item.signature,
            item.leaf,
            item.path,
            item.root,
        ),
    )
    return cursor.lastrowid or 0


def under_id(db: sqlite3.Connection, source: str, event_id: str, recipient: str) -> list[Stored]:
    """Return what *source* said to one of our addresses under this id: one event, unless it used it for several."""
    rows = db.execute(
        "SELECT * FROM inbox WHERE id = ? AND recipient = ? AND source = ? ORDER BY seq", (event_id, recipient, source)
    )
    return [_stored(row) for row in rows]


def with_id(db: sqlite3.Connection, event_id: str) -> Stored | None:
    """Return the first delivery under this id, whoever said it."""
    row = db.execute("SELECT * FROM inbox WHERE id = ? ORDER BY seq LIMIT 1", (event_id,)).fetchone()
    return None if row is None else _stored(row)


def get(db: sqlite3.Connection, event_hash: str, recipient: str) -> Stored | None:
    """Return the delivery of these bytes to one of our addresses."""
    row = db.execute("SELECT * FROM inbox WHERE hash = ? AND recipient = ?", (event_hash, recipient)).fetchone()
    return None if row is None else _stored(row)


def of_event(db: sqlite3.Connection, event_hash: str) -> list[Stored]:
    """Return the deliveries of these bytes, to whichever of our addresses."""
    rows = db.execute("SELECT * FROM inbox WHERE hash = ? ORDER BY seq", (event_hash,))
    return [_stored(row) for row in rows]


def note_correction(db: sqlite3.Connection, seq: int, superseded: str) -> None:
    """Note which event the delivery at *seq* says that it corrects."""
    db.execute("INSERT INTO corrections (seq, superseded) VALUES (?, ?)", (seq, superseded))


def corrections(db: sqlite3.Connection, event_hash: str) -> list[Stored]:
    """Return the deliveries that say that they correct the event of these bytes, oldest first."""
    rows = db.execute(
        "SELECT inbox.* FROM corrections JOIN inbox USING (seq) WHERE superseded = ? ORDER BY seq", (event_hash,)
    )
    return [_stored(row) for row in rows]


def opening(db: sqlite3.Connection, subject: str, opened_by: str, key: HandoffKey) -> Stored | None:
    """Return the delivery that opened a hand-off for us."""
    found = [stored for stored in under_id(db, opened_by, key.opening, key.recipient) if stored.subject == subject]
    if len(found) == 1:
        return found[0]
    # Its sender used the id for what opens nothing besides.
    return next((stored for stored in found if stored.read_back().envelope.verb in {*OPENINGS, Verb.FORWARDED}), None)


def after(db: sqlite3.Connection, seq: int) -> Stored | None:
    """Return the first delivery behind *seq* that is not acknowledged."""
    row = db.execute("SELECT * FROM inbox WHERE acked = 0 AND seq > ? ORDER BY seq LIMIT 1", (seq,)).fetchone()
    return None if row is None else _stored(row)


def hand(db: sqlite3.Connection, seq: int) -> None:
    """Note that a delivery was handed to the application."""
    db.execute("UPDATE inbox SET handed = 1 WHERE seq = ?", (seq,))


def acknowledge(db: sqlite3.Connection, seq: int) -> bool:
    """Note that a delivery is dealt with; False if it was before."""
    return db.execute("UPDATE inbox SET acked = 1 WHERE seq = ? AND acked = 0", (seq,)).rowcount == 1


def is_acknowledged(db: sqlite3.Connection, seq: int) -> bool:
    """Return whether a delivery is dealt with."""
    return db.execute("SELECT 1 FROM inbox WHERE seq = ? AND acked = 1", (seq,)).fetchone() is not None


def listed(db: sqlite3.Connection, *, acknowledged: bool | None) -> Iterator[Stored]:
    """Yield the deliveries that are, or are not, dealt with, or all of them; oldest first."""
    seq = 0
    # A page at a time: years of deliveries do not fit into memory, and nothing stays open between two pages.
    while page := [_stored(row) for row in db.execute(_PAGE, {"seq": seq, "acked": acknowledged})]:
        yield from page
        seq = page[-1].seq


def said_by(db: sqlite3.Connection, source: str, subject: str | None) -> Iterator[Stored]:
    """Yield what *source* said to us, in the case *subject* if that is told; oldest first."""
    seq = 0
    while page := [_stored(row) for row in db.execute(_SAID, {"seq": seq, "source": source, "subject": subject})]:
        yield from page
        seq = page[-1].seq


def unacknowledged(db: sqlite3.Connection) -> int:
    """Return how many deliveries are not dealt with."""
    found: int = db.execute("SELECT count(*) FROM inbox WHERE acked = 0").fetchone()[0]
    return found


def keep_verdict(  # noqa: PLR0917 - the columns, in their order
    db: sqlite3.Connection, position: int, event: str, leaf: bytes, path: bytes, root: bytes
) -> None:
    """Keep a verdict with its proof, under its offset in the inbox."""
    db.execute(
        "INSERT OR IGNORE INTO verdicts (position, event, leaf, path, root) VALUES (?, ?, ?, ?, ?)",
        (position, event, leaf, path, root),
    )


def has_verdict(db: sqlite3.Connection, event: str) -> bool:
    """Return whether a verdict on these bytes is kept."""
    return db.execute("SELECT 1 FROM verdicts WHERE event = ?", (event,)).fetchone() is not None


def _stored(row: sqlite3.Row) -> Stored:
    return Stored(**{**row, "handed": bool(row["handed"]), "acked": bool(row["acked"])})

"""Statements for what the log owes us: the receipt of each decision that a verdict has told."""

import sqlite3
from dataclasses import dataclass
from typing import Final

FIRST_MS: Final = 1000
"""When to ask first: a checkpoint comes every 100 ms, its witnesses a little later."""
PAUSE_MS: Final = 3_600_000
"""The longest pause between two questions. What lies further ahead was written by a clock that has gone back since."""
_OWED: Final = "witnessed = 0 AND (due_ms <= ?1 OR due_ms > ?1 + ?2)"
_COLUMNS: Final = (
    "receipts.position, receipts.id, attempts.subject, attempts.hash, attempts.value, attempts.signature,"
    " verdicts.leaf, receipts.tries, receipts.asked_ms, receipts.alarmed, receipts.receipt, receipts.witnessed"
)
_JOINED: Final = (
    "receipts JOIN verdicts ON verdicts.position = receipts.position JOIN attempts ON attempts.hash = verdicts.event"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """One promise: the verdict that makes it, and the event that it is about."""

    position: int
    """Of the verdict, in the inbox."""
    id: str
    subject: str
    event: str
    value: bytes
    signature: bytes
    verdict: bytes
    tries: int
    asked_ms: int | None
    """When it was first asked for, by the bus's clock."""
    alarmed: bool
    receipt: bytes | None
    """The newest that came and was good."""
    witnessed: bool
    """Whether that one is under a checkpoint with enough cosignatures; else there may be a better one."""


def promise(db: sqlite3.Connection, position: int, event_id: str, due_ms: int) -> None:
    """Note that the verdict at *position* promises a receipt, to be asked for at *due_ms*."""
    db.execute("INSERT OR IGNORE INTO receipts (position, id, due_ms) VALUES (?, ?, ?)", (position, event_id, due_ms))


def due(db: sqlite3.Connection, now_ms: int, most: int) -> list[Owed]:
    """Return what is to be asked for now, what was due first before the rest."""
    found = db.execute(
        f"SELECT {_COLUMNS} FROM {_JOINED} WHERE {_OWED} ORDER BY due_ms LIMIT ?3",  # noqa: S608 - our own words
        (now_ms, PAUSE_MS, most),
    )
    return [_owed(row) for row in found]


def next_due(db: sqlite3.Connection) -> int | None:
    """Return when the next is to be asked for."""
    found: int | None = db.execute("SELECT min(due_ms) FROM receipts WHERE witnessed = 0").fetchone()[0]
    return found


def of_event(db: sqlite3.Connection, event_id: str) -> Owed | None:
    """Return what is owed, or was given, for an event of ours: for the verdict that settled it, else for the last."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM {_JOINED} JOIN outbox ON outbox.id = receipts.id"  # noqa: S608 - our own words
        " WHERE receipts.id = ? ORDER BY receipts.position IS outbox.settled_by DESC, receipts.position DESC LIMIT 1",
        (event_id,),
    ).fetchone()
    return None if row is None else _owed(row)


def put_off(db: sqlite3.Connection, owed: Owed, asked_ms: int, due_ms: int) -> None:
    """Note that it was asked for in vain, and when to ask again."""
    db.execute(
        "UPDATE receipts SET asked_ms = coalesce(asked_ms, ?), due_ms = ?, tries = tries + 1 WHERE position = ?",
        (asked_ms, due_ms, owed.position),
    )


def keep(db: sqlite3.Connection, owed: Owed, receipt: bytes, due_ms: int, *, witnessed: bool) -> None:
    """Keep a receipt that was checked; one without enough witnesses is asked for again at *due_ms*."""
    db.execute(
        "UPDATE receipts SET receipt = ?, witnessed = ?, due_ms = ?, tries = tries + 1 WHERE position = ?",
        (receipt, witnessed, due_ms, owed.position),
    )


def set_alarmed(db: sqlite3.Connection, owed: Owed, wrong: bytes | None) -> None:
    """Note that somebody was told, and keep the *wrong* receipt, where one came, as evidence."""
    db.execute("UPDATE receipts SET alarmed = 1, wrong = ? WHERE position = ?", (wrong, owed.position))


def _owed(row: sqlite3.Row) -> Owed:
    return Owed(
        position=row["position"],
        id=row["id"],
        subject=row["subject"],
        event=row["hash"],
        value=row["value"],
        signature=row["signature"],
        verdict=row["leaf"],
        tries=row["tries"],
        asked_ms=row["asked_ms"],
        alarmed=bool(row["alarmed"]),
        receipt=row["receipt"],
        witnessed=bool(row["witnessed"]),
    )

"""Statements for what the log owes us: the receipt of each decision that a verdict has told."""

import sqlite3
from dataclasses import dataclass
from typing import Final

FIRST_MS: Final = 1000
"""When to ask first: a checkpoint comes every 100 ms, its witnesses a little later."""
_HOUR_MS: Final = 3_600_000
PAUSES_MS: Final = (1000, 2000, 5000, 15_000, 60_000, 300_000, *[_HOUR_MS] * 3, 6 * _HOUR_MS, 24 * _HOUR_MS)
"""Between two questions for one receipt: ever longer, and from then on a day."""
AWAY: Final = PAUSES_MS.index(_HOUR_MS)
"""The longest of them while the log does not answer: that says nothing of any one receipt."""
LAST_TRY: Final = len(PAUSES_MS) + 30
"""After a month one that is good and provisional stays so: its witnesses have ended. A missing one was promised."""
_PROVISIONAL, _WITNESSED, _LEFT = 0, 1, 2
_AHEAD: Final = f"iif(tries > {PAUSES_MS.index(6 * _HOUR_MS)}, {PAUSES_MS[-1]}, {_HOUR_MS})"
_OWED: Final = f"witnessed = 0 AND (due_ms <= ?1 OR due_ms > ?1 + {_AHEAD})"
"""What lies further ahead than a pause is long was written by a clock that has gone back since."""
_COLUMNS: Final = (
    "receipts.position, receipts.id, attempts.subject, attempts.hash, attempts.value, attempts.signature,"
    " verdicts.leaf, receipts.tries, receipts.asked_ms, receipts.alarmed, receipts.receipt, receipts.witnessed,"
    " receipts.wrong IS NOT NULL AS refuted"
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
    """Whether somebody was told that it is missing, or wrong."""
    refuted: bool
    """Whether what came once proves nothing: that is kept, and was told."""
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
        f"SELECT {_COLUMNS} FROM {_JOINED} WHERE {_OWED} ORDER BY due_ms LIMIT ?2",  # noqa: S608 - our own words
        (now_ms, most),
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


def put_off(db: sqlite3.Connection, owed: Owed, asked_ms: int, due_ms: int, *, away: bool) -> None:
    """Note that it was asked for in vain, and when to ask again; that a log is *away* does not count for ever."""
    db.execute(
        "UPDATE receipts SET asked_ms = coalesce(asked_ms, ?), due_ms = ?, tries = tries + ? WHERE position = ?",
        (asked_ms, due_ms, not away or owed.tries < AWAY, owed.position),
    )


def keep(db: sqlite3.Connection, owed: Owed, receipt: bytes, due_ms: int, *, witnessed: bool, counts: bool) -> None:
    """
    Keep a receipt that was checked; one without enough witnesses is asked for again at *due_ms*, until the last try.

    What somebody asked for out of turn does not count as one.
    """
    tries = owed.tries + counts
    stands = _WITNESSED if witnessed else _LEFT if tries >= LAST_TRY else _PROVISIONAL
    db.execute(
        "UPDATE receipts SET receipt = ?, witnessed = ?, due_ms = ?, tries = ? WHERE position = ?",
        (receipt, stands, due_ms, tries, owed.position),
    )


def set_alarmed(db: sqlite3.Connection, owed: Owed, wrong: bytes | None) -> None:
    """Note that somebody was told, and keep the *wrong* receipt, where one came, as evidence."""
    db.execute("UPDATE receipts SET alarmed = 1, wrong = coalesce(?, wrong) WHERE position = ?", (wrong, owed.position))


def is_missing(db: sqlite3.Connection, subject: str) -> bool:
    """Whether a receipt of the case is missing still that somebody was told of."""
    found = db.execute(
        f"SELECT 1 FROM {_JOINED} WHERE attempts.subject = ? AND alarmed = 1 AND receipt IS NULL",  # noqa: S608 - as above
        (subject,),
    )
    return found.fetchone() is not None


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
        refuted=bool(row["refuted"]),
        receipt=row["receipt"],
        witnessed=row["witnessed"] == _WITNESSED,
    )

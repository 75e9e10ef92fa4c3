"""Statements for alarms, one row for each code and case, and for the garbage that some of them are about."""

import json
import sqlite3
from typing import Final

from referral_bus.views import Alarm
from referral_contracts.codes import Code
from referral_contracts.encoding import b64, unb64
from referral_contracts.records import Record

GARBAGE_KEPT: Final = 100
"""Whoever can write to an inbox could fill the disk behind it."""


def raise_alarm(
    db: sqlite3.Connection,
    code: Code,
    now_ms: int,
    *,
    detail: str = "",
    subject: str | None = None,
    position: int | None = None,
) -> None:
    """Note an alarm, or count one more of it."""
    db.execute(
        "INSERT INTO alarms (code, subject, count, first_ms, last_ms, position, detail) VALUES (?, ?, 1, ?, ?, ?, ?)"
        " ON CONFLICT (code, subject) DO UPDATE SET count = count + 1, last_ms = excluded.last_ms,"
        " position = excluded.position, detail = excluded.detail",
        (code.value, subject or "", now_ms, now_ms, position, detail),
    )


def alarms(db: sqlite3.Connection) -> tuple[Alarm, ...]:
    """Return every alarm, oldest first."""
    return tuple(
        Alarm(
            number=row["number"],
            code=Code(row["code"]),
            count=row["count"],
            noted_ms=row["first_ms"],
            last_ms=row["last_ms"],
            offset=row["position"],
            subject=row["subject"] or None,
            detail=row["detail"],
        )
        for row in db.execute("SELECT * FROM alarms ORDER BY number")
    )


def count(db: sqlite3.Connection) -> int:
    """Return how many alarms there are."""
    found: int = db.execute("SELECT count(*) FROM alarms").fetchone()[0]
    return found


def clear(db: sqlite3.Connection, number: int) -> None:
    """Forget an alarm."""
    db.execute("DELETE FROM alarms WHERE number = ?", (number,))


def end(db: sqlite3.Connection, code: Code, subject: str) -> None:
    """Forget the alarm of a case that is over, if nobody has yet."""
    db.execute("DELETE FROM alarms WHERE code = ? AND subject = ?", (code.value, subject))


def keep_garbage(db: sqlite3.Connection, record: Record, code: Code, *, delivered: bool) -> None:
    """Keep a record that is no delivery and no verdict, as evidence; one that the router *delivered* for good."""
    headers = json.dumps([[name, None if value is None else b64(value)] for name, value in record.headers])
    db.execute(
        "INSERT OR REPLACE INTO garbage (position, delivered, code, value, headers) VALUES (?, ?, ?, ?, ?)",
        (record.offset, delivered, code.value, record.value, headers),
    )
    db.execute(
        "DELETE FROM garbage WHERE delivered = 0 AND position NOT IN"
        " (SELECT position FROM garbage WHERE delivered = 0 ORDER BY position DESC LIMIT ?)",
        (GARBAGE_KEPT,),
    )


def is_kept(db: sqlite3.Connection, record: Record, header: str) -> bool:
    """Whether what was delivered is kept already, with the same value in *header*: the others anybody may change."""
    told = dict(record.headers).get(header)
    return any(dict(kept.headers).get(header) == told for kept in not_understood(db, record.value))


def not_understood(db: sqlite3.Connection, value: bytes | None = None) -> list[Record]:
    """Return what the router delivered, only with this *value* if one is told, and no version understood; in order."""
    found = db.execute(
        "SELECT * FROM garbage WHERE delivered = 1 AND (?1 IS NULL OR value = ?1) ORDER BY position", (value,)
    )
    return [
        Record(
            partition=0,
            offset=row["position"],
            stamp_ms=0,
            key=None,
            value=row["value"],
            headers=tuple(
                (name, None if value is None else unb64(value)) for name, value in json.loads(row["headers"])
            ),
        )
        for row in found
    ]


def understood(db: sqlite3.Connection, position: int) -> None:
    """Forget a record that has become a delivery."""
    db.execute("DELETE FROM garbage WHERE position = ?", (position,))

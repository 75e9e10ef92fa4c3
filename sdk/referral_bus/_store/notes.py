"""Statements for what is small: positions, remembered numbers, counters, the directory's records."""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import NamedTuple


def position(db: sqlite3.Connection, topic: str) -> int | None:
    """Return the next offset of *topic* to read; None if it was never read."""
    row = db.execute("SELECT next FROM positions WHERE topic = ?", (topic,)).fetchone()
    return None if row is None else row["next"]


def move(db: sqlite3.Connection, topic: str, offset: int) -> None:
    """Note that *topic* is read up to *offset*."""
    db.execute("INSERT OR REPLACE INTO positions (topic, next) VALUES (?, ?)", (topic, offset))


def number(db: sqlite3.Connection, key: str) -> int:
    """Return the number remembered as *key*; 0 if there is none."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return 0 if row is None else int(row["value"])


def remember(db: sqlite3.Connection, key: str, value: int) -> None:
    """Remember a number."""
    db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, str(value)))


class Count(NamedTuple):
    """Which delivery of a case to one of our addresses: later ones are greater."""

    restored: int = 0
    """How often the case had come back from the archive by then; the router counts anew each time."""
    counter: int = 0

    def follows(self, before: "Count") -> bool:
        """Whether nothing was withheld between the greatest one *before* and this."""
        # What the router forgets when it archives a case it counts from one again, and says how often that has been.
        due = before.counter + 1 if self.restored == before.restored else 1
        return self.restored >= before.restored and self.counter == due


def count(db: sqlite3.Connection, subject: str, recipient: str, found: Count) -> Count:
    """Take the count of a delivery; return the greatest one before it."""
    row = db.execute(
        "SELECT restored, counter FROM counters WHERE subject = ? AND recipient = ?", (subject, recipient)
    ).fetchone()
    before = Count() if row is None else Count(*row)
    if found > before:
        db.execute(
            "INSERT OR REPLACE INTO counters (subject, recipient, restored, counter) VALUES (?, ?, ?, ?)",
            (subject, recipient, *found),
        )
    return before


def directory(db: sqlite3.Connection) -> dict[str, bytes]:
    """Return the records of the last good directory, by key."""
    return {row["key"]: row["value"] for row in db.execute("SELECT key, value FROM directory")}


def put_directory(db: sqlite3.Connection, changed: Mapping[str, bytes] | Iterable[tuple[str, bytes]]) -> None:
    """Replace records of the directory."""
    items = changed.items() if isinstance(changed, Mapping) else changed
    db.executemany("INSERT OR REPLACE INTO directory (key, value) VALUES (?, ?)", items)

"""
What a witness remembers, in one SQLite file: of each log the last checkpoint it cosigned, and what contradicts it.

The file is trusted, and losing it loses the witness' word: one that begins anew would cosign any history. So it is
made once, with the key, and never by itself. Judging a checkpoint and replacing the last one by it is one transaction,
which is on the disk before anybody is told: two requests at once, or two processes, come one after the other.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final, Self

from referral_bus.witness.key import WitnessKey
from referral_contracts.codes import Code
from referral_contracts.errors import Fatal, LocalError
from referral_contracts.log.checkpoint import Checkpoint
from referral_contracts.log.note import NoteSignature, write_note
from referral_contracts.log.witnessing import Conflict, Cosigned, Refused, Submitted, judge

FORMAT: Final = "1"
_DISPUTES_KEPT: Final = 100
"""Of each log. The first are kept: they are what went wrong, the rest is more of it."""
_WAIT_S: Final = 10

_TABLES: Final = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    """CREATE TABLE logs (
        origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note BLOB NOT NULL, seen_s INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE disputes (
        origin TEXT NOT NULL, note BLOB NOT NULL, against BLOB NOT NULL, seen_s INTEGER NOT NULL,
        PRIMARY KEY (origin, note)
    ) STRICT, WITHOUT ROWID""",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """The last checkpoint of a log that this witness cosigned."""

    checkpoint: Checkpoint
    note: bytes
    """With the log's signature and the witness' own."""
    seen_s: int


@dataclass(frozen=True, slots=True)
class Dispute:
    """A checkpoint that the log signed, and that cannot be true beside the one that was cosigned."""

    origin: str
    note: bytes
    against: bytes
    seen_s: int


class WitnessStore:
    """An open store."""

    def __init__(self, db: sqlite3.Connection, key: WitnessKey) -> None:
        """Use an opened database; `create` and `open` are the ways in."""
        self._db = db
        self._key = key
        self._lock = Lock()

    @classmethod
    def create(cls, path: str | Path, key: WitnessKey) -> Self:
        """
        Make the store of the witness with *key*.

        Raises:
            LocalError: FILE_EXISTS, NO_SUCH_FILE: it cannot be made.
        """
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError as error:
            raise LocalError(Code.FILE_EXISTS, "a witness' store is not written over") from error
        except OSError as error:
            raise LocalError(Code.NO_SUCH_FILE, "the store cannot be made") from error
        db = _connect(path)
        with _transaction(db):
            for table in _TABLES:
                db.execute(table)
            told = {"format": FORMAT, "key": key.public.vkey}
            db.executemany("INSERT INTO meta (key, value) VALUES (?, ?)", told.items())
        return cls(db, key)

    @classmethod
    def open(cls, path: str | Path, key: WitnessKey) -> Self:
        """
        Open the store at *path*, which `create` made for *key*.

        Raises:
            LocalError: NO_SUCH_FILE, STATE_FORMAT: not this witness' store.
        """
        if not Path(path).is_file():
            raise LocalError(Code.NO_SUCH_FILE, "there is no store: it is made with the key, and once")
        try:
            db = _connect(path)
            found = dict(db.execute("SELECT key, value FROM meta").fetchall())
        except sqlite3.Error as error:
            raise LocalError(Code.STATE_FORMAT, "not a witness' store") from error
        if found != {"format": FORMAT, "key": key.public.vkey}:
            raise LocalError(Code.STATE_FORMAT, "the store of another witness or version")
        return cls(db, key)

    def consider(self, submitted: Submitted, now_s: int) -> NoteSignature | Conflict | Refused:
        """
        Return the cosignature of what was *submitted*, which by then is on the disk, or why there is none.

        Raises:
            Fatal: INTERNAL: the disk does not take it. Nothing was cosigned.
        """
        origin = submitted.checkpoint.origin
        with self._lock, _transaction(self._db):
            last = self._last(origin)
            found = judge(submitted, None if last is None else last.checkpoint)
            match found:
                case Cosigned():
                    cosignature = self._key.cosign(submitted.text, now_s)
                    # A crash before the commit leaves the last checkpoint, and nobody has seen this cosignature.
                    self._keep(submitted, write_note(submitted.text, [*submitted.signatures, cosignature]), now_s)
                    return cosignature
                case Conflict(forked=True) | Refused(forked=True) if last is not None:
                    self._dispute(submitted, last, now_s)
                case _:
                    pass
            return found

    def last(self, origin: str) -> Seen | None:
        """Return the last checkpoint of the log *origin* that was cosigned."""
        with self._lock:
            return self._last(origin)

    def origins(self) -> tuple[str, ...]:
        """Return the logs of which something was cosigned."""
        with self._lock:
            return tuple(origin for (origin,) in self._db.execute("SELECT origin FROM logs ORDER BY origin"))

    def disputes(self) -> tuple[Dispute, ...]:
        """Return what contradicts what was cosigned, the oldest first: the evidence."""
        with self._lock:
            rows = self._db.execute("SELECT origin, note, against, seen_s FROM disputes ORDER BY seen_s, origin")
            return tuple(Dispute(*row) for row in rows)

    def close(self) -> None:
        """Give the file free."""
        self._db.close()

    def _last(self, origin: str) -> Seen | None:
        row = self._db.execute("SELECT size, root, note, seen_s FROM logs WHERE origin = ?", (origin,)).fetchone()
        return None if row is None else Seen(Checkpoint(origin, row[0], row[1]), row[2], row[3])

    def _keep(self, submitted: Submitted, note: bytes, now_s: int) -> None:
        found = submitted.checkpoint
        self._db.execute(
            "INSERT OR REPLACE INTO logs (origin, size, root, note, seen_s) VALUES (?, ?, ?, ?, ?)",
            (found.origin, found.size, found.root, note, now_s),
        )

    def _dispute(self, submitted: Submitted, last: Seen, now_s: int) -> None:
        origin = submitted.checkpoint.origin
        (count,) = self._db.execute("SELECT count(*) FROM disputes WHERE origin = ?", (origin,)).fetchone()
        if count < _DISPUTES_KEPT:
            self._db.execute(
                "INSERT OR IGNORE INTO disputes (origin, note, against, seen_s) VALUES (?, ?, ?, ?)",
                (origin, write_note(submitted.text, submitted.signatures), last.note, now_s),
            )


def _connect(path: str | Path) -> sqlite3.Connection:
    # Autocommit: transactions are begun where it is said. One connection, under a lock of its own.
    db = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA fullfsync = ON")
    return db


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    try:
        # Taken for writing from the start: nobody else judges between this look and this write.
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")
    except sqlite3.Error as error:
        raise Fatal(Code.INTERNAL, "the store cannot be written") from error

"""
The store: one SQLite file per agency, where everything lies that must survive a crash.

One process has it at a time. A transaction that was left without an error is on the disk; one that was not left, or
left with an error, never was. The modules beside this one hold the statements, by noun: each function takes the
connection that `Store.write` or `Store.db` gives, and none commits.

The file is trusted: whoever can write to it can have this agency say and believe what it likes. It is created for its
owner alone, and what sections say is in it only as it was sealed.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from referral_bus._store.schema import FORMAT, TABLES
from referral_contracts.codes import Code
from referral_contracts.errors import Fatal, LocalError

_CACHE_KB: Final = 16 * 1024
"""With SQLite's own 2 MB, a store of some thousand events reads its indexes from the file again at each event."""


class StoreFailed(Fatal):
    """The disk does not take what must not be lost: full, broken or gone."""


class Store:
    """An open store."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Use an opened database; `open` is the way in."""
        self._db = db
        self._durable: bool | None = None

    @classmethod
    def open(cls, path: str | Path, *, bus: str, agency: str) -> Self:
        """
        Open the store at *path*, which is made if there is none.

        Raises:
            LocalError: STORE_BUSY: another process has it. STATE_FORMAT: not a store of this agency on this bus.
                NO_SUCH_FILE: it can be neither read nor made.
        """
        try:
            # Made by us and not by SQLite, for the permissions; its journal gets the same.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            # Autocommit: transactions are begun where it is said. No waiting for a lock: who comes second is told.
            db = sqlite3.connect(path, timeout=0, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise LocalError(Code.NO_SUCH_FILE, "the store can be neither read nor made") from error
        try:
            _prepare(db, bus, agency)
        except BaseException:
            db.close()
            raise
        return cls(db)

    @property
    def db(self) -> sqlite3.Connection:
        """The connection, for reading."""
        return self._db

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """
        Give the connection for one transaction, committed at the end of the block. There is no `await` inside.

        Args:
            durable: False for what may be forgotten when the power fails, though not when the process is killed: what
                Kafka gives again. It is on the disk with the next transaction that is durable, never after it.

        Raises:
            StoreFailed: The disk does not take it.
        """
        try:
            if durable is not self._durable:
                self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                self._durable = durable
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreFailed(Code.INTERNAL, "the store cannot be written") from error

    def flush(self) -> None:
        """Return when everything that was written is on the disk."""
        with self.write() as db:
            db.execute("INSERT OR REPLACE INTO meta (key, value) SELECT 'flushed', count(*) FROM meta")

    def close(self) -> None:
        """Give the file free."""
        self._db.close()


def _prepare(db: sqlite3.Connection, bus: str, agency: str) -> None:
    db.row_factory = sqlite3.Row
    try:
        # The lock is SQLite's own: it ends with the process, however that ends.
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        db.execute("BEGIN EXCLUSIVE")
        if db.execute("SELECT 1 FROM sqlite_master").fetchone() is None:
            for statement in TABLES.split(";\n"):
                db.execute(statement)
            told = {"format": FORMAT, "bus": bus, "agency": agency}
            db.executemany("INSERT INTO meta (key, value) VALUES (?, ?)", told.items())
        found = {row["key"]: row["value"] for row in db.execute("SELECT key, value FROM meta")}
        db.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise LocalError(Code.STORE_BUSY, "another process has this store") from error
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}:
            # It writes a journal beside the file.
            raise LocalError(Code.NO_SUCH_FILE, "the store or its folder cannot be written") from error
        raise LocalError(Code.STATE_FORMAT, "not a store") from error
    except sqlite3.DatabaseError as error:
        raise LocalError(Code.STATE_FORMAT, "not a store") from error
    if (found.get("format"), found.get("bus"), found.get("agency")) != (FORMAT, bus, agency):
        raise LocalError(Code.STATE_FORMAT, "the store of another agency, bus or version")

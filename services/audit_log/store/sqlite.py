"""The store in SQLite: one file beside the log, nothing to run. Each commit is on the disk when it returns."""

import fcntl
import os
import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, insert
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError

from referral_contracts.codes import Code
from referral_contracts.errors import Fatal, LocalError

_PATIENCE_MS: Final = 10_000
_SCRUB_PATIENCE_MS: Final = 1_000
_PRAGMAS: Final = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "fullfsync = ON",
    "foreign_keys = ON",
    # What is erased is overwritten, not only unlinked.
    "secure_delete = ON",
    "cache_size = -65536",
    "wal_autocheckpoint = 4000",
    f"busy_timeout = {_PATIENCE_MS}",
)
_READING: Final = ("cache_size = -65536", "busy_timeout = 10000")
_CODES: Final = {
    sqlite3.SQLITE_CORRUPT: Code.STATE_FORMAT,
    sqlite3.SQLITE_NOTADB: Code.STATE_FORMAT,
    sqlite3.SQLITE_TOOBIG: Code.STATE_FORMAT,
    sqlite3.SQLITE_FULL: Code.DISK_FULL,
    sqlite3.SQLITE_READONLY: Code.READ_ONLY,
    sqlite3.SQLITE_PERM: Code.READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: Code.READ_ONLY,
}
_MOST_READ: Final = 1 << 28
_PRIMARY: Final = 0xFF
"""An extended result code's last byte is what it is a kind of."""


class SqliteDatabase:
    """A file of SQLite, and beside it one that its writer has locked."""

    errors = (DBAPIError,)

    def __init__(self, url: URL, *, read_only: bool = False) -> None:
        """
        Use the database at *url*.

        Raises:
            LocalError: NO_SUCH_FILE: there is none to read.
        """
        path = Path(url.database or "").resolve()
        self._lock = path.with_name(path.name + ".lock")
        self._held: int | None = None
        if not read_only:
            self.engine = _engine(url, _PRAGMAS)
            return
        if not path.is_file():
            raise LocalError(Code.NO_SUCH_FILE, f"there is no such store: {path}")
        query = {"mode": "ro", "uri": "true"}
        self.engine = _engine(URL.create("sqlite", database=f"file:{quote(str(path))}", query=query), _READING)

    def hold(self) -> None:
        """Lock the file beside: the kernel lets go when the process ends, however it does."""
        if self._held is not None:
            return
        try:
            handle = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LocalError(Code.READ_ONLY, "the store's folder cannot be written") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise Fatal(Code.LOG_BUSY, "another process writes the log") from error
        self._held = handle

    def release(self) -> None:
        """Unlock it."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def insert(self, connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert *rows* with one statement, prepared once."""
        if rows:
            connection.exec_driver_sql(_statement(table), list(rows))

    def scrub(self, _: Sequence[Table]) -> None:
        """Cut the write-ahead log: what was deleted is overwritten in the file, and was still there."""
        raw = self.engine.raw_connection()
        try:
            cursor = raw.cursor()
            # Nobody can write meanwhile: whoever still reads is not waited for as long as elsewhere.
            cursor.execute(f"PRAGMA busy_timeout = {_SCRUB_PATIENCE_MS}")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (busy, *_rest) = cursor.fetchone() or (1,)
            cursor.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
        finally:
            raw.close()
        if busy:
            raise LocalError(Code.STORE_BUSY, "somebody reads the store: its old pages are still there")

    def code_of(self, error: Exception) -> Code:
        """Return the code of what went wrong."""
        number = getattr(getattr(error, "orig", None), "sqlite_errorcode", 0) & _PRIMARY
        return _CODES.get(number, Code.STORE_AWAY)


@lru_cache(maxsize=32)
def _statement(table: Table) -> str:
    return str(insert(table).compile(dialect=sqlite.dialect()))


def _engine(url: URL, pragmas: Sequence[str]) -> Engine:
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def connected(raw: sqlite3.Connection, _: object) -> None:
        # The driver's own idea of when a transaction begins would leave out reading.
        raw.isolation_level = None
        # A cell that somebody blew up is refused, not read into memory; what is no text is for `cells` to tell.
        raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MOST_READ)
        raw.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        for pragma in pragmas:
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def began(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine

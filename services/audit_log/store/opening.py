"""Opens the store that a URL names."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Final, Protocol

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from audit_log.store.database import Database
from audit_log.store.postgres import PostgresDatabase
from audit_log.store.reading import StoreReader
from audit_log.store.snapshot import Snapshot
from audit_log.store.sql import SqlStore
from audit_log.store.sqlite import SqliteDatabase
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError


class _Kind(Protocol):
    def __call__(self, url: URL, *, read_only: bool) -> Database:
        """Return the database at *url*."""


_DATABASES: Final[Mapping[str, _Kind]] = {
    "sqlite": SqliteDatabase,
    "postgresql+psycopg": PostgresDatabase,
}


def open_store(url: str, *, bus: str, origin: str) -> SqlStore:
    """
    Return the store at *url* for the log *origin* of *bus*: ``sqlite:///path`` or ``postgresql+psycopg://…``.

    Raises:
        LocalError: No such kind of store; or as `Store` says.
        Fatal: LOG_BUSY, STATE_FORMAT.
    """
    return SqlStore(_database(url), bus, origin)


def open_reader(url: str) -> StoreReader:
    """
    Return the reading side of the store at *url*; it takes no lock, and can write nothing.

    Raises:
        LocalError: MALFORMED_VALUE: no such kind of store. NO_SUCH_FILE.
    """
    return StoreReader(_database(url, read_only=True))


@contextmanager
def open_snapshot(url: str) -> Iterator[Snapshot]:
    """
    Give the store at *url* as it is now.

    Raises:
        LocalError: MALFORMED_VALUE, NO_SUCH_FILE, or as `StoreReader` says.
        Fatal: STATE_FORMAT: it is there, and no database any more.
    """
    with closing(open_reader(url)) as reader, reader.snapshot() as seen:
        yield seen


def _database(url: str, *, read_only: bool = False) -> Database:
    try:
        parsed = make_url(url)
    except ArgumentError:
        # Its text quotes the URL, which may carry a password.
        raise LocalError(Code.MALFORMED_VALUE, "not the URL of a store, such as sqlite:////srv/log/log.db") from None
    make = _DATABASES.get(parsed.drivername)
    if make is None or not parsed.database:
        raise LocalError(Code.MALFORMED_VALUE, "neither sqlite:///path nor postgresql+psycopg://")
    return make(parsed, read_only=read_only)

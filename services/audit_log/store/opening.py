"""Opens the store that a URL names."""

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from audit_log.store.postgres import PostgresDatabase
from audit_log.store.searching import StoreReader
from audit_log.store.sql import Database, SqlStore
from audit_log.store.sqlite import SqliteDatabase
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError

_DATABASES: Final[Mapping[str, Callable[[URL], Database]]] = {
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
    Return the reading side of the store at *url*; it takes no lock.

    Raises:
        LocalError: No such kind of store.
    """
    return StoreReader(_database(url))


def _database(url: str) -> Database:
    try:
        parsed = make_url(url)
    except ArgumentError:
        # Its text quotes the URL, which may carry a password.
        raise LocalError(Code.MALFORMED_VALUE, "not the URL of a store") from None
    make = _DATABASES.get(parsed.drivername)
    if make is None or not parsed.database:
        raise LocalError(Code.MALFORMED_VALUE, "neither sqlite:///path nor postgresql+psycopg://")
    return make(parsed)

"""Opens the store that a URL names."""

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from audit_log.store.sql import SqlStore
from audit_log.store.sqlite import SqliteDatabase
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError


def open_store(url: str, *, bus: str, origin: str) -> SqlStore:
    """
    Return the store at *url* for the log *origin* of *bus*: ``sqlite:///path`` or ``postgresql+psycopg://…``.

    Raises:
        LocalError: No such kind of store; or as `Store` says.
        Fatal: LOG_BUSY, STATE_FORMAT.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        # Its text quotes the URL, which may carry a password.
        raise LocalError(Code.MALFORMED_VALUE, "not the URL of a store") from None
    return SqlStore(SqliteDatabase(parsed), bus, origin)

"""
Lets a database overwrite what was erased.

SQLite: deleted bytes are overwritten where they were (``secure_delete``); what the write-ahead log has of them goes
with its end. PostgreSQL: a deleted row's room is given back, and written over when it is used again; until then, and
in its own write-ahead log, replicas and backups, the bytes are there. docs/erasure.md says what that means.
"""

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from audit_log.store import schema
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError


def scrub(engine: Engine) -> None:
    """
    Overwrite what was deleted, as far as the database does that.

    Raises:
        LocalError: STORE_BUSY: somebody still reads the old state. STORE_AWAY.
    """
    try:
        if engine.dialect.name == "sqlite":
            _cut(engine)
        else:
            _vacuum(engine)
    except DBAPIError:
        # Its text may quote what is stored.
        raise LocalError(Code.STORE_AWAY, "the store did not do it") from None


def _cut(engine: Engine) -> None:
    """Bring the write-ahead log into the file, and cut it."""
    # Not in a transaction, which every other connection begins.
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (busy, *_) = cursor.fetchone() or (1,)
    finally:
        connection.close()
    if busy:
        raise LocalError(Code.STORE_BUSY, "somebody reads the store: its old pages are still there")


def _vacuum(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in (schema.RECORDS, schema.SEARCH, schema.TERMS):
            connection.execute(text(f"VACUUM {table.name}"))

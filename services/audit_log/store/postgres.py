"""The store in PostgreSQL: for a deployment that has one, with its own backups and replicas."""

import contextlib
import hashlib
from collections.abc import Sequence
from typing import Any, Final

import psycopg
from sqlalchemy import (
    URL,
    BigInteger,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    create_engine,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from referral_contracts.codes import Code
from referral_contracts.errors import Fatal, LocalError

_LOCK: Final = int.from_bytes(hashlib.sha256(b"referral-bus/log/writer").digest()[:8], "big", signed=True)
_PATIENCE_MS: Final = 2_000
_LOCK_NOT_AVAILABLE: Final = "55P03"
_CONNECT: Final = {
    "connect_timeout": 5,
    # A server that vanished without a word is noticed.
    "tcp_user_timeout": 10_000,
    "options": "-c synchronous_commit=on -c lock_timeout=10s",
}
_CODES: Final = {
    "53100": Code.DISK_FULL,
    "XX001": Code.STATE_FORMAT,
    "XX002": Code.STATE_FORMAT,
    "25006": Code.READ_ONLY,
    "42501": Code.READ_ONLY,
}
"""By SQLSTATE (PostgreSQL's documentation, appendix A)."""
_OLDER: Final = text(
    "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    " and backend_type <> 'autovacuum worker'"
    " and greatest(age(backend_xmin), age(backend_xid)) >= age(cast(cast(:now as text) as xid))"
)
"""Sessions that see, or hold up, what was there at the transaction *now* and before it."""
_BINARY: Final[dict[type[Any], str]] = {
    BigInteger: "int8",
    Integer: "int4",
    SmallInteger: "int2",
    LargeBinary: "bytea",
    Text: "text",
}


class PostgresDatabase:
    """A database of PostgreSQL, and a session that holds its writer's lock."""

    errors = (DBAPIError, psycopg.Error)

    def __init__(self, url: URL, *, read_only: bool = False) -> None:
        """Use the database at *url*."""
        self._held: Connection | None = None
        self.engine: Engine = create_engine(
            url,
            connect_args=_CONNECT,
            pool_pre_ping=True,
            # Whoever reads sees one moment, as in SQLite.
            isolation_level="REPEATABLE READ" if read_only else None,
            execution_options={"postgresql_readonly": True} if read_only else {},
        )

    def hold(self) -> None:
        """Take the writer's lock, which the server lets go of when this session ends, however it does."""
        session = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            # Of a process that was killed the server hears a moment later.
            session.execute(text(f"set lock_timeout = '{_PATIENCE_MS}ms'"))
            session.execute(text("select pg_advisory_lock(:key)"), {"key": _LOCK})
        except DBAPIError as error:
            session.close()
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
            raise Fatal(Code.LOG_BUSY, "another process writes the log") from None
        self._held = session

    def release(self) -> None:
        """Let go of it: the connection must not go back to the pool with the lock."""
        if self._held is not None:
            with contextlib.suppress(DBAPIError):
                self._held.execute(text("select pg_advisory_unlock(:key)"), {"key": _LOCK})
            self._held.invalidate()
            self._held.close()
            self._held = None

    def insert(self, connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """Copy *rows* in, as bytes: a third of the time of an INSERT each."""
        if not rows:
            return
        columns = ", ".join(column.name for column in table.columns)
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor:
            copy = f"COPY {table.name} ({columns}) FROM STDIN (FORMAT BINARY)"
            with cursor.copy(copy) as copying:
                copying.set_types([_BINARY[_generic(column.type)] for column in table.columns])
                for row in rows:
                    copying.write_row(row)

    def scrub(self, tables: Sequence[Table]) -> None:
        """
        Write *tables* anew: whatever is deleted stays in the files of the old ones, and those go.

        Nobody reads or writes them meanwhile. A snapshot that began before the deletion would carry the rows over.
        """
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
            session.execute(text(f"set lock_timeout = '{_PATIENCE_MS}ms'"))
            try:
                now = session.scalar(text("select pg_current_xact_id()::xid::text"))
                if session.scalar(_OLDER, {"now": now}):
                    raise LocalError(Code.STORE_BUSY, "somebody reads the store as it was before")
                for table in tables:
                    session.execute(text(f"VACUUM (FULL) {table.name}"))
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                    raise
                raise LocalError(Code.STORE_BUSY, "somebody reads the store: it cannot be written anew") from None
            finally:
                # The pool must not hand on a session that waits so briefly.
                session.invalidate()

    def code_of(self, error: Exception) -> Code:
        """Return the code of what went wrong."""
        cause = error.orig if isinstance(error, DBAPIError) else error
        return _CODES.get(getattr(cause, "sqlstate", None) or "", Code.STORE_AWAY)


def _generic(kind: TypeEngine[Any]) -> type[Any]:
    kept = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    return next(one for one in type(kept).__mro__ if one in _BINARY)

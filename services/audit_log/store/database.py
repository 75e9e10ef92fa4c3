"""What is under the store: a database, and the one way to tell what went wrong with it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.exc import MultipleResultsFound, NoResultFound
from sqlalchemy.exc import TimeoutError as PoolTimeout

from referral_contracts.codes import Code
from referral_contracts.errors import Fatal, LocalError


class Database(Protocol):
    """What SQLite and PostgreSQL do each in their own way."""

    @property
    def engine(self) -> Engine:
        """What connects to it."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What it raises, whatever is wrong."""

    def hold(self) -> None:
        """
        Keep other writers out until the process ends or `release`.

        Raises:
            Fatal: LOG_BUSY: there is another.
        """

    def release(self) -> None:
        """Let the next writer in."""

    def insert(self, connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert *rows*, which have the table's columns in their order."""

    def scrub(self, tables: Sequence[Table]) -> None:
        """
        Overwrite what was deleted from *tables*.

        Raises:
            LocalError: STORE_BUSY: somebody still reads what was there.
        """

    def code_of(self, error: Exception) -> Code:
        """Return the code of what went wrong."""


@contextmanager
def translated(database: Database) -> Iterator[None]:
    """
    Do something with *database*, and raise what it raises as this program's own.

    Raises:
        Fatal: STATE_FORMAT: it is there, and no database any more.
        LocalError: STORE_AWAY, DISK_FULL, READ_ONLY.
    """
    failures: tuple[type[Exception], ...] = (*database.errors, PoolTimeout)
    try:
        yield
    except failures as error:
        code = database.code_of(error)
        # The database's own text may quote what was stored or asked for, or a password.
        if code is Code.STATE_FORMAT:
            raise Fatal(code, "the store's file is broken: not by this program") from None
        raise LocalError(code, "the store did not do it") from None
    except (NoResultFound, MultipleResultsFound):
        raise Fatal(Code.STATE_FORMAT, "the store has not the one row that it has to have") from None

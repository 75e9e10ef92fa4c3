"""A store read as it stands at one moment, beside the service that writes it or without one: nothing is written."""

import sqlite3
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote

from sqlalchemy import Connection, Engine, LargeBinary, Row, Select, cast, create_engine, event, make_url, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError

from audit_log.checking.leaves import Leaf
from audit_log.core.growing import SEGMENT_BITS
from audit_log.core.places import Place
from audit_log.store import schema
from audit_log.store.store import Signed
from referral_contracts.codes import Code
from referral_contracts.decisions import read_decision
from referral_contracts.errors import Fatal, LocalError, RemoteError
from referral_contracts.log.growth import Frontier
from referral_contracts.log.leaf import LedgerEntry

_AT_ONCE: Final = 2048
"""Rows in memory at a time: some 8 MB of records."""
_BROKEN: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY: Final = 0xFF


class Snapshot:
    """
    What a store holds. Close it: while it is open, SQLite keeps what is written meanwhile in its write-ahead log.

    Each method raises `LocalError` with STORE_AWAY where the store cannot be read.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    @contextmanager
    def open(cls, url: str) -> Iterator[Self]:
        """
        Give the store at *url* as it is now.

        Raises:
            LocalError: NO_SUCH_FILE, MALFORMED_VALUE, STORE_AWAY.
            Fatal: STATE_FORMAT: it is there, and no database any more.
        """
        engine = _engine(url)
        try:
            with engine.connect() as connection, connection.begin():
                yield cls(connection)
        except DBAPIError as error:
            # Its text may quote what is stored, or a password.
            if getattr(error.orig, "sqlite_errorcode", 0) & _PRIMARY in _BROKEN:
                raise Fatal(Code.STATE_FORMAT, "the store's file is broken: not by this program") from None
            raise LocalError(Code.STORE_AWAY, "the store cannot be read") from None
        finally:
            engine.dispose()

    def meta(self) -> Mapping[str, str]:
        """Return whose the store is."""
        return {row.name: row.value for row in self._connection.execute(select(schema.META))}

    def tree(self) -> tuple[int, Frontier | None]:
        """Return the size of the tree, and its edge unless that is none."""
        size, edge = self._connection.execute(select(schema.TREE.c.size, schema.TREE.c.frontier)).one()
        try:
            return size, Frontier.decode(edge)
        except LocalError:
            return size, None

    def places(self) -> Mapping[int, Place]:
        """Return where the partitions stand."""
        return {row[0]: Place(*row[1:]) for row in self._connection.execute(select(schema.PLACES))}

    def checkpoints(self) -> Sequence[Signed]:
        """Return the checkpoints that are kept, the newest last."""
        table = schema.CHECKPOINTS
        found = self._connection.execute(select(table.c.size, table.c.root, table.c.note).order_by(table.c.size))
        return [Signed(*row) for row in found]

    def last_partition(self) -> int:
        """Return the last partition of the ledger, the directory's: as the decisions say, and not the store alone."""
        numbers = select(schema.ENTRIES.c.partition).distinct().order_by(schema.ENTRIES.c.partition.desc())
        for number in self._connection.scalars(numbers).all():
            with closing(self.leaves(number)) as leaves:
                first = next(leaves, None)
            with suppress(RemoteError):
                if first is not None and read_decision(first.logged.decision).partition == number:
                    return int(number)
        return 0

    def entries(self) -> Iterator[tuple[int, bytes]]:
        """Go through index and entry of each leaf, in order."""
        table = schema.ENTRIES
        for row in self._stream(select(table.c.idx, cast(table.c.entry, LargeBinary)).order_by(table.c.idx)):
            yield row[0], row[1]

    def leaves(self, partition: int | None = None) -> Generator[Leaf, None, None]:
        """Go through the leaves in order, those of one *partition* alone where one is named."""
        entries, records, search = schema.ENTRIES, schema.RECORDS, schema.SEARCH
        beside = entries.outerjoin(records, records.c.idx == entries.c.idx).outerjoin(
            search, search.c.idx == entries.c.idx
        )
        # SQLite keeps whatever is put into a column: what is no hash or number has to be found wrong, not to fail.
        columns = [cast(column, column.type) for column in (*entries.c, *records.c, *search.c)]
        wanted = select(*columns).select_from(beside).order_by(entries.c.idx)
        if partition is not None:
            wanted = wanted.where(entries.c.partition == partition)
        for row in self._stream(wanted):
            index, entry, kind, number, counter, offset = row[:6]
            signature, value, decision, path, root = row[8:13]
            logged = LedgerEntry(
                signature=signature or b"",
                value=value or b"",
                decision=decision or b"",
                path=path or b"",
                root=root or b"",
            )
            found = None if row[13] is None else row[13:]
            yield Leaf(index, entry, kind, number, counter, offset, row[7], logged, found)

    def strays(self, size: int) -> Iterator[int]:
        """Go through what has a record or an index, and is no leaf of the *size* that there are."""
        for table in (schema.RECORDS, schema.SEARCH):
            known = select(schema.ENTRIES.c.idx).where(schema.ENTRIES.c.idx == table.c.idx)
            yield from self._connection.scalars(select(table.c.idx).where(~known.exists()).order_by(table.c.idx))
        beyond = select(schema.TERMS.c.idx).distinct().where(schema.TERMS.c.segment > max(size - 1, 0) >> SEGMENT_BITS)
        yield from self._connection.scalars(beyond)

    def nodes(self, level: int, start: int, end: int) -> Sequence[tuple[int, bytes]]:
        """Return number and hash of what is stored of a level."""
        table = schema.NODES
        wanted = select(table.c.idx, cast(table.c.hash, LargeBinary)).where(
            table.c.level == level, table.c.idx >= start, table.c.idx < end
        )
        return [(row[0], row[1]) for row in self._connection.execute(wanted)]

    def terms(self, segment: int) -> Iterator[tuple[int, int, int]]:
        """Go through all that the leaves of a segment can be found by."""
        table = schema.TERMS
        for row in self._stream(select(table.c.term, table.c.key, table.c.idx).where(table.c.segment == segment)):
            yield row[0], row[1], row[2]

    def _stream(self, wanted: Select[*tuple[Any, ...]]) -> Iterator[Row[*tuple[Any, ...]]]:
        with self._connection.execute(wanted.execution_options(yield_per=_AT_ONCE)) as found:
            yield from found


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise LocalError(Code.MALFORMED_VALUE, "not the URL of a store") from None
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, isolation_level="REPEATABLE READ", execution_options={"postgresql_readonly": True})
    path = Path(parsed.database or "").resolve()
    if not path.is_file():
        raise LocalError(Code.NO_SUCH_FILE, "there is no such store")
    query = {"mode": "ro", "uri": "true"}
    engine = create_engine(URL.create("sqlite", database=f"file:{quote(str(path))}", query=query))

    @event.listens_for(engine, "connect")
    def connected(raw: sqlite3.Connection, _: object) -> None:
        # The driver would begin no transaction to read in.
        raw.isolation_level = None

    @event.listens_for(engine, "begin")
    def began(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine

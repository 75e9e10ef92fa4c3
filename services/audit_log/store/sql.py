"""The store in SQL: the same statements for each database. What differs a `Database` does."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, delete, func, insert, select, update

from audit_log.core.growing import SEGMENT_BITS, Batch
from audit_log.core.places import Place
from audit_log.store import schema
from audit_log.store.database import Database, translated
from audit_log.store.reading import StoreReader
from audit_log.store.snapshot import Snapshot
from audit_log.store.store import Signed, State
from referral_contracts.codes import Code
from referral_contracts.errors import Fatal
from referral_contracts.log.growth import Frontier
from referral_contracts.merkle import HASH_SIZE

_TREE_ROW = 1
_HOUR_MS = 3_600_000
_ERASED_AT_ONCE = 500
_EMPTIED = (schema.RECORDS, schema.SEARCH, schema.TERMS)
"""What an erasure deletes from."""


class SqlStore:
    """A `Store` in a database."""

    def __init__(self, database: Database, bus: str, origin: str) -> None:
        """Open the store of the log *origin* of *bus*, and make it where there is none; see `Store`."""
        self._database = database
        # Held for a transaction: `append` and `sign` come from two threads.
        self._writing = threading.Lock()
        self._epoch = 0
        try:
            with translated(database):
                database.hold()
                with database.engine.begin() as connection:
                    schema.METADATA.create_all(connection)
                    self._own(connection, {"bus": bus, "format": str(schema.FORMAT), "origin": origin})
                    self._epoch = self._enter(connection)
        except BaseException:
            self.close()
            raise

    @property
    def reader(self) -> StoreReader:
        """What others read of it, for as long as it is open."""
        return StoreReader(self._database)

    def state(self) -> State:
        """See `Store`."""
        with self.reader.snapshot() as seen:
            size, edge = seen.tree()
            if edge is None or edge.size != size:
                raise Fatal(Code.STATE_FORMAT, "the store's tree is not of the size that it says")
            places = seen.places()
            if not all(_is_place(place) for place in places.values()):
                raise Fatal(Code.STATE_FORMAT, "the store's positions are none")
            return State(edge, places, seen.newest())

    def append(self, batch: Batch) -> None:
        """See `Store`."""
        size = batch.frontier.size
        with self._transaction() as connection:
            mine = (schema.TREE.c.size == batch.before) & (schema.TREE.c.epoch == self._epoch)
            grown = update(schema.TREE).where(mine).values(size=size, frontier=batch.frontier.encode())
            if connection.execute(grown).rowcount != 1:
                raise Fatal(Code.LOG_BUSY, "another process has grown the log")
            add = self._database.insert
            add(connection, schema.ENTRIES, batch.entries)
            add(connection, schema.RECORDS, batch.records)
            add(connection, schema.SEARCH, batch.search)
            add(connection, schema.TERMS, batch.terms)
            add(connection, schema.NODES, batch.nodes)
            if batch.places:
                connection.execute(delete(schema.PLACES).where(schema.PLACES.c.partition.in_(list(batch.places))))
                rows = [(one, place.next_offset, place.counter, place.chain) for one, place in batch.places.items()]
                add(connection, schema.PLACES, rows)
            if batch.erased:
                _erase(connection, batch.erased)
                # In the same transaction: whatever happens next, it is known that the bytes are still in the files.
                _settle(connection)
                self._database.insert(connection, schema.META, [(schema.UNSCRUBBED, str(size))])

    def sign(self, checkpoint: Signed, at_ms: int) -> None:
        """See `Store`."""
        table = schema.CHECKPOINTS
        with self._transaction() as connection:
            epoch, size = connection.execute(select(schema.TREE.c.epoch, schema.TREE.c.size)).one()
            newest = Snapshot(connection).newest()
            if epoch != self._epoch:
                raise Fatal(Code.LOG_BUSY, "another process writes the log")
            if checkpoint.size > size or (newest is not None and newest.size > checkpoint.size):
                raise Fatal(Code.LOG_ROLLBACK, "a checkpoint is never taken back, nor ahead of what is stored")
            if newest is not None and newest.size == checkpoint.size:
                if newest.root != checkpoint.root:
                    raise Fatal(Code.LOG_FORK, "two checkpoints of one size")
                return
            if newest is not None and self._hour_has_one(connection, newest.size):
                connection.execute(delete(table).where(table.c.size == newest.size))
            row = {"size": checkpoint.size, "root": checkpoint.root, "note": checkpoint.note, "kept_ms": at_ms}
            connection.execute(insert(table).values(row))

    def scrub(self) -> None:
        """See `Store`."""
        with translated(self._database):
            with self._database.engine.connect() as connection:
                owed = connection.scalar(select(schema.META.c.value).where(schema.META.c.name == schema.UNSCRUBBED))
            if owed is None:
                return
            self._database.scrub(_EMPTIED)
        with self._transaction() as connection:
            # Only what was there before: what was erased meanwhile is owed yet.
            _settle(connection, owed)

    def hashes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        """See `Store`."""
        return self.reader.hashes(level, start, end)

    def close(self) -> None:
        """See `Store`."""
        self._database.release()
        self._database.engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._writing, translated(self._database), self._database.engine.begin() as connection:
            yield connection

    def _own(self, connection: Connection, wanted: dict[str, str]) -> None:
        """Return if the store is of the log that it is opened for; an empty one becomes so."""
        told = {row.name: row.value for row in connection.execute(select(schema.META)) if row.name != schema.UNSCRUBBED}
        if not told:
            self._database.insert(connection, schema.META, list(wanted.items()))
            self._database.insert(connection, schema.TREE, [(_TREE_ROW, 0, Frontier.empty().encode(), 0)])
        elif told != wanted:
            raise Fatal(Code.STATE_FORMAT, "a store of another format, or of another log")

    def _enter(self, connection: Connection) -> int:
        connection.execute(update(schema.TREE).values(epoch=schema.TREE.c.epoch + 1))
        return connection.scalar(select(schema.TREE.c.epoch)) or 0

    def _hour_has_one(self, connection: Connection, size: int) -> bool:
        """Whether another checkpoint than that of *size* is kept of its hour."""
        table = schema.CHECKPOINTS
        at_ms = select(table.c.kept_ms).where(table.c.size == size).scalar_subquery()
        kept = select(func.count()).where(table.c.size < size, table.c.kept_ms // _HOUR_MS == at_ms // _HOUR_MS)
        return bool(connection.scalar(kept))


def _settle(connection: Connection, owed: str | None = None) -> None:
    """Forget that something has to be overwritten: what *owed* names, where it is told."""
    done = delete(schema.META).where(schema.META.c.name == schema.UNSCRUBBED)
    connection.execute(done if owed is None else done.where(schema.META.c.value == owed))


def _is_place(place: Place) -> bool:
    return place.next_offset >= 0 and place.counter >= 0 and len(place.chain) == HASH_SIZE


def _erase(connection: Connection, leaves: Sequence[int]) -> None:
    """Remove what the *leaves* have beside their entries: records, and all that they can be found by."""
    for start in range(0, len(leaves), _ERASED_AT_ONCE):
        some = leaves[start : start + _ERASED_AT_ONCE]
        for table in (schema.RECORDS, schema.SEARCH):
            connection.execute(delete(table).where(table.c.idx.in_(some)))
        terms = schema.TERMS
        for segment in {index >> SEGMENT_BITS for index in some}:
            connection.execute(delete(terms).where(terms.c.segment == segment, terms.c.idx.in_(some)))

"""A store read as it stands at one moment, beside the service that writes it or without one: nothing is written."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, LargeBinary, Row, Select, bindparam, cast, select

from audit_log.checking.leaves import Leaf
from audit_log.core.growing import SEGMENT_BITS
from audit_log.core.places import Place
from audit_log.store import schema
from audit_log.store.store import Signed
from referral_contracts.codes import Code
from referral_contracts.decisions import read_decision
from referral_contracts.errors import Fatal, LocalError, RemoteError
from referral_contracts.log.growth import Frontier
from referral_contracts.log.leaf import LedgerEntry, leaf
from referral_contracts.log.tiles import TILE_WIDTH, Tile

_AT_ONCE: Final = 2048
"""Rows in memory at a time: some 8 MB of records."""


def _part(column: Column[bytes], number: Column[int], *where: ColumnElement[bool]) -> Select[bytes]:
    between = (number >= bindparam("start"), number < bindparam("end"))
    return select(column).where(*where, *between).order_by(number)


# Made once: making a statement takes longer than the database needs to answer it.
_ENTRIES: Final = _part(schema.ENTRIES.c.entry, schema.ENTRIES.c.idx)
_NODES: Final = _part(schema.NODES.c.hash, schema.NODES.c.idx, schema.NODES.c.level == bindparam("level"))


class Snapshot:
    """
    What a store holds, read on one connection; what that raises is for who opened it to translate.

    Close it: while it is open, SQLite keeps what is written meanwhile in its write-ahead log.
    """

    def __init__(self, connection: Connection) -> None:
        """Read on *connection*, in the transaction that it is in."""
        self._connection = connection

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

    def newest(self) -> Signed | None:
        """Return the newest checkpoint."""
        table = schema.CHECKPOINTS
        wanted = select(table.c.size, table.c.root, table.c.note)
        found = self._connection.execute(wanted.order_by(table.c.size.desc()).limit(1)).one_or_none()
        return None if found is None else Signed(*found)

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

    def hashes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        """
        Return what the tiles of *level* have at *start* to before *end*; at level 0 the entries themselves.

        Raises:
            Fatal: LOG_FORK: one is missing that the tree has.
        """
        wanted = _NODES if level else _ENTRIES
        found = self._connection.scalars(wanted, {"level": level, "start": start, "end": end}).all()
        if len(found) != end - start:
            raise Fatal(Code.LOG_FORK, "the store has lost a part of the tree")
        return found

    def tile(self, tile: Tile) -> bytes:
        """
        Return the bytes of *tile*, for a `TileReader` to check.

        Raises:
            Fatal: LOG_FORK: the store has lost a part of it.
        """
        start = tile.index * TILE_WIDTH
        found = self.hashes(tile.level, start, start + tile.width)
        return b"".join(found if tile.level else map(leaf, found))

    def terms(self, segment: int) -> Iterator[tuple[int, int, int]]:
        """Go through all that the leaves of a segment can be found by."""
        table = schema.TERMS
        for row in self._stream(select(table.c.term, table.c.key, table.c.idx).where(table.c.segment == segment)):
            yield row[0], row[1], row[2]

    def _stream(self, wanted: Select[*tuple[Any, ...]]) -> Iterator[Row[*tuple[Any, ...]]]:
        with self._connection.execute(wanted.execution_options(yield_per=_AT_ONCE)) as found:
            yield from found

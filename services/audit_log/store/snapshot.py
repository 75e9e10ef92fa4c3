"""A store read as it stands at one moment, beside the service that writes it or without one: nothing is written."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, Row, Select, bindparam, case, func, or_, select

from audit_log.checking.leaves import Leaf
from audit_log.core.growing import SEGMENT_BITS, SearchRow
from audit_log.core.places import Place
from audit_log.store import schema
from audit_log.store.cells import Bytes, Number, Words, is_broken, is_bytes, is_number, is_words, there, unread
from audit_log.store.store import Signed
from referral_contracts.codes import Code
from referral_contracts.decisions import read_decision
from referral_contracts.errors import Fatal, LocalError, RemoteError
from referral_contracts.log.growth import Frontier
from referral_contracts.log.leaf import LedgerEntry, leaf
from referral_contracts.log.tiles import TILE_WIDTH, Tile
from referral_contracts.merkle import HASH_SIZE

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
        """Return whose the store is; what is no text is left out."""
        told = self._connection.execute(select(unread(schema.META.c.name), unread(schema.META.c.value)))
        return {name: value for name, value in told if is_words(name) and is_words(value)}

    def tree(self) -> tuple[int, Frontier | None]:
        """Return the size of the tree, or how far the entries go if it says none, and its edge unless that is none."""
        found = self._connection.execute(select(unread(schema.TREE.c.size), unread(schema.TREE.c.frontier))).all()
        size: object
        size, edge = found[0] if len(found) == 1 else (None, None)
        if not is_number(size) or size < 0:
            last = self._connection.scalar(select(func.max(schema.ENTRIES.c.idx)))
            return (0 if last is None else last + 1), None
        try:
            return size, Frontier.decode(_bytes(edge))
        except LocalError:
            return size, None

    def places(self) -> Mapping[int, Place]:
        """Return where the partitions stand."""
        found = self._connection.execute(select(*map(unread, schema.PLACES.c)))
        return {_number(row[0]): Place(_number(row[1]), _number(row[2]), _bytes(row[3])) for row in found}

    def checkpoints(self) -> Sequence[Signed]:
        """Return the checkpoints that are kept, the newest last."""
        table = schema.CHECKPOINTS
        columns = map(unread, (table.c.size, table.c.root, table.c.note))
        found = self._connection.execute(select(*columns).order_by(table.c.size))
        return [Signed(size, _bytes(root), _bytes(note)) for size, root, note in found]

    def newest(self) -> Signed | None:
        """Return the newest checkpoint."""
        table = schema.CHECKPOINTS
        wanted = select(table.c.size, table.c.root, table.c.note)
        found = self._connection.execute(wanted.order_by(table.c.size.desc()).limit(1)).one_or_none()
        if found is None:
            return None
        if there(found.note).split(b"\n", 2)[1:2] != [b"%d" % found.size]:
            # Whoever reads goes as far as it says: no number that somebody put there is to be believed.
            raise Fatal(Code.STATE_FORMAT, "the store's checkpoint is of another size than it says")
        return Signed(found.size, there(found.root), found.note)

    def broken(self) -> Iterator[tuple[str, str, str]]:
        """Go through the cells that hold what the log does not write there: table, row and column."""
        for table in schema.METADATA.sorted_tables:
            columns = [column for column in table.columns if isinstance(column.type, Bytes | Number | Words)]
            faults = [is_broken(column, self._connection.dialect) for column in columns]
            keys = list(map(unread, table.primary_key.columns))
            for row in self._stream(select(*keys, *map(_as_number, faults)).where(or_(*faults))):
                name = " ".join(str(key) if is_number(key) else "?" for key in row[: len(keys)])
                for column, wrong in zip(columns, row[len(keys) :], strict=True):
                    if wrong:
                        yield table.name, name, column.name

    def last_partition(self) -> int:
        """Return the last partition of the ledger, the directory's: as the decisions say, and not the store alone."""
        place = unread(schema.ENTRIES.c.partition)
        numbers = select(place).distinct().order_by(place.desc())
        for number in filter(is_number, self._connection.scalars(numbers).all()):
            with closing(self.leaves(number)) as leaves:
                first = next(leaves, None)
            with suppress(RemoteError):
                if first is not None and read_decision(first.logged.decision).partition == number:
                    return int(number)
        return 0

    def entries(self) -> Iterator[tuple[int, bytes | None]]:
        """Go through index and entry of each leaf, in order; None for what cannot be one."""
        table = schema.ENTRIES
        for row in self._stream(select(table.c.idx, unread(table.c.entry)).order_by(table.c.idx)):
            yield row[0], row[1] if is_bytes(row[1]) else None

    def leaves(self, partition: int | None = None) -> Generator[Leaf, None, None]:
        """Go through the leaves in order, those of one *partition* alone where one is named."""
        entries, records, search = schema.ENTRIES, schema.RECORDS, schema.SEARCH
        beside = entries.outerjoin(records, records.c.idx == entries.c.idx).outerjoin(
            search, search.c.idx == entries.c.idx
        )
        columns = map(unread, (*entries.c, *records.c, *search.c))
        wanted = select(*columns).select_from(beside).order_by(entries.c.idx)
        if partition is not None:
            wanted = wanted.where(entries.c.partition == partition)
        for row in self._stream(wanted):
            kind, partition_told, counter, offset = map(_number, row[2:6])
            signature, value, decision, path, root = map(_bytes, row[8:13])
            yield Leaf(
                row[0],
                _bytes(row[1]),
                kind,
                partition_told,
                counter,
                offset,
                None if row[6] is None else _bytes(row[7]),
                LedgerEntry(signature=signature, value=value, decision=decision, path=path, root=root),
                None if row[13] is None else _search(row[13:]),
            )

    def strays(self, size: int) -> Iterator[int]:
        """Go through what has a record or an index, and is no leaf of the *size* that there are."""
        for table in (schema.RECORDS, schema.SEARCH):
            known = select(schema.ENTRIES.c.idx).where(schema.ENTRIES.c.idx == table.c.idx)
            yield from self._connection.scalars(select(table.c.idx).where(~known.exists()).order_by(table.c.idx))
        segment, last = unread(schema.TERMS.c.segment), max(size - 1, 0) >> SEGMENT_BITS
        beyond = select(unread(schema.TERMS.c.idx)).distinct().where((segment > last) | (segment < 0))
        yield from map(_number, self._connection.scalars(beyond))

    def nodes(self, level: int, start: int, end: int) -> Sequence[tuple[int, bytes]]:
        """Return number and hash of what is stored of a level."""
        table = schema.NODES
        wanted = select(unread(table.c.idx), unread(table.c.hash)).where(
            table.c.level == level, table.c.idx >= start, table.c.idx < end
        )
        return [(row[0], _bytes(row[1])) for row in self._connection.execute(wanted)]

    def hashes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        """
        Return what the tiles of *level* have at *start* to before *end*; at level 0 the entries themselves.

        Raises:
            Fatal: LOG_FORK: one is missing that the tree has.
        """
        wanted = _NODES if level else _ENTRIES
        found: Sequence[bytes | None] = self._connection.scalars(
            wanted, {"level": level, "start": start, "end": end}
        ).all()
        sound = [one for one in found if one is not None and len(one) == HASH_SIZE]
        if len(sound) != end - start:
            raise Fatal(Code.LOG_FORK, "the store has lost a part of the tree")
        return sound

    def tile(self, tile: Tile) -> bytes:
        """
        Return the bytes of *tile*, for a `TileReader` to check.

        Raises:
            Fatal: LOG_FORK: the store has lost a part of it.
        """
        start = tile.index * TILE_WIDTH
        found = self.hashes(tile.level, start, start + tile.width)
        return b"".join(found if tile.level else map(leaf, found))

    def segments(self) -> Iterator[int]:
        """Go through the segments that leaves are found by something in, in order."""
        column, before = schema.TERMS.c.segment, None
        while True:
            wanted = select(func.min(unread(column)))
            found: object = self._connection.scalar(wanted if before is None else wanted.where(column > before))
            if not is_number(found):
                return
            yield found
            before = found

    def terms(self, segment: int) -> Iterator[tuple[int, int, int]]:
        """Go through all that the leaves of a segment can be found by."""
        table = schema.TERMS
        columns = map(unread, (table.c.term, table.c.key, table.c.idx))
        for row in self._stream(select(*columns).where(table.c.segment == segment)):
            yield _number(row[0]), _number(row[1]), _number(row[2])

    def _stream(self, wanted: Select[*tuple[Any, ...]]) -> Iterator[Row[*tuple[Any, ...]]]:
        with self._connection.execute(wanted.execution_options(yield_per=_AT_ONCE)) as found:
            yield from found


def _as_number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0)


def _bytes(value: Any) -> bytes:  # noqa: ANN401 - of a cell
    # What is none is found as broken; here it need only be nothing that the log ever wrote.
    return value if is_bytes(value) else b""


def _number(value: Any) -> int:  # noqa: ANN401 - of a cell
    return value if is_number(value) else -1


def _words(value: Any) -> str | None:  # noqa: ANN401 - of a cell
    return value if value is None or is_words(value) else ""


def _search(row: Sequence[Any]) -> SearchRow:
    index, event, *words, admitted_ms, code, accepted = row
    subject, referral, verb, source = map(_words, words)
    told = _words(code) or ""
    return index, _bytes(event), subject, referral, verb, source, _number(admitted_ms), told, _number(accepted)

"""
The reading side of the store: leaves by what they can be found by, what is under them, and the tree above them.

It takes no lock and writes nothing, so any number of readers work beside the one writer. What it returns is not
trusted: every leaf is proven under a checkpoint before anybody is told of it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, Select, null, select
from sqlalchemy.exc import TimeoutError as PoolTimeout

from audit_log.core.growing import SEGMENT_BITS, Term, term_key
from audit_log.core.reading import DIRECTORY_CHANGED
from audit_log.core.searching import Found, Query
from audit_log.core.trails import MOST_LEAVES, Kept
from audit_log.store import schema
from audit_log.store.sql import Database
from audit_log.store.store import Signed
from referral_contracts.codes import Code
from referral_contracts.directory_model import Change, SignedHead
from referral_contracts.errors import Fatal, LocalError
from referral_contracts.log.leaf import leaf
from referral_contracts.log.tiles import TILE_WIDTH, Tile

_COLUMNS: Final = (
    schema.SEARCH.c.idx,
    schema.SEARCH.c.event,
    schema.SEARCH.c.subject,
    schema.SEARCH.c.referral,
    schema.SEARCH.c.verb,
    schema.SEARCH.c.source,
    schema.SEARCH.c.admitted_ms,
    schema.SEARCH.c.code,
    schema.SEARCH.c.accepted,
)


class StoreReader:
    """Reads a log's store."""

    def __init__(self, database: Database) -> None:
        """Read *database*; who writes it is not disturbed."""
        self._database = database

    def close(self) -> None:
        """End."""
        self._database.engine.dispose()

    def newest(self) -> Signed | None:
        """Return the newest checkpoint, with cosignatures where it has them."""
        table = schema.CHECKPOINTS
        wanted = select(table.c.size, table.c.root, table.c.note, table.c.witnessed)
        with self._connection() as connection:
            found = connection.execute(wanted.order_by(table.c.size.desc()).limit(1)).one_or_none()
        return None if found is None else Signed(found.size, found.root, found.witnessed or found.note)

    def head(self, version: int, size: int) -> SignedHead:
        """
        Return the signed head of the directory's *version*, from the change that brought it.

        Raises:
            LocalError: DIRECTORY_MISSING: no leaf below *size* brought it.
        """
        search, terms, records = schema.SEARCH, schema.TERMS, schema.RECORDS
        placed = _placed(terms, Term.VERB, term_key(DIRECTORY_CHANGED), size)
        wanted = (
            select(records.c.idx, records.c.value)
            .join(terms, terms.c.idx == records.c.idx)
            .join(search, search.c.idx == records.c.idx)
            .where(*placed, search.c.verb == DIRECTORY_CHANGED, search.c.accepted == 1)
            .order_by(records.c.idx.desc())
        )
        with self._connection() as connection:
            # The newest first, one at a time: nearly always it is that, and a change may be half a megabyte.
            before = size
            while row := connection.execute(wanted.where(records.c.idx < before).limit(1)).one_or_none():
                head = Change.decode(bytes(row.value)).data.head
                if head.head.version == version:
                    return head
                before = row.idx
        raise LocalError(Code.DIRECTORY_MISSING, "the log has no such version of the directory yet")

    def search(self, query: Query, size: int) -> list[Found]:
        """Return leaves below *size* that answer *query*, in the order of the log."""
        found: list[Found] = []
        with self._connection() as connection:
            for first, end in _stretches(query, size):
                after = first - 1
                while len(found) < query.most:
                    most = query.most - len(found)
                    rows = connection.execute(_matching(query, after, end).limit(most)).all()
                    told = ((Found._make((*row[:8], bool(row[8]))), row[9]) for row in rows)
                    found += [one for one, value in told if query.holds(one, value or b"")]
                    if len(rows) < most:
                        break
                    after = rows[-1][0]
        return found

    def kept(self, indexes: Sequence[int]) -> list[Kept]:
        """
        Return what the store has of the leaves *indexes*, in the order of the log; of an erased one the entry alone.

        Raises:
            Fatal: LOG_FORK: it does not have one of them.
        """
        entries, records = schema.ENTRIES, schema.RECORDS
        parts = (
            records.c.salt,
            records.c.signature,
            records.c.value,
            records.c.decision,
            records.c.path,
            records.c.root,
        )
        wanted = (
            select(entries.c.idx, entries.c.entry, *parts)
            .outerjoin(records, records.c.idx == entries.c.idx)
            .where(entries.c.idx.in_(indexes))
            .order_by(entries.c.idx)
        )
        with self._connection() as connection:
            rows = connection.execute(wanted).all()
        found = [Kept._make((row[0], *(None if part is None else bytes(part) for part in row[1:]))) for row in rows]
        if len(found) != len(set(indexes)):
            raise Fatal(Code.LOG_FORK, "the store has lost a leaf")
        return found

    def case(self, subject: str, size: int) -> list[int]:
        """
        Return the leaves below *size* that name a case.

        Raises:
            LocalError: OVERSIZE: more than a trail can have.
        """
        ((term, key),) = Query(case=subject).terms()
        terms, search = schema.TERMS, schema.SEARCH
        wanted = (
            select(search.c.idx)
            .join(terms, terms.c.idx == search.c.idx)
            .where(*_placed(terms, term, key, size), search.c.subject == subject, search.c.idx < size)
            .order_by(search.c.idx)
            .limit(MOST_LEAVES + 1)
        )
        with self._connection() as connection:
            found = list(connection.scalars(wanted))
        if len(found) > MOST_LEAVES:
            raise LocalError(Code.OVERSIZE, f"a trail has at most {MOST_LEAVES} leaves")
        return found

    def tile(self, tile: Tile) -> bytes:
        """
        Return the bytes of *tile*, for a `TileReader` to check.

        Raises:
            Fatal: LOG_FORK: the store has lost a part of it.
        """
        start, nodes, entries = tile.index * TILE_WIDTH, schema.NODES, schema.ENTRIES
        end = start + tile.width
        if tile.level:
            wanted = select(nodes.c.hash).where(nodes.c.level == tile.level, nodes.c.idx >= start, nodes.c.idx < end)
            wanted = wanted.order_by(nodes.c.idx)
        else:
            wanted = select(entries.c.entry).where(entries.c.idx >= start, entries.c.idx < end).order_by(entries.c.idx)
        with self._connection() as connection:
            found = list(connection.scalars(wanted))
        if len(found) != tile.width:
            raise Fatal(Code.LOG_FORK, "the store has lost a part of the tree")
        return b"".join(found if tile.level else map(leaf, found))

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        failures: tuple[type[Exception], ...] = (*self._database.errors, PoolTimeout)
        try:
            with self._database.engine.connect() as connection:
                yield connection
        except failures as error:
            # Its text may quote what was asked for.
            raise LocalError(self._database.code_of(error), "the store did not do it") from None


def _placed(terms: Any, term: Term, key: int, size: int) -> tuple[ColumnElement[bool], ...]:  # noqa: ANN401 - an alias
    # The segments are named one by one: without them the table would be read from its beginning.
    segments = list(range((size >> SEGMENT_BITS) + 1))
    return terms.c.segment.in_(segments), terms.c.term == int(term), terms.c.key == key


def _stretches(query: Query, size: int) -> Iterator[tuple[int, int]]:
    """Yield from where to before where to look: with a term segment by segment, each of which is in order."""
    first = query.after + 1
    while first < size:
        end = min(size, ((first >> SEGMENT_BITS) + 1) << SEGMENT_BITS) if query.terms() else size
        yield first, end
        first = end


def _matching(query: Query, after: int, end: int) -> Select[Any]:
    """Return the statement for leaves behind *after* and before *end*; with their bytes where those are looked at."""
    search, records = schema.SEARCH, schema.RECORDS
    number: Column[int] = search.c.idx
    if query.agency is None:
        wanted = select(*_COLUMNS, null()).select_from(search)
    else:
        wanted = select(*_COLUMNS, records.c.value).outerjoin(records, records.c.idx == search.c.idx)
    for at, (term, key) in enumerate(query.terms()):
        terms = schema.TERMS.alias(f"term{at}")
        segment = (after + 1) >> SEGMENT_BITS
        place = (terms.c.segment == segment, terms.c.term == int(term), terms.c.key == key)
        wanted = wanted.join(terms, terms.c.idx == search.c.idx).where(*place)
        # By the rarest term, whose leaves lie in order: nothing is sorted.
        if not at:
            number = terms.c.idx
    wanted = wanted.where(number > after, number < end)
    if query.since_ms is not None:
        wanted = wanted.where(search.c.admitted_ms >= query.since_ms)
    if query.until_ms is not None:
        wanted = wanted.where(search.c.admitted_ms < query.until_ms)
    if query.accepted is not None:
        wanted = wanted.where(search.c.accepted == int(query.accepted))
    return wanted.order_by(number)

"""
The reading side of the store: leaves by what they can be found by, what is under them, and the tree above them.

It takes no lock and writes nothing, so any number of readers work beside the one writer. What it returns is not
trusted: every leaf is proven under a checkpoint before anybody is told of it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from audit_log.core.growing import SEGMENT_BITS, Term, signed_key, term_key
from audit_log.core.reading import DIRECTORY_CHANGED
from audit_log.core.searching import MOST, Found, Query
from audit_log.core.trails import MOST_LEAVES, MOST_READS, Kept
from audit_log.store import schema
from audit_log.store.cells import there
from audit_log.store.database import Database, translated
from audit_log.store.searching import matching, placed, stretches
from audit_log.store.snapshot import Snapshot
from audit_log.store.store import Signed
from referral_contracts.codes import Code
from referral_contracts.directory_model import Change, SignedHead
from referral_contracts.errors import Fatal, LocalError
from referral_contracts.log.access import ACCESSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """A decision in the log, with what its receipt adds to the event."""

    index: int
    entry: bytes
    salt: bytes
    decision: bytes
    path: bytes
    root: bytes


@dataclass(frozen=True, slots=True)
class DecisionNumber:
    """Which of the decisions on an event: its partition of the ledger, and its number there."""

    partition: int
    counter: int


_ENTRY: Final = schema.ENTRIES.c
_RECORD: Final = schema.RECORDS.c
_SEARCH: Final = schema.SEARCH.c
_TERM: Final = schema.TERMS.c

_RECORDED: Final = select(_ENTRY.entry, _RECORD.salt, _RECORD.decision, _RECORD.path, _RECORD.root).join(
    schema.RECORDS, _RECORD.idx == _ENTRY.idx
)


class StoreReader:
    """
    Reads a log's store. Its methods may be called from any thread.

    Each raises `LocalError` with STORE_AWAY where the store cannot be read, and `Fatal` with STATE_FORMAT where it is
    broken.
    """

    def __init__(self, database: Database) -> None:
        """Read *database*; who writes it is not disturbed."""
        self._database = database

    def close(self) -> None:
        """End."""
        self._database.engine.dispose()

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Give the store as it is now, for as long as it is read."""
        with self._connection() as connection:
            yield Snapshot(connection)

    def newest(self) -> Signed | None:
        """Return the newest checkpoint, with cosignatures where it has them."""
        with self.snapshot() as seen:
            return seen.newest()

    def head(self, version: int, size: int) -> SignedHead:
        """
        Return the signed head of the directory's *version*, from the change that brought it.

        Raises:
            LocalError: DIRECTORY_MISSING: no leaf below *size* brought it.
        """
        search, terms, records = schema.SEARCH, schema.TERMS, schema.RECORDS
        place = placed(terms, Term.VERB, term_key(DIRECTORY_CHANGED), size)
        wanted = (
            select(records.c.idx, records.c.value)
            .join(terms, terms.c.idx == records.c.idx)
            .join(search, search.c.idx == records.c.idx)
            .where(*place, search.c.verb == DIRECTORY_CHANGED, search.c.accepted == 1)
            .order_by(records.c.idx.desc())
        )
        with self._connection() as connection:
            # The newest first, one at a time: nearly always it is that, and a change may be half a megabyte.
            before = size
            while row := connection.execute(wanted.where(records.c.idx < before).limit(1)).one_or_none():
                head = Change.decode(there(row.value)).data.head
                if head.head.version == version:
                    return head
                before = row.idx
        raise LocalError(Code.DIRECTORY_MISSING, "the log has no such version of the directory yet")

    def search(self, query: Query, size: int) -> list[Found]:
        """Return leaves below *size* that answer *query*, in the order of the log."""
        found: list[Found] = []
        with self._connection() as connection:
            for first, end in stretches(query, size):
                after = first - 1
                while len(found) < query.most:
                    most = query.most - len(found)
                    rows = connection.execute(matching(query, after, end).limit(most)).all()
                    told = ((_found(row), row[9]) for row in rows)
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
        found = [Kept(row[0], there(row[1]), *row[2:]) for row in rows]
        if len(found) != len(set(indexes)):
            raise Fatal(Code.LOG_FORK, "the store has lost a leaf")
        return found

    def case(self, subject: str, size: int) -> list[int]:
        """
        Return the leaves below *size* that name a case; of those that say who has read it, the newest.

        Raises:
            LocalError: OVERSIZE: more than a trail can have.
        """
        ((term, key),) = Query(case=subject).terms()
        terms, search = schema.TERMS, schema.SEARCH
        named = (
            select(search.c.idx)
            .join(terms, terms.c.idx == search.c.idx)
            .where(*placed(terms, term, key, size), search.c.subject == subject, search.c.idx < size)
        )
        told = named.where(search.c.verb.is_distinct_from(ACCESSED)).order_by(search.c.idx).limit(MOST_LEAVES + 1)
        # Nobody makes a case unreadable by reading it: a search finds the others.
        reads = named.where(search.c.verb == ACCESSED).order_by(search.c.idx.desc()).limit(MOST_READS)
        with self._connection() as connection:
            found = list(connection.scalars(told))
            if len(found) > MOST_LEAVES:
                raise LocalError(Code.OVERSIZE, f"a trail has at most {MOST_LEAVES} leaves")
            return sorted([*found, *connection.scalars(reads)])

    def logged_ms(self, leaves: Sequence[int]) -> dict[int, int]:
        """Return when each of *leaves* was logged."""
        wanted, found = select(_SEARCH.idx, _SEARCH.admitted_ms), dict[int, int]()
        with self._connection() as connection:
            for start in range(0, len(leaves), MOST):
                rows = connection.execute(wanted.where(_SEARCH.idx.in_(leaves[start : start + MOST]))).all()
                found.update((index, there(moment)) for index, moment in rows)
        return found

    def hashes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        """Return a part of a level, as `Snapshot.hashes`."""
        with self.snapshot() as seen:
            return seen.hashes(level, start, end)

    def logged(self, event: bytes, size: int, number: DecisionNumber | None = None) -> Logged | None:
        """
        Return the decision on the event with the hash *event* in a log of about *size*, or None.

        Of several the one with *number*; where none is told the acceptance, else the first.
        """
        # One look into each segment, however large the log is.
        segments = range((size >> SEGMENT_BITS) + 1)
        found = (
            select(_TERM.idx)
            .join(schema.SEARCH, _SEARCH.idx == _TERM.idx)
            .where(_TERM.segment.in_(segments), _TERM.term == int(Term.EVENT), _TERM.key == signed_key(event))
            .where(_SEARCH.event == event)
        )
        if number is None:
            found = found.order_by(_SEARCH.accepted.desc(), _TERM.idx)
        else:
            found = found.join(schema.ENTRIES, _ENTRY.idx == _TERM.idx).where(
                _ENTRY.partition == number.partition, _ENTRY.counter == number.counter
            )
        with self._connection() as connection:
            index = connection.scalar(found.limit(1))
            row = None if index is None else connection.execute(_RECORDED.where(_ENTRY.idx == index)).one_or_none()
        if index is None or row is None:
            # What was erased cannot be told from what never was.
            return None
        entry, salt, decision, path, root = map(there, row)
        return Logged(index=index, entry=entry, salt=salt, decision=decision, path=path, root=root)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with translated(self._database), self._database.engine.connect() as connection, connection.begin():
            yield connection


def _found(row: Row[*tuple[Any, ...]]) -> Found:
    index, event, subject, referral, verb, source, admitted_ms, code, accepted = row[:9]
    return Found(
        index, there(event), subject, referral, verb, source, there(admitted_ms), there(code), bool(there(accepted))
    )

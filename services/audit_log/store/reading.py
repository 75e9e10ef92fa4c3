"""What is read of the store for others than its writer. It never waits for who writes, and nobody who writes for it."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, select

from audit_log.core.growing import SEGMENT_BITS, Term, signed_key
from audit_log.store import schema


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
class Place:
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


class Archive:
    """The reading side of a store. Its methods may be called from any thread; they raise what SQLAlchemy raises."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def logged(self, event: bytes, size: int, place: Place | None = None) -> Logged | None:
        """
        Return the decision on the event with the hash *event* in a log of about *size*, or None.

        Of several the one at *place*; where none is told the acceptance, else the first.
        """
        # One look into each segment, however large the log is.
        segments = range((size >> SEGMENT_BITS) + 1)
        found = (
            select(_TERM.idx)
            .join(schema.SEARCH, _SEARCH.idx == _TERM.idx)
            .where(_TERM.segment.in_(segments), _TERM.term == int(Term.EVENT), _TERM.key == signed_key(event))
            .where(_SEARCH.event == event)
        )
        if place is None:
            found = found.order_by(_SEARCH.accepted.desc(), _TERM.idx)
        else:
            found = found.join(schema.ENTRIES, _ENTRY.idx == _TERM.idx).where(
                _ENTRY.partition == place.partition, _ENTRY.counter == place.counter
            )
        with self.engine.connect() as connection:
            index = connection.scalar(found.limit(1))
            row = None if index is None else connection.execute(_RECORDED.where(_ENTRY.idx == index)).one_or_none()
        if index is None or row is None:
            # What was erased cannot be told from what never was.
            return None
        entry, salt, decision, path, root = map(bytes, row)
        return Logged(index=index, entry=entry, salt=salt, decision=decision, path=path, root=root)

"""What the store is asked for leaves by what they can be found by: the statements."""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Select, null, select

from audit_log.core.growing import SEGMENT_BITS, Term
from audit_log.core.searching import Query
from audit_log.store import schema

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


def placed(terms: Any, term: Term, key: int, size: int) -> tuple[ColumnElement[bool], ...]:  # noqa: ANN401 - an alias
    # The segments are named one by one: without them the table would be read from its beginning.
    segments = list(range((size >> SEGMENT_BITS) + 1))
    return terms.c.segment.in_(segments), terms.c.term == int(term), terms.c.key == key


def stretches(query: Query, size: int) -> Iterator[tuple[int, int]]:
    """Yield from where to before where to look: with a term segment by segment, each of which is in order."""
    first = query.after + 1
    while first < size:
        end = min(size, ((first >> SEGMENT_BITS) + 1) << SEGMENT_BITS) if query.terms() else size
        yield first, end
        first = end


def matching(query: Query, after: int, end: int) -> Select[Any]:
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

"""How the log grows: from what was taken to rows for the store, and the tree's edge after them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final, TypeAlias

from audit_log.core.places import Place
from audit_log.core.reading import NO_PARTITION, Taken
from referral_contracts.codes import Code
from referral_contracts.encoding import sha256
from referral_contracts.log.growth import Frontier
from referral_contracts.log.leaf import SALT_SIZE, LedgerEntry, entry, leaf
from referral_contracts.merkle import HASH_SIZE

SEGMENT_BITS: Final = 16
"""Terms of so many leaves (65,536) lie side by side. An insert at random touches the pages of one segment only, so that
an append costs the same whatever the log's size; a search looks into each segment: sixteen in a million leaves."""

Salts: TypeAlias = Callable[[int, int], Sequence[bytes]]
"""``sealing.random_salts``: how many, how long."""
_ACCEPTED: Final = Code.ACCEPTED.value


class Kind(IntEnum):
    """What a leaf is about."""

    DECISION = 1
    """A record of the ledger."""
    STATEMENT = 2
    """Something that the log itself says."""


class Term(IntEnum):
    """By what a leaf is found."""

    EVENT = 1
    CASE = 2
    REFERRAL = 3
    PARTY = 4
    VERB = 5


EntryRow: TypeAlias = tuple[int, bytes, int, int, int, int]
"""Index, entry, kind, partition, counter, offset."""
RecordRow: TypeAlias = tuple[int, bytes, bytes, bytes, bytes, bytes, bytes]
"""Index, salt, signature, value, decision, path, root."""
SearchRow: TypeAlias = tuple[int, bytes, str | None, str | None, str | None, str | None, int, str, int]
"""Index, event, subject, referral, verb, source, admitted, code, accepted."""
TermRow: TypeAlias = tuple[int, int, int, int]
"""Segment, term, key, index."""
NodeRow: TypeAlias = tuple[int, int, bytes]
"""Tile level, index, hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One step of the log: all of it is stored, or nothing."""

    before: int
    """The size that it is made for."""
    frontier: Frontier
    """The tree's edge after it."""
    nodes: Sequence[NodeRow] = ()
    """The hashes that the tiles above the lowest get."""
    entries: Sequence[EntryRow] = ()
    records: Sequence[RecordRow] = ()
    search: Sequence[SearchRow] = ()
    terms: Sequence[TermRow] = ()
    places: Mapping[int, Place]
    """Where the partitions stand after it, of which something was read."""
    erased: Sequence[int] = ()
    """Leaves that lose, in this step, all that they have beside their entries: a statement among it says so."""


@lru_cache(maxsize=65_536)
def term_key(text: str) -> int:
    """Return the number that *text* is found by: who finds it compares the text itself."""
    return signed_key(sha256(text.encode()))


def signed_key(value: bytes) -> int:
    """Return the first eight bytes of *value* as a database's integer."""
    return int.from_bytes(value[:8], "big", signed=True)


def grow(
    frontier: Frontier,
    taken: Sequence[Taken],
    places: Mapping[int, Place],
    salts: Salts,
    *,
    erased: Sequence[int] = (),
) -> Batch:
    """Return the step from *frontier* by what was *taken*, after which the partitions stand at *places*."""
    first = frontier.size
    drawn = salts(len(taken), SALT_SIZE) if taken else ()
    records: list[RecordRow] = []
    entries: list[EntryRow] = []
    leaves: list[bytes] = []
    for index, (one, salt) in enumerate(zip(taken, drawn, strict=True), first):
        # A statement has no decision, path or root: without them this is its record too.
        record = LedgerEntry(
            signature=one.signature, value=one.value, decision=one.decision, path=one.path, root=one.root
        )
        made = entry(salt, record.record())
        leaves.append(leaf(made))
        kind = Kind.STATEMENT if one.partition == NO_PARTITION else Kind.DECISION
        entries.append((index, made, kind, one.partition, one.counter, one.offset))
        records.append((index, salt, one.signature, one.value, one.decision, one.path, one.root))
    after, gained = frontier.grow(leaves)
    return Batch(
        before=first,
        frontier=after,
        nodes=list(_nodes(first, gained)),
        entries=entries,
        records=records,
        search=[search(index, one) for index, one in enumerate(taken, first)],
        terms=[row for index, one in enumerate(taken, first) for row in terms(index, one)],
        places=places,
        erased=erased,
    )


def _nodes(size: int, gained: Sequence[bytes]) -> Iterable[NodeRow]:
    for level, hashes in enumerate(gained[1:], 1):
        start = size >> 8 * level
        for number in range(len(hashes) // HASH_SIZE):
            yield level, start + number, hashes[number * HASH_SIZE : (number + 1) * HASH_SIZE]


def search(index: int, one: Taken) -> SearchRow:
    """Return the row that says of the leaf *index* what it is about."""
    about = one.about
    accepted = int(one.code == _ACCEPTED)
    if about is None:
        return (index, one.event, None, None, None, None, one.admitted_ms, one.code, accepted)
    return (
        index,
        one.event,
        about.subject,
        about.referral,
        about.verb,
        about.source,
        one.admitted_ms,
        one.code,
        accepted,
    )


def terms(index: int, one: Taken) -> Iterable[TermRow]:
    """Return the rows by which the leaf *index* is found."""
    segment, about = index >> SEGMENT_BITS, one.about
    yield segment, Term.EVENT, signed_key(one.event), index
    if about is None:
        return
    if about.subject is not None:
        yield segment, Term.CASE, term_key(about.subject), index
    if about.referral is not None:
        yield segment, Term.REFERRAL, term_key(about.referral), index
    for party in about.parties:
        yield segment, Term.PARTY, term_key(party), index
    yield segment, Term.VERB, term_key(about.verb), index

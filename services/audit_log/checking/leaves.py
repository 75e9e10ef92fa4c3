"""Each leaf derived anew from its record: entry, decision, chain, index, and where the partitions stand at the end."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple, TypeAlias

from audit_log.checking.findings import Fault, OfLeaf, OfPartition, Report
from audit_log.core.growing import SEGMENT_BITS, Kind, SearchRow, Term, search, signed_key, term_key, terms
from audit_log.core.places import NOWHERE, Place
from audit_log.core.reading import NO_PARTITION, LedgerReader, Taken
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.decisions import read_decision
from referral_contracts.directory import Directory
from referral_contracts.encoding import parse_time, sha256, unb64
from referral_contracts.errors import Fatal, LocalError, RemoteError
from referral_contracts.log.leaf import LedgerEntry, Statement, entry
from referral_contracts.merkle import leaf_hash
from referral_contracts.records import Headers, Record
from referral_contracts.trail.stating import Statements

StoredTerms: TypeAlias = Callable[[int], Iterable[tuple[int, int, int]]]
"""Term, key and leaf of all that a segment can be found by."""
_FAULTS: Final = {Code.LOG_GAP: Fault.DECISION_GAP, Code.LEDGER_ROLLED_BACK: Fault.DECISION_CHAIN}


_NOWHERE_DECIDED: Final = (NO_PARTITION, 0, 0, b"", b"", b"")
_EARLY_MS: Final = 3_600_000
_LATE_MS: Final = 91 * 86_400_000
"""A statement's own time and the log's: a request goes from hand to hand first. What waits, waits from the log's."""


class Leaf(NamedTuple):
    """A leaf as the store has it."""

    number: int
    entry: bytes
    kind: int
    partition: int
    counter: int
    offset: int
    salt: bytes | None
    """None where its record is gone."""
    logged: LedgerEntry
    search: SearchRow | None

    def record(self) -> Record:
        """Return the ledger's record of it, as far as it was logged."""
        logged = self.logged
        told: Headers = (
            (topics.H_KIND, topics.KIND_EVENT),
            (topics.H_SIGNATURE, logged.signature),
            (topics.H_DECISION, logged.decision),
            (topics.H_PATH, logged.path),
            (topics.H_ROOT, logged.root),
        )
        return Record(self.partition, self.offset, 0, None, logged.value, told)


class LeafCheck:
    """
    Takes the leaves in their order.

    *erased* has the entries of those whose record may be gone, *segments* the numbers of those in which leaves are
    found by something, in order.
    """

    def __init__(
        self,
        directory: Directory,
        stored: StoredTerms,
        segments: Iterable[int],
        report: Report,
        *,
        erased: Mapping[int, bytes],
    ) -> None:
        self._directory, self._stored, self._report, self._erased = directory, stored, report, erased
        self._stored_segments = deque(segments)
        self._statements = Statements(directory, ())
        self._readers: dict[int, LedgerReader] = {}
        self._places: dict[int, Place] = {}
        self._lost: set[int] = set()
        """Partitions whose last decision cannot be told: the next one is believed what it says of it."""
        self._segment = 0
        self._wanted: set[tuple[int, int, int]] = set()
        self._unread: set[int] = set()
        """Leaves of the segment whose index nobody can tell."""

    def take(self, leaf: Leaf) -> bool:
        """Check *leaf*; return whether its record is what was logged."""
        if leaf.number >> SEGMENT_BITS != self._segment:
            self._end_segment(leaf.number >> SEGMENT_BITS)
        if leaf.kind != Kind.DECISION and (leaf.salt is None or leaf.kind != Kind.STATEMENT):
            # Nothing but decisions is erased, and there is no third kind.
            self._report(OfLeaf(Fault.PLACE_CHANGED, leaf.number))
        if leaf.salt is None:
            if self._erased.get(leaf.number) != leaf.entry:
                self._report(OfLeaf(Fault.RECORD_MISSING, leaf.number))
            self._pass(leaf)
            return False
        whole = entry(leaf.salt, leaf.logged.record()) == leaf.entry
        if not whole:
            self._report(OfLeaf(Fault.LEAF_CHANGED, leaf.number))
        if leaf.kind == Kind.STATEMENT:
            self._state(leaf)
            return whole
        taken = self._read(leaf)
        if taken is None:
            self._pass(leaf)
            return False
        self._hold(leaf, taken)
        return whole

    def finish(self, places: Mapping[int, Place]) -> None:
        """Hold what the store says of its *places* against where the leaves end."""
        self._end_segment(self._segment + 1)
        for partition in sorted({*places, *self._places}):
            stored, walked = places.get(partition, NOWHERE), self._places.get(partition, NOWHERE)
            same = stored.counter == walked.counter and (partition in self._lost or stored.chain == walked.chain)
            if not same or stored.next_offset < walked.next_offset:
                self._report(OfPartition(Fault.POSITION_CHANGED, partition))

    def _state(self, leaf: Leaf) -> None:
        """Check who signed a statement of the log, and what it is found by; more may lead to it than its case."""
        self._unread.add(leaf.number)
        logged, found = leaf.logged, leaf.search
        statement = Statement(signatures=tuple(logged.signature.split(b"\n")), value=logged.value)
        try:
            at, kind, subject = self._statements.check(leaf.number, statement)
        except RemoteError:
            self._report(OfLeaf(Fault.STATEMENT_BAD, leaf.number))
            return
        if (leaf.partition, leaf.counter, leaf.offset, logged.decision, logged.path, logged.root) != _NOWHERE_DECIDED:
            self._report(OfLeaf(Fault.PLACE_CHANGED, leaf.number))
        if found is None or not _tells(found, sha256(logged.value), kind, subject, parse_time(at)):
            self._report(OfLeaf(Fault.INDEX_CHANGED, leaf.number))
            return
        source = found[5] or ""
        terms_of = {(Term.EVENT, signed_key(found[1])), (Term.VERB, term_key(kind)), (Term.PARTY, term_key(source))}
        if isinstance(subject, str):
            terms_of.add((Term.CASE, term_key(subject)))
        self._wanted.update((int(term), key, leaf.number) for term, key in terms_of)

    def _read(self, leaf: Leaf) -> Taken | None:
        partition, logged = leaf.partition, leaf.logged
        try:
            if partition in self._lost:
                told = read_decision(logged.decision)
                self._places[partition] = Place(leaf.offset, told.counter - 1, unb64(told.previous))
                self._lost.discard(partition)
            place = self._places.get(partition, NOWHERE)
            taken = self._reader(partition).read(leaf.record(), place, self._directory)
        except Fatal as error:
            self._report(OfLeaf(_FAULTS.get(error.code, Fault.DECISION_BAD), leaf.number))
            return None
        except (LocalError, RemoteError):
            # Decided by a directory that the log has not, or not a decision at all.
            self._report(OfLeaf(Fault.DECISION_BAD, leaf.number))
            return None
        if taken is None or taken.counter != leaf.counter or leaf.offset < place.next_offset:
            self._report(OfLeaf(Fault.PLACE_CHANGED, leaf.number))
        return taken

    def _hold(self, leaf: Leaf, taken: Taken) -> None:
        following = max(leaf.offset + 1, self._places.get(leaf.partition, NOWHERE).next_offset)
        self._places[leaf.partition] = Place(following, taken.counter, taken.chain)
        self._wanted.update((term, key, index) for _, term, key, index in terms(leaf.number, taken))
        if leaf.search != search(leaf.number, taken):
            self._report(OfLeaf(Fault.INDEX_CHANGED, leaf.number))

    def _pass(self, leaf: Leaf) -> None:
        self._unread.add(leaf.number)
        if leaf.kind == Kind.DECISION:
            # Without its record it still has its number: none is left out before it.
            before = self._places.get(leaf.partition, NOWHERE)
            if leaf.salt is None and (leaf.counter != before.counter + 1 or leaf.offset < before.next_offset):
                self._report(OfLeaf(Fault.PLACE_CHANGED, leaf.number))
            self._places[leaf.partition] = Place(leaf.offset + 1, leaf.counter, leaf_hash(leaf.logged.decision))
            self._lost.add(leaf.partition)

    def _reader(self, partition: int) -> LedgerReader:
        found = self._readers.get(partition)
        if found is None:
            found = self._readers[partition] = LedgerReader(self._directory.head.bus, partition)
        return found

    def _segments(self, following: int) -> Iterator[int]:
        """Go through the segments from this one to before *following* in which something can be found."""
        yield self._segment
        while self._stored_segments and self._stored_segments[0] < following:
            segment = self._stored_segments.popleft()
            if segment > self._segment:
                yield segment

    def _end_segment(self, following: int) -> None:
        for segment in self._segments(following):
            faulty = set[int]()
            for term in self._stored(segment):
                if term in self._wanted:
                    self._wanted.discard(term)
                elif term[2] not in self._unread:
                    faulty.add(term[2])
            faulty.update(index for _, _, index in self._wanted)
            for index in sorted(faulty):
                self._report(OfLeaf(Fault.INDEX_CHANGED, index))
            self._wanted, self._unread = set(), set()
        self._segment = following


def _tells(found: SearchRow, event: bytes, kind: str, subject: object, at_ms: int) -> bool:
    """Whether the index says of a statement what it says itself; who asked, and when it came, is the log's word."""
    _, told, case, referral, verb, source, admitted_ms, code, accepted = found
    same = (told, case, referral, verb, code, accepted) == (event, subject, None, kind, Code.ACCEPTED.value, 1)
    return same and source is not None and at_ms - _EARLY_MS <= admitted_ms <= at_ms + _LATE_MS

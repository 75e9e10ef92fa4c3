"""
Cases that lie all over a large log, and what it takes to prove them; and to check every tile of it.

Each case is opened and then offered to somebody, again and again, by its owner: events as an agency signs them, so
that their trail has everything to verify that a real one has.
"""

import time
from collections.abc import Iterator
from typing import Final

from audit_log.checking.findings import Finding
from audit_log.checking.tree import PUBLISHED, Told, TreeCheck
from audit_log.folder import Folder
from audit_log.showing import show_case
from audit_log.store.reading import StoreReader
from measure.bench import Bench, now_ms
from measure.figures import Part, percentile
from measure.ledger import Signed
from measure.submissions import Offer
from measure.world import SENDERS, TEAM
from referral_contracts.log.checkpoint import Checkpoint
from referral_contracts.log.note import NoteKey

STEPS: Final = 20
"""Events of a case."""


class Cases:
    """Cases whose events come one at a time, the first of each case before the second of any."""

    def __init__(self, bench: Bench, count: int) -> None:
        """Make *count* cases."""
        self._bench = bench
        self._owners = [SENDERS[number % len(SENDERS)] for number in range(count)]
        self.subjects: list[str] = []
        """The cases that were opened."""

    def events(self) -> Iterator[Signed]:
        """Yield all events of all cases."""
        for owner in self._owners:
            subject, opening = self._bench.mill.opening(owner, now_ms())
            self.subjects.append(subject)
            yield _submitted(opening, 1)
        for step in range(2, STEPS + 1):
            for owner, subject in zip(self._owners, self.subjects, strict=True):
                yield _submitted(self._bench.mill.offer(owner, subject, TEAM[:1], now_ms()), step)


def _submitted(offer: Offer, number: int) -> Signed:
    ((_, signature),) = offer.write.headers
    return Signed(offer.write.value or b"", signature or b"", number)


def trails(part: Part, bench: Bench, reader: StoreReader, cases: Cases, key: NoteKey) -> None:
    """Make and check the trail of every case once: of nothing that it needs anything is at hand."""
    walls, cpus = [], []
    for subject in cases.subjects:
        wall, cpu = time.perf_counter(), time.thread_time()
        found = show_case(reader, subject, bench.world.directory, key).trail()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.thread_time() - cpu)
        if not found.sound or found.events != STEPS:
            raise RuntimeError(f"a trail of the benchmark is not sound: {found.events} events, {found.faults[:3]}")
    part.add(f"a trail of {STEPS} events, half", "ms", percentile(walls, 0.5) * 1000)
    part.add(f"a trail of {STEPS} events, 99 of 100", "ms", percentile(walls, 0.99) * 1000, "<= 100")
    part.add("its CPU, half", "ms", percentile(cpus, 0.5) * 1000)


def tiles(part: Part, reader: StoreReader, folder: Folder, published: Checkpoint) -> None:
    """Derive every tile anew from the store's entries, and hold it against what is published."""
    faults: list[Finding] = []
    wall, cpu = time.perf_counter(), time.thread_time()
    with reader.snapshot() as seen:
        size, edge = seen.tree()
        check = TreeCheck([Told(PUBLISHED, published)], seen.nodes, folder.read, faults.append)
        for index, entry in seen.entries():
            check.take(index, entry)
        check.finish(size, edge)
    if faults or size != published.size:
        raise RuntimeError(f"a tile of the benchmark is not as it was published: {faults[:3]}")
    part.add("whole tile verification", "s", time.perf_counter() - wall, "<= 10")
    part.add("its CPU", "s", time.thread_time() - cpu)

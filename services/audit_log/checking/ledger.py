"""The ledger held against the leaves, partition by partition, where it still is."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import TypeAlias

from audit_log.checking.findings import Fault, OfLedger, OfPartition, Report
from audit_log.checking.leaves import Leaf
from audit_log.core.places import Place
from referral_contracts import topics
from referral_contracts.records import Record

Spans: TypeAlias = Mapping[int, tuple[int, int]]
"""The first offset that each partition still has, and the one after its last."""
Records: TypeAlias = Callable[[int], AsyncIterator[Record]]
"""The committed records of a partition, from its first offset to the end of its span."""


class LedgerCheck:
    """Takes the leaves in their order, and reads each partition beside them once."""

    def __init__(self, spans: Spans, records: Records, report: Report) -> None:
        self._spans, self._report = spans, report
        self._reading = {partition: _events(records(partition)) for partition in spans}
        self._next: dict[int, Record | None] = {}

    async def take(self, leaf: Leaf) -> None:
        """Find the record of *leaf* in the ledger, unless it was deleted by age."""
        partition, offset = leaf.partition, leaf.offset
        if partition not in self._spans or offset < self._spans[partition][0]:
            return
        found = await self._peek(partition)
        while found is not None and found.offset < offset:
            self._report(OfLedger(Fault.NOT_LOGGED, partition, found.offset))
            found = await self._skip(partition)
        if found is None or found.offset > offset:
            self._report(OfLedger(Fault.LEDGER_MISSING, partition, offset))
            return
        if leaf.salt is not None and not _same(leaf, found):
            self._report(OfLedger(Fault.LEDGER_CHANGED, partition, offset))
        await self._skip(partition)

    async def finish(self, places: Mapping[int, Place]) -> None:
        """Check that each partition has what was read of it, and nothing else up to there."""
        for partition, place in sorted(places.items()):
            start, end = self._spans.get(partition, (0, 0))
            if not start <= place.next_offset <= end:
                self._report(OfPartition(Fault.LEDGER_ENDS, partition))
            found = await self._peek(partition) if partition in self._spans else None
            while found is not None and found.offset < place.next_offset:
                self._report(OfLedger(Fault.NOT_LOGGED, partition, found.offset))
                found = await self._skip(partition)

    async def _peek(self, partition: int) -> Record | None:
        if partition not in self._next:
            return await self._skip(partition)
        return self._next[partition]

    async def _skip(self, partition: int) -> Record | None:
        found = self._next[partition] = await anext(self._reading[partition], None)
        return found


async def _events(records: AsyncIterator[Record]) -> AsyncIterator[Record]:
    async for record in records:
        if dict(record.headers).get(topics.H_KIND) == topics.KIND_EVENT:
            yield record


def _same(leaf: Leaf, record: Record) -> bool:
    headers, logged = dict(record.headers), leaf.logged
    found = [headers.get(name) or b"" for name in (topics.H_SIGNATURE, topics.H_DECISION, topics.H_PATH, topics.H_ROOT)]
    return [record.value or b"", *found] == [
        logged.value,
        logged.signature,
        logged.decision,
        logged.path,
        logged.root,
    ]

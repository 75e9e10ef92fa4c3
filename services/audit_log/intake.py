"""
What comes in: every partition of the ledger, read from the log's own positions.

No group and no committed offset: a position is the log's, and is stored with the leaves. Reading runs ahead of
appending by a bounded amount. Without a broker nothing comes in, and all else goes on.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from audit_log.core.places import NOWHERE, Place
from audit_log.core.reading import LedgerReader, Taken
from audit_log.together import until_one_fails
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.directory import Directory
from referral_contracts.errors import LocalError
from referral_contracts.records import Record
from service_chassis.fold import Limits
from service_chassis.kafka import Kafka, close
from service_chassis.logs import Log
from service_chassis.reader import PartitionReader

BATCH_MOST: Final = 4_096
"""Leaves that wait to be appended, and so about the most of one append."""
BATCH_BYTES: Final = 8 * 1024 * 1024
_SLICE: Final = 64
"""Records that are verified before the loop has its turn: about 5 ms."""
_BACKOFF_S: Final = 0.5
_DIRECTORY_S: Final = 0.05


@dataclass(slots=True)
class Pending:
    """What was taken and is not appended yet."""

    taken: list[Taken] = field(default_factory=list)
    places: dict[int, Place] = field(default_factory=dict)
    """Where the partitions stand after it, of which something was read."""
    size: int = 0
    oldest_ms: int | None = None
    """The broker's stamp on the oldest record among it."""

    @property
    def full(self) -> bool:
        return len(self.taken) >= BATCH_MOST or self.size >= BATCH_BYTES

    def add(self, one: Taken, stamp_ms: int) -> None:
        self.taken.append(one)
        self.size += len(one.value)
        self.oldest_ms = stamp_ms if self.oldest_ms is None else min(self.oldest_ms, stamp_ms)


class Intake:
    """Reads the ledger into `pending`."""

    def __init__(
        self,
        kafka: Kafka,
        bus: str,
        places: Mapping[int, Place],
        directory: Callable[[], Directory | None],
        *,
        limits: Limits,
        log: Log,
    ) -> None:
        """Read on from *places*; nothing connects before `run`."""
        self._kafka, self._bus, self._directory = kafka, bus, directory
        self._limits, self._log = limits, log
        self._places = dict(places)
        self._pending = Pending()
        self._came, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()
        self._ends: dict[int, int] = {}
        self._readers: dict[int, PartitionReader] = {}
        self._behind: set[int] = set()
        self._away = True

    async def run(self, partitions: int) -> None:
        """
        Read *partitions* until cancelled; connect again whenever that fails.

        Raises:
            Fatal: The ledger is not what follows what was taken of it.
        """
        while True:
            client = self._kafka.client(self._limits)
            try:
                await client.bootstrap()
                self._away = False
                await until_one_fails(
                    self._follow(number, PartitionReader(client, tp, self._limits, committed=True))
                    for number in range(partitions)
                    for tp in (TopicPartition(topics.LEDGER, number),)
                )
            except (KafkaError, OSError, TimeoutError) as error:
                self._log.warning("ledger-away", error=type(error).__name__)
            finally:
                self._away = True
                await close(client)
            await asyncio.sleep(_BACKOFF_S)

    async def take(self, patience_s: float) -> Pending:
        """
        Wait until something came in, and return all of it: nobody else gets it.

        After *patience_s*, or a `wake`, it may be nothing, or places only: ticks or ends of transactions were read.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._came.wait()
        found, self._pending = self._pending, Pending()
        self._came.clear()
        self._room.set()
        return found

    def wake(self) -> None:
        """Let `take` return now, with whatever there is: something else is to be appended."""
        self._came.set()

    def trouble(self) -> Code | None:
        """Say why nothing may come in at the moment, or None."""
        if self._away:
            return Code.BROKER_AWAY
        if self._behind:
            return Code.DIRECTORY_BEHIND
        return next((code for reader in self._readers.values() if (code := reader.trouble) is not None), None)

    def lags(self) -> Mapping[tuple[str, int], int]:
        """Return how many offsets of each partition were not read yet."""
        return {
            (topics.LEDGER, number): max(0, end - self._place(number).next_offset) for number, end in self._ends.items()
        }

    def _place(self, partition: int) -> Place:
        return self._places.get(partition, NOWHERE)

    async def _follow(self, partition: int, reader: PartitionReader) -> None:
        self._readers[partition] = reader
        reading = LedgerReader(self._bus, partition)
        span = await reader.span()
        self._place(partition).check_within(span.start, span.end)
        while True:
            offset = self._place(partition).next_offset
            chunk = await reader.fetch(offset, wait_ms=self._limits.fetch_wait_ms)
            self._ends[partition] = chunk.stable
            records = [record for piece in chunk.pieces for record in piece.records]
            for start in range(0, len(records), _SLICE):
                await self._room.wait()
                await self._take(partition, reading, records[start : start + _SLICE])
                await asyncio.sleep(0)
            if chunk.next_offset > self._place(partition).next_offset:
                place = self._place(partition)
                self._stand(partition, Place(chunk.next_offset, place.counter, place.chain))

    async def _take(self, partition: int, reading: LedgerReader, records: list[Record]) -> None:
        for record in records:
            taken = await self._read(partition, reading, record)
            place = self._place(partition)
            if taken is None:
                self._stand(partition, Place(record.offset + 1, place.counter, place.chain))
                continue
            # No await between these: a batch has a record and the place behind it, or neither.
            self._stand(partition, Place(record.offset + 1, taken.counter, taken.chain))
            self._pending.add(taken, record.stamp_ms)
        if self._pending.taken:
            self._came.set()
        if self._pending.full:
            self._room.clear()

    async def _read(self, partition: int, reading: LedgerReader, record: Record) -> Taken | None:
        """Read *record*, once there is a directory as new as the one it was decided by."""
        while True:
            directory = self._directory()
            try:
                if directory is not None:
                    taken = reading.read(record, self._place(partition), directory)
                    self._behind.discard(partition)
                    return taken
            except LocalError as error:
                if error.code is not Code.DIRECTORY_BEHIND:
                    raise
            self._behind.add(partition)
            await asyncio.sleep(_DIRECTORY_S)

    def _stand(self, partition: int, place: Place) -> None:
        self._places[partition] = self._pending.places[partition] = place

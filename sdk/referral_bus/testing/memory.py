"""
A broker in memory, and the transport to it: topics, partitions, offsets, the broker's own stamps, faults on demand.

It keeps what a client can notice: offsets have gaps where a transaction ended, a transaction is seen whole or not at
all, a topic refuses what is too large for it. Nothing is replicated, compacted or written to a disk.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from referral_bus.testing.clock import Clock, wake
from referral_bus.transport import Submission
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError
from referral_contracts.records import LOG_APPEND_TIME, Headers, Record, Write
from referral_contracts.topics import TopicSpec

_CREATE_TIME: Final = 0
_OVERHEAD: Final = 80
"""About what Kafka's own framing adds to a record that is sent alone."""


@dataclass(slots=True)
class _Partition:
    records: list[Record] = field(default_factory=list)
    start: int = 0
    end: int = 0


class MemoryBroker:
    """Topics in memory. What its clock shows is what it stamps."""

    def __init__(self, clock: Clock) -> None:
        """Start without topics."""
        self.clock = clock
        self._topics: dict[str, tuple[TopicSpec, list[_Partition]]] = {}
        self._waiting: list[asyncio.Future[None]] = []
        self._away = False
        self.on_append: Callable[[], None] | None = None
        """Called after each record that a client appended: what runs beside the broker may go to work."""

    @property
    def away(self) -> bool:
        """Whether nobody can reach the broker."""
        return self._away

    @away.setter
    def away(self, away: bool) -> None:
        self._away = away
        self._stir()

    def create(self, specs: Iterable[TopicSpec]) -> None:
        """Make topics; one that exists stays as it is."""
        for spec in specs:
            self._topics.setdefault(spec.name, (spec, [_Partition() for _ in range(spec.partitions)]))

    def delete(self, topic: str) -> None:
        """Remove *topic* and what is in it."""
        del self._topics[topic]
        self._stir()

    def topics(self) -> frozenset[str]:
        """Return the names of the topics there are."""
        return frozenset(self._topics)

    def partitions(self, topic: str) -> int:
        """Return how many partitions *topic* has."""
        return len(self._topic(topic)[1])

    def append(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        *,
        fault: Code | None = None,
    ) -> Record:
        """
        Store one record, stamped now; with *fault* it is one that could not be decoded.

        Raises:
            LocalError: TOPIC_MISSING, OVERSIZE.
        """
        record = self._put(topic, partition, key, value, headers, fault)
        self._stir()
        if self.on_append is not None:
            self.on_append()
        return record

    def transact(self, writes: Sequence[Write]) -> None:
        """Store *writes* as one transaction: all of them become readable at once, or none."""
        for write in writes:
            self._check(write.topic, write.partition, write.key, write.value, write.headers)
        for write in writes:
            self._put(write.topic, write.partition, write.key, write.value, write.headers, None)
        for topic, partition in {(write.topic, write.partition): None for write in writes}:
            # The marker that ends a transaction takes an offset of its own.
            self._partition(topic, partition).end += 1
        self._stir()

    def trim(self, topic: str, partition: int, before: int) -> None:
        """Forget what lies before offset *before*, as a topic's retention does."""
        log = self._partition(topic, partition)
        log.start = max(log.start, min(before, log.end))
        log.records = [record for record in log.records if record.offset >= log.start]

    def records(self, topic: str, partition: int = 0, offset: int = 0) -> list[Record]:
        """Return what *partition* of *topic* holds from *offset* on."""
        return [record for record in self._partition(topic, partition).records if record.offset >= offset]

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """Return the first offset that is still there and the one after the last."""
        log = self._partition(topic, partition)
        return log.start, log.end

    async def stirred(self, until_ms: int) -> None:
        """Wait until something changes here or the clock shows *until_ms*."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await self.clock.until(until_ms, future)
        finally:
            self._waiting = [waiting for waiting in self._waiting if waiting is not future]

    def _stir(self) -> None:
        for future in self._waiting:
            wake(future)

    def _put(  # noqa: PLR0917 - a record's parts, in Kafka's order
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        fault: Code | None,
    ) -> Record:
        self._check(topic, partition, key, value, headers)
        spec, _ = self._topic(topic)
        log = self._partition(topic, partition)
        stamped = spec.config.get("message.timestamp.type") == "LogAppendTime"
        record = Record(
            partition,
            log.end,
            self.clock.now_ms(),
            key,
            value,
            tuple(headers),
            LOG_APPEND_TIME if stamped else _CREATE_TIME,
            fault,
        )
        log.records.append(record)
        log.end += 1
        return record

    def _check(self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        self._partition(topic, partition)
        most = self._topic(topic)[0].config.get("max.message.bytes")
        size = _OVERHEAD + len(key or b"") + len(value or b"")
        size += sum(len(name.encode()) + len(content or b"") for name, content in headers)
        if most is not None and size > int(most):
            raise LocalError(Code.OVERSIZE, "the topic takes no record of this size")

    def _topic(self, topic: str) -> tuple[TopicSpec, list[_Partition]]:
        found = self._topics.get(topic)
        if found is None:
            raise LocalError(Code.TOPIC_MISSING, "no such topic")
        return found

    def _partition(self, topic: str, partition: int) -> _Partition:
        partitions = self._topic(topic)[1]
        if not 0 <= partition < len(partitions):
            raise LocalError(Code.TOPIC_MISSING, "no such partition")
        return partitions[partition]


@dataclass(slots=True, kw_only=True)
class Faults:
    """What goes wrong between one client and the broker."""

    away: bool = False
    """This client alone cannot reach it. To end a wait that has begun, set the broker's own `away`."""
    lost_submits: int = 0
    """So many of the next submissions fail and are not written."""
    lost_acks: int = 0
    """So many of the next submissions are written, and fail all the same."""
    doubled: int = 0
    """So many of the next submissions are written twice."""


class MemoryTransport:
    """One client's way to a `MemoryBroker`; a `Transport`."""

    def __init__(self, broker: MemoryBroker, faults: Faults | None = None) -> None:
        """Reach *broker*, as far as *faults* let it: they are in the test's hands."""
        self._broker = broker
        self.faults = Faults() if faults is None else faults

    async def submit(self, topic: str, submissions: Sequence[Submission]) -> None:
        """Append records."""
        await self._reach()
        for partition, key, value, headers in submissions:
            if self.faults.lost_submits:
                self.faults.lost_submits -= 1
                raise LocalError(Code.BROKER_AWAY, "lost on the way to the broker")
            self._broker.append(topic, partition, key, value, tuple(headers))
            if self.faults.doubled:
                self.faults.doubled -= 1
                self._broker.append(topic, partition, key, value, tuple(headers))
            if self.faults.lost_acks:
                self.faults.lost_acks -= 1
                raise LocalError(Code.BROKER_AWAY, "the broker's answer was lost")

    async def read(self, topic: str, partition: int, offset: int, timeout_s: float) -> Sequence[Record]:
        """Return records from *offset* on, or nothing once the clock was wound by *timeout_s*."""
        clock = self._broker.clock
        until_ms = clock.now_ms() + round(timeout_s * 1000)
        while True:
            await self._reach()
            start, end = self._broker.bounds(topic, partition)
            if not start <= offset <= end:
                raise LocalError(Code.POSITION_LOST, "the topic does not hold this offset")
            found = self._broker.records(topic, partition, offset)
            if found or clock.now_ms() >= until_ms:
                return found
            await self._broker.stirred(until_ms)

    async def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """Return the first offset that is still there and the one after the last."""
        await self._reach()
        return self._broker.bounds(topic, partition)

    async def partitions(self, topic: str) -> int:
        """Return how many partitions *topic* has."""
        await self._reach()
        return self._broker.partitions(topic)

    async def close(self) -> None:
        """Nothing is held."""

    async def _reach(self) -> None:
        # Others get their turn even where nothing has to be waited for.
        await asyncio.sleep(0)
        if self._broker.away or self.faults.away:
            raise LocalError(Code.BROKER_AWAY, "the broker does not answer")

"""
The one broker of a run: topics made anew for each round, filled by the batch, watched from outside.

It is always a node of our own: a benchmark deletes topics.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from kafka_node import KafkaNode
from provision import provision
from reaching import operator_of
from referral_contracts import topics
from referral_contracts.records import Write
from referral_contracts.topics import BATCH_MAX, TopicSpec

BROKERS: Final = 1
HEAP_MB: Final = 512
_IN_FLIGHT: Final = 64
"""Batches on their way while filling: some 50 MB."""
_GONE_S: Final = 0.1


class Cluster:
    """A node, and what is done to it between measurements."""

    def __init__(self, node: KafkaNode) -> None:
        """Use *node*, which runs."""
        self._node = node
        self.bootstrap = node.bootstrap
        self.pid = node.pid

    async def make(self, specs: Sequence[TopicSpec]) -> None:
        """Create what is missing of *specs*."""
        await provision(operator_of(self.bootstrap), specs)

    async def renew(self, specs: Sequence[TopicSpec]) -> None:
        """Delete and create *specs*: empty they are as new."""
        async with self._admin() as admin:
            there = set(await admin.list_topics())
            names = [spec.name for spec in specs if spec.name in there]
            if names:
                await admin.delete_topics(names)
            while set(await admin.list_topics()) & set(names):  # noqa: ASYNC110 - the broker tells nobody
                await asyncio.sleep(_GONE_S)
        await self.make(specs)
        await self._led(specs)

    async def _led(self, specs: Sequence[TopicSpec]) -> None:
        await self.ends(TopicPartition(spec.name, number) for spec in specs for number in range(spec.partitions))

    async def empty(self, names: Iterable[str]) -> None:
        """Delete all records of topics of one partition; the topics stay, warm as they are."""
        ends = await self.ends(TopicPartition(name, 0) for name in names)
        async with self._admin() as admin:
            await admin.delete_records({tp: RecordsToDelete(before_offset=end) for tp, end in ends.items() if end})

    async def ends(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Return where *partitions* end."""
        asked = list(partitions)
        async with self.reader() as reader:
            # All at once: by itself aiokafka asks for one topic after the other, a tenth of a second each.
            await reader._client.set_topics({tp.topic for tp in asked})  # noqa: SLF001
            found: Mapping[TopicPartition, int] = await reader.end_offsets(asked)
        return found

    async def fill(self, writes: Iterable[Write], *, batch_bytes: int = BATCH_MAX) -> None:
        """Append *writes*, in order within each partition, as fast as the broker takes them."""
        producer = AIOKafkaProducer(
            **operator_of(self.bootstrap).connection, acks="all", enable_idempotence=True, max_batch_size=batch_bytes
        )
        await producer.start()
        try:
            await _fill(producer, writes)
        finally:
            await producer.stop()

    @contextlib.asynccontextmanager
    async def reader(self, isolation: str = "read_committed") -> AsyncIterator[AIOKafkaConsumer]:
        """Give a consumer that belongs to no group."""
        consumer = AIOKafkaConsumer(
            **operator_of(self.bootstrap).connection,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level=isolation,
            fetch_max_wait_ms=20,
        )
        await consumer.start()
        try:
            yield consumer
        finally:
            await consumer.stop()

    @contextlib.asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(**operator_of(self.bootstrap).connection)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()


async def _fill(producer: AIOKafkaProducer, writes: Iterable[Write]) -> None:
    open_: dict[tuple[str, int], Any] = {}
    pending: list[asyncio.Future[Any]] = []

    async def send(target: tuple[str, int]) -> None:
        pending.append(await producer.send_batch(open_.pop(target), target[0], partition=target[1]))
        if len(pending) >= _IN_FLIGHT:
            await asyncio.gather(*pending)
            pending.clear()

    for write in writes:
        target = (write.topic, write.partition)
        headers = list(write.headers)
        while True:
            batch = open_.setdefault(target, producer.create_batch())
            if batch.append(timestamp=None, key=write.key, value=write.value, headers=headers) is not None:
                break
            await send(target)
    for target in list(open_):
        await send(target)
    await asyncio.gather(*pending)


def referral_specs(specs: Sequence[TopicSpec]) -> list[TopicSpec]:
    """Return those of *specs* that hold a bus's history: what has to go for a new one to begin."""
    fixed = {topics.SUBMISSIONS, topics.DIRECTORY_SUBMISSIONS, topics.LEDGER, topics.STATE, topics.DIRECTORY}
    fixed.add(topics.WATCHER_STATE)
    return [spec for spec in specs if spec.name in fixed]


def inboxes(specs: Sequence[TopicSpec]) -> list[str]:
    """Return the names of the inboxes among *specs*."""
    prefix = topics.inbox("")
    return [spec.name for spec in specs if spec.name.startswith(prefix)]

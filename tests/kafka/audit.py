"""
What happened, read from outside with aiokafka's own consumer: every input counted once, in order, and the state agrees.

Independent of the chassis where it can be: only input with broken headers has to be read with its tolerant reader.
"""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from reaching import operator_of
from referral_contracts.records import Record
from referral_contracts.topics import POSITION_KEY
from service_chassis.fold import Limits
from service_chassis.reader import PartitionReader
from tests.kafka.counting import Topics

STAMPED = {"message.timestamp.type": "LogAppendTime", "compression.type": "uncompressed"}


@dataclass(frozen=True, slots=True)
class Count:
    """One output, as the fold wrote it."""

    partition: int
    offset: int
    key: str
    count: int
    fault: str | None


async def make_topics(
    bootstrap: str, topics: Topics, partitions: int, *, stamped: bool = True, largest: int = 1024 * 1024
) -> None:
    """Create the topics of a counting processor; outputs take records up to *largest* bytes."""
    output = {"max.message.bytes": str(largest)}
    admin = AIOKafkaAdminClient(**operator_of(bootstrap).connection)
    await admin.start()
    try:
        await admin.create_topics(
            [
                NewTopic(topics.inputs, partitions, 1, topic_configs=STAMPED if stamped else {}),
                NewTopic(topics.first, partitions, 1, topic_configs=output),
                NewTopic(topics.second, 1, 1, topic_configs=output),
                NewTopic(topics.state, partitions, 1, topic_configs={"cleanup.policy": "compact"}),
            ]
        )
    finally:
        await admin.close()


async def submit(bootstrap: str, topics: Topics, count: int, *, partitions: int, keys: int = 20) -> None:
    """Write *count* inputs, evenly over *partitions* and *keys*."""
    async with AIOKafkaProducer(**operator_of(bootstrap).connection, acks="all", linger_ms=5) as producer:
        sent = [
            await producer.send(topics.inputs, b"input", key=b"k%d" % (nth % keys), partition=nth % partitions)
            for nth in range(count)
        ]
        await asyncio.gather(*sent)


async def committed(bootstrap: str, topic: str) -> list[tuple[int, bytes | None, bytes | None]]:
    """Return (partition, key, value) of all that is committed in *topic*, in order."""
    async with AIOKafkaConsumer(
        **operator_of(bootstrap).connection, isolation_level="read_committed", auto_offset_reset="none"
    ) as consumer:
        await consumer._client.add_topic(topic)
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        consumer.assign(partitions)
        for partition in partitions:
            consumer.seek(partition, 0)
        ends = await _ends(bootstrap, consumer, partitions)
        found: list[tuple[int, bytes | None, bytes | None]] = []
        while any([await consumer.position(partition) < ends[partition] for partition in partitions]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += [(record.partition, record.key, record.value) for record in records]
    return found


async def _ends(
    bootstrap: str, consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]
) -> dict[TopicPartition, int]:
    """Return where the committed records end, once nothing is open: a commit is answered before it can be read."""
    async with AIOKafkaConsumer(**operator_of(bootstrap).connection) as everything:
        for _ in range(100):
            stable: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
            if stable == await everything.end_offsets(partitions):
                return stable
            await asyncio.sleep(0.1)
    raise AssertionError("a transaction never ended")


async def stored_inputs(bootstrap: str, topics: Topics) -> dict[int, list[Record]]:
    """Return the input as the broker holds it, by partition, aborted records included."""
    client = operator_of(bootstrap).client(Limits())
    await client.bootstrap()
    found: dict[int, list[Record]] = {}
    try:
        await client.add_topic(topics.inputs)
        for partition in client.cluster.partitions_for_topic(topics.inputs):
            reader = PartitionReader(client, TopicPartition(topics.inputs, partition), Limits(), committed=False)
            offset, end = 0, (await reader.span()).end
            records = found[partition] = []
            while offset < end:
                chunk = await reader.fetch(offset, wait_ms=100)
                records += [record for piece in chunk.pieces for record in piece.records]
                offset = chunk.next_offset
    finally:
        await client.close()
    return found


async def counted(bootstrap: str, topic: str) -> list[Count]:
    return [Count(*json.loads(value or b"null")) for _, _, value in await committed(bootstrap, topic)]


@contextlib.asynccontextmanager
async def watching(bootstrap: str, topics: Topics) -> AsyncIterator["Watch"]:
    """Watch the second topic, where every output goes."""
    async with AIOKafkaConsumer(
        **operator_of(bootstrap).connection, isolation_level="read_committed", fetch_max_wait_ms=50
    ) as consumer:
        consumer.assign([TopicPartition(topics.second, 0)])
        consumer.seek(TopicPartition(topics.second, 0), 0)
        yield Watch(consumer)


@dataclass(slots=True)
class Watch:
    """How many outputs are committed."""

    consumer: AIOKafkaConsumer
    seen: int = 0

    async def reach(self, count: int, timeout_s: float = 60.0) -> None:
        """Return when there are at least *count* outputs."""
        async with asyncio.timeout(timeout_s):
            while self.seen < count:
                for records in (await self.consumer.getmany(timeout_ms=100, max_records=count - self.seen)).values():
                    self.seen += len(records)


async def audit(bootstrap: str, topics: Topics) -> Sequence[Count]:
    """
    Compare all outputs and the state with a replay of the input, and return the outputs of the first topic.

    The replay knows of a fault only from the outputs; which records may have one, the caller checks.
    """
    inputs = await stored_inputs(bootstrap, topics)
    first, second = await counted(bootstrap, topics.first), await counted(bootstrap, topics.second)
    faults = {(count.partition, count.offset): count.fault for count in first}
    replayed: list[Count] = []
    state: dict[tuple[int, bytes], bytes] = {}
    for partition, records in inputs.items():
        counts: Counter[bytes] = Counter()
        for record in records:
            key = record.key or b"none"
            counts[key] += 1
            fault = faults.get((partition, record.offset))
            replayed.append(Count(partition, record.offset, key.decode(), counts[key], fault))
        state |= {(partition, key): b"%d" % count for key, count in counts.items()}
        if records:
            state[partition, POSITION_KEY] = b"%d" % (records[-1].offset + 1)
    held = {(partition, key): value for partition, key, value in await committed(bootstrap, topics.state)}

    assert _difference(replayed, first) == {}
    assert _difference(replayed, second) == {}
    assert _in_order(first)
    assert _in_order(second)
    assert state == held
    return first


def _difference(wanted: Sequence[Count], found: Sequence[Count]) -> dict[Count, int]:
    """Return what is there too often (more than 0) or not often enough (less than 0)."""
    difference = Counter(found)
    difference.subtract(wanted)
    return {count: times for count, times in difference.items() if times}


def _in_order(counts: Sequence[Count]) -> bool:
    """Return whether each partition's outputs come in the order of its inputs."""
    latest: dict[int, int] = {}
    for count in counts:
        if count.offset <= latest.get(count.partition, -1):
            return False
        latest[count.partition] = count.offset
    return True

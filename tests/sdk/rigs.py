"""
One bench for every transport: what a test of `Transport` needs done on the broker's side, in memory and on Kafka.

What only the broker or the router can do goes past the transport: topics, transactions, deletion, a record that no
client of ours would write.
"""

import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

from aiokafka import AIOKafkaClient, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from reaching import operator_of, transport_of
from referral_bus import Transport
from referral_bus.testing import Clock, Faults, MemoryBroker, MemoryTransport
from referral_contracts.codes import Code
from referral_contracts.records import Write
from referral_contracts.topics import TopicSpec

_NOT_UTF8 = b"\xff"
_CHECKSUM_AT = 17
_SUMMED_AT = 21


class Rig(Protocol):
    """The broker's side."""

    prefix: str

    def transport(self) -> Transport:
        """Return a way to the broker."""

    def astray(self) -> Transport:
        """Return a way to nowhere."""

    async def create(self, spec: TopicSpec) -> None: ...
    async def transact(self, writes: Sequence[Write]) -> None: ...
    async def abort(self, writes: Sequence[Write]) -> None: ...
    async def trim(self, topic: str, partition: int, before: int) -> None: ...
    async def spoil(self, topic: str, partition: int) -> None:
        """Store, in one batch if there are such, a good record, one with a header that is not UTF-8, a good record."""


class MemoryRig:
    """A broker in memory."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.clock = Clock()
        self.broker = MemoryBroker(self.clock)

    def transport(self) -> Transport:
        return MemoryTransport(self.broker)

    def astray(self) -> Transport:
        return MemoryTransport(self.broker, Faults(away=True))

    async def create(self, spec: TopicSpec) -> None:
        self.broker.create([spec])

    async def transact(self, writes: Sequence[Write]) -> None:
        self.broker.transact(writes)

    async def abort(self, writes: Sequence[Write]) -> None:
        """Nothing of it is ever seen here."""

    async def trim(self, topic: str, partition: int, before: int) -> None:
        self.broker.trim(topic, partition, before)

    async def spoil(self, topic: str, partition: int) -> None:
        self.broker.append(topic, partition, None, b"good before")
        self.broker.append(topic, partition, None, b"bad", (("\\xff", b""),), fault=Code.MALFORMED_RECORD)
        self.broker.append(topic, partition, None, b"good after")


class KafkaRig:
    """A real broker."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.prefix = prefix
        self.bootstrap = bootstrap

    def transport(self) -> Transport:
        return transport_of(self.bootstrap)

    def astray(self) -> Transport:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        return transport_of(f"127.0.0.1:{port}")

    async def create(self, spec: TopicSpec) -> None:
        async with _admin(self.bootstrap) as admin:
            await admin.create_topics([NewTopic(spec.name, spec.partitions, 1, topic_configs=spec.config)])

    async def transact(self, writes: Sequence[Write]) -> None:
        await self._transaction(writes, AIOKafkaProducer.commit_transaction)

    async def abort(self, writes: Sequence[Write]) -> None:
        await self._transaction(writes, AIOKafkaProducer.abort_transaction)

    async def _transaction(self, writes: Sequence[Write], end: Any) -> None:
        async with AIOKafkaProducer(**operator_of(self.bootstrap).connection, transactional_id=self.prefix) as producer:
            await producer.begin_transaction()
            for write in writes:
                await producer.send_and_wait(write.topic, write.value, key=write.key, partition=write.partition)
            await end(producer)

    async def trim(self, topic: str, partition: int, before: int) -> None:
        async with _admin(self.bootstrap) as admin:
            await admin.delete_records({TopicPartition(topic, partition): RecordsToDelete(before_offset=before)})

    async def spoil(self, topic: str, partition: int) -> None:
        builder = DefaultRecordBatchBuilder(
            2, 0, is_transactional=False, producer_id=-1, producer_epoch=-1, base_sequence=-1, batch_size=1024
        )
        builder.append(0, timestamp=0, key=None, value=b"good before", headers=[])
        builder.append(1, timestamp=0, key=None, value=b"bad", headers=[("?", b"")])
        builder.append(2, timestamp=0, key=None, value=b"good after", headers=[])
        batch = bytearray(builder.build())
        at = batch.index(b"?")
        batch[at : at + 1] = _NOT_UTF8
        batch[_CHECKSUM_AT:_SUMMED_AT] = calc_crc32c(bytes(batch[_SUMMED_AT:])).to_bytes(4, "big")
        client = AIOKafkaClient(**operator_of(self.bootstrap).connection)
        await client.bootstrap()
        try:
            await client.add_topic(topic)
            leader = client.cluster.leader_for_partition(TopicPartition(topic, partition))
            request = ProduceRequest(None, -1, 10_000, [(topic, [(partition, bytes(batch))])])
            answer = await client.send(leader, request)
            assert answer.topics[0][1][0][1] == 0
        finally:
            await client.close()


@contextlib.asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**operator_of(bootstrap).connection)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()

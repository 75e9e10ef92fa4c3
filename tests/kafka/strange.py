"""Input that no well-behaved client writes."""

from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.structs import TopicPartition

from reaching import operator_of


class _NotUtf8(str):
    """A header key whose bytes are no text."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        return b"\xff\xfe"


async def submit_with_broken_header_key(bootstrap: str, topic: str) -> None:
    """Write one batch of three records; the header key of the second is not UTF-8."""
    async with AIOKafkaProducer(**operator_of(bootstrap).connection) as producer:
        batch = producer.create_batch()
        # The compiled builder insists on a real string; the other one calls `encode`.
        builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, -1, 1 << 20)
        names: list[Any] = ["good", _NotUtf8("bad"), "good"]
        for nth, name in enumerate(names):
            builder.append(nth, None, b"k0", b"input", [(name, b"\xff")])
        batch._builder = builder
        batch._relative_offset = len(names)
        batch.close()
        await (await producer.send_batch(batch, topic, partition=0))


async def submit_values(bootstrap: str, topic: str, values: list[bytes]) -> None:
    async with AIOKafkaProducer(**operator_of(bootstrap).connection) as producer:
        for value in values:
            await producer.send_and_wait(topic, value, key=b"k0", partition=0)


async def submit_and_abort(bootstrap: str, topic: str, count: int) -> None:
    """Write *count* records in a transaction that is aborted."""
    async with AIOKafkaProducer(**operator_of(bootstrap).connection, transactional_id=f"{topic}-aborts") as producer:
        await producer.begin_transaction()
        for _ in range(count):
            await producer.send_and_wait(topic, b"input", key=b"k0", partition=0)
        await producer.abort_transaction()


async def dangling(bootstrap: str, topic: str, count: int, *, timeout_ms: int = 60_000) -> AIOKafkaProducer:
    """Write *count* records in a transaction and leave it open; the caller stops the producer."""
    producer = AIOKafkaProducer(
        **operator_of(bootstrap).connection, transactional_id=f"{topic}-dangles", transaction_timeout_ms=timeout_ms
    )
    await producer.start()
    await producer.begin_transaction()
    for _ in range(count):
        await producer.send_and_wait(topic, b"7", key=b"k0", partition=0)
    return producer


async def delete_before(bootstrap: str, topic: str, offset: int) -> None:
    """Delete the records of partition 0 before *offset*."""
    admin = AIOKafkaAdminClient(**operator_of(bootstrap).connection)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=offset)})
    finally:
        await admin.close()


async def write_state(bootstrap: str, topic: str, key: bytes, value: bytes) -> None:
    """Write one committed record into partition 0 of a state topic."""
    async with AIOKafkaProducer(**operator_of(bootstrap).connection, acks="all") as producer:
        await producer.send_and_wait(topic, value, key=key, partition=0)

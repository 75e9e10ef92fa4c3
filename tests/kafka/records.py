"""A few records to a broker and back, for tests of the broker itself."""

import os
from collections.abc import Sequence
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from kafka_node import Held, authority_of
from reaching import operator_of


async def make_topic(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(**operator_of(bootstrap).connection)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def produce(bootstrap: str, topic: str, values: Sequence[bytes]) -> None:
    async with AIOKafkaProducer(**operator_of(bootstrap).connection, acks="all") as producer:
        for value in values:
            await producer.send_and_wait(topic, value, partition=0)


async def consume(bootstrap: str, topic: str, count: int) -> list[bytes]:
    """Return the first *count* committed values, once they are there."""
    consumer = AIOKafkaConsumer(**operator_of(bootstrap).connection, isolation_level="read_committed")
    await consumer.start()
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()


def operator() -> Held | None:
    """Return what the operator of this run's brokers holds."""
    authority = authority_of(os.environ, Path("none"))
    return authority.operator() if authority else None

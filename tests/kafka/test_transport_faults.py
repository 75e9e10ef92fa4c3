"""The SDK's transport against a broker that dies, sleeps, or is something else; what one suite for all cannot show."""

import asyncio
import gc
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from kafka_node import KafkaNode
from reaching import operator_of, transport_of
from referral_bus import Code, LocalError
from referral_bus._kafka import KafkaTransport
from referral_bus.transport import Submission
from referral_contracts.errors import Fatal
from referral_contracts.topics import TopicSpec, inbox, topic_specs
from tests.kafka.records import make_topic
from tests.sdk.rigs import KafkaRig

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio]

PATIENCE_S = 1.0


async def refused(asked: Awaitable[Any]) -> Code:
    with pytest.raises(LocalError) as refusal:
        await asked
    return refusal.value.code


async def until_it_answers(transport: KafkaTransport, value: bytes) -> None:
    """Submit *value* until that works: a broker that has just come back does not count itself in at once."""
    for _ in range(50):
        try:
            await transport.submit("kept", [Submission(0, None, value)])
        except LocalError as error:
            assert error.code is Code.BROKER_AWAY
            await asyncio.sleep(0.1)
        else:
            return
    pytest.fail("the broker is back and was not found")


async def test_what_was_given_up_is_not_sent_behind_our_back(own_kafka: KafkaNode) -> None:
    await make_topic(own_kafka.bootstrap, "kept")
    transport = transport_of(own_kafka.bootstrap, deadline_s=PATIENCE_S)
    await transport.submit("kept", [Submission(0, None, b"before")])
    own_kafka.kill()

    assert await refused(transport.submit("kept", [Submission(0, None, b"given up")])) is Code.BROKER_AWAY
    assert await refused(transport.read("kept", 0, 0, 0)) is Code.BROKER_AWAY
    assert await refused(transport.bounds("kept", 0)) is Code.BROKER_AWAY

    own_kafka.restart()
    await until_it_answers(transport, b"after")
    records = await transport.read("kept", 0, 0, 5)

    assert [record.value for record in records] == [b"before", b"after"]
    await transport.close()


async def test_what_was_given_up_before_it_had_a_leader_is_nobodys_complaint(kafka: str, topic_prefix: str) -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    await make_topic(kafka, topic_prefix)
    transport = transport_of(kafka, deadline_s=PATIENCE_S)
    await transport.submit(topic_prefix, [Submission(0, None, b"before")])
    producer: Any = transport._writer._client
    # As a broker says it that has just come back.
    producer.client.cluster.leader_for_partition = lambda _: None

    assert await refused(transport.submit(topic_prefix, [Submission(0, None, b"given up")])) is Code.BROKER_AWAY

    await transport.close()
    del producer, transport
    gc.collect()

    assert complaints == []


async def test_a_broker_that_sleeps_is_away_until_it_wakes(own_kafka: KafkaNode) -> None:
    await make_topic(own_kafka.bootstrap, "kept")
    transport = transport_of(own_kafka.bootstrap, deadline_s=PATIENCE_S)
    await transport.submit("kept", [Submission(0, None, b"before")])
    waiting = asyncio.create_task(transport.read("kept", 0, 1, 60))
    await transport.bounds("kept", 0)
    own_kafka.pause()

    assert await refused(waiting) is Code.BROKER_AWAY
    assert await refused(transport.submit("kept", [Submission(0, None, b"perhaps")])) is Code.BROKER_AWAY
    newcomer = transport_of(own_kafka.bootstrap, deadline_s=PATIENCE_S)

    assert await refused(newcomer.partitions("kept")) is Code.BROKER_AWAY

    own_kafka.resume()
    await until_it_answers(transport, b"after")
    values = [record.value for record in await transport.read("kept", 0, 0, 5)]

    # What lay in the socket of the sleeping broker may have been written, once.
    assert values in ([b"before", b"after"], [b"before", b"perhaps", b"after"])
    await asyncio.gather(transport.close(), newcomer.close())


async def test_what_was_sent_compressed_is_read_and_a_bomb_is_refused(kafka: str, topic_prefix: str) -> None:
    rig = KafkaRig(kafka, topic_prefix)
    spec = next(spec for spec in topic_specs(1, ["ward-a"]) if spec.name == inbox("ward-a"))
    topic = f"{topic_prefix}.inbox"
    await rig.create(replace(spec, name=topic))
    transport = transport_of(kafka)
    async with AIOKafkaProducer(
        **operator_of(kafka).connection, compression_type="gzip", max_request_size=1 << 26, max_batch_size=1 << 26
    ) as stranger:
        await stranger.send_and_wait(topic, b"x" * 10_000, partition=0)
        with pytest.raises(MessageSizeTooLargeError):
            await stranger.send_and_wait(topic, b"x" * 20_000_000, partition=0)
    await transport.submit(topic, [Submission(0, None, b"after")])

    assert [record.value for record in await transport.read(topic, 0, 0, 5)] == [b"x" * 10_000, b"after"]
    await transport.close()


async def test_a_topic_that_stores_what_is_compressed_is_not_read(kafka: str, topic_prefix: str) -> None:
    rig = KafkaRig(kafka, topic_prefix)
    await rig.create(TopicSpec(name=topic_prefix, partitions=1))
    transport = transport_of(kafka)
    async with AIOKafkaProducer(**operator_of(kafka).connection, compression_type="gzip") as stranger:
        await stranger.send_and_wait(topic_prefix, b"x" * 10_000, partition=0)
    with pytest.raises(Fatal) as refusal:
        await transport.read(topic_prefix, 0, 0, 5)

    assert refusal.value.code is Code.TOPIC_MISCONFIGURED
    await transport.close()


async def test_a_port_that_is_not_kafkas_is_a_broker_that_is_away() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        transport = transport_of(f"127.0.0.1:{port}", deadline_s=PATIENCE_S)

        assert await refused(transport.partitions("kept")) is Code.BROKER_AWAY
        assert await refused(transport.submit("kept", [Submission(0, None, b"")])) is Code.BROKER_AWAY
        await transport.close()

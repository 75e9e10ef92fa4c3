"""The SDK's transport against a broker that dies, sleeps, or is something else; what one suite for all cannot show."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from kafka_node import KafkaNode
from referral_bus import Code, LocalError
from referral_bus._kafka import KafkaTransport
from tests.kafka.records import make_topic

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
            await transport.submit("kept", 0, None, value, [])
        except LocalError as error:
            assert error.code is Code.BROKER_AWAY
            await asyncio.sleep(0.1)
        else:
            return
    pytest.fail("the broker is back and was not found")


async def test_what_was_given_up_is_not_sent_behind_our_back(own_kafka: KafkaNode) -> None:
    await make_topic(own_kafka.bootstrap, "kept")
    transport = KafkaTransport(own_kafka.bootstrap, deadline_s=PATIENCE_S)
    await transport.submit("kept", 0, None, b"before", [])
    own_kafka.kill()

    assert await refused(transport.submit("kept", 0, None, b"given up", [])) is Code.BROKER_AWAY
    assert await refused(transport.read("kept", 0, 0, 0)) is Code.BROKER_AWAY
    assert await refused(transport.bounds("kept", 0)) is Code.BROKER_AWAY

    own_kafka.restart()
    await until_it_answers(transport, b"after")
    records = await transport.read("kept", 0, 0, 5)

    assert [record.value for record in records] == [b"before", b"after"]
    await transport.close()


async def test_a_broker_that_sleeps_is_away_until_it_wakes(own_kafka: KafkaNode) -> None:
    await make_topic(own_kafka.bootstrap, "kept")
    transport = KafkaTransport(own_kafka.bootstrap, deadline_s=PATIENCE_S)
    await transport.submit("kept", 0, None, b"before", [])
    waiting = asyncio.create_task(transport.read("kept", 0, 1, 60))
    await transport.bounds("kept", 0)
    own_kafka.pause()

    assert await refused(waiting) is Code.BROKER_AWAY
    assert await refused(transport.submit("kept", 0, None, b"perhaps", [])) is Code.BROKER_AWAY
    newcomer = KafkaTransport(own_kafka.bootstrap, deadline_s=PATIENCE_S)

    assert await refused(newcomer.partitions("kept")) is Code.BROKER_AWAY

    own_kafka.resume()
    await until_it_answers(transport, b"after")
    values = [record.value for record in await transport.read("kept", 0, 0, 5)]

    # What lay in the socket of the sleeping broker may have been written, once.
    assert values in ([b"before", b"after"], [b"before", b"perhaps", b"after"])
    await asyncio.gather(transport.close(), newcomer.close())


async def test_a_port_that_is_not_kafkas_is_a_broker_that_is_away() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        transport = KafkaTransport(f"127.0.0.1:{port}", deadline_s=PATIENCE_S)

        assert await refused(transport.partitions("kept")) is Code.BROKER_AWAY
        assert await refused(transport.submit("kept", 0, None, b"", [])) is Code.BROKER_AWAY
        await transport.close()

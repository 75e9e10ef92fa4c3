import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from aiokafka.protocol.fetch import FetchResponse_v10

from service_chassis.client import Client
from service_chassis.fold import Limits
from service_chassis.reader import PartitionReader
from tests.services.service_chassis.spoken_to import broker, correlation, framed

pytestmark = pytest.mark.asyncio

QUIET, BUSY = TopicPartition("t", 0), TopicPartition("t", 1)
_ONE_OF = b"\x00\x00\x00\x01\x00\x01t\x00\x00\x00\x01"
"""One topic, `t`, and one partition of it, whose number comes next."""


@asynccontextmanager
async def client_of(port: int) -> AsyncIterator[Client]:
    """Give a client that knows of one broker, which leads everything."""
    client = Client(bootstrap_servers=f"127.0.0.1:{port}", client_id="tests")
    client.cluster = SimpleNamespace(
        unauthorized_topics=frozenset(),
        leader_for_partition=lambda tp: 0,
        broker_metadata=lambda node: SimpleNamespace(host="127.0.0.1", port=port),
        topics=lambda: {"t"},
    )
    client.add_topic = lambda topic: None
    try:
        yield client
    finally:
        for wire in client._wires.values():
            wire.close()


async def test_what_is_read_of_one_partition_does_not_wait_for_another() -> None:
    found = FetchResponse_v10(0, 0, 0, [("t", [(1, 0, 7, 7, 0, None, b"")])]).encode()
    over = asyncio.Event()

    async def hold(request: bytes) -> None:
        # Of the quiet one there is nothing yet.
        if _ONE_OF + struct.pack(">i", QUIET.partition) in request:
            await over.wait()

    async with (
        broker(lambda request: [framed(correlation(request) + found)], hold) as (_, port),
        client_of(port) as client,
    ):
        quiet, busy = (PartitionReader(client, tp, Limits(), committed=True) for tp in (QUIET, BUSY))
        held = asyncio.create_task(quiet.fetch(7, wait_ms=100))
        await asyncio.sleep(0.05)

        chunk = await asyncio.wait_for(busy.fetch(7, wait_ms=100), 5)

        assert (chunk.high_watermark, held.done()) == (7, False)
        over.set()
        assert (await asyncio.wait_for(held, 5)).high_watermark == 7


async def test_what_is_asked_of_a_broker_goes_over_the_same_connections_again() -> None:
    async with broker(lambda _: []) as (_, port), client_of(port) as client:
        wires = [await client.wire(0), await client.wire(0, QUIET), await client.wire(0, BUSY)]

        assert len(set(wires)) == 3
        assert [await client.wire(0), await client.wire(0, QUIET), await client.wire(0, BUSY)] == wires
        wires[1].close()
        assert await client.wire(0, QUIET) is not wires[1]
        assert await client.wire(0, BUSY) is wires[2]

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.protocol.fetch import FetchResponse_v10

from service_chassis.fold import Limits
from service_chassis.reader import PartitionReader
from service_chassis.wire import Wire
from tests.services.service_chassis.spoken_to import broker, correlation, framed

pytestmark = pytest.mark.asyncio

TOPIC = TopicPartition("t", 0)
EMPTY = FetchResponse_v10(0, 0, 0, [("t", [(0, 0, 7, 7, 0, None, b"")])]).encode()


class FakeClient:
    """A client of one broker that leads everything."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cluster = SimpleNamespace(leader_for_partition=lambda tp: 0, unauthorized_topics=frozenset())
        self.opened: list[Wire] = []

    async def wire(self, node: int, tp: TopicPartition) -> Wire:
        assert (node, tp) == (0, TOPIC)
        if not self.opened or self.opened[-1].closed:
            self.opened.append(await Wire.open("127.0.0.1", self.port, client_id="tests", ssl_context=None))
        return self.opened[-1]

    def add_topic(self, topic: str) -> None:
        assert topic == TOPIC.topic

    async def force_metadata_update(self) -> None: ...


async def test_a_connection_on_which_nothing_comes_is_given_up() -> None:
    heard = 0

    def answer(request: bytes) -> list[bytes]:
        nonlocal heard
        heard += 1
        # The first connection is silent for good, as one is that a firewall has forgotten.
        return [] if heard == 1 else [framed(correlation(request) + EMPTY)]

    async with broker(answer) as (_, port):
        client: Any = FakeClient(port)
        reader = PartitionReader(client, TOPIC, replace(Limits(), request_timeout_ms=50), committed=True)

        chunk = await asyncio.wait_for(reader.fetch(7, wait_ms=1), 10)

        assert (chunk.next_offset, chunk.high_watermark) == (7, 7)
        assert [wire.closed for wire in client.opened] == [True, False]
        for wire in client.opened:
            wire.close()
    assert heard == 2

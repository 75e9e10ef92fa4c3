"""One suite for every transport: what the SDK may rely on, in memory as on Kafka."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import pytest

from referral_bus import Code, LocalError, Transport
from referral_bus.transport import Submission
from referral_contracts.records import LOG_APPEND_TIME, Write
from referral_contracts.topics import TopicSpec
from tests.sdk.rigs import KafkaRig, MemoryRig, Rig

pytestmark = pytest.mark.asyncio

STAMPED = {"message.timestamp.type": "LogAppendTime"}
SOON_S = 30.0
"""How long to wait for what is on its way; nothing waits that long unless it is broken."""


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.kafka)])
def rig(request: pytest.FixtureRequest, topic_prefix: str) -> Iterator[Rig]:
    if request.param == "memory":
        yield MemoryRig(topic_prefix)
    else:
        yield KafkaRig(request.getfixturevalue("kafka"), topic_prefix)


async def topic_of(rig: Rig, partitions: int = 1, most_bytes: int = 1_000_000) -> str:
    name = f"{rig.prefix}.topic"
    await rig.create(
        TopicSpec(name=name, partitions=partitions, config={**STAMPED, "max.message.bytes": str(most_bytes)})
    )
    return name


async def values(transport: Transport, topic: str, offset: int = 0, count: int = 1) -> Sequence[bytes | None]:
    """Return at least *count* values from *offset* on, as far as they come in time."""
    found: list[bytes | None] = []
    while len(found) < count:
        records = await transport.read(topic, 0, offset, SOON_S)
        if not records:
            break
        found += [record.value for record in records]
        offset = records[-1].offset + 1
    return found


async def refused(asked: Awaitable[Any]) -> Code:
    with pytest.raises(LocalError) as refusal:
        await asked
    return refusal.value.code


async def test_a_record_comes_back_as_it_was_sent(rig: Rig) -> None:
    topic, transport = await topic_of(rig, partitions=3), rig.transport()
    await transport.submit(topic, [Submission(2, b"key", b"value", [("signature", b"s"), ("empty", b"")])])
    (record,) = await transport.read(topic, 2, 0, SOON_S)

    assert (record.partition, record.offset) == (2, 0)
    assert (record.key, record.value) == (b"key", b"value")
    assert record.headers == (("signature", b"s"), ("empty", b""))
    assert record.stamp_type == LOG_APPEND_TIME
    assert record.stamp_ms > 1_700_000_000_000
    assert record.fault is None
    await transport.close()


async def test_what_one_coroutine_submits_keeps_its_order_and_is_read_from_any_offset(rig: Rig) -> None:
    topic, transport = await topic_of(rig), rig.transport()
    for number in range(5):
        await transport.submit(topic, [Submission(0, None, b"%d" % number)])

    assert await values(transport, topic, count=5) == [b"0", b"1", b"2", b"3", b"4"]
    assert await values(transport, topic, 3, count=2) == [b"3", b"4"]
    assert await transport.bounds(topic, 0) == (0, 5)
    await transport.close()


async def test_an_empty_read_is_empty_and_needs_no_waiting(rig: Rig) -> None:
    topic, transport = await topic_of(rig), rig.transport()

    assert list(await transport.read(topic, 0, 0, 0)) == []
    assert await transport.bounds(topic, 0) == (0, 0)
    await transport.close()


async def test_a_read_that_waits_gets_what_comes_in_meanwhile(rig: Rig) -> None:
    topic, reader, writer = await topic_of(rig), rig.transport(), rig.transport()
    waiting = asyncio.create_task(reader.read(topic, 0, 0, SOON_S))
    # Long enough ago to have been asked: the answer must be a new one either way.
    await reader.bounds(topic, 0)
    await writer.submit(topic, [Submission(0, None, b"late")])

    assert [record.value for record in await waiting] == [b"late"]
    await reader.close()
    await writer.close()


async def test_a_wait_that_is_cancelled_leaves_the_transport_usable(rig: Rig) -> None:
    topic, transport = await topic_of(rig), rig.transport()
    waiting = asyncio.create_task(transport.read(topic, 0, 0, SOON_S))
    await transport.bounds(topic, 0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await transport.submit(topic, [Submission(0, None, b"after")])

    assert await values(transport, topic) == [b"after"]
    await transport.close()


async def test_a_transaction_is_seen_whole_with_its_gap_and_an_aborted_one_never(rig: Rig) -> None:
    topic, transport = await topic_of(rig), rig.transport()
    await rig.abort([Write(topic, 0, None, b"aborted")])
    await rig.transact([Write(topic, 0, None, b"first"), Write(topic, 0, b"key", b"second")])
    start, end = await transport.bounds(topic, 0)
    records = await transport.read(topic, 0, start, SOON_S)

    assert [record.value for record in records] == [b"first", b"second"]
    # Its end takes an offset too, and nothing comes from there.
    assert end == records[-1].offset + 2
    assert list(await transport.read(topic, 0, records[-1].offset + 1, 0)) == []

    await transport.submit(topic, [Submission(0, None, b"third")])

    assert await values(transport, topic, records[-1].offset + 1) == [b"third"]
    await transport.close()


async def test_how_many_partitions_a_topic_has(rig: Rig) -> None:
    topic, transport = await topic_of(rig, partitions=3), rig.transport()

    assert await transport.partitions(topic) == 3
    await transport.close()


@pytest.mark.parametrize(
    "ask",
    [
        lambda transport, topic, partition: transport.submit(topic, [Submission(partition, None, b"")]),
        lambda transport, topic, partition: transport.read(topic, partition, 0, SOON_S),
        lambda transport, topic, partition: transport.bounds(topic, partition),
    ],
    ids=["submit", "read", "bounds"],
)
async def test_a_topic_or_partition_that_is_not_there_is_said_at_once(
    rig: Rig, ask: Callable[[Transport, str, int], Awaitable[Any]]
) -> None:
    topic, transport = await topic_of(rig), rig.transport()

    assert await refused(ask(transport, f"{topic}.missing", 0)) is Code.TOPIC_MISSING
    assert await refused(ask(transport, topic, 1)) is Code.TOPIC_MISSING
    assert await refused(transport.partitions(f"{topic}.missing")) is Code.TOPIC_MISSING

    await transport.submit(topic, [Submission(0, None, b"goes on")])

    assert await values(transport, topic) == [b"goes on"]
    await transport.close()


async def test_an_offset_that_the_topic_does_not_hold_is_a_lost_position(rig: Rig) -> None:
    topic, transport = await topic_of(rig), rig.transport()
    for number in range(3):
        await transport.submit(topic, [Submission(0, None, b"%d" % number)])
    await rig.trim(topic, 0, before=2)

    assert await transport.bounds(topic, 0) == (2, 3)
    assert await refused(transport.read(topic, 0, 1, SOON_S)) is Code.POSITION_LOST
    assert await refused(transport.read(topic, 0, 4, SOON_S)) is Code.POSITION_LOST
    assert await values(transport, topic, 2) == [b"2"]
    await transport.close()


async def test_a_record_over_the_limit_is_refused_and_the_next_one_is_taken(rig: Rig) -> None:
    topic, transport = await topic_of(rig, most_bytes=2_000), rig.transport()

    assert await refused(transport.submit(topic, [Submission(0, None, b"x" * 2_000)])) is Code.OVERSIZE

    await transport.submit(topic, [Submission(0, None, b"x" * 1_000)])

    assert await values(transport, topic) == [b"x" * 1_000]
    await transport.close()


async def test_a_record_that_cannot_be_decoded_is_marked_and_its_neighbours_are_whole(rig: Rig) -> None:
    topic, transport = await topic_of(rig), rig.transport()
    await rig.spoil(topic, 0)
    records = await transport.read(topic, 0, 0, SOON_S)

    assert [record.value for record in records] == [b"good before", b"bad", b"good after"]
    assert [record.fault for record in records] == [None, Code.MALFORMED_RECORD, None]
    assert [record.offset for record in records] == [0, 1, 2]
    await transport.close()


async def test_whoever_cannot_be_reached_is_away_whatever_is_asked(rig: Rig) -> None:
    topic, transport = await topic_of(rig), rig.astray()

    assert await refused(transport.submit(topic, [Submission(0, None, b"")])) is Code.BROKER_AWAY
    assert await refused(transport.read(topic, 0, 0, SOON_S)) is Code.BROKER_AWAY
    assert await refused(transport.bounds(topic, 0)) is Code.BROKER_AWAY
    assert await refused(transport.partitions(topic)) is Code.BROKER_AWAY
    await transport.close()

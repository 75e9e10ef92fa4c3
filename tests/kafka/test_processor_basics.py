import asyncio
from dataclasses import replace

import pytest

from kafka_node import KafkaNode
from referral_contracts.codes import Code
from service_chassis.health import Trouble
from tests.kafka.audit import audit, make_topics, submit
from tests.kafka.counting import Topics
from tests.kafka.running import QUICK, running

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio]


async def test_every_input_has_one_output_and_the_state_is_a_replay(kafka: str, topic_prefix: str) -> None:
    topics = Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 2)
    await submit(kafka, topics, 2_000, partitions=2)

    async with running(kafka, topics) as processor:
        await processor.reach({0: 1_000, 1: 1_000})

        assert processor.troubles() == []

    assert len(await audit(kafka, topics)) == 2_000


async def test_a_restart_goes_on_where_the_state_topic_says(kafka: str, topic_prefix: str) -> None:
    topics = Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 1)
    for total in (300, 600, 900):
        await submit(kafka, topics, 300, partitions=1)
        async with running(kafka, topics) as processor:
            await processor.reach({0: total})

    assert len(await audit(kafka, topics)) == 900


async def test_a_restore_may_take_longer_than_the_session(kafka: str, topic_prefix: str) -> None:
    topics = Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 1)
    await submit(kafka, topics, 1_000, partitions=1, keys=400)
    limits = replace(QUICK, session_timeout_ms=1_000, batch_records=10, fetch_bytes=5_000)
    async with running(kafka, topics, limits=limits) as processor:
        await processor.reach({0: 1_000})
    await submit(kafka, topics, 100, partitions=1, keys=400)

    # 1,100 records of state at 2 ms each.
    async with running(kafka, topics, limits=limits, source=topics.source(restore_s=0.002)) as processor:
        await processor.reach({0: 1_100})

        assert processor.told("partition-open") == 1
    assert len(await audit(kafka, topics)) == 1_100


async def test_a_partition_that_comes_back_soon_reads_only_the_tail_of_its_state(kafka: str, topic_prefix: str) -> None:
    topics = Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 1)
    await submit(kafka, topics, 1_000, partitions=1, keys=400)

    async with running(kafka, topics) as processor:
        await processor.reach({0: 1_000})
        (lane,) = processor.processor._lanes.values()
        fold = lane._fold
        # The group changes: everything is taken away and given back.
        async with running(kafka, topics) as guest:
            await guest.until(lambda: guest.processor._membership.met)
            await submit(kafka, topics, 100, partitions=1, keys=400)
        await processor.reach({0: 1_100})

        assert lane._fold is fold
    assert len(await audit(kafka, topics)) == 1_100


@pytest.mark.parametrize("kill", [False, True], ids=["in order", "as by a power cut"])
async def test_a_broker_is_restarted_under_a_working_processor(
    own_kafka: KafkaNode, topic_prefix: str, kill: bool
) -> None:
    kafka, topics = own_kafka.bootstrap, Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 2)
    await submit(kafka, topics, 1_200, partitions=2)

    async with running(kafka, topics, limits=replace(QUICK, batch_records=5)) as processor:
        await processor.until(lambda: sum(processor.positions().values()) > 200)
        if kill:
            await asyncio.to_thread(own_kafka.kill)
        await asyncio.to_thread(own_kafka.restart)
        await processor.reach({0: 600, 1: 600})
        await submit(kafka, topics, 100, partitions=2)
        await processor.reach({0: 650, 1: 650})
        await processor.until(lambda: not processor.troubles())
    assert len(await audit(kafka, topics)) == 1_300


async def test_a_processor_waits_for_a_broker_that_is_not_there_yet(own_kafka: KafkaNode, topic_prefix: str) -> None:
    kafka, topics = own_kafka.bootstrap, Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 1)
    await submit(kafka, topics, 10, partitions=1)
    own_kafka.stop()

    async with running(kafka, topics, limits=replace(QUICK, first_contact_s=0.5)) as processor:
        await processor.until(lambda: Trouble("group", Code.BROKER_AWAY) in processor.troubles())
        await processor.until(lambda: Trouble("group", Code.BROKER_AWAY, fatal=True) in processor.troubles())
        await asyncio.to_thread(own_kafka.restart)
        await processor.reach({0: 10})

        assert processor.troubles() == []

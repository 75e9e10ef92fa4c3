import pytest

from tests.kafka.audit import audit, make_topics, submit
from tests.kafka.counting import Topics
from tests.kafka.running import running

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

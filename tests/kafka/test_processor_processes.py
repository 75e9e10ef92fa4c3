import contextlib
import random
import signal

import pytest

from tests.kafka.audit import audit, make_topics, submit, watching
from tests.kafka.counting import Topics
from tests.kafka.worker import at_work, worker

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio]


async def test_workers_are_killed_at_random_moments(kafka: str, topic_prefix: str) -> None:
    topics = Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 4)
    await submit(kafka, topics, 4_000, partitions=4)

    async with watching(kafka, topics) as watch:
        with contextlib.ExitStack() as stack:
            stack.enter_context(worker(kafka, topics))
            for _ in range(4):
                victim = stack.enter_context(worker(kafka, topics))
                await watch.reach(min(4_000, watch.seen + random.randint(50, 700)))
                victim.kill()
            await watch.reach(4_000)

    assert len(await audit(kafka, topics)) == 4_000


async def test_workers_come_and_go_in_order(kafka: str, topic_prefix: str) -> None:
    topics = Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 4)
    await submit(kafka, topics, 4_000, partitions=4)

    async with watching(kafka, topics) as watch:
        with contextlib.ExitStack() as stack:
            stack.enter_context(worker(kafka, topics))
            for _ in range(5):
                guest = stack.enter_context(worker(kafka, topics))
                await at_work(guest)
                await watch.reach(min(4_000, watch.seen + random.randint(1, 300)))
                guest.send_signal(signal.SIGTERM)

                assert guest.wait(10) == 0
            await watch.reach(4_000)

    assert len(await audit(kafka, topics)) == 4_000


async def test_a_worker_is_frozen_past_its_session_and_comes_back(kafka: str, topic_prefix: str) -> None:
    topics = Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 2)
    await submit(kafka, topics, 2_000, partitions=2)

    async with watching(kafka, topics) as watch:
        with worker(kafka, topics) as frozen:
            await watch.reach(random.randint(50, 800))
            frozen.send_signal(signal.SIGSTOP)
            with worker(kafka, topics):
                await watch.reach(2_000)
                frozen.send_signal(signal.SIGCONT)
                await submit(kafka, topics, 1_000, partitions=2)
                await watch.reach(3_000)
            await submit(kafka, topics, 1_000, partitions=2)
            await watch.reach(4_000)

    assert len(await audit(kafka, topics)) == 4_000

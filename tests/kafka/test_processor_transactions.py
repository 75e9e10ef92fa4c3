import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from aiokafka import errors as kafka_errors

from tests.kafka.audit import audit, make_topics, submit
from tests.kafka.counting import Topics
from tests.kafka.running import QUICK, running
from tests.kafka.sabotage import ALL_ACTS, Saboteur

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio]

SMALL = replace(QUICK, batch_records=5, transaction_s=1.0)


def raises(error: Exception) -> Callable[[], "asyncio.Future[None]"]:
    def fail() -> "asyncio.Future[None]":
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.set_exception(error)
        return future

    return fail


def never_returns() -> "asyncio.Future[None]":
    return asyncio.get_running_loop().create_future()


@pytest.mark.parametrize(
    "fail",
    [
        pytest.param(raises(kafka_errors.KafkaConnectionError()), id="a lost connection"),
        pytest.param(raises(kafka_errors.ProducerFenced()), id="fenced"),
        pytest.param(raises(RuntimeError()), id="an error nobody thought of"),
        pytest.param(never_returns, id="silence"),
    ],
)
async def test_a_transaction_fails_at_each_of_its_steps_before_and_after_it_took_effect(
    kafka: str, topic_prefix: str, fail: Callable[[], "asyncio.Future[None]"]
) -> None:
    topics = Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 1)
    await submit(kafka, topics, 150, partitions=1)
    saboteur = Saboteur.of(kafka, SMALL, fail, ALL_ACTS)

    async with running(kafka, topics, limits=SMALL, producers=saboteur) as processor:
        await processor.reach({0: 150})

        assert processor.troubles() == []
    assert saboteur.acts == []
    assert len(await audit(kafka, topics)) == 150

"""The same audit after minutes of everything at once. `make test-long`."""

import asyncio
import contextlib
import random
import signal
import subprocess
import time
from dataclasses import dataclass, field

import pytest
from aiokafka import errors as kafka_errors

from kafka_node import KafkaNode
from tests.kafka.audit import audit, make_topics, submit, watching
from tests.kafka.counting import Topics
from tests.kafka.running import QUICK, running
from tests.kafka.sabotage import ALL_ACTS, Saboteur
from tests.kafka.worker import worker

pytestmark = [pytest.mark.kafka, pytest.mark.long, pytest.mark.asyncio]

PARTITIONS = 4
MINUTES = 3


@dataclass
class Crew:
    """Workers that come, go, die and freeze."""

    kafka: str
    topics: Topics
    stack: contextlib.ExitStack
    awake: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    frozen: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def hire(self) -> None:
        self.awake.append(self.stack.enter_context(worker(self.kafka, self.topics, batch=random.choice([3, 20, 200]))))

    def something_happens(self) -> None:
        """Do one thing to one worker; never leave nobody."""
        act = random.choice(["kill", "end", "freeze", "wake", "hire"])
        if act == "wake" and self.frozen:
            back = self.frozen.pop()
            back.send_signal(signal.SIGCONT)
            self.awake.append(back)
        elif act in {"kill", "end", "freeze"} and len(self.awake) > 1:
            one = self.awake.pop(random.randrange(len(self.awake)))
            one.send_signal({"kill": signal.SIGKILL, "end": signal.SIGTERM, "freeze": signal.SIGSTOP}[act])
            if act == "freeze":
                self.frozen.append(one)
        elif len(self.awake) + len(self.frozen) < 4:
            self.hire()


async def test_workers_are_killed_ended_and_frozen_for_minutes(kafka: str, topic_prefix: str) -> None:
    topics, total = Topics(prefix=topic_prefix), 0
    await make_topics(kafka, topics, PARTITIONS)
    until = time.monotonic() + MINUTES * 60

    async with watching(kafka, topics) as watch:
        with contextlib.ExitStack() as stack:
            crew = Crew(kafka, topics, stack)
            crew.hire()
            while time.monotonic() < until:
                await submit(kafka, topics, 400, partitions=PARTITIONS, keys=200)
                total += 400
                crew.something_happens()
                # At whatever moment this is, the next thing happens.
                with contextlib.suppress(TimeoutError):
                    await watch.reach(total - random.randint(0, 400), timeout_s=random.uniform(0.2, 4.0))
            while crew.frozen:
                crew.frozen.pop().send_signal(signal.SIGCONT)
            await watch.reach(total, timeout_s=120)

    assert len(await audit(kafka, topics)) == total


async def test_a_broker_is_restarted_again_and_again(own_kafka: KafkaNode, topic_prefix: str) -> None:
    kafka, topics, total = own_kafka.bootstrap, Topics(prefix=topic_prefix), 0
    await make_topics(kafka, topics, PARTITIONS)
    until = time.monotonic() + MINUTES * 60

    async with running(kafka, topics) as processor:
        while time.monotonic() < until:
            await submit(kafka, topics, 400, partitions=PARTITIONS)
            total += 400
            if random.random() < 0.5:
                await asyncio.to_thread(own_kafka.kill)
            await asyncio.to_thread(own_kafka.restart)
            goal = dict.fromkeys(range(PARTITIONS), total // PARTITIONS)
            if random.random() < 0.5:
                await processor.reach(goal, timeout_s=90)
        await processor.reach(goal, timeout_s=90)

    assert len(await audit(kafka, topics)) == total


async def test_every_kind_of_failure_of_a_transaction_for_minutes(kafka: str, topic_prefix: str) -> None:
    topics, total = Topics(prefix=topic_prefix), 0
    await make_topics(kafka, topics, PARTITIONS)
    until = time.monotonic() + MINUTES * 60

    def fail() -> "asyncio.Future[None]":
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        how = random.choice([kafka_errors.KafkaConnectionError(), kafka_errors.ProducerFenced(), None])
        if how is not None:
            future.set_exception(how)
        return future

    saboteur = Saboteur.of(kafka, QUICK, fail, ())
    async with running(kafka, topics, producers=saboteur) as processor:
        while time.monotonic() < until:
            saboteur.acts += random.sample(ALL_ACTS, len(ALL_ACTS))
            await submit(kafka, topics, 2_000, partitions=PARTITIONS)
            total += 2_000
            await processor.reach(dict.fromkeys(range(PARTITIONS), total // PARTITIONS), timeout_s=120)

    assert len(await audit(kafka, topics)) == total

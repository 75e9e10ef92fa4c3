"""
A producer that fails where a test wants it to: before a call took effect, or after it did and the answer was lost.

The processor is given it in place of aiokafka's own and cannot know.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from service_chassis.fold import Limits
from service_chassis.kafka import Batch, Kafka, Producer


@dataclass(frozen=True, slots=True)
class Act:
    """One failure: of a call, before or after its effect."""

    call: str
    after: bool


CALLS = ("start", "begin_transaction", "send_batch", "commit_transaction")
ALL_ACTS = tuple(Act(call, after) for call in CALLS for after in (False, True))


@dataclass(slots=True)
class Saboteur:
    """Makes producers that fail once for each act, in turn, with good transactions in between."""

    kafka: Kafka
    limits: Limits
    fail: Callable[[], "asyncio.Future[None]"]
    """What a failing call does: raise, or never return."""
    acts: list[Act] = field(default_factory=list)
    good: int = 0
    """Transactions since the last failure."""

    @classmethod
    def of(
        cls, bootstrap: str, limits: Limits, fail: Callable[[], "asyncio.Future[None]"], acts: Iterable[Act]
    ) -> "Saboteur":
        return cls(Kafka(bootstrap=bootstrap), limits, fail, list(acts))

    def __call__(self, transactional_id: str) -> Producer:
        return SabotagedProducer(self.kafka.producer(transactional_id, self.limits), self)

    async def around(self, call: str, after: bool) -> None:
        """Fail if it is this call's turn: at every second transaction, and at each start until those acts are over."""
        due = self.acts and self.acts[0] == Act(call, after) and (call == "start" or self.good % 2 == 1)
        if due:
            self.acts.pop(0)
            self.good = 0
            await self.fail()


class SabotagedProducer:
    """aiokafka's producer with a saboteur at every call."""

    def __init__(self, producer: Producer, saboteur: Saboteur) -> None:
        self._producer = producer
        self._saboteur = saboteur
        self.client: Any = producer.client

    async def start(self) -> None:
        await self._saboteur.around("start", after=False)
        await self._producer.start()
        await self._saboteur.around("start", after=True)

    async def stop(self) -> None:
        await self._producer.stop()

    async def begin_transaction(self) -> None:
        await self._saboteur.around("begin_transaction", after=False)
        await self._producer.begin_transaction()
        await self._saboteur.around("begin_transaction", after=True)

    def create_batch(self) -> Batch:
        return self._producer.create_batch()

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> "asyncio.Future[Any]":
        await self._saboteur.around("send_batch", after=False)
        future = await self._producer.send_batch(batch, topic, partition=partition)
        if Act("send_batch", after=True) in self._saboteur.acts[:1]:
            await future
        await self._saboteur.around("send_batch", after=True)
        return future

    async def commit_transaction(self) -> None:
        await self._saboteur.around("commit_transaction", after=False)
        await self._producer.commit_transaction()
        await self._saboteur.around("commit_transaction", after=True)
        self._saboteur.good += 1

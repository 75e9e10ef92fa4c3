"""
A producer that fails where a test wants it to: before a call took effect, or after it did and the answer was lost.

The processor is given it in place of the service's own and cannot know.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reaching import operator_of
from service_chassis.batches import Batch
from service_chassis.fold import Limits
from service_chassis.kafka import Kafka
from service_chassis.producer import Producer, Target


@dataclass(frozen=True, slots=True)
class Act:
    """One failure: of a call, before or after its effect."""

    call: str
    after: bool


CALLS = ("start", "begin", "produce", "commit")
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
        return cls(operator_of(bootstrap), limits, fail, list(acts))

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
    """A producer with a saboteur at every call."""

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

    async def begin(self, targets: Iterable[Target]) -> None:
        await self._saboteur.around("begin", after=False)
        await self._producer.begin(targets)
        await self._saboteur.around("begin", after=True)

    async def produce(self, batches: Mapping[Target, Batch]) -> "Mapping[Target, int | BaseException]":
        await self._saboteur.around("produce", after=False)
        answers = await self._producer.produce(batches)
        await self._saboteur.around("produce", after=True)
        return answers

    async def commit(self) -> None:
        await self._saboteur.around("commit", after=False)
        await self._producer.commit()
        await self._saboteur.around("commit", after=True)
        self._saboteur.good += 1

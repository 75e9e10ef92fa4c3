"""What the processor hands to each of its lanes."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from aiokafka import TopicPartition

from service_chassis.fold import Limits
from service_chassis.kafka import Kafka
from service_chassis.logs import Log
from service_chassis.metrics import Metrics
from service_chassis.producer import Producer


class Ownership(Enum):
    """What the group says about a partition."""

    OURS = "ours"
    LOST = "lost"
    UNKNOWN = "unknown"
    """Nobody could be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """Everything a lane needs besides its partition."""

    service: str
    """The first part of every transactional id."""
    kafka: Kafka
    limits: Limits
    clock: Callable[[], int]
    metrics: Metrics
    log: Log
    producers: Callable[[str], Producer]
    """From a transactional id to a producer that has not been started."""
    confirm: Callable[[TopicPartition, int], Awaitable[Ownership]]
    """Whether the partition is still ours, by a commit of the offset that only the group's current member may make."""
    chores: set["asyncio.Task[None]"] = field(default_factory=set)

    def background(self, chore: Coroutine[Any, Any, None]) -> None:
        """Do *chore* beside everything else; the processor waits for it when it ends."""
        task = asyncio.create_task(chore)
        self.chores.add(task)
        task.add_done_callback(self.chores.discard)

"""
A backlog drained: how fast, and for how much processor time.

The input lies in the topic before the process starts, so nothing else runs meanwhile but the broker. The first tenth
is not counted, because the first touch of every topic is in it, and the last is not, so that as much is half done at
the end of what is counted as at its beginning.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from measure.broker import Cluster
from measure.contestants import Contestant
from measure.machine import cpu_s

_LOOK_S: Final = 0.03
_QUIET_S: Final = 0.4
"""Done when nothing was written for so long: a transaction takes a tenth of it."""
_STUCK_S: Final = 90.0
_SKIPPED: Final = 0.1


class Stuck(Exception):
    """Nothing moves."""


@dataclass(frozen=True, slots=True)
class _Look:
    at: float
    done: int
    cpu_s: float
    broker_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """What one drain came to."""

    events_s: float
    cpu_us: float
    """Processor time of the process, an event."""
    broker_us: float
    """Processor time of the broker, an event."""


async def drain(cluster: Cluster, contestant: Contestant, count: int) -> Drained:
    """Let *contestant* drain the *count* events that lie in the input topic."""
    topic, partitions = contestant.progress
    watched = [TopicPartition(topic, number) for number in range(partitions)]
    async with cluster.reader() as reader:
        before = sum((await reader.end_offsets(watched)).values())
        try:
            await contestant.start(cluster)
            looks = await _Watch(reader, watched, contestant, cluster.pid).until(before, count)
            contestant.check(count)
        finally:
            contestant.stop()
    return _drained(looks, count)


class _Watch:
    def __init__(
        self, reader: AIOKafkaConsumer, watched: Sequence[TopicPartition], contestant: Contestant, broker: int
    ) -> None:
        self._reader = reader
        self._watched = watched
        self._contestant = contestant
        self._broker = broker

    async def until(self, before: int, count: int) -> list[_Look]:
        """Look until *count* records and more have been written after *before*, and nothing follows."""
        looks: list[_Look] = []
        moved_at = time.monotonic()
        while True:
            done = sum((await self._reader.end_offsets(self._watched)).values()) - before
            now = time.monotonic()
            if not looks or done != looks[-1].done:
                moved_at = now
                looks.append(_Look(now, done, sum(map(cpu_s, self._contestant.pids)), cpu_s(self._broker)))
            elif done >= count and now - moved_at > _QUIET_S:
                return looks
            elif now - moved_at > _STUCK_S:
                raise Stuck(f"{self._contestant.name}: {done} of {count}, and no record for {_STUCK_S:.0f} s")
            await asyncio.sleep(_LOOK_S)


def _drained(looks: Sequence[_Look], count: int) -> Drained:
    whole = looks[-1].done
    first = next(look for look in looks if look.done >= _SKIPPED * whole)
    last = next(look for look in looks if look.done >= (1 - _SKIPPED) * whole)
    # A transaction's marker takes an offset of its own: progress is a share of all that was written.
    events = count * (last.done - first.done) / whole
    return Drained(
        events_s=events / (last.at - first.at),
        cpu_us=(last.cpu_s - first.cpu_s) / events * 1e6,
        broker_us=(last.broker_s - first.broker_s) / events * 1e6,
    )

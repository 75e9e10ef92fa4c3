"""
The exactly-once processor: input partitions to folds to transactions, one worker per partition.

This module is only who works on what: it starts a lane for each partition that the group gives us and ends it when
the group takes it away. How a lane is exactly once is in `lane`.
"""

import asyncio
from collections.abc import Callable, Sequence

from aiokafka import TopicPartition

from referral_contracts.codes import Code
from service_chassis.fold import Limits, Source
from service_chassis.health import Trouble
from service_chassis.kafka import Kafka
from service_chassis.kit import Kit
from service_chassis.lane import Lane, Phase
from service_chassis.logs import Log
from service_chassis.membership import Membership
from service_chassis.metrics import Metrics
from service_chassis.producer import Producer


class Processor:
    """Runs the folds of one service on Kafka."""

    def __init__(
        self,
        *,
        service: str,
        kafka: Kafka,
        sources: Sequence[Source],
        clock: Callable[[], int],
        metrics: Metrics,
        log: Log,
        limits: Limits | None = None,
        producers: Callable[[str], Producer] | None = None,
    ) -> None:
        """
        Wire the processor; nothing connects before `run`.

        Args:
            service: The consumer group, and the first part of every transactional id.
            clock: Now, in milliseconds since the epoch.
            producers: From a transactional id to a producer that has not been started; Kafka's own if not given.
        """
        limits = limits or Limits()
        self._limits = limits
        self._sources = {source.topic: source for source in sources}
        self._membership = Membership(kafka, service, tuple(self._sources), limits=limits, metrics=metrics, log=log)
        self._kit = Kit(
            service=service,
            kafka=kafka,
            limits=limits,
            clock=clock,
            metrics=metrics,
            log=log,
            producers=producers or (lambda name: kafka.producer(name, limits)),
            confirm=self._membership.confirm,
        )
        self._lanes: dict[TopicPartition, Lane] = {}
        self._tasks: dict[TopicPartition, asyncio.Task[None]] = {}
        self._epochs: dict[TopicPartition, int] = {}
        self._started_at: float | None = None

    async def run(self) -> None:
        """Process until cancelled; then let each transaction in flight end, leave the group and return."""
        self._started_at = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as whole:
            member = whole.create_task(self._membership.run())
            try:
                async with asyncio.TaskGroup() as work:
                    work.create_task(self._follow())
                    work.create_task(self._report())
            finally:
                # First the lanes, then the group: nobody else takes a partition before its transaction has ended.
                await self._close(set(self._tasks))
                member.cancel()
                # Here, not in the group's own end, which would cancel it a second time, in the middle of its goodbye.
                await asyncio.wait((member,))
                if self._kit.chores:
                    await asyncio.wait(self._kit.chores, timeout=self._limits.grace_s)

    def troubles(self) -> list[Trouble]:
        """Say what is wrong, partition by partition; nothing when all is well."""
        now_ms = self._kit.clock()
        owned = self._membership.owned
        found = [trouble for lane in self._lanes.values() if lane.tp in owned and (trouble := lane.trouble(now_ms))]
        if not self._membership.met:
            waited = asyncio.get_running_loop().time() - (self._started_at or 0.0)
            never = self._started_at is not None and waited > self._limits.first_contact_s
            found.append(Trouble("group", Code.BROKER_AWAY, fatal=never))
        elif len(owned) > len([tp for tp in owned if tp in self._lanes]) or not owned:
            found.append(Trouble("group", "no-assignment"))
        return found

    def behind_ms(self) -> int:
        """Return how long the oldest input that is here has waited."""
        now_ms, owned = self._kit.clock(), self._membership.owned
        return max((lane.behind_ms(now_ms) for lane in self._lanes.values() if lane.tp in owned), default=0)

    async def _follow(self) -> None:
        """Have exactly the lanes that the group wants."""
        while True:
            await self._membership.changed.wait()
            self._membership.changed.clear()
            epoch, owned = self._membership.epoch, self._membership.owned
            # Also what was taken and given back: somebody else may have had it in between.
            await self._close({tp for tp in self._tasks if tp not in owned or self._epochs[tp] != epoch})
            if self._membership.epoch != epoch:
                continue
            for tp in owned:
                lane = self._lanes.get(tp)
                if lane is None:
                    lane = self._lanes[tp] = Lane(tp, self._sources[tp.topic], self._kit)
                self._epochs[tp] = epoch
                self._tasks[tp] = lane.start()

    async def _close(self, partitions: set[TopicPartition]) -> None:
        """End these lanes, after the transaction in flight if it is quick: the state topic tells if it is cut off."""
        for tp in partitions:
            self._lanes[tp].stop()
            if self._lanes[tp].opening:
                self._tasks[tp].cancel()
        tasks = [self._tasks.pop(tp) for tp in partitions]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=self._limits.grace_s)
        for task in late:
            task.cancel()
        await asyncio.wait(tasks)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(self._limits.report_s)
            lanes = [lane for tp, lane in self._lanes.items() if tp in self._membership.owned]
            positions = {lane.tp: at for lane in lanes if (at := lane.position()) is not None}
            await self._membership.report(positions)
            self._kit.metrics.lanes(
                {(lane.tp.topic, lane.tp.partition): lane.lag() for lane in lanes},
                state_bytes=sum(lane.size() for lane in self._lanes.values()),
                stuck=sum(lane.phase is Phase.STUCK for lane in lanes),
            )
            self._forget_old()

    def _forget_old(self) -> None:
        now = asyncio.get_running_loop().time()
        for tp, lane in self._lanes.items():
            away = tp not in self._tasks and lane.released_at is not None
            if away and now - (lane.released_at or now) > self._limits.keep_state_s:
                lane.forget()

"""
A router killed while another runs: how long until the killed one's partitions give verdicts again.

Submissions go in all the time, a few a second into each partition; what is measured is what a sender sees: from the
kill to the first verdict, read committed, of each partition that stood still.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from aiokafka import AIOKafkaProducer, TopicPartition

from measure.bench import Bench, now_ms
from measure.contestants import Router
from measure.figures import Part, percentile
from measure.outputs import PARTITIONS
from measure.submissions import open_case
from measure.world import BUS, SENDERS, TEAM
from reaching import operator_of
from referral_contracts import topics
from referral_contracts.envelope import case_pseudonym
from referral_contracts.records import Write
from referral_contracts.sealing import new_event_id
from referral_contracts.topics import H_KIND, KIND_VERDICT, partition_for

_EVERY_S: Final = 0.1
"""Between two submissions into a partition."""
_STOOD_S: Final = 1.0
"""A partition that gave no verdict for so long after the kill was the killed one's, or waited for the group."""
_SETTLE_S: Final = 3.0
_MOST_S: Final = 60.0


class _Town:
    """Cases with open hand-offs, and new offers in them."""

    def __init__(self, bench: Bench, count: int) -> None:
        """Open *count* cases."""
        self._bench = bench
        self.cases: list[list[tuple[str, str]]] = [[] for _ in range(PARTITIONS)]
        self.state: list[Write] = []
        at_ms = now_ms()
        for number in range(count):
            owner, opening = SENDERS[number % len(SENDERS)], new_event_id(at_ms)
            subject = case_pseudonym(BUS, owner, opening)
            self.cases[partition_for(subject, PARTITIONS)].append((owner, subject))
            self.state.append(open_case(subject, owner, opening, at_ms, recipient=TEAM[0]))

    def offers(self, partition: int) -> Iterator[Write]:
        """Go on offering in the cases of a partition, one after the other."""
        while True:
            for owner, subject in self.cases[partition]:
                yield self._bench.mill.offer(owner, subject, TEAM[:1], now_ms()).write


async def failover(bench: Bench) -> list[Part]:
    """Kill the older of two routers, again and again."""
    kills, count = bench.count(20, 2), bench.count(10_000, 1_000)
    bench.say(f"failover: {count:,} hand-offs")
    town = _Town(bench, count)
    await bench.found(town.state)
    seen: dict[int, float] = {}
    routers = [Router(bench.world, bench.cluster.bootstrap, number) for number in (1, 2)]
    for router in routers:
        router.start()
    tasks = [asyncio.create_task(_submit(bench, town)), asyncio.create_task(_watch(bench, seen))]
    gaps: list[float] = []
    try:
        for number in range(kills):
            bench.say(f"failover: kill {number + 1} of {kills}")
            for router in routers:
                await asyncio.to_thread(router.wait_ready)
            await asyncio.sleep(_SETTLE_S)
            gaps.append(await _kill(routers[0], seen))
            routers.append(routers.pop(0))
            routers[-1].start()
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for router in routers:
            router.stop()
    part = Part(name="failover", title=f"kill -9 of one of two routers, {count:,} hand-offs (1 broker)")
    part.add("kill to the next verdict", "s", gaps)
    part.add("p50", "s", percentile(gaps, 0.5))
    part.add("p99", "s", percentile(gaps, 0.99), "<= 10")
    part.add("longest", "s", max(gaps))
    part.notes.append("Of the partition that takes longest. Most of it is the group's session timeout.")
    return [part]


async def _kill(router: Router, seen: dict[int, float]) -> float:
    """Kill *router* and return after how long the last of the partitions that stood still gave a verdict."""
    killed = time.monotonic()
    router.kill()
    await asyncio.sleep(_STOOD_S)
    standing = [partition for partition in range(PARTITIONS) if seen.get(partition, 0.0) < killed + _STOOD_S / 2]
    if not standing:
        raise RuntimeError("no partition stood still: the killed router had none")
    while any(seen.get(partition, 0.0) < killed + _STOOD_S for partition in standing):
        if time.monotonic() > killed + _MOST_S:
            raise RuntimeError(f"no verdict {_MOST_S:.0f} s after the kill")
        await asyncio.sleep(0.005)
    return max(seen[partition] for partition in standing) - killed


async def _submit(bench: Bench, town: _Town) -> None:
    producer = AIOKafkaProducer(**operator_of(bench.cluster.bootstrap).connection, acks="all")
    await producer.start()
    streams = [town.offers(partition) for partition in range(PARTITIONS)]
    try:
        while True:
            for stream in streams:
                write = next(stream)
                await producer.send(
                    write.topic, write.value, key=write.key, partition=write.partition, headers=list(write.headers)
                )
                await asyncio.sleep(_EVERY_S / PARTITIONS)
    finally:
        await producer.stop()


async def _watch(bench: Bench, seen: dict[int, float]) -> None:
    """Note when each partition last gave a verdict; it is said in the verdict."""
    needles = [(b'"partition":%d' % partition, partition) for partition in range(PARTITIONS)]
    async with bench.cluster.reader() as reader:
        reader.assign([TopicPartition(topics.inbox(sender), 0) for sender in SENDERS])
        await reader.seek_to_end()
        while True:
            for records in (await reader.getmany(timeout_ms=1000)).values():
                for record in records:
                    if (H_KIND, KIND_VERDICT) in record.headers:
                        seen.update((number, time.monotonic()) for needle, number in needles if needle in record.value)

"""
What each stage of the router costs an event: one lane, one batch after the other, nothing beside it.

The stages are the service's own functions, called as its lane calls them. Each value is a batch's processor time (of
all threads of this process) divided by its events; what is waited for the broker is shown apart.
"""

import statistics
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from aiokafka import TopicPartition

from measure.bench import Bench, now_ms
from measure.blueprint import records
from measure.figures import Part
from measure.outputs import PARTITIONS
from measure.submissions import Load
from measure.world import BUS
from reaching import operator_of
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.records import Record
from referral_contracts.sealing import random_salts
from referral_router import core
from referral_router.core.case import Case
from referral_router.core.ledger import Ledger
from service_chassis import memory
from service_chassis.fold import Limits
from service_chassis.kafka import close, discard
from service_chassis.producer import Producer
from service_chassis.reader import PartitionReader
from service_chassis.transaction import Known, Transactions

BATCH: Final = 160
"""Events of 13 KB that a lane takes at a time: its limit is 2 MiB."""
_WARM: Final = 4
_BUILT: Final = ((Ledger, "decide"), (Ledger, "deliver"), (Ledger, "answer"), (Ledger, "finish"), (Case, "encode"))
"""Inside a step: what writes down and signs. The rest of it judges."""


class Stopwatch:
    """Processor time and waiting time of named stages, batch by batch."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.cpu_us: dict[str, list[float]] = defaultdict(list)
        self.wait_us: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def measure(self, stage: str, events: int) -> Iterator[None]:
        """Measure a *stage* of a batch of so many *events*."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        self.cpu_us[stage].append(cpu / events * 1e6)
        self.wait_us[stage].append((wall - cpu) / events * 1e6)


async def stages(bench: Bench) -> list[Part]:
    """Measure each stage at three recipients."""
    memory.settle()
    load = bench.mill.load(bench.count(8000, 2000), 3, now_ms())
    bench.say("stages: one lane")
    await bench.lay_out(load)
    watch = Stopwatch()
    await _run(bench, load, watch)
    built = _share_built(bench, load)
    part = Part(name="stages", title=f"Cost of each stage ({load.name}, {load.event_bytes:,} bytes)")
    cpu = {stage: values[_WARM:] for stage, values in watch.cpu_us.items()}
    for stage in ("read", "parse", "verify"):
        part.add("CPU", "µs an event", cpu[stage], of=stage)
    part.add("CPU", "µs an event", [value * (1 - built) for value in cpu["step"]], of="decide")
    part.add("CPU", "µs an event", [value * built for value in cpu["step"]], of="build and sign")
    for stage in ("produce", "commit"):
        part.add("CPU", "µs an event", cpu[stage], of=stage)
        part.add("waiting for the broker", "µs an event", watch.wait_us[stage][_WARM:], of=stage)
    part.notes.append(
        f"Processor time, in batches of {BATCH}; decide and build are one call, divided as in a run with timers."
    )
    return [part]


class _Producer:
    """A producer whose commits are measured."""

    def __init__(self, producer: Producer, watch: Stopwatch) -> None:
        self._producer = producer
        self._watch = watch
        self.client = producer.client
        self.start, self.stop = producer.start, producer.stop
        self.begin, self.produce = producer.begin, producer.produce
        self.events = 1

    async def commit(self) -> None:
        with self._watch.measure("commit", self.events):
            await self._producer.commit()


async def _run(bench: Bench, load: Load, watch: Stopwatch) -> None:
    kafka, limits = operator_of(bench.cluster.bootstrap), Limits()
    client = kafka.client(limits)
    await client.bootstrap()
    try:
        for partition in range(PARTITIONS):
            producer = _Producer(kafka.producer(f"bench-stages-{partition}", limits), watch)
            transactions = await Transactions.open(producer, limits, Known())
            reader = PartitionReader(client, TopicPartition(topics.SUBMISSIONS, partition), limits, committed=False)
            router = _router(bench, load, partition)
            async for records in _batches(reader, watch):
                producer.events = len(records)
                step = _judged(bench, router, records, watch)
                # The commit in it is measured by itself: what is left is the building of batches and their sending.
                with watch.measure("produce and commit", len(records)):
                    await transactions.write(step.writes, (topics.STATE, partition), load.made_ms)
                router.merge(step)
            await discard(producer)
    finally:
        await close(client)
    for told in (watch.cpu_us, watch.wait_us):
        both = zip(told.pop("produce and commit"), told["commit"], strict=True)
        told["produce"] = [together - commit for together, commit in both]


async def _batches(reader: PartitionReader, watch: Stopwatch) -> AsyncIterator[list[Record]]:
    """Yield whole batches only: a rest costs more an event."""
    end, offset, pending = (await reader.span()).end, 0, deque[Record]()
    while offset < end:
        started = time.process_time()
        while len(pending) < BATCH and offset < end:
            chunk = await reader.fetch(offset, wait_ms=100)
            offset = chunk.next_offset
            for piece in chunk.pieces:
                pending.extend(piece.records)
        watch.cpu_us["read"].append((time.process_time() - started) / BATCH * 1e6)
        if len(pending) >= BATCH:
            yield [pending.popleft() for _ in range(BATCH)]


def _judged(bench: Bench, router: core.Router, records: Sequence[Record], watch: Stopwatch) -> core.RouterStep:
    directory = bench.world.directory
    with watch.measure("parse", len(records)):
        found = [core.examine(record, directory, BUS) for record in records]
    with watch.measure("verify", len(records)):
        for item in found:
            core.verify_signature(item)
    with watch.measure("step", len(records)):
        step = router.step(found, directory, bench.world.agencies)
    if set(step.codes) != {Code.ACCEPTED}:
        raise RuntimeError(f"not all were accepted: {dict(step.codes)}")
    return step


def _router(bench: Bench, load: Load, partition: int) -> core.Router:
    key = bench.world.keys["router"].signing
    router = core.Router(core.Lane(bus=BUS, partition=partition, key=key, salts=random_salts), PARTITIONS)
    for case in load.cases:
        if case.partition == partition:
            router.restore(case.key or b"", case.value)
    return router


def _share_built(bench: Bench, load: Load) -> float:
    """Return which share of a step goes into writing down and signing; a timer at each call, so only a share."""
    built = 0
    kept = [(owner, name, getattr(owner, name)) for owner, name in _BUILT]

    def timed(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever it is
            nonlocal built
            started = time.perf_counter_ns()
            try:
                return function(*arguments, **named)
            finally:
                built += time.perf_counter_ns() - started

        return call

    offers = [offer.write for offer in load.offers if offer.write.partition == 0]
    router, watch = _router(bench, load, 0), Stopwatch()
    shares = []
    for owner, name, function in kept:
        setattr(owner, name, timed(function))
    try:
        for start in range(0, len(offers) - BATCH, BATCH):
            built = 0
            judged = _judged(bench, router, records(offers[start : start + BATCH], load.made_ms), watch)
            router.merge(judged)
            whole = watch.cpu_us["step"][-1] + watch.wait_us["step"][-1]
            shares.append(built / 1000 / BATCH / whole)
    finally:
        for owner, name, function in kept:
            setattr(owner, name, function)
    return statistics.median(shares)

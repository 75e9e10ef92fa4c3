"""The deadline watcher: a restart with a million clocks, what arming costs, many due at once, idle firing."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from aiokafka import AIOKafkaProducer, TopicPartition

from deadline_watcher import core as watcher_core
from deadline_watcher.core.reading import Judged
from measure.bench import Bench, now_ms
from measure.blueprint import records
from measure.clocks import COMMUNE, TRIGGER, Clocks, Watcher, desk, section
from measure.contestants import Router
from measure.figures import Part, percentile
from measure.machine import cpu_s, memory_mb, peak_memory_mb
from measure.outputs import PARTITIONS
from measure.submissions import open_case
from measure.world import BUS, SENDERS, TEAM, WATCHER, World
from reaching import operator_of
from referral_contracts import topics
from referral_contracts.decisions import read_decision
from referral_contracts.encoding import format_time, parse_time
from referral_contracts.envelope import Envelope, EventData, case_pseudonym, seal_context
from referral_contracts.payloads.clock import ClockSection
from referral_contracts.records import Record, Write
from referral_contracts.sealing import new_event_id, random_salts, seal
from referral_contracts.sections import encode_section
from referral_contracts.signing import Typ
from referral_contracts.topics import H_SIGNATURE, partition_for
from referral_contracts.verbs import Verb
from referral_router import core as router_core
from service_chassis import memory

_ROUNDS: Final = 3
_VERSIONS: Final = 2
_PLAINTEXT: Final = b'{"body":{},"schema":"handoff-request/1.0"}'
_BATCH: Final = 200
_EVERY_S: Final = 0.1
"""How long an offer waits for the verdict of the one before it."""
_POLL_S: Final = 0.25
_PATIENCE_S: Final = 600.0
_OTHERS: Final = 100
"""Cases in which something is offered during the burst: one sender may say only so much in one."""
_SENDER: Final = SENDERS[1]
"""Whose offers go on during the burst: not the agency that all the notices go to."""


async def watching(bench: Bench) -> list[Part]:
    """Measure what the watcher is asked for."""
    return [await _restart(bench), _arming(bench), await _burst(bench), await _idle(bench)]


async def _restart(bench: Bench) -> Part:
    count = bench.count(1_000_000, 20_000)
    part = Part(name="watcher-restart", title=f"Restart of the watcher with {count:,} armed clocks (1 broker)")
    bench.say(f"watcher: writing {count:,} clocks")
    await bench.found()
    clocks, at_ms = Clocks(bench.world), now_ms()
    opening = new_event_id(at_ms)
    one = clocks.armed(case_pseudonym(BUS, COMMUNE, opening), opening, at_ms + 3_600_000)

    def history() -> Iterator[Write]:
        for _ in range(_VERSIONS):
            for number in range(count):
                yield clocks.write(f"{number:032x}", one.record, number % PARTITIONS)
        yield from clocks.positions(at_ms)

    await bench.cluster.fill(history())
    took, memory, peak, cpu = [], [], [], []
    for number in range(1 if bench.quick else _ROUNDS):
        bench.say(f"watcher: restart {number + 1}")
        watcher = Watcher(bench.world, bench.cluster.bootstrap)
        started = time.monotonic()
        watcher.start()
        try:
            await asyncio.to_thread(watcher.wait_ready, _PATIENCE_S)
            took.append(time.monotonic() - started)
            cpu.append(cpu_s(watcher.pid))
            memory.append(memory_mb(watcher.pid))
            peak.append(peak_memory_mb(watcher.pid))
        finally:
            watcher.stop()
    part.add("start to ready", "s", took, "<= 60")
    part.add("its CPU", "s", cpu)
    part.add("memory when ready", "MB", memory)
    part.add("at its highest", "MB", peak, "<= 1,500")
    part.notes.append(f"One process, {count * _VERSIONS:,} records of {len(one.record):,} bytes before encryption.")
    return part


def _arming(bench: Bench) -> Part:
    """
    Compare events that start a clock with events that tell none: all else is the same.

    A trigger also makes the section longer. What opening, reading and checking the longer text takes is measured by
    itself and taken off: the target is what arming adds besides opening the section.
    """
    count = bench.count(4_000, 400)
    part = Part(
        name="watcher-arming", title=f"What arming a clock adds to an event ({count:,} openings, one partition)"
    )
    bench.say("watcher: arming")
    # As the watcher's own process does: the collector does not look through what was loaded.
    memory.settle()
    armed, told, longer = [], [], []
    for _ in range(bench.rounds):
        without, beginning = _ledger(bench.world, (), count), _ledger(bench.world, (TRIGGER,), count)
        told.append(_heard_us(bench.world, without))
        armed.append(_heard_us(bench.world, beginning))
        longer.append(_opened_us(bench.world, beginning) - _opened_us(bench.world, without))
    part.add("an event whose section tells nothing", "µs CPU", told)
    part.add("an event that starts a clock", "µs CPU", armed)
    difference = [one - other for one, other in zip(armed, told, strict=True)]
    part.add("difference", "µs CPU", difference)
    part.add("of it opening the longer section", "µs CPU", longer)
    besides = [whole - opening for whole, opening in zip(difference, longer, strict=True)]
    part.add("of it besides opening the section", "µs CPU", besides, "<= 100")
    part.notes.append("Both are read, checked against the router's signature, and opened; the difference is the clock.")
    return part


def _opened_us(world: World, ledger: Sequence[Record]) -> float:
    """Return the processor time of opening and reading a clock section of *ledger*, in microseconds."""
    watcher = watcher_core.Watcher(desk(world), 0)
    read = (watcher.reader.read(record, world.directory) for record in ledger)
    events = [found.event for found in read if isinstance(found, Judged) and found.event is not None]
    started = time.process_time()
    for event in events:
        watcher.opener.open(event, WATCHER)
    return (time.process_time() - started) / len(events) * 1e6


def _ledger(world: World, triggers: Sequence[str], count: int) -> list[Record]:
    """Return what the router writes into one partition of the ledger for *count* openings."""
    at_ms = now_ms()
    writes: list[Write] = []
    while len(writes) < count:
        opening = new_event_id(at_ms)
        subject = case_pseudonym(BUS, COMMUNE, opening)
        if partition_for(subject, PARTITIONS) == 0:
            writes.append(
                _event(world, COMMUNE, event_id=opening, subject=subject, clock=section(triggers, at_ms), at_ms=at_ms)
            )
    lane = router_core.Lane(bus=BUS, partition=0, key=world.keys["router"].signing, salts=random_salts)
    router = router_core.Router(lane, PARTITIONS)
    ledger: list[Write] = []
    taken = records(writes, at_ms)
    for start in range(0, count, _BATCH):
        found = [router_core.examine(record, world.directory, BUS) for record in taken[start : start + _BATCH]]
        for item in found:
            router_core.verify_signature(item)
        step = router.step(found, world.directory, world.agencies)
        router.merge(step)
        ledger += [write for write in step.writes if write.topic == topics.LEDGER]
    return records(ledger, at_ms)


def _heard_us(world: World, ledger: Sequence[Record]) -> float:
    """Return the processor time that the watcher takes for an event of *ledger*, in microseconds."""
    watcher, at_ms = watcher_core.Watcher(desk(world), 0), now_ms()
    started = time.process_time()
    for start in range(0, len(ledger), _BATCH):
        watcher.merge(watcher.step(ledger[start : start + _BATCH], world.directory, at_ms))
    return (time.process_time() - started) / len(ledger) * 1e6


def _event(
    world: World,
    sender: str,
    *,
    event_id: str,
    subject: str,
    clock: ClockSection,
    at_ms: int,
    recipients: tuple[str, ...] = (),
) -> Write:
    """Return an opening of a case, or an offer to *recipients*, with a clock section that the watcher can open."""
    directory = world.directory
    sections = []
    if recipients:
        readers = [directory.reader(address, at_ms) for address in (sender, *recipients)]
        sections.append(seal(_PLAINTEXT, seal_context(BUS, event_id, sender, subject, None, 0), readers).section)
    context = seal_context(BUS, event_id, sender, subject, None, len(sections))
    readers = [directory.reader(address, at_ms) for address in (sender, WATCHER)]
    sections.append(seal(encode_section(clock), context, readers).section)
    value = Envelope(
        bus=BUS,
        data=EventData(recipients=recipients, sections=tuple(sections)),
        exercise=False,
        id=event_id,
        source=sender,
        subject=subject,
        time=format_time(at_ms),
        type=(Verb.OFFERED if recipients else Verb.CASE_OPENED).type,
    ).encode()
    signature = world.keys[sender].signing.sign(Typ.EVENT, value).encode("ascii")
    partition = partition_for(subject, PARTITIONS)
    return Write(topics.SUBMISSIONS, partition, subject.encode("ascii"), value, ((H_SIGNATURE, signature),))


async def _armed(bench: Bench, dues: Sequence[int]) -> list[str]:
    """Make a bus in which one case is open for each of *dues*, its clock due then; return some more, without clocks."""
    clocks, at_ms = Clocks(bench.world), now_ms()
    cases, state = [], []
    for due_ms in dues:
        opening = new_event_id(at_ms)
        one = clocks.armed(case_pseudonym(BUS, COMMUNE, opening), opening, due_ms)
        cases.append(open_case(one.subject, COMMUNE, opening, at_ms))
        state.append(clocks.write(one.subject, one.record))
    others = []
    for opening in (new_event_id(at_ms) for _ in range(_OTHERS)):
        others.append(case_pseudonym(BUS, _SENDER, opening))
        cases.append(open_case(others[-1], _SENDER, opening, at_ms))
    await bench.found(cases)
    await bench.cluster.fill(chain(state, clocks.positions(at_ms)))
    return others


async def _burst(bench: Bench) -> Part:
    count = bench.count(100_000, 2_000)
    part = Part(name="watcher-burst", title=f"{count:,} clocks due at one instant, one recipient each (1 broker)")
    bench.say(f"watcher: arming {count:,} clocks that are due at once")
    due_ms = now_ms() + bench.count(150_000, 30_000)
    subjects = await _armed(bench, [due_ms] * count)
    router, watcher = Router(bench.world, bench.cluster.bootstrap), Watcher(bench.world, bench.cluster.bootstrap)
    router.start()
    watcher.start()
    try:
        for service in (router, watcher):
            await asyncio.to_thread(service.wait_ready, _PATIENCE_S)
        late = now_ms() - due_ms
        await asyncio.sleep(max(0.0, -late / 1000))
        bench.say("watcher: the burst")
        before = {service: cpu_s(service.pid) for service in (router, watcher)}
        ended = asyncio.Event()
        offers = asyncio.create_task(_offer(bench, subjects, ended))
        while (missed := await asyncio.to_thread(watcher.missed)) < count:
            if now_ms() - due_ms > _PATIENCE_S * 1000:
                raise RuntimeError(f"{missed} of {count} misses were said; see {watcher.log}")
            await asyncio.sleep(_POLL_S)
        took_s = (now_ms() - due_ms) / 1000
        ended.set()
        found = await offers
        spent = {service: cpu_s(service.pid) - before[service] for service in (router, watcher)}
    finally:
        watcher.stop()
        router.stop()
    part.add("due to the last miss on the ledger, read back", "s", took_s, "<= 90")
    part.add("a new offer meanwhile: p50", "ms", percentile(found, 0.5))
    part.add("a new offer meanwhile: p99", "ms", percentile(found, 0.99))
    part.add(f"a new offer meanwhile: longest of {len(found)}", "ms", max(found))
    part.add("CPU of the watcher", "µs a miss", spent[watcher] / count * 1e6)
    part.add("CPU of the router", "µs a miss", spent[router] / count * 1e6)
    if late > 0:
        part.notes.append(f"They were due {late / 1000:.1f} s before both services were ready: that is in the figure.")
    part.notes.append("An offer: from its submission to its verdict in the sender's inbox, one after the other.")
    return part


async def _offer(bench: Bench, subjects: Sequence[str], ended: asyncio.Event) -> list[float]:
    """Offer one thing after the other until *ended*; return how long each verdict took, in ms."""
    producer = AIOKafkaProducer(**operator_of(bench.cluster.bootstrap).connection, acks="all")
    await producer.start()
    sent = 0
    waiting: dict[bytes, float] = {}
    took: list[float] = []
    try:
        async with bench.cluster.reader() as reader:
            inbox = TopicPartition(topics.inbox(_SENDER), 0)
            reader.assign([inbox])
            await reader.seek_to_end(inbox)
            while waiting or not ended.is_set():
                if not ended.is_set():
                    event_id, at_ms = new_event_id(now_ms()), now_ms()
                    write = _event(
                        bench.world,
                        _SENDER,
                        event_id=event_id,
                        subject=subjects[sent % len(subjects)],
                        clock=section((), at_ms),
                        at_ms=at_ms,
                        recipients=TEAM[:1],
                    )
                    sent += 1
                    waiting[event_id.encode("ascii")] = time.monotonic()
                    await producer.send_and_wait(
                        write.topic,
                        write.value,
                        key=write.key,
                        partition=write.partition,
                        headers=list(write.headers),
                    )
                for found in (await reader.getmany(timeout_ms=round(_EVERY_S * 1000))).values():
                    now = time.monotonic()
                    answered = [event for record in found for event in waiting if event in record.value]
                    took += [(now - waiting.pop(event)) * 1000 for event in answered]
    finally:
        await producer.stop()
    return took


async def _idle(bench: Bench) -> Part:
    count = bench.count(300, 50)
    part = Part(name="watcher-idle", title=f"From due to on the ledger, {count} clocks one after the other (1 broker)")
    bench.say("watcher: idle firing")
    first_ms = now_ms() + bench.count(30_000, 20_000)
    dues = [first_ms + number * 200 for number in range(count)]
    await _armed(bench, dues)
    router, watcher = Router(bench.world, bench.cluster.bootstrap), Watcher(bench.world, bench.cluster.bootstrap)
    router.start()
    watcher.start()
    seen: list[int] = []
    admitted: list[int] = []
    try:
        for service in (router, watcher):
            await asyncio.to_thread(service.wait_ready)
        if now_ms() > first_ms:
            raise RuntimeError("the services took too long to be ready")
        async with bench.cluster.reader() as reader:
            ledger = [TopicPartition(topics.LEDGER, number) for number in range(PARTITIONS)]
            reader.assign(ledger)
            await reader.seek_to_end(*ledger)
            while len(seen) < count:
                if now_ms() > dues[-1] + 60_000:
                    raise RuntimeError(f"{len(seen)} of {count} misses were said; see {watcher.log}")
                for found in (await reader.getmany(timeout_ms=100)).values():
                    for record in found:
                        if Verb.DEADLINE_MISSED.type.encode("ascii") in (record.value or b""):
                            seen.append(now_ms())
                            leaf = read_decision(dict(record.headers)[topics.H_DECISION])
                            admitted.append(parse_time(leaf.admitted))
    finally:
        watcher.stop()
        router.stop()
    # Each is due after the one before it, by more than a miss takes; so they come in order.
    delays = [at - due for at, due in zip(sorted(seen), dues, strict=True)]
    taken = [at - due for at, due in zip(sorted(admitted), dues, strict=True)]
    part.add("due to read on the ledger: p50", "ms", percentile(delays, 0.5))
    part.add("due to read on the ledger: p99", "ms", percentile(delays, 0.99), "<= 1,000")
    part.add("due to admitted: p50", "ms", percentile(taken, 0.5))
    part.add("due to admitted: p99", "ms", percentile(taken, 0.99))
    return part

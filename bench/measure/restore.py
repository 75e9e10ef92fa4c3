"""
A restart with a million open hand-offs, each with five versions in the state topic and none of them compacted away.

A hand-off in a case of its own is the worst case: a case has several, and one record for all of them.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Final

from measure.bench import Bench, now_ms
from measure.contestants import Router
from measure.figures import Part
from measure.machine import cpu_s, memory_mb, peak_memory_mb
from measure.outputs import PARTITIONS
from measure.submissions import positions
from measure.world import SENDERS, TEAM
from referral_contracts import topics
from referral_contracts.encoding import event_hash, sha256
from referral_contracts.lifecycle import CaseState, Receipt, State
from referral_contracts.records import Write
from referral_contracts.sealing import new_event_id
from referral_contracts.topics import TopicSpec
from referral_router.core.case import Case, Handoff
from referral_router.core.claims import Claim
from referral_router.core.refs import Ref, undigested

VERSIONS: Final = 5
_ROUNDS: Final = 3
_DAY_MS: Final = 86_400_000
_REMEMBERED_MS: Final = 6 * 3_600_000
"""How long a deployment's router remembers a used id: three windows of two hours."""
_BETWEEN: Final = 800
"""Records of all partitions after which each has its reserved record, as each transaction ends with it."""
_LATER: Final = {"min.compaction.lag.ms": "86400000", "max.compaction.lag.ms": "86400001"}


async def restore(bench: Bench) -> list[Part]:
    """Measure how long a router takes to be ready again, and what it then holds."""
    count = bench.count(1_000_000, 50_000)
    part = Part(name="restore", title=f"Restart with {count:,} open hand-offs, {VERSIONS} versions each (1 broker)")
    await _measure(bench, part, count, _DAY_MS, "versions a day apart")
    if not bench.quick:
        await _measure(bench, part, count, 1, "all versions within six hours")
    part.notes.append(f"One process, {PARTITIONS} partitions, {count * VERSIONS:,} records, none compacted.")
    part.notes.append("Within six hours every id that was used is still remembered: the most that a record can hold.")
    return [part]


async def _measure(bench: Bench, part: Part, count: int, apart_ms: int, what: str) -> None:
    bench.say(f"restore: writing {count:,} hand-offs in {VERSIONS} versions")
    versions = _versions(now_ms() - VERSIONS * apart_ms, apart_ms)
    await bench.found()
    # Nothing is compacted while we measure: a restart right after a busy time finds it so.
    specs = [replace(spec, config={**spec.config, **_LATER}) for spec in _state(bench)]
    await bench.cluster.renew(specs)
    founded = [write for write in bench.world.writes if write.topic == topics.STATE]
    await bench.cluster.fill(chain(founded, _history(count, versions)))
    took, cpu, memory, peak = [], [], [], []
    for number in range(1 if bench.quick else _ROUNDS):
        bench.say(f"restore: {what}, {number + 1} of {_ROUNDS}")
        router = Router(bench.world, bench.cluster.bootstrap)
        started = time.monotonic()
        router.start()
        try:
            await asyncio.to_thread(router.wait_ready, 600.0)
            took.append(time.monotonic() - started)
            cpu.append(cpu_s(router.pid))
            memory.append(memory_mb(router.pid))
            peak.append(peak_memory_mb(router.pid))
        finally:
            router.stop()
    part.add("start to ready", "s, <= 60", took, of=what)
    part.add("its CPU", "s", cpu, of=what)
    part.add("memory when ready", "MB", memory, of=what)
    part.add("at its highest", "MB, <= 1,500", peak, of=what)
    part.notes.append(f"{what}: records of {', '.join(f'{len(version):,}' for version in versions)} bytes.")


def _state(bench: Bench) -> list[TopicSpec]:
    return [spec for spec in bench.world.specs() if spec.name == topics.STATE]


def _history(count: int, versions: list[bytes]) -> Iterator[Write]:
    # Every case in its first version, then every case in its second: as years would have left them.
    at_ms = now_ms()
    for value in versions:
        for number in range(count):
            yield Write(topics.STATE, number % PARTITIONS, b"%032x" % number, value)
            if number % _BETWEEN == 0:
                yield from positions(at_ms)
    yield from positions(at_ms)


def _versions(at_ms: int, apart_ms: int) -> list[bytes]:
    """Return the state record of one case as the router leaves it: opened, offered, received, accepted, progressed."""
    owner, recipient = SENDERS[0], TEAM[0]
    case = Case(state=CaseState.OPEN, owner=owner, parties={owner})
    found = []
    for number in range(VERSIONS):
        at_ms += apart_ms
        event_id = new_event_id(at_ms)
        event = event_hash(event_id.encode("ascii"))
        ref = Ref.of(event_id, event)
        source, to = (owner, recipient) if number <= 1 else (recipient, owner)
        if number == 0:
            case.head = ref
        elif number == 1:
            case.parties.add(recipient)
            case.handoffs[f"{event_id} {recipient}"] = Handoff(State.OFFERED, owner, ref, undigested(event))
        for handoff in case.handoffs.values():
            handoff.receipt = Receipt.RECEIVED if number > 1 else Receipt.NONE
            handoff.state = State.ACCEPTED if number > 2 else State.OFFERED
        case.sequence += 1
        case.deliveries[to] = case.deliveries.get(to, 0) + 1
        case.prune(at_ms - _REMEMBERED_MS)
        decision = sha256(event.encode("ascii"))
        case.use_up(source, event_id, Claim(event, "accepted", number + 1, decision, at_ms))
        found.append(case.encode(at_ms))
    return found

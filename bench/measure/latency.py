"""
From `send` to the recipient having opened its section: the SDK at both ends, in processes of their own.

Once with nothing else on the bus, and once while other agencies use up half of what the router can do. Recipients
answer as they always do, with a `received` for each event.
"""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from aiokafka import AIOKafkaProducer

from measure.bench import Bench, now_ms
from measure.contestants import PYTHONPATH, Router, Routers
from measure.drain import drain
from measure.figures import Part, percentile
from measure.machine import cpu_s
from measure.submissions import Load
from measure.world import SENDERS, TEAM
from reaching import operator_of

RATE: Final = 100
"""Offers a second, of all senders together; one recipient each."""
_QUIETER: Final = (25, 50)
"""The same with less to do, to see how much of it is waiting for a processor."""
_SENDERS: Final = SENDERS[:2]
_RECIPIENTS: Final = TEAM[:2]
_WARM_MINUTES: Final = 3
_TICK_S: Final = 0.02
_WAIT_S: Final = 120.0


async def latency(bench: Bench) -> list[Part]:
    """Measure at a hundred a second alone, and beside half of what the router can do."""
    seconds = bench.count(30, 5)
    part = Part(name="latency", title="From send to opened, SDK to SDK (1 broker, 1 router, all on this machine)")
    saturation = await _saturation(bench)
    # A broker compiles what it does for its first minutes, at the price of as much again: a deployment's has done so.
    for _ in range(bench.count(_WARM_MINUTES, 1)):
        await _measure(bench, bench.count(60, 5), RATE, None)
    alone, spent = await _measure(bench, seconds, RATE, None)
    _tell(part, f"{RATE}/s", alone, ("<= 25", "<= 75"))
    for who, cpu in spent.items():
        part.add(f"CPU of {who}", "ms an offer", cpu / len(alone) * 1e3)
    for per_s in _QUIETER:
        found, _ = await _measure(bench, seconds, per_s, None)
        _tell(part, f"{per_s}/s", found, ("", ""))
    part.add("saturation, offers to 3 recipients", "events/s", saturation)
    half = saturation / 2
    background = bench.mill.load(round(half * seconds), 3, now_ms(), crowd=True)
    beside, _ = await _measure(bench, seconds, RATE, background)
    _tell(part, f"{RATE}/s beside {half:,.0f}/s of others", beside, ("", ""))
    part.notes.append("A sender's lateness counts: the clock starts when an offer was due. One recipient an offer.")
    part.notes.append("Before that, the same for three minutes, which is not counted: a broker compiles as it goes.")
    part.notes.append("Each agency's process calls gc.freeze() once it is ready, as the services do.")
    part.notes.append("Senders, recipients, their stores, router and broker share this machine's cores.")
    return [part]


def _tell(part: Part, what: str, found: Sequence[float], targets: tuple[str, str]) -> None:
    part.add(f"{what}: p50", "ms", percentile(found, 0.5), targets[0])
    part.add(f"{what}: p99", "ms", percentile(found, 0.99), targets[1])
    part.add(f"{what}: longest of {len(found):,}", "ms", max(found))


async def _saturation(bench: Bench) -> float:
    load = bench.mill.load(bench.count(8000, 2000), 3, now_ms(), crowd=True)
    rates = []
    for number in range(bench.count(3, 1)):
        bench.say(f"latency: what the router can do, {number + 1}")
        await bench.lay_out(load)
        drained = await drain(bench.cluster, Routers(bench.world, bench.cluster.bootstrap), len(load.offers))
        rates.append(drained.events_s)
    return sorted(rates)[len(rates) // 2]


async def _measure(
    bench: Bench, seconds: int, per_s: int, background: Load | None
) -> tuple[list[float], dict[str, float]]:
    """Return the latency of each offer, in ms, and how many seconds of processor time each kind of process took."""
    await bench.found(background.cases if background is not None else ())
    for agency in (*_SENDERS, *_RECIPIENTS):
        bench.world.keys[agency].save(bench.home / f"{agency}.json", replace=True)
        (bench.home / f"{agency}.db").unlink(missing_ok=True)
    router = Router(bench.world, bench.cluster.bootstrap)
    router.start()
    agencies: list[_Agency] = []
    try:
        await asyncio.to_thread(router.wait_ready)
        bench.say(f"latency: {per_s}/s" + (" beside others" if background is not None else ""))
        receivers = [await _Agency.start(bench, "receive", agency) for agency in _RECIPIENTS]
        rate = str(per_s / len(_SENDERS))
        pairs = zip(_SENDERS, _RECIPIENTS, strict=True)
        senders = [await _Agency.start(bench, "send", one, rate, str(seconds), other) for one, other in pairs]
        agencies = [*receivers, *senders]
        for process in agencies:
            await process.ready()
        kinds = {
            "the senders": [sender.pid for sender in senders],
            "the recipients": [receiver.pid for receiver in receivers],
            "the router": [router.pid],
            "the broker": [bench.cluster.pid],
        }
        before = {kind: sum(map(cpu_s, pids)) for kind, pids in kinds.items()}
        others = asyncio.create_task(_others(bench, background, seconds))
        for sender in senders:
            sender.go()
        due = [found for sender in senders for found in await sender.noted()]
        await others
        spent = {kind: sum(map(cpu_s, pids)) - before[kind] for kind, pids in kinds.items()}
        for receiver in receivers:
            receiver.go()
        opened = {event: at for receiver in receivers for event, at in await receiver.noted()}
    finally:
        for process in agencies:
            await process.end()
        router.stop()
    lost = [event for event, _ in due if event not in opened]
    if lost:
        raise RuntimeError(f"{len(lost)} of {len(due)} offers were not opened")
    return [(opened[event] - at) / 1e6 for event, at in due], spent


async def _others(bench: Bench, background: Load | None, seconds: int) -> None:
    """Submit *background* evenly over *seconds*."""
    if background is None:
        return
    writes = background.submissions
    producer = AIOKafkaProducer(**operator_of(bench.cluster.bootstrap).connection, acks="all", max_batch_size=300_000)
    await producer.start()
    loop = asyncio.get_running_loop()
    started, done = loop.time(), 0
    try:
        while done < len(writes):
            until = min(len(writes), round(len(writes) * (loop.time() - started) / seconds))
            for write in writes[done:until]:
                headers = list(write.headers)
                await producer.send(write.topic, write.value, key=write.key, partition=write.partition, headers=headers)
            done = max(done, until)
            await asyncio.sleep(_TICK_S)
    finally:
        await producer.stop()


class _Agency:
    """An agency's process: it says that it is ready, goes when it is told, and tells what it noted."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, bench: Bench, role: str, agency: str, *more: str) -> "_Agency":
        arguments = ["-m", "measure.agency", role, str(bench.home), agency, bench.cluster.bootstrap, *more]
        log = bench.home / f"{agency}.log"
        with log.open("ab") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=file,
                env={**os.environ, "PYTHONPATH": PYTHONPATH},
                limit=1 << 24,
            )
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def _line(self) -> bytes:
        if self._process.stdout is None:
            raise RuntimeError("an agency without a voice")
        async with asyncio.timeout(_WAIT_S):
            line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("an agency's process has ended; see its log in bench/work")
        return line

    async def ready(self) -> None:
        await self._line()

    def go(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(b"go\n")

    async def noted(self) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = json.loads(await self._line())
        return found

    async def end(self) -> None:
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.terminate()
            await self._process.wait()

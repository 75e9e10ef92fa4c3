"""
The audit log: what it costs to append durably, that this does not grow, and how long a record waits for a checkpoint.

Appending is measured in this process, store and tiles on the disk: with records made in advance, and what the reading
of them costs told beside. The wait is that of the service itself, on Kafka.
"""

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaProducer

from audit_log.core.places import NOWHERE, Place
from audit_log.core.reading import LedgerReader, Taken
from audit_log.folder import Folder
from audit_log.log import Desk, Log
from audit_log.receipts import Receipts
from audit_log.store import open_store
from audit_log.store.reading import StoreReader
from measure import ledger
from measure.bench import Bench, now_ms
from measure.casework import STEPS, Cases, tiles, trails
from measure.contestants import Service
from measure.figures import Part, percentile
from measure.machine import cpu_s, memory_mb, peak_memory_mb
from measure.postgres import postgres
from measure.world import BUS
from reaching import operator_of
from referral_contracts import topics
from referral_contracts.keys import SigningKey
from referral_contracts.log.checkpoint import Checkpoint
from referral_contracts.log.note import NoteKey
from referral_contracts.sealing import random_salts
from referral_contracts.topics import BATCH_MAX

_AT_ONCE: Final = 2_000
"""Leaves of an append: what waits there when there is much to do."""
_BEAT_S: Final = 0.1
_SMALL: Final = 700
_SEALED: Final = 3_000
_RATE: Final = 1_000
_EACH_S: Final = 0.01


@dataclass(slots=True)
class Cost:
    """What some appends took."""

    count: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    reading_cpu_s: float = 0.0

    @property
    def per_s(self) -> float:
        return self.count / self.wall_s


@dataclass(slots=True)
class Growing:
    """A log, and the ledger that it takes."""

    log: Log
    reader: LedgerReader
    partition: ledger.Partition
    bench: Bench
    receipts: Receipts
    store: StoreReader
    folder: Folder
    key: NoteKey
    among: Iterator[ledger.Signed] = field(default_factory=lambda: iter(()))
    """Events that lie among the others."""
    place: Place = NOWHERE
    events: list[bytes] = field(default_factory=list)
    """The hash of the first event of each append."""

    def grow(self, count: int, size: int) -> Cost:
        """Append *count* leaves of events of *size* bytes, published on the beat."""
        cost = Cost()
        waiting: list[Taken] = []
        for records in ledger.records(self.partition, count, size, now_ms(), self.among):
            began = time.thread_time()
            for record in records:
                taken = self.reader.read(record, self.place, self.bench.world.directory)
                if taken is None:
                    raise RuntimeError("a decision of the benchmark was taken for a tick")
                self.place = Place(self.place.next_offset + 1, taken.counter, taken.chain)
                waiting.append(taken)
            cost.reading_cpu_s += time.thread_time() - began
            if len(waiting) >= _AT_ONCE:
                self._append(waiting, cost)
        self._append(waiting, cost)
        return cost

    def _append(self, waiting: list[Taken], cost: Cost) -> None:
        if waiting:
            wall, cpu = time.perf_counter(), time.thread_time()
            self.log.append(waiting, {0: self.place})
            self.events.append(waiting[0].event)
            cost.wall_s += time.perf_counter() - wall
            cost.cpu_s += time.thread_time() - cpu
            cost.count += len(waiting)
            waiting.clear()


@contextmanager
def growing(bench: Bench, url: str, tiles: Path) -> Iterator[Growing]:
    """Give a new log whose checkpoints are published on the beat, by a thread of their own."""
    store, folder = open_store(url, bus=BUS, origin=f"{BUS}.log"), Folder(tiles)
    key = SigningKey.generate()
    desk = Desk(origin=f"{BUS}.log", key=key, salts=random_salts, clock=now_ms)
    log, receipts = Log(store, folder, desk), Receipts(folder, lambda: store.reader, desk.note_key)
    done = threading.Event()

    def publish() -> None:
        while not done.wait(_BEAT_S):
            log.publish()

    beat = threading.Thread(target=publish)
    beat.start()
    try:
        router = bench.world.keys["router"].signing
        directory = bench.world.directory.version
        partition = ledger.Partition(router, directory=directory)
        yield Growing(log, LedgerReader(BUS, 0), partition, bench, receipts, store.reader, folder, desk.note_key)
    finally:
        done.set()
        beat.join()
        log.publish()
        folder.close()
        store.close()


async def auditing(bench: Bench) -> list[Part]:
    """Measure the audit log."""
    return [
        await asyncio.to_thread(_appending, bench),
        await asyncio.to_thread(_large, bench),
        await _waiting(bench),
    ]


def _appending(bench: Bench) -> Part:
    part = Part(name="audit", title="Durable appends to the audit log, checkpoints each 100 ms (no broker)")
    count = bench.count(60_000, 6_000)
    for number in range(bench.rounds):
        for size, aim in ((_SMALL, 10_000), (_SEALED, 5_000)):
            bench.say(f"audit: SQLite, {size} bytes, {number + 1} of {bench.rounds}")
            _add(part, bench, _sqlite(bench), count=count, size=size, of=f"SQLite, {size:,} bytes (>= {aim:,})")
        bench.say(f"audit: PostgreSQL, {number + 1} of {bench.rounds}")
        with postgres() as databases:
            for size in (_SMALL, _SEALED):
                _add(part, bench, next(databases), count=count, size=size, of=f"PostgreSQL, {size:,} bytes")
    part.notes.append(f"{count:,} leaves a round, {_AT_ONCE:,} an append, every append flushed to the disk.")
    part.notes.append("Reading: a record's decision, path and place in the chain verified; in the same process, apart.")
    return _merged(part)


def _add(part: Part, bench: Bench, url: str, *, count: int, size: int, of: str) -> None:
    tiles = _fresh(bench, "tiles")
    with growing(bench, url, tiles) as log:
        cost = log.grow(count, size)
    part.add("appended", "entries/s", cost.per_s, of=of)
    part.add("its CPU", "µs an entry", cost.cpu_s / cost.count * 1e6, of=of)
    part.add("reading", "µs an entry", cost.reading_cpu_s / cost.count * 1e6, of=of)


def _merged(part: Part) -> Part:
    """Return *part* with the rounds of each figure as its values."""
    whole = Part(name=part.name, title=part.title, notes=part.notes)
    for of, what, unit in dict.fromkeys((figure.of, figure.what, figure.unit) for figure in part.figures):
        values = [figure.values[0] for figure in part.figures if (figure.of, figure.what) == (of, what)]
        whole.add(what, unit, values, of=of)
    return whole


def _large(bench: Bench) -> Part:
    sizes = [bench.count(full, quick) for full, quick in ((10_000, 2_000), (100_000, 4_000), (1_000_000, 8_000))]
    sample = bench.count(20_000, 1_000)
    part = Part(name="audit-size", title="The same log as it grows: SQLite, events of 700 bytes (no broker)")
    home = _home(bench)
    # One event of theirs in a transaction: as many cases as then lie all over the log.
    cases = Cases(bench, max(1, sizes[-1] // ledger.BATCH // STEPS))
    with growing(bench, _sqlite(bench), _fresh(bench, "tiles")) as log:
        log.among = cases.events()
        for size in sizes:
            bench.say(f"audit: to {size:,} entries")
            log.grow(size - log.log.size, _SMALL)
            cost = log.grow(sample, _SMALL)
            part.add("appended", "entries/s", cost.per_s, of=f"{size:,} entries")
            part.add("CPU of an append", "µs an entry", cost.cpu_s / cost.count * 1e6, of=f"{size:,} entries")
            _receipts(part, log, bench.count(3_000, 200), f"{size:,} entries")
            part.add("memory", "MB, <= 500", memory_mb(os.getpid()), of=f"{size:,} entries")
        whole = log.log.size
        _proven(part, log, cases)
    part.add("store on the disk", "bytes an entry", _bytes(home.glob("log.db*")) / whole)
    part.add("tiles on the disk", "bytes an entry", _bytes((home / "tiles").rglob("*")) / whole)
    part.notes.append("A record of 700 bytes comes with some 1,150 of decision, path, root and signature.")
    return part


def _proven(part: Part, growing: Growing, cases: Cases) -> None:
    """Prove cases of the whole log, and all of its tiles."""
    growing.bench.say("audit: trails and tiles")
    newest = growing.log.newest
    if newest is None:
        raise RuntimeError("the log of the benchmark has no checkpoint")
    trails(part, growing.bench, growing.store, cases, growing.key)
    tiles(part, growing.store, growing.folder, newest[0])
    part.add("memory at its highest", "MB", peak_memory_mb(os.getpid()), "<= 500")


def _receipts(part: Part, growing: Growing, count: int, of: str) -> None:
    """Make *count* receipts, of events from all over the log."""
    while growing.log.published < growing.log.size:
        time.sleep(_BEAT_S)
    took, events, cpu = [], growing.events, time.thread_time()
    for number in range(count):
        # Far from the one before, so that neither its tiles nor its rows are at hand.
        event = events[number * 7919 % len(events)]
        began = time.perf_counter()
        if growing.receipts.receipt(event, None) is None:
            raise RuntimeError("an event of the benchmark is not in the log")
        took.append(time.perf_counter() - began)
    part.add("CPU of a receipt", "ms", (time.thread_time() - cpu) / count * 1000, of=of)
    part.add("a receipt, half", "ms", percentile(took, 0.5) * 1000, of=of)
    part.add("a receipt, 99 of 100", "ms, <= 10", percentile(took, 0.99) * 1000, of=of)


async def _waiting(bench: Bench) -> Part:
    """Measure from the ledger to a published checkpoint, with the service as a process."""
    seconds = bench.count(30, 5)
    part = Part(name="audit-wait", title=f"From the ledger to a published checkpoint, {_RATE:,} a second (1 broker)")
    bench.say("audit: the wait for a checkpoint")
    await bench.found()
    await bench.cluster.fill([bench.world.head])
    home = _fresh(bench, "waiting")
    home.mkdir()
    key = bench.home / "log.json"
    bench.world.keys["audit-log"].save(key, replace=True)
    settings = {
        "REFERRAL_BUS_LOG_KEY": str(key),
        "REFERRAL_BUS_LOG_STORE": f"sqlite:///{home / 'log.db'}",
        "REFERRAL_BUS_LOG_TILES": str(home / "tiles"),
        "REFERRAL_BUS_LOG_HTTP_PORT": "0",
        "REFERRAL_BUS_LOG_KEEP_DAYS": "0",
    }
    service = Service(bench.world, bench.cluster.bootstrap, "audit-log", "audit_log", settings)
    service.start()
    try:
        await asyncio.to_thread(service.wait_ready)
        before = cpu_s(service.pid)
        waits = await _watched(bench, home / "tiles" / "checkpoint", seconds)
        part.add("half", "ms", percentile(waits, 0.5) * 1000)
        part.add("99 of 100", "ms", percentile(waits, 0.99) * 1000, "<= 300")
        part.add("the longest", "ms", max(waits) * 1000)
        part.add("its CPU", "ms a second", (cpu_s(service.pid) - before) / seconds * 1000)
        part.add("memory at its highest", "MB", peak_memory_mb(service.pid))
    finally:
        service.stop()
    return part


async def _watched(bench: Bench, path: Path, seconds: int) -> list[float]:
    """Write at the rate for so many *seconds*; return how long each record was without a checkpoint."""
    partition = ledger.Partition(bench.world.keys["router"].signing, directory=bench.world.directory.version)
    first = await _settled(path)
    written: list[float] = []
    covered: list[float] = []

    async def write() -> None:
        began = time.monotonic()
        for number in range(round(seconds / _EACH_S)):
            events = ledger.noise(round(_RATE * _EACH_S), _SMALL, now_ms(), partition.key)
            batch = producer.create_batch()
            for one in partition.decide(events, now_ms()):
                batch.append(timestamp=None, key=None, value=one.value, headers=list(one.headers))
            await asyncio.sleep(max(0.0, began + number * _EACH_S - time.monotonic()))
            written.extend([time.monotonic()] * len(events))
            await producer.send_batch(batch, topics.LEDGER, partition=partition.number)

    async def watch() -> None:
        while len(covered) < seconds * _RATE:
            size = _size(path) - first
            covered.extend([time.monotonic()] * (size - len(covered)))
            await asyncio.sleep(0.002)

    producer = AIOKafkaProducer(
        **operator_of(bench.cluster.bootstrap).connection, acks="all", enable_idempotence=True, max_batch_size=BATCH_MAX
    )
    await producer.start()
    try:
        await asyncio.wait_for(asyncio.gather(write(), watch()), seconds * 4 + 30)
    finally:
        await producer.stop()
    return [after - before for before, after in zip(written, covered, strict=True)]


async def _settled(path: Path) -> int:
    """Return the size once what the founding left on the ledger is in the log."""
    size = -1
    while size != _size(path):
        size = _size(path)
        await asyncio.sleep(1)
    return size


def _size(path: Path) -> int:
    text_, _, _ = path.read_text("utf-8").partition("\n\n")
    return Checkpoint.parse(text_ + "\n").size


def _home(bench: Bench) -> Path:
    return bench.home / "audit"


def _fresh(bench: Bench, name: str) -> Path:
    path = _home(bench) / name
    shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _sqlite(bench: Bench) -> str:
    """Return the URL of a store that is not there yet."""
    for path in _home(bench).glob("log.db*"):
        path.unlink()
    return f"sqlite:///{_home(bench) / 'log.db'}"


def _bytes(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.is_file())

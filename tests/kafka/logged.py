"""An audit log on a running bus, looked at from outside."""

import asyncio
import json
import time
from pathlib import Path

from aiokafka import TopicPartition
from sqlalchemy import create_engine

from audit_log.core.places import NOWHERE, Place
from audit_log.core.reading import LedgerReader, Taken
from reaching import operator_of
from referral_contracts import topics
from referral_contracts.log.checkpoint import Checkpoint
from referral_contracts.log.note import Kind, NoteKey
from running import RunningBus
from service_chassis.fold import Limits
from service_chassis.reader import PartitionReader, Span
from service_process import ServiceProcess
from tests.kafka.ledger_check import Held, settled
from tests.services.audit_log.outside import published, verify_whole

WITHIN_S = 60.0


def taken(bus: RunningBus, held: Held) -> list[Taken]:
    """Return every decision of the ledger, verified."""
    found = []
    directory = held.directory(bus.founding.trust)
    for number in range(held.partitions + 1):
        reader, place = LedgerReader(directory.head.bus, number), NOWHERE
        for record in held.read(topics.LEDGER, number):
            one = reader.read(record, place, directory)
            if one is not None:
                place = Place(record.offset + 1, one.counter, one.chain)
                found.append(one)
    return found


def note_key(bus: RunningBus) -> NoteKey:
    """Return what the log's checkpoints are verified with."""
    key = bus.founding.keys("audit-log").signing.verify_key
    return NoteKey(f"{bus.founding.trust.bus}.log", Kind.ED25519, key)


def size(bus: RunningBus, tiles: Path) -> int:
    """Return how many leaves the published checkpoint covers."""
    return published(tiles, note_key(bus)).size if (tiles / "checkpoint").exists() else 0


async def verified(bus: RunningBus, process: ServiceProcess, tiles: Path, store: str) -> Checkpoint:
    """Wait until the whole ledger is published, and check everything from outside."""
    ledger = taken(bus, await settled(bus.bootstrap))
    deadline = time.monotonic() + WITHIN_S
    while size(bus, tiles) < len(ledger):
        assert time.monotonic() < deadline, process.log.read_text()
        await asyncio.sleep(0.1)
    engine = create_engine(store)
    try:
        return verify_whole(engine, tiles, note_key(bus), [ledger])
    finally:
        engine.dispose()


def stopped_with(process: ServiceProcess, since: int = 0) -> set[str]:
    """Return the codes with which the log has stopped, by its lines from the byte *since* on."""
    lines = process.log.read_bytes()[since:].decode().splitlines()
    found = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
    return {line["code"] for line in found if line["event"] == "log-stopped"}


async def told(process: ServiceProcess, *codes: str) -> None:
    """Wait until its readiness tells exactly these codes."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        status, body = process.get("/readyz")
        found = [one["code"] for one in json.loads(body)["troubles"]] if status else None
        if found == list(codes):
            return
        assert time.monotonic() < deadline, (found, process.log.read_text())
        await asyncio.sleep(0.1)


async def span(bootstrap: str, partition: int) -> Span:
    """Return which offsets a partition of the ledger holds."""
    limits = Limits()
    client = operator_of(bootstrap).client(limits)
    try:
        await client.bootstrap()
        return await PartitionReader(client, TopicPartition(topics.LEDGER, partition), limits, committed=True).span()
    finally:
        await client.close()

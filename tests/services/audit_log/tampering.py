"""Somebody with the store, the folder or the ledger in their hands, and the check that is run after they left."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from audit_log.checking.findings import Finding
from audit_log.store.snapshot import Snapshot
from audit_log.verifying import Check, Found, Judge
from referral_contracts.directory import Directory
from referral_contracts.log.leaf import LedgerEntry
from referral_contracts.log.note import NoteKey
from referral_contracts.records import Record
from tests.services.audit_log.ledger import FakePartition
from tests.services.audit_log.world import World
from tests.services.referral_router.founding import directory


class Believing:
    """A judge that agrees: what the rules say of a log has its own tests."""

    def change(self, logged: LedgerEntry) -> bool:
        return True

    def event(self, logged: LedgerEntry) -> bool:
        return True

    def directory(self) -> Directory:
        return directory()


def reading(folder: Path) -> Callable[[str], bytes | None]:
    def fetch(name: str) -> bytes | None:
        path = folder / name
        return path.read_bytes() if path.is_file() else None

    return fetch


def spans(world: World) -> Mapping[int, tuple[int, int]]:
    return {one.number: (one.start, one.end) for one in world.ledger.partitions}


def records(world: World) -> Callable[[int], AsyncIterator[Record]]:
    async def read(partition: FakePartition) -> AsyncIterator[Record]:
        for record in partition.records:
            if record.headers and record.offset >= partition.start:
                yield record

    return lambda number: read(world.ledger.partitions[number])


def check(
    world: World,
    *,
    judge: Judge | None = None,
    keys: Sequence[NoteKey] | None = None,
    given: Sequence[tuple[str, bytes]] = (),
) -> Found:
    """Check *world* whole, the ledger too."""
    known = [world.desk.note_key] if keys is None else keys
    checking = Check(
        lambda: Snapshot.open(world.url),
        reading(world.tiles),
        lambda _: known,
        judge or Believing(),
        given=given,
        ledger=(spans(world), records(world)),
    )
    return asyncio.run(checking.run())


def told(world: World, *, given: Sequence[tuple[str, bytes]] = ()) -> list[tuple[str, str]]:
    """Return what is found, and where."""
    return named(check(world, given=given).findings)


def named(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    return [(one.fault.value, one.place) for one in findings]


def alter(world: World, statement: str, **values: Any) -> None:
    """Change the store behind the log's back."""
    engine = create_engine(world.url)
    try:
        with engine.begin() as connection:
            changed = connection.execute(text(statement), values)

            assert changed.rowcount > 0
    finally:
        engine.dispose()


def flip(path: Path, at: int = 0) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)

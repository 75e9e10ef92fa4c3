"""Somebody with the store, the folder or the ledger in their hands, and the check that is run after they left."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from audit_log.checking.findings import Finding
from audit_log.store import open_snapshot
from audit_log.verifying import Check, Found, Judge
from referral_contracts.directory import Directory
from referral_contracts.log.leaf import LedgerEntry
from referral_contracts.log.note import NoteKey
from referral_contracts.records import Record
from tests.services.audit_log.world import World
from tests.services.referral_router.founding import directory


class Believing:
    """A judge that agrees: what the rules say of a log has its own tests."""

    def change(self, logged: LedgerEntry) -> bool:
        return True

    def event(self, logged: LedgerEntry) -> bool:
        return True

    def lost(self, partition: int) -> None:
        """It says of everything that it is right."""

    def directory(self) -> Directory:
        return directory()


def reading(folder: Path) -> Callable[[str], bytes | None]:
    def fetch(name: str) -> bytes | None:
        path = folder / name
        return path.read_bytes() if path.is_file() else None

    return fetch


class StandingIn:
    """The ledger of *world*, in the place of Kafka's."""

    def __init__(self, world: World) -> None:
        self._partitions = world.ledger.partitions

    async def spans(self) -> Mapping[int, tuple[int, int]]:
        return {one.number: (one.start, one.end) for one in self._partitions}

    async def records(self, partition: int) -> AsyncIterator[Record]:
        found = self._partitions[partition]
        for record in found.records:
            if record.headers and record.offset >= found.start:
                yield record


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
        lambda: open_snapshot(world.url),
        reading(world.tiles),
        known,
        judge or Believing(),
        given=given,
        ledger=StandingIn(world),
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

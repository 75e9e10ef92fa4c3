"""Somebody with the store, the folder or the ledger in their hands, and the check that is run after they left."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, make_url, text

from audit_log.checking.findings import Finding
from audit_log.store import open_snapshot
from audit_log.verifying import Check, Found, Judge
from referral_contracts.directory import Directory
from referral_contracts.log.leaf import LedgerEntry
from referral_contracts.log.note import NoteKey
from referral_contracts.records import Record
from tests.services.audit_log.conftest import new_database
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
    """Change the store behind the log's back; in *statement* `:byte` is a byte of zeros, `:hash` 32 of them."""
    engine = create_engine(world.url)
    try:
        with engine.begin() as connection:
            changed = connection.execute(text(statement), {"byte": bytes(1), "hash": bytes(32), **values})

            assert changed.rowcount > 0
    finally:
        engine.dispose()


def cell(world: World, query: str) -> Any:
    """Return the one cell of the store that *query* asks for."""
    engine = create_engine(world.url)
    try:
        with engine.connect() as connection:
            return connection.execute(text(query)).scalar_one()
    finally:
        engine.dispose()


def twin(world: World, home: Path) -> World:
    """Return a copy of *world*, folder, store and ledger, in *home*."""
    shutil.copytree(world.home, home)
    url = make_url(world.url)
    # SQLite's file lies in the folder.
    copied = World.on_files(home).url if in_sqlite(world) else new_database(world.url, like=str(url.database))
    return replace(world, home=home, url=copied, ledger=deepcopy(world.ledger))


def emptied(world: World) -> World:
    """Throw folder and store of *world* away, and return it with new ones."""
    shutil.rmtree(world.home)
    world.home.mkdir()
    return world if in_sqlite(world) else replace(world, url=new_database(world.url))


def in_sqlite(world: World) -> bool:
    return make_url(world.url).get_backend_name() == "sqlite"


def flip(path: Path, at: int = 0) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)

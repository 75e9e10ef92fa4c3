"""A log on real files: its desk, what comes in, and sessions that go on from wherever the last one ended."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import create_engine

from audit_log.core.places import NOWHERE, Place
from audit_log.core.reading import LedgerReader, Taken
from audit_log.folder import Folder
from audit_log.log import Desk, Log
from audit_log.store import Store, open_store
from referral_contracts.keys import SigningKey
from referral_contracts.log.checkpoint import Checkpoint
from referral_contracts.sealing import random_salts
from tests.services.audit_log.ledger import FakePartition, opening
from tests.services.audit_log.outside import verify_whole
from tests.services.referral_router.founding import BUS, NOW, directory

ORIGIN = f"{BUS}.log"
KEY = SigningKey.from_seed(bytes([77]) * 32)


@dataclass
class Ledger:
    """The ledger's partitions."""

    partitions: list[FakePartition] = field(default_factory=lambda: [FakePartition(number) for number in range(3)])
    written: int = 0

    def write(self, counts: Sequence[int]) -> None:
        """Write a transaction of so many events into each partition."""
        for partition, count in zip(self.partitions, counts, strict=False):
            values = [opening(self.written + number) for number in range(count)]
            self.written += count
            if values:
                partition.write(values)

    def after(self, places: Mapping[int, Place]) -> tuple[list[Taken], dict[int, Place]]:
        """Return what a log that stands at *places* has not taken, and where it stands after that."""
        found, after = list[Taken](), dict(places)
        for partition in self.partitions:
            reader, place = LedgerReader(BUS, partition.number), places.get(partition.number, NOWHERE)
            place.check_within(partition.start, partition.end)
            for record in partition.records[place.next_offset :]:
                # Without headers it is a transaction's end, which no reader is given.
                taken = reader.read(record, place, directory()) if record.headers else None
                if taken is None:
                    place = Place(record.offset + 1, place.counter, place.chain)
                else:
                    found.append(taken)
                    place = Place(record.offset + 1, taken.counter, taken.chain)
            after[partition.number] = place
        return found, after


@dataclass
class World:
    """One log's files and its ledger."""

    home: Path
    url: str
    ledger: Ledger = field(default_factory=Ledger)
    now_ms: int = NOW

    @classmethod
    def on_files(cls, home: Path) -> "World":
        return cls(home, f"sqlite:///{home / 'log.db'}")

    @property
    def tiles(self) -> Path:
        return self.home / "tiles"

    @property
    def desk(self) -> Desk:
        return Desk(origin=ORIGIN, key=KEY, salts=random_salts, clock=lambda: self.now_ms)

    def store(self) -> Store:
        return open_store(self.url, bus=BUS, origin=ORIGIN)

    @contextmanager
    def opened(self) -> Iterator[Log]:
        """Open the log as a process does; close it as its end does."""
        store, folder = self.store(), Folder(self.tiles)
        try:
            yield Log(store, folder, self.desk)
        finally:
            folder.close()
            store.close()

    def catch_up(self, log: Log, most: int = 1000) -> None:
        """Append what *log* has not got, at most so much at a time, and publish after each."""
        taken, places = self.ledger.after(log.stands)
        while len(taken) > most:
            part, taken = taken[:most], taken[most:]
            # In the middle of a transaction a place stands behind the last one taken.
            log.append(part, {one.partition: Place(one.offset + 1, one.counter, one.chain) for one in part})
            log.publish()
        log.append(taken, places)
        log.publish()

    def verify(self) -> Checkpoint:
        """Check everything from outside."""
        everything, _ = self.ledger.after({})
        engine = create_engine(self.url)
        try:
            return verify_whole(engine, self.tiles, self.desk.note_key, [everything])
        finally:
            engine.dispose()

"""The log of a told case, to erase from."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import create_engine

from audit_log.asking import Asking
from audit_log.cases import Cases
from audit_log.core.places import NOWHERE, Place
from audit_log.core.reading import LedgerReader, Taken
from audit_log.core.retention import DAY_MS
from audit_log.eraser import Eraser, Requests
from audit_log.folder import Folder
from audit_log.log import Desk, Log
from audit_log.store import Store, open_store, schema
from audit_log.store.sql import SqlStore
from referral_contracts.codes import Code
from referral_contracts.directory import Directory
from referral_contracts.encoding import format_time, jcs
from referral_contracts.log import leaf as leaves
from referral_contracts.log.erasing import lawfully_erased
from referral_contracts.log.leaf import Statement
from referral_contracts.sealing import random_salts
from referral_contracts.topics import LEDGER
from referral_contracts.verbs import Verb
from tests.services.audit_log.outside import verify_published
from tests.stories.logged import LOG_KEY, ORIGIN, LoggedBus
from tests.stories.story import tell
from tests.stories.world import BUS, WARD, Said, World, keys

WAIT_DAYS: Final = 14
REGISTRAR: Final = "registrar"


class Erasing:
    """The log of a told case on real files, and the eraser over it, anew for each act, as the command has it."""

    def __init__(self, home: Path, url: str | None = None) -> None:
        self.home, self.url, self.world = home, url or f"sqlite:///{home / 'log.db'}", World()
        LoggedBus(self.world)
        self.told = tell(self.world)
        self.case = self.told.opened.case
        self.directory: Directory | None = None
        """Instead of the simulator's, to erase by."""
        self.later_ms = 0
        self.faults: Callable[[SqlStore], Store] = lambda store: store
        with self.opened():
            pass

    @property
    def now_ms(self) -> int:
        return self.world.clock.now_ms() + self.later_ms

    def wait(self, days: float) -> None:
        self.later_ms += round(days * DAY_MS)

    @contextmanager
    def opened(self) -> Iterator[Log]:
        """Open the log, and let it take what is new on the ledger."""
        store, folder = open_store(self.url, bus=BUS, origin=ORIGIN), Folder(self.home / "tiles")
        self.store = store
        try:
            log = self.log = Log(self.faults(store), folder, self.desk)
            places = {**log.places}
            taken = [one for number in range(self.world.simulator.partitions + 1) for one in self._new(number, places)]
            log.append(taken, places)
            log.publish()
            yield log
        finally:
            folder.close()
            store.close()

    def _new(self, partition: int, places: dict[int, Place]) -> Iterator[Taken]:
        reader, place = LedgerReader(BUS, partition), places.get(partition, NOWHERE)
        for record in self.world.simulator.broker.records(LEDGER, partition, place.next_offset):
            one = reader.read(record, place, self.world.simulator.directory)
            counter, chain = (place.counter, place.chain) if one is None else (one.counter, one.chain)
            place = places[partition] = Place(record.offset + 1, counter, chain)
            if one is not None:
                yield one

    @property
    def desk(self) -> Desk:
        return Desk(origin=ORIGIN, key=LOG_KEY, salts=random_salts, clock=lambda: self.now_ms)

    @contextmanager
    def eraser(self) -> Iterator[Eraser]:
        with self.opened() as log:
            yield Eraser(log, self.cases(log), self.desk, WAIT_DAYS * DAY_MS)

    def cases(self, log: Log) -> Cases:
        return Cases(self.store.reader, lambda: log.size, lambda: self.directory or self.world.simulator.directory)

    @contextmanager
    def asking(self) -> Iterator[Asking]:
        """Give what takes statements for the open log, which its one writer then appends."""
        with self.opened() as log:
            cases = self.cases(log)

            async def state(taken: Sequence[Taken]) -> list[int]:
                return [log.append(taken, {})]

            async def threaded(work: Callable[..., Any], *arguments: object) -> Any:
                return work(*arguments)

            yield Asking(lambda: cases, state, threaded, clock=lambda: self.now_ms, wait_ms=WAIT_DAYS * DAY_MS)
            log.publish()

    def signed(self, kind: str, *signers: str, **told: object) -> Statement:
        said = {"at": format_time(self.now_ms), "bus": BUS, "ground": "91/2025", "kind": kind, "subject": self.case}
        return Statement.signed(jcs({**said, **told}), *(keys()[name].signing for name in signers))

    def state(self, kind: str, *signers: str, **told: object) -> int:
        return self.take(self.signed(kind, *signers, **told))

    def take(self, statement: Statement) -> int:
        with self.asking() as asking:
            return asyncio.run(asking.take(statement)).leaf

    def missed(self) -> Said:
        """Let the watcher say that a deadline was missed."""
        return self.world.say("watcher", Verb.DEADLINE_MISSED, case=self.case, to=[WARD])

    def ask(self, *signers: str, **told: object) -> int:
        return self.state("erasure-asked", *(signers or (WARD, REGISTRAR)), **told)

    def run(self) -> list[Code | None]:
        """Let the log's beat come once, after a start; return what became of what was waited for long enough."""
        with self.eraser() as eraser:
            found = [one.code for one in eraser.run()]
            self.log.publish()
            return found

    def listed(self) -> list[Code | None]:
        """Return what would become now of each request."""
        with self.opened() as log:
            requests = Requests(self.cases(log), WAIT_DAYS * DAY_MS)
            return [one.code for one in requests.outcomes(self.now_ms)]

    def rows(self, table: Any) -> list[Any]:
        engine = create_engine(self.url)
        with engine.connect() as connection:
            found = connection.execute(table.select()).all()
        engine.dispose()
        return list(found)

    def bytes_on_disk(self) -> bytes:
        return b"".join(path.read_bytes() for path in sorted(self.home.glob("log.db*")))

    def verify(self) -> None:
        """Check tree, tiles and checkpoint from outside, and the records."""
        verify_published(self.home / "tiles", self.desk.note_key)
        self.verify_records()

    def verify_records(self) -> None:
        """Check each record, and that an erasure names what is gone."""
        entries = {row.idx: bytes(row.entry) for row in self.rows(schema.ENTRIES)}
        records = {row.idx: [bytes(part) for part in row[1:]] for row in self.rows(schema.RECORDS)}
        statements = []
        for index, (salt, signature, value, *rest) in records.items():
            logged = leaves.LedgerEntry(signature=signature, value=value, decision=rest[0], path=rest[1], root=rest[2])
            assert leaves.entry(salt, logged.record()) == entries[index]
            if not rest[0]:
                statements.append((index, Statement(signatures=tuple(signature.split(b"\n")), value=value)))
        lawful = lawfully_erased(statements, self.world.simulator.directory)
        assert {index: entry for index, (_, entry) in lawful.items()} == {
            index: entry for index, entry in entries.items() if index not in records
        }

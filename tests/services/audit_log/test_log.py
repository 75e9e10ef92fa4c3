from dataclasses import replace
from pathlib import Path

import pytest

from audit_log.log import Log
from audit_log.store import open_store
from referral_contracts.codes import Code
from referral_contracts.errors import Fatal
from referral_contracts.log.checkpoint import Checkpoint, sign_checkpoint
from referral_contracts.log.tiles import Tile
from tests.services.audit_log.world import KEY, ORIGIN, World


def stopped_with(world: World) -> Code:
    with pytest.raises(Fatal) as stopped, world.opened():
        pass
    return stopped.value.code


def test_a_new_log_publishes_that_it_is_empty(world: World) -> None:
    with world.opened() as log:
        assert (log.size, log.published) == (0, 0)

    assert world.verify().size == 0


def test_what_was_appended_is_published_and_verifies_from_outside(world: World) -> None:
    world.ledger.write([3, 0, 2])
    with world.opened() as log:
        world.catch_up(log)

    assert world.verify().size == 5


@pytest.mark.parametrize(("most", "counts"), [(1, [5, 4, 3]), (7, [30, 5, 5]), (100, [130, 70, 60]), (256, [600])])
def test_the_tree_verifies_however_it_grew(world: World, most: int, counts: list[int]) -> None:
    for _ in range(2):
        world.ledger.write(counts)
        with world.opened() as log:
            world.catch_up(log, most)
        assert world.verify().size == world.ledger.written


def test_nothing_new_is_nothing_to_publish(world: World) -> None:
    world.ledger.write([1])
    with world.opened() as log:
        world.catch_up(log)

        assert log.publish() is None


def test_places_alone_can_be_stored(world: World) -> None:
    with world.opened() as log:
        world.ledger.write([1])
        world.catch_up(log)
        world.ledger.partitions[1].tick()
        _, places = world.ledger.after(log.places)
        log.append([], places)

    with world.opened() as log:
        assert log.places == places


def test_partial_tiles_go_when_the_tile_is_full(world: World) -> None:
    world.ledger.write([300])
    with world.opened() as log:
        world.catch_up(log, most=100)

    assert not (world.tiles / "tile/0/000.p").exists()
    assert not (world.tiles / "tile/entries/000.p").exists()
    assert (world.tiles / "tile/0/001.p/44").exists()


def test_a_folder_that_was_lost_is_made_anew(world: World) -> None:
    world.ledger.write([300])
    with world.opened() as log:
        world.catch_up(log)
    world.tiles.rename(world.home / "gone")
    with world.opened():
        pass

    assert world.verify().size == 300


def grown(world: World) -> Log:
    """Return a log of 300 leaves, closed."""
    world.ledger.write([300])
    with world.opened() as log:
        world.catch_up(log)
    return log


def test_a_store_that_was_put_back_stops_the_log(tmp_path: Path) -> None:
    world = World.on_files(tmp_path)
    grown(world)
    kept = (world.home / "log.db").read_bytes()
    world.ledger.write([1])
    with world.opened() as log:
        world.catch_up(log)
    (world.home / "log.db").write_bytes(kept)

    assert stopped_with(world) is Code.LOG_ROLLBACK


def test_a_published_checkpoint_of_another_tree_stops_the_log(world: World) -> None:
    grown(world)
    forged = Checkpoint(ORIGIN, 300, bytes(32))
    (world.tiles / "checkpoint").write_bytes(sign_checkpoint(forged, KEY))

    assert stopped_with(world) is Code.LOG_FORK
    (world.tiles / "checkpoint").write_bytes(sign_checkpoint(replace(forged, size=299), KEY))

    assert stopped_with(world) is Code.LOG_FORK


def test_a_checkpoint_by_another_key_stops_the_log(world: World) -> None:
    grown(world)
    note = (world.tiles / "checkpoint").read_bytes()
    (world.tiles / "checkpoint").write_bytes(note.replace(b"\n300\n", b"\n299\n"))

    assert stopped_with(world) is Code.BAD_CHECKPOINT


@pytest.mark.parametrize("how", ["flipped", "gone", "cut"])
def test_a_tile_that_was_changed_stops_the_log(world: World, how: str) -> None:
    grown(world)
    path = world.tiles / Tile(0, 1, 44).path
    data = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(data[:-32] if how == "cut" else bytes([data[0] ^ 1]) + data[1:])

    assert stopped_with(world) is Code.BAD_TILE


def test_a_store_of_another_log_is_not_opened(world: World) -> None:
    grown(world)

    with pytest.raises(Fatal) as stopped:
        open_store(world.url, bus="production", origin=ORIGIN)

    assert stopped.value.code is Code.STATE_FORMAT


def test_a_clock_that_is_set_back_changes_nothing(world: World) -> None:
    grown(world)
    world.now_ms -= 3 * 3_600_000
    world.ledger.write([5])
    with world.opened() as log:
        world.catch_up(log)

    assert world.verify().size == 305

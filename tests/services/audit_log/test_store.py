"""What every store promises, of each of them."""

import pytest
from sqlalchemy import create_engine, text

from audit_log.core.growing import Batch, grow
from audit_log.core.places import Place
from audit_log.store import Signed, State, open_store
from referral_contracts.codes import Code
from referral_contracts.errors import Fatal, LocalError
from referral_contracts.log.growth import Frontier
from referral_contracts.sealing import random_salts
from tests.services.audit_log.world import ORIGIN, World
from tests.services.referral_router.founding import BUS, NOW

HOUR = 3_600_000


def batch(world: World, frontier: Frontier, count: int) -> Batch:
    """Return the step that the ledger's next *count* events make."""
    _, before = world.ledger.after({})
    world.ledger.write([count])
    taken, places = world.ledger.after(before)
    return grow(frontier, taken, places, random_salts)


def signed(size: int, root: bytes = b"r" * 32) -> Signed:
    return Signed(size, root, b"log\n%d\nroot\n" % size)


def code_of(stopped: pytest.ExceptionInfo[Fatal]) -> Code:
    return stopped.value.code


def test_a_new_store_is_empty(world: World) -> None:
    store = world.store()

    assert store.state() == State(Frontier.empty(), {}, None)
    store.close()


def test_what_was_appended_is_there_for_the_next_writer(world: World) -> None:
    store = world.store()
    step = batch(world, Frontier.empty(), 300)
    store.append(step)
    store.sign(signed(300), NOW)
    store.close()
    store = world.store()

    assert store.state() == State(step.frontier, step.places, signed(300))
    assert store.hashes(0, 7, 300) == [row[1] for row in step.entries[7:]]
    assert store.hashes(1, 0, 1) == [row[2] for row in step.nodes]
    store.close()


def test_a_step_is_taken_once(world: World) -> None:
    store = world.store()
    step = batch(world, Frontier.empty(), 3)
    store.append(step)

    with pytest.raises(Fatal) as stopped:
        store.append(step)
    assert code_of(stopped) is Code.LOG_BUSY
    assert store.state().frontier == step.frontier
    store.close()


def test_places_move_without_a_leaf(world: World) -> None:
    store = world.store()
    places = {2: Place(17, 0, bytes(32)), 0: Place(3, 2, b"c" * 32)}
    store.append(Batch(before=0, frontier=Frontier.empty(), places=places))
    store.append(Batch(before=0, frontier=Frontier.empty(), places={2: Place(18, 0, bytes(32))}))

    assert store.state().places == places | {2: Place(18, 0, bytes(32))}
    store.close()


def test_a_checkpoint_is_never_taken_back(world: World) -> None:
    store = world.store()
    store.append(batch(world, Frontier.empty(), 5))
    store.sign(signed(4), NOW)
    store.sign(signed(4), NOW)

    for one, code in (
        (signed(3), Code.LOG_ROLLBACK),
        (signed(4, b"x" * 32), Code.LOG_FORK),
        (signed(6), Code.LOG_ROLLBACK),
    ):
        with pytest.raises(Fatal) as stopped:
            store.sign(one, NOW)
        assert code_of(stopped) is code
    assert store.state().checkpoint == signed(4)
    store.close()


def test_of_each_hour_one_checkpoint_is_kept(world: World) -> None:
    store = world.store()
    store.append(batch(world, Frontier.empty(), 9))
    began = NOW // HOUR * HOUR
    for size, after in ((1, 0), (2, 1), (3, 2), (4, HOUR), (5, HOUR + 1), (6, 3 * HOUR), (7, 3 * HOUR + 1)):
        store.sign(signed(size), began + after)
    store.close()
    engine = create_engine(world.url)
    with engine.connect() as connection:
        kept = list(connection.scalars(text("select size from checkpoints order by size")))
    engine.dispose()

    assert kept == [1, 4, 6, 7]


def test_a_second_writer_is_told_that_there_is_one(world: World) -> None:
    store = world.store()

    with pytest.raises(Fatal) as stopped:
        world.store()
    assert code_of(stopped) is Code.LOG_BUSY
    store.append(batch(world, Frontier.empty(), 1))
    store.close()
    world.store().close()


def test_a_writer_that_was_overtaken_writes_nothing(world: World) -> None:
    store = world.store()
    engine = create_engine(world.url)
    with engine.begin() as connection:
        connection.execute(text("update tree set epoch = epoch + 1"))
    engine.dispose()

    with pytest.raises(Fatal) as stopped:
        store.append(batch(world, Frontier.empty(), 1))
    assert code_of(stopped) is Code.LOG_BUSY
    with pytest.raises(Fatal) as stopped:
        store.sign(signed(0), NOW)
    assert code_of(stopped) is Code.LOG_BUSY
    assert store.state().frontier.size == 0
    store.close()


def test_a_hash_that_is_gone_is_a_fork(world: World) -> None:
    store = world.store()
    store.append(batch(world, Frontier.empty(), 5))

    with pytest.raises(Fatal) as stopped:
        store.hashes(0, 0, 6)
    assert code_of(stopped) is Code.LOG_FORK
    store.close()


def test_a_store_belongs_to_one_log(world: World) -> None:
    world.store().close()

    for bus, origin in (("production", ORIGIN), (BUS, "another.log")):
        with pytest.raises(Fatal) as stopped:
            open_store(world.url, bus=bus, origin=origin)
        assert code_of(stopped) is Code.STATE_FORMAT


@pytest.mark.parametrize("url", ["", "here", "sqlite://", "mysql://host/db", "postgresql+psycopg://host"])
def test_what_is_no_store_is_not_opened(url: str) -> None:
    with pytest.raises(LocalError) as told:
        open_store(url, bus=BUS, origin=ORIGIN)

    assert told.value.code is Code.MALFORMED_VALUE

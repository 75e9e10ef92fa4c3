"""Whatever happens to the router between two steps, it decides the same, byte for byte."""

import random
from collections.abc import Callable, Sequence
from typing import TypeAlias

import pytest

from referral_bus.testing import Loss
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.records import Record
from referral_contracts.topics import H_PATH, H_ROOT, SUBMISSIONS
from tests.stories.story import tell
from tests.stories.world import ROLES, World, no_salt

Outcome: TypeAlias = dict[tuple[str, int], list[object]]


def outcome(world: World, *, proofs: bool = True) -> Outcome:
    """Return everything that the router wrote of referrals; *proofs* change with where a batch ends."""
    left_out = () if proofs else (H_PATH, H_ROOT)
    names = [topics.LEDGER, *(topics.inbox(name) for name in ROLES)]
    return {
        (name, partition): [
            (record.key, record.value, [header for header in record.headers if header[0] not in left_out])
            for record in world.broker.records(name, partition)
        ]
        for name in names
        for partition in range(1 if name != topics.LEDGER else world.simulator.partitions)
    }


def state(world: World) -> dict[tuple[int, bytes | None], bytes | None]:
    """Return what a restart would know."""
    return {
        (partition, record.key): record.value
        for partition in range(world.simulator.partitions)
        for record in world.broker.records(topics.STATE, partition)
    }


def submitted(world: World) -> list[Record]:
    return [record for partition in range(2) for record in world.broker.records(SUBMISSIONS, partition)]


def replay(
    records: Sequence[Record], disturb: Callable[[World], None] = lambda _: None, *, automatic: bool = True
) -> World:
    """Submit *records* to a new world of the same people; *disturb* it before each."""
    world = World(salts=no_salt, automatic=automatic)
    for record in records:
        disturb(world)
        world.broker.append(SUBMISSIONS, record.partition, record.key, record.value, record.headers)
    world.simulator.run()
    return world


@pytest.fixture(scope="module")
def undisturbed() -> World:
    world = World(salts=no_salt)
    tell(world)
    return world


def test_the_same_submissions_lead_to_the_same_bytes(undisturbed: World) -> None:
    again = replay(submitted(undisturbed))

    assert outcome(undisturbed) == outcome(again)
    assert state(undisturbed) == state(again)


def test_a_restart_between_any_two_steps_changes_nothing(undisturbed: World) -> None:
    disturbed = replay(submitted(undisturbed), lambda world: world.simulator.restart())

    assert outcome(undisturbed) == outcome(disturbed)
    assert state(undisturbed) == state(disturbed)


@pytest.mark.parametrize("loss", list(Loss))
def test_a_transaction_whose_outcome_is_unknown_at_any_step_changes_nothing(undisturbed: World, loss: Loss) -> None:
    disturbed = replay(submitted(undisturbed), lambda world: world.simulator.losses.append(loss))

    assert outcome(undisturbed) == outcome(disturbed)
    assert state(undisturbed) == state(disturbed)


@pytest.mark.parametrize("seed", range(5))
def test_whatever_goes_wrong_and_wherever_a_batch_ends_the_decisions_are_the_same(
    undisturbed: World, seed: int
) -> None:
    chance = random.Random(seed)

    def disturb(world: World) -> None:
        match chance.randrange(6):
            case 0:
                world.simulator.restart()
            case 1:
                world.simulator.losses.append(chance.choice(list(Loss)))
            case 2:
                world.simulator.step(chance.randrange(1, 5))
            case _:
                pass

    disturbed = replay(submitted(undisturbed), disturb, automatic=False)
    disturbed.audit()

    assert outcome(undisturbed, proofs=False) == outcome(disturbed, proofs=False)
    assert state(undisturbed) == state(disturbed)


def test_what_is_submitted_twice_is_answered_twice_and_delivered_once(undisturbed: World) -> None:
    records = [record for record in submitted(undisturbed) for _ in range(2)]
    disturbed = replay(records)
    found = disturbed.audit()

    assert found.codes[Code.ACCEPTED] == undisturbed.audit().codes[Code.ACCEPTED]
    assert found.codes[Code.DUPLICATE] > found.codes[Code.ACCEPTED]
    for name in ROLES:
        before, after = undisturbed.inbox(name), disturbed.inbox(name)

        assert [(copy.value, copy.counter) for copy in before] == [(copy.value, copy.counter) for copy in after]


def test_a_router_that_was_killed_in_the_middle_of_the_story_finishes_it() -> None:
    world = World()
    tell(world, world.simulator.restart)

    world.audit()

"""When the directory runs out, referrals wait; none is refused. And what is long over leaves only a stub."""

import pytest

from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.records import Record
from referral_contracts.verbs import Verb
from tests.stories.world import HOTLINE, STRANGER, WARD, Said, World

DAY_S = 24 * 3600
STUB = 128


@pytest.fixture
def world() -> World:
    return World(partitions=1)


def test_referrals_wait_for_a_directory_and_are_then_judged_in_their_order(world: World) -> None:
    opened = world.say(HOTLINE, Verb.CASE_OPENED)
    world.clock.wind(8 * DAY_S)
    first = world.write(HOTLINE, Verb.OFFERED, case=opened.case, to=[WARD])
    second = world.write(HOTLINE, Verb.WITHDRAWN, case=opened.case, to=[WARD], about=first.to(WARD), answers=first)
    for said in (first, second):
        world.submit(said)

    assert world.verdicts(first) == []
    assert world.inbox(WARD) == []

    world.simulator.change_directory()

    assert [world.told(said) for said in (first, second)] == [Code.ACCEPTED, Code.ACCEPTED]
    assert [copy.verb for copy in world.inbox(WARD)] == [Verb.OFFERED, Verb.WITHDRAWN]
    assert world.simulator.directory.version == 2
    world.audit()


def test_an_expired_directory_can_be_renewed_after_a_restart(world: World) -> None:
    world.clock.wind(8 * DAY_S)
    world.simulator.restart()
    world.simulator.change_directory()

    world.say(HOTLINE, Verb.CASE_OPENED)


def closed_case(world: World) -> tuple[Said, Said]:
    opened = world.say(HOTLINE, Verb.CASE_OPENED)
    return opened, world.say(HOTLINE, Verb.CASE_CLOSED, case=opened.case, answers=opened)


def state_of(world: World, case: str) -> Record:
    return [record for record in world.broker.records(topics.STATE, 0) if record.key == case.encode()][-1]


def test_a_case_closed_for_long_leaves_a_stub_and_only_its_owner_learns_of_it(world: World) -> None:
    opened, closed = closed_case(world)
    world.clock.wind(DAY_S + 1)
    world.say(HOTLINE, Verb.CASE_OPENED)

    assert len(state_of(world, opened.case).value or b"") <= STUB

    for said, code in (
        (world.write(HOTLINE, Verb.CASE_CLOSED, case=opened.case, answers=closed), Code.ARCHIVED),
        (world.write(STRANGER, Verb.CASE_NOTED, case=opened.case, to=[WARD]), Code.NOT_FOUND),
    ):
        assert world.answer(said).code is code
    world.simulator.restart()

    assert world.answer(world.write(HOTLINE, Verb.OFFERED, case=opened.case, to=[WARD])).code is Code.ARCHIVED


def test_a_case_that_is_open_is_never_let_go(world: World) -> None:
    opened = world.say(HOTLINE, Verb.CASE_OPENED)
    offered = world.say(HOTLINE, Verb.OFFERED, case=opened.case, to=[WARD])
    for _ in range(5):
        world.clock.wind(DAY_S)
        world.say(HOTLINE, Verb.CASE_OPENED)

    assert len(state_of(world, opened.case).value or b"") > STUB

    world.reply(WARD, Verb.ACCEPTED, offered)
    world.audit()

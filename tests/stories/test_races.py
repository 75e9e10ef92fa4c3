"""Two who speak at once: one wins, the other is told what it met."""

import pytest

from referral_contracts.codes import Code
from referral_contracts.lifecycle import State
from referral_contracts.verbs import Verb
from tests.stories.world import HOTLINE, POLICE, WARD, Said, World


@pytest.fixture
def world() -> World:
    return World(partitions=1)


@pytest.fixture
def offered(world: World) -> Said:
    opened = world.say(HOTLINE, Verb.CASE_OPENED)
    return world.say(HOTLINE, Verb.OFFERED, case=opened.case, to=[WARD])


def by_ward(world: World, verb: Verb, offered: Said, answers: Said | None = None) -> Said:
    return world.write(WARD, verb, case=offered.case, to=[HOTLINE], about=offered.to(WARD), answers=answers or offered)


def by_hotline(world: World, verb: Verb, offered: Said, answers: Said | None = None) -> Said:
    return world.write(HOTLINE, verb, case=offered.case, to=[WARD], about=offered.to(WARD), answers=answers or offered)


def test_who_accepts_first_keeps_it_and_who_withdraws_is_told(world: World, offered: Said) -> None:
    accepts, withdraws = by_ward(world, Verb.ACCEPTED, offered), by_hotline(world, Verb.WITHDRAWN, offered)
    won, lost = world.answer(accepts), world.answer(withdraws)

    assert (won.code, won.state) == (Code.ACCEPTED, State.ACCEPTED)
    assert (Code.STALE_HEAD, State.ACCEPTED, accepts.ref) == (lost.code, lost.state, lost.head)
    assert [copy.verb for copy in world.inbox(HOTLINE)] == [Verb.ACCEPTED]
    assert [copy.verb for copy in world.inbox(WARD)] == [Verb.OFFERED]


def test_who_withdraws_first_has_withdrawn_and_who_accepts_is_told(world: World, offered: Said) -> None:
    accepts, withdraws = by_ward(world, Verb.ACCEPTED, offered), by_hotline(world, Verb.WITHDRAWN, offered)
    won, lost = world.answer(withdraws), world.answer(accepts)

    assert (won.code, won.state) == (Code.ACCEPTED, State.WITHDRAWN)
    assert (Code.STALE_HEAD, State.WITHDRAWN, withdraws.ref) == (lost.code, lost.state, lost.head)
    assert world.inbox(HOTLINE) == []
    assert [copy.verb for copy in world.inbox(WARD)] == [Verb.OFFERED, Verb.WITHDRAWN]


def test_in_one_batch_the_first_wins_too() -> None:
    world = World(automatic=False)
    opened = world.write(HOTLINE, Verb.CASE_OPENED)
    offered = world.write(HOTLINE, Verb.OFFERED, case=opened.case, to=[WARD])
    accepts, withdraws = by_ward(world, Verb.ACCEPTED, offered), by_hotline(world, Verb.WITHDRAWN, offered)
    for said in (opened, offered, accepts, withdraws):
        world.submit(said)
    world.simulator.step()

    assert [world.told(said) for said in (opened, offered, accepts)] == [Code.ACCEPTED] * 3
    assert world.told(withdraws) is Code.STALE_HEAD
    world.audit()


def test_a_receipt_or_progress_in_between_makes_nobody_lose(world: World, offered: Said) -> None:
    withdraws = by_hotline(world, Verb.WITHDRAWN, offered)
    world.reply(WARD, Verb.RECEIVED, offered)

    assert world.answer(withdraws).code is Code.ACCEPTED

    again = world.say(HOTLINE, Verb.OFFERED, case=offered.case, to=[WARD])
    accepted = world.reply(WARD, Verb.ACCEPTED, again)
    completed = by_ward(world, Verb.COMPLETED, again, accepted)
    world.reply(WARD, Verb.PROGRESSED, again, accepted)

    assert world.answer(completed).code is Code.ACCEPTED


def test_nothing_is_accepted_or_received_twice(world: World, offered: Said) -> None:
    world.reply(WARD, Verb.RECEIVED, offered)
    accepted = world.reply(WARD, Verb.ACCEPTED, offered)

    assert world.answer(by_ward(world, Verb.RECEIVED, offered)).code is Code.ILLEGAL_TRANSITION
    assert world.answer(by_ward(world, Verb.ACCEPTED, offered)).code is Code.STALE_HEAD
    assert world.answer(by_ward(world, Verb.ACCEPTED, offered, accepted)).code is Code.ILLEGAL_TRANSITION


def test_what_only_the_other_side_may_say_is_refused(world: World, offered: Said) -> None:
    assert world.answer(by_hotline(world, Verb.ACCEPTED, offered)).code is Code.WRONG_PARTY
    assert world.answer(by_ward(world, Verb.WITHDRAWN, offered)).code is Code.WRONG_PARTY
    assert world.told(offered) is Code.ACCEPTED


def test_a_case_cannot_be_closed_over_the_head_of_one_who_is_still_asked(world: World, offered: Said) -> None:
    opened = world.say(HOTLINE, Verb.CASE_OPENED)
    asked = world.say(HOTLINE, Verb.OFFERED, case=opened.case, to=[POLICE])
    refused = world.answer(world.write(HOTLINE, Verb.CASE_CLOSED, case=opened.case, answers=opened))

    assert (Code.OPEN_HANDOFFS, (asked.to(POLICE),)) == (refused.code, tuple(one.key for one in refused.open or ()))

    world.reply(POLICE, Verb.DECLINED, asked)
    world.say(HOTLINE, Verb.CASE_CLOSED, case=opened.case, answers=opened)
    late = world.write(HOTLINE, Verb.OFFERED, case=opened.case, to=[POLICE])

    assert world.answer(late).code is Code.ILLEGAL_TRANSITION
    world.audit()

"""A duty is handed on in the open, and whoever hands it on keeps it until the next one has it."""

import pytest

from referral_contracts.codes import Code
from referral_contracts.lifecycle import State
from referral_contracts.verbs import Verb
from tests.stories.world import HOTLINE, NEXT_WARD, POLICE, SCHOOL, WARD, Said, World


@pytest.fixture
def world() -> World:
    return World(partitions=1)


@pytest.fixture
def opened(world: World) -> Said:
    return world.say(HOTLINE, Verb.CASE_OPENED)


@pytest.fixture
def assigned(world: World, opened: Said) -> Said:
    return world.say(HOTLINE, Verb.ASSIGNED, case=opened.case, to=[WARD])


def forwards(world: World, assigned: Said, following: str = NEXT_WARD, answers: Said | None = None) -> Said:
    """Return the ward's forwarding of what it was assigned."""
    return world.write(
        WARD,
        Verb.FORWARDED,
        case=assigned.case,
        to=[assigned.envelope.source, following],
        about=assigned.to(WARD),
        answers=answers or assigned,
    )


def test_a_duty_cannot_be_declined(world: World, assigned: Said) -> None:
    declined = world.write(
        WARD, Verb.DECLINED, case=assigned.case, to=[HOTLINE], about=assigned.to(WARD), answers=assigned
    )

    assert world.answer(declined).code is Code.ILLEGAL_TRANSITION


def test_the_next_body_and_the_one_who_assigned_both_hear_of_it(world: World, assigned: Said) -> None:
    forwarded = forwards(world, assigned)

    assert world.answer(forwarded).state is State.FORWARDED
    assert forwarded.value in [copy.value for copy in world.inbox(HOTLINE)]
    assert forwarded.value in [copy.value for copy in world.inbox(NEXT_WARD)]


def test_the_forwarder_is_released_by_the_next_ones_receipt_and_by_nothing_else(
    world: World, opened: Said, assigned: Said
) -> None:
    forwarded = forwards(world, assigned)

    assert world.answer(forwarded).code is Code.ACCEPTED

    closing = world.answer(world.write(HOTLINE, Verb.CASE_CLOSED, case=opened.case, answers=opened))

    assert {assigned.to(WARD), forwarded.to(NEXT_WARD)} == {one.key for one in closing.open or ()}

    accepted = world.reply(NEXT_WARD, Verb.ACCEPTED, forwarded)
    closing = world.answer(world.write(HOTLINE, Verb.CASE_CLOSED, case=opened.case, answers=opened))

    assert {assigned.to(WARD), forwarded.to(NEXT_WARD)} == {one.key for one in closing.open or ()}

    world.reply(NEXT_WARD, Verb.RECEIVED, forwarded)
    closing = world.answer(world.write(HOTLINE, Verb.CASE_CLOSED, case=opened.case, answers=opened))

    assert {forwarded.to(NEXT_WARD)} == {one.key for one in closing.open or ()}

    completed = world.reply(NEXT_WARD, Verb.COMPLETED, forwarded, accepted)
    world.say(WARD, Verb.CLOSED, case=opened.case, to=[NEXT_WARD], about=forwarded.to(NEXT_WARD), answers=completed)
    world.say(HOTLINE, Verb.CASE_CLOSED, case=opened.case, answers=opened)
    world.audit()


def test_a_forwarding_that_is_not_received_can_be_sent_elsewhere(world: World, assigned: Said) -> None:
    first = forwards(world, assigned)
    assert world.answer(first).code is Code.ACCEPTED
    second = forwards(world, assigned, POLICE, answers=first)

    assert world.answer(second).state is State.FORWARDED

    world.reply(POLICE, Verb.RECEIVED, second)
    third = forwards(world, assigned, SCHOOL, answers=second)

    assert world.answer(third).code is Code.ILLEGAL_TRANSITION


def test_the_next_may_forward_in_its_turn(world: World, assigned: Said) -> None:
    first = forwards(world, assigned)
    assert world.answer(first).code is Code.ACCEPTED
    world.reply(NEXT_WARD, Verb.RECEIVED, first)
    again = world.say(
        NEXT_WARD,
        Verb.FORWARDED,
        case=assigned.case,
        to=[WARD, POLICE],
        about=first.to(NEXT_WARD),
        answers=first,
    )
    received = world.answer(
        world.write(POLICE, Verb.RECEIVED, case=assigned.case, to=[NEXT_WARD], about=again.to(POLICE), answers=again)
    )

    assert received.code is Code.ACCEPTED
    world.audit()


def test_an_offer_is_declined_and_not_forwarded(world: World, opened: Said) -> None:
    offered = world.say(HOTLINE, Verb.OFFERED, case=opened.case, to=[WARD])

    assert world.answer(forwards(world, offered)).code is Code.ILLEGAL_TRANSITION


def test_a_duty_is_not_forwarded_to_nobody_or_behind_the_assigners_back(world: World, assigned: Said) -> None:
    for to in ([HOTLINE], [NEXT_WARD], [HOTLINE, NEXT_WARD, POLICE]):
        said = world.write(WARD, Verb.FORWARDED, case=assigned.case, to=to, about=assigned.to(WARD), answers=assigned)

        assert world.answer(said).code is Code.WRONG_RECIPIENTS


def test_a_notification_ends_with_its_receipt(world: World, opened: Said) -> None:
    notified = world.say(HOTLINE, Verb.NOTIFIED, case=opened.case, to=[POLICE])
    received = world.answer(
        world.write(POLICE, Verb.RECEIVED, case=opened.case, to=[HOTLINE], about=notified.to(POLICE), answers=notified)
    )

    assert received.state is State.RECEIVED

    world.say(HOTLINE, Verb.CASE_CLOSED, case=opened.case, answers=opened)

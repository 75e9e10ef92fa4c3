"""A case changes hands: the old owner answers for it until the new one has accepted."""

import pytest

from referral_contracts.codes import Code
from referral_contracts.decisions import Verdict
from referral_contracts.lifecycle import CaseState
from referral_contracts.verbs import Verb
from tests.stories.world import HOTLINE, NEXT_WARD, POLICE, WARD, Said, World


@pytest.fixture
def world() -> World:
    return World(partitions=1)


@pytest.fixture
def opened(world: World) -> Said:
    return world.say(HOTLINE, Verb.CASE_OPENED)


@pytest.fixture
def offered(world: World, opened: Said) -> Said:
    return world.say(HOTLINE, Verb.CASE_TRANSFER_OFFERED, case=opened.case, to=[WARD], answers=opened)


def closing(world: World, owner: str, answers: Said) -> Verdict:
    return world.answer(world.write(owner, Verb.CASE_CLOSED, case=answers.case, answers=answers))


def test_the_new_owner_closes_the_case_and_the_old_one_no_longer_may(world: World, offered: Said) -> None:
    accepted = world.say(WARD, Verb.CASE_TRANSFER_ACCEPTED, case=offered.case, to=[HOTLINE], answers=offered)
    old, new = closing(world, HOTLINE, accepted), closing(world, WARD, accepted)

    assert (old.code, old.case_state) == (Code.WRONG_PARTY, None)
    assert (new.code, new.case_state) == (Code.ACCEPTED, CaseState.CLOSED)
    world.audit()


def test_until_it_is_accepted_the_old_owner_goes_on_with_the_case(world: World, offered: Said) -> None:
    asked = world.say(HOTLINE, Verb.OFFERED, case=offered.case, to=[POLICE])
    world.reply(POLICE, Verb.DECLINED, asked)

    assert closing(world, WARD, offered).code is Code.WRONG_PARTY
    # Nor is it closed while somebody is asked to take it.
    assert closing(world, HOTLINE, offered).code is Code.ILLEGAL_TRANSITION


def test_what_was_declined_stays_with_the_old_owner(world: World, offered: Said) -> None:
    declined = world.say(WARD, Verb.CASE_TRANSFER_DECLINED, case=offered.case, to=[HOTLINE], answers=offered)

    assert closing(world, WARD, declined).code is Code.WRONG_PARTY
    assert closing(world, HOTLINE, declined).code is Code.ACCEPTED


def test_the_last_offer_counts_and_the_one_before_it_can_no_longer_be_accepted(world: World, offered: Said) -> None:
    again = world.say(HOTLINE, Verb.CASE_TRANSFER_OFFERED, case=offered.case, to=[NEXT_WARD], answers=offered)
    late = world.write(WARD, Verb.CASE_TRANSFER_ACCEPTED, case=offered.case, to=[HOTLINE], answers=offered)

    assert world.answer(late).code is Code.WRONG_PARTY

    world.say(NEXT_WARD, Verb.CASE_TRANSFER_ACCEPTED, case=offered.case, to=[HOTLINE], answers=again)


def test_only_who_was_asked_may_accept(world: World, offered: Said) -> None:
    world.say(HOTLINE, Verb.NOTIFIED, case=offered.case, to=[POLICE])
    said = world.write(POLICE, Verb.CASE_TRANSFER_ACCEPTED, case=offered.case, to=[HOTLINE], answers=offered)

    assert world.answer(said).code is Code.WRONG_PARTY


def test_from_commune_to_commune_and_on(world: World, offered: Said) -> None:
    case = offered.case
    taken = world.say(WARD, Verb.CASE_TRANSFER_ACCEPTED, case=case, to=[HOTLINE], answers=offered)
    onward = world.say(WARD, Verb.CASE_TRANSFER_OFFERED, case=case, to=[NEXT_WARD], answers=taken)
    last = world.say(NEXT_WARD, Verb.CASE_TRANSFER_ACCEPTED, case=case, to=[WARD], answers=onward)

    assert closing(world, WARD, last).code is Code.WRONG_PARTY
    assert closing(world, NEXT_WARD, last).code is Code.ACCEPTED
    world.audit()

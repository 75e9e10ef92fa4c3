"""An archived case comes back: to its owner at once, to others by new hand-offs, and with counts that begin anew."""

from dataclasses import replace

import pytest

from referral_contracts.codes import Code
from referral_contracts.lifecycle import CaseState
from referral_contracts.verbs import Verb
from referral_router.core.case import Case
from tests.services.referral_router.founding import DAY, HOTLINE, NOW, POLICE, WARD
from tests.services.referral_router.world import Said, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def case(world: World) -> Said:
    return world.open_case()


def archive(world: World, case: Said, head: Said) -> Said:
    """Close the case, let its time pass, and return the event that closed it."""
    closed = world.accepted(world.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=head))
    world.now += DAY
    world.open_case()

    assert Case.decode(world.state[case.case.encode()]).archived
    return closed


class TestOwner:
    def test_the_owner_alone_restores_it_from_the_head_that_was_left(self, world: World, case: Said) -> None:
        world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case))
        closed = archive(world, case, case)

        assert world.code(world.say(WARD, Verb.CASE_REOPENED, case=case, answers=closed)) is Code.NOT_FOUND
        stale = world.verdict(world.say(HOTLINE, Verb.CASE_REOPENED, case=case, answers=case))
        assert (stale.code, stale.case_head, stale.case_restored) == (Code.STALE_HEAD, closed.ref, None)
        assert world.code(world.say(HOTLINE, Verb.CASE_REOPENED, case=case)) is Code.MALFORMED_ENVELOPE
        reopened = world.say(HOTLINE, Verb.CASE_REOPENED, case=case, answers=closed)
        verdict = world.verdict(reopened)
        assert (verdict.code, verdict.case_state) == (Code.ACCEPTED, CaseState.OPEN)
        assert (verdict.case_head, verdict.case_restored) == (reopened.ref, 1)

    def test_what_is_wrong_leaves_it_archived(self, world: World, case: Said) -> None:
        closed = archive(world, case, case)
        data = {
            "answers": closed.ref.model_dump(),
            "recipients": [],
            "sections": [],
            "supersedes": case.ref.model_dump(),
        }
        wrong = [
            (world.say(HOTLINE, Verb.CASE_REOPENED, case=case, data=data), Code.MALFORMED_ENVELOPE),
            (world.say(HOTLINE, Verb.CASE_REOPENED, HOTLINE, case=case, answers=closed), Code.WRONG_RECIPIENTS),
            (world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case), Code.ARCHIVED),
            (world.say(HOTLINE, Verb.OFFERED, WARD, case=case), Code.ARCHIVED),
        ]
        kept = world.state[case.case.encode()]
        for said, code in wrong:
            assert world.code(said) is code

        assert world.state[case.case.encode()] == kept

    def test_it_is_a_case_like_any_again_and_goes_on_counting_its_events(self, world: World, case: Said) -> None:
        closed = archive(world, case, case)
        world.accepted(world.say(HOTLINE, Verb.CASE_REOPENED, case=case, answers=closed))
        (judged,) = world.submit(world.say(HOTLINE, Verb.OFFERED, WARD, case=case))

        assert (judged.code, judged.decision.case) == (Code.ACCEPTED, 4)
        # A record holds all of it: the same after a restart.
        assert world.restored().state == world.state


class TestOthers:
    def test_they_become_parties_again_by_new_handoffs(self, world: World, case: Said) -> None:
        offer = world.accepted(world.say(HOTLINE, Verb.OFFERED, WARD, case=case))
        ended = world.say(HOTLINE, Verb.WITHDRAWN, WARD, case=case, about=offer.to(WARD), answers=offer)
        world.accepted(ended)
        closed = archive(world, case, case)
        world.accepted(world.say(HOTLINE, Verb.CASE_REOPENED, case=case, answers=closed))

        def ask() -> Said:
            return world.say(WARD, Verb.ASKED, HOTLINE, case=case, about=offer.to(WARD), answers=ended)

        assert world.code(world.say(WARD, Verb.CASE_NOTED, HOTLINE, case=case)) is Code.NOT_FOUND
        assert world.code(ask()) is Code.NOT_FOUND
        world.accepted(world.say(HOTLINE, Verb.NOTIFIED, WARD, case=case))
        assert world.code(world.say(WARD, Verb.CASE_NOTED, HOTLINE, case=case)) is Code.ACCEPTED
        # What was archived stays so: a hand-off of before is nobody's any more.
        assert world.code(ask()) is Code.NOT_FOUND

    def test_their_copies_are_counted_from_one_and_say_how_often_that_has_been(self, world: World, case: Said) -> None:
        def counted(said: Said) -> list[tuple[str, int, int | None]]:
            (judged,) = world.submit(said)
            return [(copy.recipient, copy.counter, copy.restored) for copy in judged.deliveries]

        note = (Verb.CASE_NOTED, WARD)
        assert counted(world.say(HOTLINE, *note, case=case)) == [(WARD, 1, None)]
        assert counted(world.say(HOTLINE, *note, case=case)) == [(WARD, 2, None)]
        closed = archive(world, case, case)
        reopened = world.say(HOTLINE, Verb.CASE_REOPENED, POLICE, case=case, answers=closed)
        assert counted(reopened) == [(POLICE, 1, 1)]
        assert counted(world.say(HOTLINE, *note, case=case)) == [(WARD, 1, 1)]
        closed = archive(world, case, reopened)
        reopened = world.say(HOTLINE, Verb.CASE_REOPENED, case=case, answers=closed)
        assert counted(reopened) == []
        assert counted(world.say(HOTLINE, *note, case=case)) == [(WARD, 1, 2)]
        assert counted(world.say(HOTLINE, *note, case=case)) == [(WARD, 2, 2)]

    def test_a_case_that_is_only_closed_goes_on_as_it_was(self, world: World, case: Said) -> None:
        world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case))
        closed = world.accepted(world.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=case))
        (judged,) = world.submit(world.say(HOTLINE, Verb.CASE_REOPENED, WARD, case=case, answers=closed))

        assert [(copy.counter, copy.restored) for copy in judged.deliveries] == [(2, None)]
        assert judged.verdict is not None
        assert judged.verdict.case_restored is None
        assert world.code(world.say(WARD, Verb.CASE_NOTED, HOTLINE, case=case)) is Code.ACCEPTED


@pytest.mark.parametrize("size", [1, 2, 3, 20])
def test_it_is_restored_however_the_batches_are_cut(size: int) -> None:
    soon, late = World(now=NOW), World(now=NOW + DAY + 5)
    case = soon.say(HOTLINE, Verb.CASE_OPENED)
    closed = soon.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=case)
    records = [
        (NOW, case),
        (NOW + 1, soon.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case)),
        (NOW + 2, closed),
        (NOW + DAY + 5, late.say(HOTLINE, Verb.CASE_REOPENED, case=case, answers=closed)),
        (NOW + DAY + 6, late.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case)),
    ]
    world = World(now=NOW)
    stamped = [replace(said.record(), stamp_ms=moment) for moment, said in records]
    judged = [one for start in range(0, len(stamped), size) for one in world.submit(*stamped[start : start + size])]

    assert [one.code for one in judged] == [Code.ACCEPTED] * 5
    assert [copy.restored for one in judged for copy in one.deliveries] == [None, 1]

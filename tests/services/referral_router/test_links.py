"""Cases that are tied together: said by their owner, to whom a note may be filed, and moving nothing."""

import pytest

from referral_contracts.codes import Code
from referral_contracts.lifecycle import LINKS, CaseState
from referral_contracts.verbs import Verb
from tests.services.referral_router.founding import HOTLINE, POLICE, SCHOOL, WARD, WATCHER
from tests.services.referral_router.world import Said, World, section


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def case(world: World) -> Said:
    return world.open_case()


@pytest.mark.parametrize("verb", sorted(LINKS))
class TestLinks:
    def test_it_moves_no_state_and_no_head(self, world: World, case: Said, verb: Verb) -> None:
        told = world.verdict(world.say(HOTLINE, verb, WARD, case=case))

        assert (told.code, told.case_state, told.case_head) == (Code.ACCEPTED, CaseState.OPEN, case.ref)
        assert world.code(world.say(HOTLINE, verb, case=case, answers=case)) is Code.MALFORMED_ENVELOPE
        assert world.code(world.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=case)) is Code.ACCEPTED
        # Two reports of one child: one is closed as handled in the other, and tied to it afterwards.
        told = world.verdict(world.say(HOTLINE, verb, WARD, case=case))
        assert (told.code, told.case_state) == (Code.ACCEPTED, CaseState.CLOSED)

    def test_it_may_go_to_nobody(self, world: World, case: Said, verb: Verb) -> None:
        (judged,) = world.submit(world.say(HOTLINE, verb, case=case))

        assert (judged.code, judged.deliveries) == (Code.ACCEPTED, ())

    def test_the_watcher_is_told_always(self, world: World, case: Said, verb: Verb) -> None:
        said = world.say(HOTLINE, verb, WARD, case=case, sections=[section(HOTLINE, WARD)])

        assert world.code(said) is Code.CLOCK_MISSING

    def test_nobody_but_the_owner_says_it(self, world: World, case: Said, verb: Verb) -> None:
        world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case))

        assert world.code(world.say(WARD, verb, HOTLINE, case=case)) is Code.WRONG_PARTY
        for stranger in (POLICE, WATCHER):
            assert world.code(world.say(stranger, verb, HOTLINE, case=case)) is Code.NOT_FOUND

    @pytest.mark.parametrize("to", [(SCHOOL,), (WARD, SCHOOL), (HOTLINE,), ("nobody",)])
    def test_it_goes_where_a_note_may_go(self, world: World, case: Said, verb: Verb, to: tuple[str, ...]) -> None:
        sections = [section(HOTLINE, WATCHER), section(HOTLINE)]
        note, link = (world.say(HOTLINE, one, *to, case=case, sections=sections) for one in (Verb.CASE_NOTED, verb))

        assert world.code(note) is world.code(link)

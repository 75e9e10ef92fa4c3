"""What the watcher says of cases in which it is no party: its own share, which takes nothing from anybody."""

import pytest

from referral_contracts.codes import Code
from referral_contracts.verbs import CLOCKS, DEADLINES, Verb
from referral_router.core.case import GHOST
from referral_router.core.fold import MAX_CASE_CLAIMS, MAX_CLAIMS
from referral_router.core.room import MAX_CHOSEN
from tests.services.referral_router.founding import (
    CLINIC,
    DAY,
    HOTLINE,
    HOUR,
    LEGAL_AID,
    NEXT_WARD,
    OFF_BUS,
    POLICE,
    SCHOOL,
    WARD,
    WATCHER,
)
from tests.services.referral_router.world import Said, World


def missed(world: World, case: Said, to: str = WARD) -> Said:
    return world.say(WATCHER, Verb.DEADLINE_MISSED, to, case=case)


class TestWhoSaysIt:
    @pytest.mark.parametrize("verb", sorted(DEADLINES))
    def test_the_watcher_alone_though_it_is_no_party(self, verb: Verb) -> None:
        world = World()
        case = world.open_case()
        world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case))

        assert world.code(world.say(WARD, verb, HOTLINE, case=case)) is Code.WRONG_PARTY
        assert world.code(world.say(HOTLINE, verb, WARD, case=case)) is Code.WRONG_PARTY
        assert world.code(world.say(POLICE, verb, WARD, case=case)) is Code.NOT_FOUND
        assert world.code(world.say(WATCHER, verb, WARD, case=case)) is Code.ACCEPTED

    def test_it_is_no_party_by_that_and_says_nothing_else(self) -> None:
        world = World()
        case = world.open_case()
        world.accepted(missed(world, case))

        assert world.code(world.say(WATCHER, Verb.CASE_NOTED, WARD, case=case)) is Code.NOT_FOUND
        assert world.code(world.say(WATCHER, Verb.CLOCK_DISPUTED, case=case)) is Code.NOT_FOUND
        assert world.code(world.say(WATCHER, Verb.OFFERED, WARD, case=case)) is Code.NOT_FOUND

    def test_whoever_is_told_is_a_party_and_may_answer(self) -> None:
        world = World()
        case = world.open_case()
        assert world.code(world.say(WARD, Verb.CLOCK_DISPUTED, case=case)) is Code.NOT_FOUND
        world.accepted(missed(world, case))

        for verb in sorted(CLOCKS):
            assert world.code(world.say(WARD, verb, case=case)) is Code.ACCEPTED
            assert world.code(world.say(HOTLINE, verb, WARD, case=case)) is Code.ACCEPTED

    def test_it_goes_to_one_agency_on_the_bus_whoever_may_send_what_to_whom(self) -> None:
        world = World()
        case = world.open_case()
        assert world.code(missed(world, case, SCHOOL)) is Code.ACCEPTED
        assert world.code(world.say(WATCHER, Verb.DEADLINE_MISSED, case=case)) is Code.WRONG_RECIPIENTS
        assert world.code(world.say(WATCHER, Verb.DEADLINE_MISSED, WARD, POLICE, case=case)) is Code.WRONG_RECIPIENTS
        assert world.code(missed(world, case, OFF_BUS)) is Code.UNKNOWN_RECIPIENT

    def test_a_case_that_is_put_away_is_told_to_be_and_one_that_never_was_is_not(self) -> None:
        world = World()
        case = world.open_case()
        closed = world.accepted(world.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=case))
        assert world.code(missed(world, case)) is Code.ACCEPTED
        world.now += 2 * DAY
        assert world.code(missed(world, case)) is Code.ARCHIVED
        assert world.code(missed(world, world.say(HOTLINE, Verb.CASE_OPENED))) is Code.NOT_FOUND

        world.accepted(world.say(HOTLINE, Verb.CASE_REOPENED, case=case, answers=closed))
        assert world.code(missed(world, case)) is Code.ACCEPTED


class TestShares:
    def test_it_speaks_in_more_cases_than_anybody_may_haunt(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("referral_router.core.fold.MAX_GHOSTS", 2)
        world = World()
        cases = [world.open_case() for _ in range(6)]

        assert {one.code for one in world.submit(*(missed(world, case) for case in cases))} == {Code.ACCEPTED}
        assert not [value for value in world.state.values() if value[:1] == GHOST]

    def test_what_is_refused_of_a_case_that_there_is_haunts_nothing_either(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("referral_router.core.fold.MAX_GHOSTS", 2)
        world = World()
        cases = [world.open_case() for _ in range(6)]

        judged = world.submit(*(missed(world, case, OFF_BUS) for case in cases))

        assert {one.code for one in judged} == {Code.UNKNOWN_RECIPIENT}
        assert world.code(missed(world, cases[0])) is Code.ACCEPTED

    def test_hundreds_in_one_case_over_a_year(self) -> None:
        world = World()
        case = world.open_case()
        for _ in range(300):
            world.now += DAY
            world.accepted(missed(world, case))

        assert len(world.state[case.case.encode()]) < 10_000

    def test_a_flood_of_notices_leaves_the_parties_theirs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("referral_router.core.fold.MAX_CASE_CLAIMS", MAX_CLAIMS)
        world = World()
        case = world.open_case()
        judged = world.submit(*(missed(world, case) for _ in range(MAX_CLAIMS + 1)))

        assert [one.code for one in judged].count(Code.ACCEPTED) == MAX_CLAIMS
        assert judged[-1].code is Code.TOO_MANY
        assert world.code(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case)) is Code.ACCEPTED
        world.now += 8 * HOUR
        assert world.code(missed(world, case)) is Code.ACCEPTED

    def test_a_flood_of_parties_leaves_the_watcher_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("referral_router.core.fold.MAX_CASE_CLAIMS", 4)
        world = World()
        case = world.open_case()
        judged = world.submit(*(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case) for _ in range(5)))

        assert judged[-1].code is Code.TOO_MANY
        assert {one.code for one in world.submit(*(missed(world, case) for _ in range(8)))} == {Code.ACCEPTED}
        assert MAX_CASE_CLAIMS >= MAX_CLAIMS

    def test_whom_it_tells_takes_no_room_from_the_parties_nor_they_from_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("referral_router.core.room.MAX_ADDRESSES", 2)
        monkeypatch.setattr("referral_router.core.room.MAX_CHOSEN", 3)
        world = World()
        case = world.open_case()
        for told in (WARD, POLICE):
            world.accepted(missed(world, case, told))
        world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, NEXT_WARD, case=case))
        world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, CLINIC, case=case))

        assert world.code(missed(world, case, SCHOOL)) is Code.ACCEPTED
        assert world.code(missed(world, case, LEGAL_AID)) is Code.TOO_MANY
        assert world.code(missed(world, case, WARD)) is Code.ACCEPTED
        assert world.code(world.say(HOTLINE, Verb.CASE_NOTED, LEGAL_AID, case=case)) is Code.TOO_MANY
        assert MAX_CHOSEN <= MAX_CLAIMS

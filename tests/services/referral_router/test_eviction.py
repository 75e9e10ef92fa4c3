"""A closed case is archived after its time, however the batches are cut."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from referral_contracts.codes import Code
from referral_contracts.verbs import Verb
from referral_router.core import fold
from referral_router.core.case import STUB
from tests.services.referral_router.founding import DAY, HOTLINE, HOUR, NOW, POLICE, SCHOOL, WARD
from tests.services.referral_router.world import Said, World


def judged_in(cuts: Sequence[int], said: Sequence[tuple[int, Said]]) -> list[Code]:
    """Judge what was *said*, each at its moment, in batches that are cut there."""
    world = World()
    codes = []
    for start, end in zip((0, *cuts), (*cuts, len(said)), strict=True):
        batch = [replace(item.record(), stamp_ms=moment) for moment, item in said[start:end]]
        codes += [judged.code for judged in world.submit(*batch)]
    return codes


class TestEviction:
    def close(self, world: World, case: Said) -> Said:
        return world.accepted(world.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=case))

    def test_a_closed_case_is_archived_after_its_time(self) -> None:
        world = World()
        case = world.open_case()
        self.close(world, case)
        world.now += DAY - 1
        world.open_case()
        assert len(world.state[case.case.encode()]) > 128

        world.now += 1
        world.open_case()
        assert len(world.state[case.case.encode()]) <= 128

    def test_an_open_case_never_is(self) -> None:
        world = World()
        case = world.open_case()
        world.now += 100 * DAY
        world.open_case()

        assert len(world.state[case.case.encode()]) > 128

    def test_its_owner_is_told_and_nobody_else(self) -> None:
        world = World()
        case = world.open_case()
        world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case))
        self.close(world, case)
        world.now += DAY

        assert world.code(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case)) is Code.ARCHIVED
        assert world.code(world.say(WARD, Verb.CASE_NOTED, HOTLINE, case=case)) is Code.NOT_FOUND
        assert world.code(world.say(POLICE, Verb.CASE_NOTED, HOTLINE, case=case)) is Code.NOT_FOUND

    def test_the_event_that_opened_it_does_not_open_it_again(self) -> None:
        world = World()
        case = world.open_case()
        self.close(world, case)
        world.now += DAY
        afresh = world.say(HOTLINE, Verb.CASE_OPENED, event_id=case.id)

        assert afresh.case == case.case
        assert world.code(case) is Code.OUTSIDE_WINDOW
        assert world.code(afresh) is Code.ARCHIVED
        assert world.code(afresh) is Code.DUPLICATE

    def test_nor_does_an_opener_who_has_handed_it_over(self) -> None:
        world = World()
        case = world.open_case()
        offer = world.accepted(world.say(HOTLINE, Verb.CASE_TRANSFER_OFFERED, WARD, case=case, answers=case))
        taken = world.accepted(world.say(WARD, Verb.CASE_TRANSFER_ACCEPTED, HOTLINE, case=case, answers=offer))
        world.accepted(world.say(WARD, Verb.CASE_CLOSED, case=case, answers=taken))
        world.now += DAY
        afresh = world.say(HOTLINE, Verb.CASE_OPENED, event_id=case.id)

        assert world.code(afresh) is Code.WRONG_SUBJECT
        assert world.code(world.say(WARD, Verb.CASE_NOTED, POLICE, case=case)) is Code.ARCHIVED

    def test_a_party_that_files_something_keeps_it_longer(self) -> None:
        world = World()
        case = world.open_case()
        self.close(world, case)
        world.now += DAY - 1
        world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case))
        world.now += DAY - 1

        assert world.code(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case)) is Code.ACCEPTED

    @pytest.mark.parametrize("cuts", [(), (1,), (2,), (3,), (4,), (2, 3), (1, 2, 3, 4)])
    def test_it_happens_at_the_same_decision_however_the_batches_are_cut(self, cuts: tuple[int, ...]) -> None:
        # A day in one batch: what an outage of the router leaves behind.
        soon, later, late = World(now=NOW), World(now=NOW + DAY), World(now=NOW + DAY + 1)
        case = soon.say(HOTLINE, Verb.CASE_OPENED)
        said = [
            (NOW, case),
            (NOW + 1, soon.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=case)),
            (NOW + 2, soon.say(SCHOOL, Verb.CASE_NOTED, WARD, case=case)),
            (NOW + DAY, later.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case)),
            (NOW + DAY + 1, late.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case)),
        ]
        codes = judged_in(cuts, said)

        accepted = Code.ACCEPTED
        assert codes == [accepted, accepted, Code.NOT_FOUND, accepted, accepted]

    @pytest.mark.parametrize("cuts", [(), (2,), (3,), (1, 2, 3)])
    def test_a_day_in_one_batch_archives_what_two_batches_would(self, cuts: tuple[int, ...]) -> None:
        soon, late = World(now=NOW), World(now=NOW + DAY + 1)
        case = soon.say(HOTLINE, Verb.CASE_OPENED)
        said = [
            (NOW, case),
            (NOW + 1, soon.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=case)),
            (NOW + DAY + 1, late.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case)),
            (NOW + DAY + 1, late.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case)),
        ]

        assert judged_in(cuts, said) == [Code.ACCEPTED, Code.ACCEPTED, Code.ARCHIVED, Code.ARCHIVED]

    @pytest.mark.parametrize("cuts", [(), (5,), (1, 2, 3, 4, 5)])
    def test_what_was_touched_last_is_archived_last_though_it_came_first_in_its_batch(
        self, cuts: tuple[int, ...]
    ) -> None:
        soon, late = World(now=NOW), World(now=NOW + DAY + HOUR)
        one, other = (soon.say(HOTLINE, Verb.CASE_OPENED) for _ in range(2))
        said = [
            (NOW, one),
            (NOW, other),
            (NOW, soon.say(HOTLINE, Verb.CASE_CLOSED, case=one, answers=one)),
            (NOW + HOUR, soon.say(HOTLINE, Verb.CASE_CLOSED, case=other, answers=other)),
            (NOW + 2 * HOUR, soon.say(HOTLINE, Verb.CASE_NOTED, WARD, case=one)),
            (NOW + DAY + HOUR, late.say(HOTLINE, Verb.CASE_NOTED, WARD, case=other)),
            (NOW + DAY + HOUR, late.say(HOTLINE, Verb.CASE_NOTED, WARD, case=one)),
        ]

        assert judged_in(cuts, said) == [Code.ACCEPTED] * 5 + [Code.ARCHIVED, Code.ACCEPTED]


class TestMany:
    """A quiet night with many closings, and the first decision of the next."""

    @staticmethod
    def night(world: World, count: int) -> list[Said]:
        cases = [world.open_case() for _ in range(count)]
        for case in cases:
            world.now += 1
            world.accepted(world.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=case))
        world.now += DAY
        return cases

    @staticmethod
    def archived(world: World) -> int:
        return sum(value[:1] == STUB for value in world.state.values())

    def test_one_decision_puts_few_away_and_the_next_ones_the_rest(self) -> None:
        world = World()
        self.night(world, 20)
        counts = []
        for _ in range(4):
            world.open_case()
            counts.append(self.archived(world))

        assert counts == [8, 16, 20, 20]

    @pytest.mark.parametrize("restarted", [False, True])
    def test_what_was_touched_since_it_was_queued_takes_no_room(self, *, restarted: bool) -> None:
        # A restart does not know of it: its queue holds every case once.
        world = World()
        (case,) = self.night(world, 1)
        world.now -= DAY
        for _ in range(20):
            world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case))
        self.night(world, 1)
        world = world.restored() if restarted else world
        world.open_case()

        assert self.archived(world) == 2

    def test_what_was_touched_in_one_moment_goes_together(self) -> None:
        world = World()
        for case in [world.open_case() for _ in range(20)]:
            world.accepted(world.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=case))
        world.now += DAY
        world.open_case()

        assert self.archived(world) == 20

    @pytest.mark.parametrize("cuts", [(), (6,), (4, 5), (1, 2, 3, 4, 5, 6, 7)])
    def test_where_the_batches_are_cut_does_not_show(
        self, monkeypatch: pytest.MonkeyPatch, cuts: tuple[int, ...]
    ) -> None:
        monkeypatch.setattr(fold, "MAX_EVICTED", 1)
        soon, late = World(now=NOW), World(now=NOW + DAY + HOUR)
        cases = [soon.say(HOTLINE, Verb.CASE_OPENED) for _ in range(3)]
        said = [
            *((NOW, case) for case in cases),
            *(
                (NOW + number, soon.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=case))
                for number, case in enumerate(cases)
            ),
            *((NOW + DAY + HOUR, late.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case)) for case in (cases[2], cases[1])),
        ]

        # The first is put away by the first decision; by the second the third case is younger.
        assert judged_in(cuts, said) == [Code.ACCEPTED] * 7 + [Code.ARCHIVED]

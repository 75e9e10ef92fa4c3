"""An agency with good keys, a party of a case: it says of the past what makes others late, or what puts a miss off."""

from typing import Final

import pytest

from referral_contracts.encoding import format_time
from referral_contracts.payloads.deadline import Delivered, Standing
from referral_contracts.verbs import Verb
from tests.attacks.test_clock_sections import correct, tell
from tests.stories.deadlines import PROVINCE_OFFICE, Watched, duty, measured, moment, trigger
from tests.stories.world import HOSPITAL, HOTLINE, WARD, Said

HOUR_MS: Final = 3_600_000


def with_ward(world: Watched) -> tuple[Said, Said]:
    """Let the ward have twelve hours, of which it was told, and the hospital be a party."""
    case, accepted = duty(world)
    world.say(HOTLINE, Verb.OFFERED, case=case.case, to=[HOSPITAL])
    world.look()
    return case, accepted


def backdate(world: Watched, case: Said, hours: float, by: str = HOSPITAL) -> Said:
    """Let *by* say to nobody but the watcher that the information came so many hours ago, at the same place."""
    at_ms = world.clock.now_ms() - round(hours * HOUR_MS)
    said = tell(world, case, trigger("information-received", occurred_at=moment(at_ms)), by=by)
    world.look()
    return said


class TestNobodyIsLateByWhatAnotherRemembers:
    def test_a_start_in_the_past_leaves_the_time_that_was_told(self) -> None:
        world = Watched()
        case, _ = with_ward(world)
        began_ms = world.clock_of(case).started.moment_ms
        world.wind(2)
        backdate(world, case, 36)
        world.wind(3)
        told = world.notes(WARD)[-1].deadline

        assert world.verbs(WARD) == ["armed", "armed"]
        # Both are shown: what follows from what the hospital says, and until when the ward is not late.
        assert told.due_at == moment(began_ms - 22 * HOUR_MS)
        assert told.late_after == moment(began_ms + 12 * HOUR_MS)
        assert told.standing is Standing.RUNNING

    def test_what_is_done_within_that_time_is_met(self) -> None:
        world = Watched()
        case, accepted = with_ward(world)
        world.wind(2)
        backdate(world, case, 36)
        world.wind(5)
        measured(world, case, accepted)
        world.wind(20)

        assert world.outcome(case) == "met"
        assert "missed" not in world.verbs(WARD)

    def test_what_is_not_done_by_then_is_missed_then(self) -> None:
        world = Watched()
        case, _ = with_ward(world)
        world.wind(2)
        backdate(world, case, 36)
        world.wind(9.9)
        before = world.verbs(WARD)
        world.wind(0.2)

        assert "missed" not in before
        assert world.verbs(WARD)[-1] == "missed"

    def test_an_earlier_start_that_leaves_time_counts_and_is_told(self) -> None:
        world = Watched()
        case, _ = with_ward(world)
        world.wind(2)
        backdate(world, case, 6)
        told = world.notes(WARD)[-1].deadline
        world.wind(6.1)

        assert told.late_after is None
        assert world.verbs(WARD)[1] == "armed"
        assert world.verbs(WARD)[-1] == "missed"

    def test_who_was_told_late_is_told_first_and_missed_later(self) -> None:
        world = Watched()
        world.watching.away = True
        case = world.opened(trigger("information-received", occurred_at=moment(world.clock.now_ms() - 20 * HOUR_MS)))
        world.wind(5)
        world.watching.away = False
        world.look()
        first = world.verbs(WARD)
        world.wind(0.9)

        assert first == world.verbs(WARD) == ["armed"]
        assert world.notes(WARD)[0].deadline.standing is Standing.RUNNING

        world.wind(0.2)

        assert world.verbs(WARD) == ["armed", "missed"]
        assert world.outcome(case) == "missed"

    def test_a_correction_of_ones_own_start_leaves_the_time_that_was_told(self) -> None:
        world = Watched()
        case, _ = duty(world)
        world.wind(2)
        began = trigger("information-received", occurred_at=moment(world.clock.now_ms() - 36 * HOUR_MS))
        correct(world, case.ref, case, began, by=HOTLINE)
        world.wind(9.9)

        assert world.verbs(WARD) == ["armed", "armed"]

        world.wind(0.2)

        assert world.verbs(WARD)[-1] == "missed"


class TestNobodyPutsAMissOff:
    @pytest.mark.parametrize("first_h", [0.0, 30.0])
    def test_by_telling_an_earlier_start_again_and_again(self, first_h: float) -> None:
        world = Watched()
        began = moment(world.clock.now_ms() - round(first_h * HOUR_MS))
        case = world.opened(trigger("information-received", occurred_at=began))
        world.say(HOTLINE, Verb.OFFERED, case=case.case, to=[HOSPITAL])
        world.look()
        for number in range(14):
            world.wind(0.9)
            backdate(world, case, 40 + 2 * number)

        assert world.verbs(WARD).count("missed") == 1

    def test_by_correcting_its_own_start_again_and_again(self) -> None:
        world = Watched()
        case = world.opened(trigger("information-received", occurred_at=moment(world.clock.now_ms() - 30 * HOUR_MS)))
        wrong = case
        for number in range(4):
            world.wind(0.9)
            began = trigger("information-received", occurred_at=moment(world.clock.now_ms() - (40 + number) * HOUR_MS))
            correct(world, wrong.ref, case, began, by=HOTLINE)
            world.look()

        assert world.verbs(WARD).count("missed") == 1


def test_one_who_cannot_be_told_is_late_a_day_later_all_the_same() -> None:
    world = Watched()
    member = world.simulator.directory.member(WARD)
    assert member is not None
    now = format_time(world.clock.now_ms())
    revoked = [key.model_copy(update={"revoked_at": now}) if key.use == "seal" else key for key in member.entry.keys]
    world.change(WARD, keys=tuple(revoked))
    world.opened(trigger("information-received", occurred_at=moment(world.clock.now_ms() - 30 * HOUR_MS)))
    for _ in range(24):
        world.wind(1)
    before = world.verbs(PROVINCE_OFFICE)
    for _ in range(3):
        world.wind(1)

    assert world.inbox(WARD) == []
    assert before == []
    assert world.verbs(PROVINCE_OFFICE) == ["escalated", "escalated"]
    assert world.notes(PROVINCE_OFFICE)[0].deadline.delivery is Delivered.NOT_PROVEN

"""The law's clocks over the simulated bus: what is met, what is missed, and who is told."""

from referral_contracts.payloads.deadline import Standing
from referral_contracts.verbs import Verb
from tests.stories.deadlines import PROVINCE_OFFICE, Watched, clock, moment, trigger
from tests.stories.world import HOTLINE, WARD, Said


def duty(world: Watched) -> tuple[Said, Said]:
    """A case is opened and assigned to the ward, whose system receives it and which accepts it."""
    case = world.opened()
    assigned = world.assigned(case)
    world.received(assigned)
    return case, world.reply(WARD, Verb.ACCEPTED, assigned)


def measured(world: Watched, case: Said, accepted: Said, *, at_ms: int | None = None) -> None:
    """Let the ward say that it has applied emergency measures."""
    told = trigger("emergency-measures-applied", whose=WARD, occurred_at=None if at_ms is None else moment(at_ms))
    about = accepted.envelope.data.handoff
    world.say(WARD, Verb.PROGRESSED, case=case.case, to=[HOTLINE], about=about, answers=accepted, clock=clock(told))


def test_what_is_done_in_time_is_met_and_nobody_hears_of_it() -> None:
    world = Watched()
    case, accepted = duty(world)
    world.wind(3)
    measured(world, case, accepted)
    world.wind(20)

    assert world.outcome(case) == "met"
    assert "missed" not in world.verbs(WARD)
    assert world.verbs(PROVINCE_OFFICE) == []


def test_the_agency_that_could_not_read_that_its_clock_runs_is_told() -> None:
    world = Watched()
    case, _ = duty(world)
    world.look()
    (note,) = world.notes(WARD)

    assert note.verb is Verb.DEADLINE_ARMED
    assert note.deadline.clock == world.clock_of(case).id
    assert note.deadline.responsible == WARD
    assert note.deadline.standing is Standing.RUNNING


def test_it_is_reminded_then_missed_once_then_the_superior_is_told_twice() -> None:
    world = Watched()
    case, _ = duty(world)
    world.wind(10.5)

    assert world.verbs(WARD) == ["armed", "reminded"]

    world.wind(2)

    assert world.verbs(WARD) == ["armed", "reminded", "missed"]
    assert world.outcome(case) == "missed"

    for _ in range(60):
        world.wind(1)

    assert world.verbs(WARD) == ["armed", "reminded", "missed"]
    assert world.verbs(PROVINCE_OFFICE) == ["escalated", "escalated"]


def test_a_miss_says_what_is_needed_to_work_it_out_again() -> None:
    world = Watched()
    case, _ = duty(world)
    world.wind(13)
    missed = world.notes(WARD)[-1].deadline
    found = world.clock_of(case)

    assert missed.due_at == moment(found.started.moment_ms + 12 * 3_600_000)
    assert missed.started_by.sha256 == case.ref.sha256
    assert missed.rule.source == "NĐ 56/2017/NĐ-CP Đ.26 k.3"
    assert missed.trigger == "information-received"
    assert missed.calendar == "days off, none"
    assert missed.delivery is not None
    assert missed.delivery.value == "proven"

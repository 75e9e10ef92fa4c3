"""The law's clocks over the simulated bus: what is met, what is missed, and who is told."""

import pytest

from referral_contracts.payloads.base import Answer
from referral_contracts.payloads.deadline import Found, Standing
from referral_contracts.rules.calendar import Calendar
from referral_contracts.verbs import Verb
from tests.contracts.rules.packs import rule
from tests.stories.deadlines import PROVINCE_OFFICE, Watched, clock, duty, measured, moment, trigger
from tests.stories.world import HOTLINE, WARD


def test_what_is_done_in_time_is_met_and_nobody_hears_of_it() -> None:
    world = Watched()
    case, accepted = duty(world)
    world.wind(3)
    measured(world, case, accepted)
    world.wind(20)

    assert world.outcome(case) == "met"
    assert "missed" not in world.verbs(WARD)
    assert world.verbs(PROVINCE_OFFICE) == []


@pytest.mark.parametrize(("said", "outcome"), [(True, "met"), (False, "missed")])
def test_who_heard_of_it_and_acted_alone_says_so_to_nobody_else(*, said: bool, outcome: str) -> None:
    world = Watched()
    case = world.say(WARD, Verb.CASE_OPENED, clock=clock("information-received", "commune-informed"))
    world.wind(3)
    if said:
        told = trigger("emergency-measures-applied", whose=WARD)
        noted = world.say(WARD, Verb.CASE_NOTED, case=case.case, clock=clock(told))
        assert noted.envelope.data.recipients == ()
    world.wind(20)

    assert world.outcome(case) == outcome


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
    assert (missed.late_after, missed.provisional) == (None, None)
    assert missed.delivery is not None
    assert missed.delivery.value == "proven"


def test_a_due_day_says_what_it_rests_on() -> None:
    days = rule(required='["emergency-measures-applied"]', kind='"working_days"', limit="2")
    world = Watched(days, calendar=Calendar("nothing announced", frozenset()))
    duty(world)
    world.look()
    told = world.notes(WARD)[0].deadline

    assert told.due_at is not None
    assert told.late_after is not None
    assert told.late_after > told.due_at
    assert told.provisional is Answer.YES


def test_a_miss_by_the_first_receipt_says_when_it_reached_those_who_had_to_act() -> None:
    """The hotline sat on it for nine hours: the strict reading alarms, and the miss shows whose hours they were."""
    world = Watched()
    case, accepted = duty(world)
    world.wind(9)
    reached_ms = world.clock.now_ms()
    informed = clock(trigger("commune-informed", whose=WARD, occurred_at=moment(reached_ms)))
    about = accepted.envelope.data.handoff
    world.say(WARD, Verb.PROGRESSED, case=case.case, to=[HOTLINE], about=about, answers=accepted, clock=informed)
    world.wind(4)
    missed = world.notes(WARD)[-1].deadline

    assert (missed.standing, missed.reached_at) == (Standing.MISSED, moment(reached_ms))
    assert missed.due_at == moment(world.clock_of(case).started.moment_ms + 12 * 3_600_000)


def test_what_was_done_in_time_and_told_late_is_met_as_claimed() -> None:
    world = Watched()
    case, accepted = duty(world)
    done_ms = world.clock.now_ms() + 3 * 3_600_000
    world.wind(14)

    assert world.verbs(WARD)[-1] == "missed"

    measured(world, case, accepted, at_ms=done_ms)
    world.look()

    assert world.outcome(case) == "met-as-claimed"
    assert world.verbs(WARD) == ["armed", "missed", "explained"]
    explained = world.notes(WARD)[-1].deadline
    assert explained.found is Found.DONE_IN_TIME
    assert explained.done_at == moment(done_ms)
    # Whoever was told of the miss is told of this; nothing is taken back.
    assert world.verbs(PROVINCE_OFFICE) == ["escalated", "explained"]


def test_a_claim_before_the_miss_was_said_leaves_nothing_to_explain() -> None:
    world = Watched(settle="PT14H")
    case, accepted = duty(world)
    world.wind(13)
    measured(world, case, accepted, at_ms=world.clock.now_ms() - 2 * 3_600_000)
    world.wind(5)

    assert world.outcome(case) == "met-as-claimed"
    assert "missed" not in world.verbs(WARD)


def test_what_is_done_late_was_missed_and_says_when_it_was_done() -> None:
    world = Watched()
    case, accepted = duty(world)
    world.wind(13)
    measured(world, case, accepted)
    world.wind(50)

    assert world.outcome(case) == "missed"
    assert world.verbs(WARD) == ["armed", "missed", "explained"]
    assert world.notes(WARD)[-1].deadline.found is Found.DONE_LATE


def test_what_was_done_late_before_anybody_looked_is_called_missed_once() -> None:
    world = Watched()
    case, accepted = duty(world)
    world.watching.away = True
    world.wind(13)
    measured(world, case, accepted)
    world.watching.away = False
    world.wind(2)

    assert world.outcome(case) == "missed"
    assert world.verbs(WARD).count("missed") == 1
    assert world.notes(WARD)[-1].deadline.done_at is not None


def test_an_answer_that_waits_unrouted_while_the_router_is_down_is_met() -> None:
    world = Watched()
    case, accepted = duty(world)
    world.wind(11)
    world.simulator.automatic = False
    told = trigger("emergency-measures-applied", whose=WARD)
    about = accepted.envelope.data.handoff
    said = world.write(
        WARD, Verb.PROGRESSED, case=case.case, to=[HOTLINE], about=about, answers=accepted, clock=clock(told)
    )
    world.submit(said)
    # The due instant passes, and the watcher looks and asks for ticks; nobody routes them.
    world.clock.wind(6 * 3600)
    for _ in range(3):
        world.watching.step()

    assert "missed" not in world.verbs(WARD)

    world.simulator.automatic = True
    world.look()

    assert world.outcome(case) == "met"
    assert "missed" not in world.verbs(WARD)


def test_an_answer_that_the_watcher_reads_late_is_met() -> None:
    world = Watched()
    case, accepted = duty(world)
    world.wind(11)
    world.watching.away = True
    measured(world, case, accepted)
    world.wind(30)
    world.watching.away = False
    world.look()

    assert world.outcome(case) == "met"
    assert "missed" not in world.verbs(WARD)


def test_a_miss_is_said_once_over_any_number_of_crashes() -> None:
    world = Watched()
    case, _ = duty(world)
    for _ in range(30):
        world.wind(1)
        world.watching.restart()
        world.look()

    assert world.verbs(WARD) == ["armed", "reminded", "missed"]
    assert world.verbs(PROVINCE_OFFICE) == ["escalated"]
    assert world.outcome(case) == "missed"


def test_a_notice_that_was_sent_and_not_read_back_before_a_crash_is_not_said_twice() -> None:
    world = Watched()
    duty(world)
    world.wind(11)
    world.clock.wind(1.5 * 3600)
    # Ticks go round until the miss is sent; then the watcher dies before it reads it back.
    while "missed" not in world.verbs(WARD):
        world.watching.step(1)
    world.watching.restart()
    world.wind(0.1)

    assert world.verbs(WARD).count("missed") == 1

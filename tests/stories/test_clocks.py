"""What agencies say of the law's clocks, what cannot be read, and the rules that are not the emergency's."""

from typing import Any

import pytest

from deadline_watcher.core import speaker
from deadline_watcher.core.case import Case
from deadline_watcher.core.saying import spoken
from referral_bus.registrar import with_outage
from referral_contracts.directory_model import Outage
from referral_contracts.encoding import format_time
from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.clock import AboutClock, ClockSection
from referral_contracts.payloads.clock import Said as Word
from referral_contracts.payloads.deadline import ClockUnreadable, DeadlineNotice, Delivered, Found
from referral_contracts.payloads.link import LinkedCase, Relation
from referral_contracts.sections import encode_section
from referral_contracts.verbs import Verb
from tests.contracts.payloads.forms import example
from tests.contracts.rules.packs import rule
from tests.stories.deadlines import PROVINCE_OFFICE, Watched, clock, duty, measured, moment, trigger
from tests.stories.world import HOTLINE, NEXT_WARD, WARD, altered, keys


def test_what_is_disputed_accuses_nobody() -> None:
    world = Watched()
    case, _ = duty(world)
    world.look()
    about = AboutClock(clock=world.clock_of(case).id, said=Word.DISPUTED)
    world.say(WARD, Verb.CLOCK_DISPUTED, case=case.case, clock=clock(about=about))
    world.wind(40)

    assert "missed" not in world.verbs(WARD)
    assert world.verbs(PROVINCE_OFFICE) == []
    assert world.outcome(case) == "disputed"


def test_only_the_responsible_agency_disputes() -> None:
    world = Watched()
    case, _ = duty(world)
    world.look()
    about = AboutClock(clock=world.clock_of(case).id, said=Word.DISPUTED)
    world.say(HOTLINE, Verb.CLOCK_DISPUTED, case=case.case, clock=clock(about=about))
    world.wind(13)

    assert world.verbs(WARD)[-1] == "missed"


def test_a_miss_that_is_disputed_afterwards_is_explained() -> None:
    world = Watched()
    case, _ = duty(world)
    world.wind(13)
    about = AboutClock(clock=world.clock_of(case).id, said=Word.DISPUTED)
    world.say(WARD, Verb.CLOCK_DISPUTED, case=case.case, clock=clock(about=about))
    world.wind(50)

    assert world.verbs(WARD) == ["armed", "missed", "explained"]
    assert world.notes(WARD)[-1].deadline.found is Found.DISPUTED


def test_an_extension_that_names_its_document_moves_the_due_instant() -> None:
    world = Watched()
    case, _ = duty(world)
    world.look()
    until = moment(world.clock.now_ms() + 30 * 3_600_000)
    about = AboutClock(
        clock=world.clock_of(case).id, said=Word.EXTENDED, until=until, authority="Chủ tịch UBND", document="12/QĐ-UBND"
    )
    world.say(WARD, Verb.CLOCK_EXTENDED, case=case.case, clock=clock(about=about))
    world.wind(20)

    assert "missed" not in world.verbs(WARD)

    world.wind(11)

    missed = world.notes(WARD)[-1]

    assert missed.verb is Verb.DEADLINE_MISSED
    # Both are shown: what the ward gave itself stands beside what the law gives.
    assert missed.deadline.due_at == moment(world.clock_of(case).started.moment_ms + 12 * 3_600_000)
    assert missed.deadline.late_after == until


def test_an_extension_without_a_document_is_not_heard() -> None:
    world = Watched()
    case, _ = duty(world)
    world.look()
    until = moment(world.clock.now_ms() + 30 * 3_600_000)
    about = AboutClock(clock=world.clock_of(case).id, said=Word.EXTENDED, until=until, authority="Chủ tịch UBND")
    world.say(WARD, Verb.CLOCK_EXTENDED, case=case.case, clock=clock(about=about))
    world.wind(13)

    assert world.verbs(WARD)[-1] == "missed"


def test_late_paper_accuses_nobody_before_it_had_time_to_answer() -> None:
    world = Watched()
    started = moment(world.clock.now_ms() - 20 * 3_600_000)
    case = world.opened(trigger("information-received", occurred_at=started))
    world.wind(0.5)

    assert world.outcome(case) is None

    world.wind(0.6)

    assert world.outcome(case) == "missed"


def test_a_miss_says_that_delivery_is_not_proven_without_a_receipt() -> None:
    world = Watched()
    case = world.opened()
    world.assigned(case)
    world.wind(13)

    assert world.notes(WARD)[-1].verb is Verb.DEADLINE_MISSED
    assert world.notes(WARD)[-1].deadline.delivery is Delivered.NOT_PROVEN


def test_after_downtime_everything_is_caught_up_in_due_order_with_its_own_due_instant() -> None:
    world = Watched(partitions=1)
    cases = []
    for _ in range(5):
        cases.append(world.opened())
        world.clock.wind(1800)
    world.watching.away = True
    world.wind(100)
    world.watching.away = False
    world.look()
    missed = [note.deadline for note in world.notes(WARD) if note.verb is Verb.DEADLINE_MISSED]

    assert [note.due_at for note in missed] == sorted(moment(world.clock_of(case).due_ms or 0) for case in cases)
    assert len(missed) == 5


def test_a_successor_has_the_clock_of_the_agency_that_it_follows() -> None:
    world = Watched()
    duty(world)
    world.wind(10.5)
    ends = format_time(world.clock.now_ms() + 600_000)
    world.change(WARD, ends_at=ends, successors=(NEXT_WARD,))
    world.wind(5)

    assert world.verbs(WARD)[-1] == "reminded"
    assert "missed" in world.verbs(NEXT_WARD)


def test_nobody_is_accused_where_nobody_is_found() -> None:
    world = Watched()
    case = world.opened(trigger("information-received", province="77", commune="77001"))
    world.wind(50)

    assert world.clock_of(case).responsible is None
    assert world.outcome(case) is None
    assert world.verbs(WARD) == []


def test_an_exercise_runs_and_is_counted_nowhere() -> None:
    world = Watched()
    said = world.write(HOTLINE, Verb.CASE_OPENED, clock=clock("information-received"))
    practised = altered(said, keys()[HOTLINE].signing, exercise=True)
    world.submit(practised)
    world.wind(13)

    assert world.verbs(WARD)[-1] == "missed"
    assert all(note.copy.envelope.exercise for note in world.notes(WARD))
    assert [tally for tally in world.watching.tallies if tally.armed or tally.missed] == []


@pytest.mark.parametrize(
    ("section", "code"),
    [
        (b"not a section", "malformed-json"),
        (b"{}", "malformed-section"),
        (encode_section(example("mau01")), "unknown-schema"),
    ],
    ids=["no JSON", "no section", "another form"],
)
def test_a_clock_section_that_says_nothing_is_answered_and_stalls_nothing(section: bytes, code: str) -> None:
    world = Watched()
    world.say(HOTLINE, Verb.CASE_OPENED, clock=section)
    case, _ = duty(world)
    world.wind(13)
    (note,) = [note for note in world.notes(HOTLINE) if note.verb is Verb.DEADLINE_UNREADABLE]

    assert isinstance(note.body, ClockUnreadable)
    assert note.body.code == code
    assert world.outcome(case) == "missed"
    assert sum(tally.sections["malformed"] for tally in world.watching.tallies) == 1


def test_a_clock_section_sealed_to_another_place_is_answered() -> None:
    world = Watched()
    said = world.write(HOTLINE, Verb.CASE_OPENED, clock=clock("information-received"))
    other = world.write(HOTLINE, Verb.CASE_OPENED, clock=clock("information-received"))
    moved = said.envelope.data.model_copy(update={"sections": other.envelope.data.sections})
    world.submit(altered(said, keys()[HOTLINE].signing, data=moved))
    world.look()
    (note,) = world.notes(HOTLINE)

    assert isinstance(note.body, ClockUnreadable)
    assert note.body.event.id == said.envelope.id
    assert note.body.code == "wrong-commitment"


def test_the_emergency_pauses_the_working_day_path() -> None:
    draft = rule(
        id='"draft-plan-5wd"',
        trigger='["detailed-risk-assessed"]',
        required='["plan-drafted"]',
        kind='"working_days"',
        limit="5",
        counting='{ confidence = "T" }',
        paused_by='["emergency-found"]',
        resumed_by='["emergency-ruled-out"]',
    )
    world = Watched(draft)
    case = world.opened("detailed-risk-assessed")
    world.wind(24)
    world.say(HOTLINE, Verb.CASE_NOTED, case=case.case, to=[WARD], clock=clock("emergency-found"))
    world.wind(24 * 20)

    assert world.clock_of(case, "draft-plan-5wd").paused
    assert "missed" not in world.verbs(WARD)

    world.say(HOTLINE, Verb.CASE_NOTED, case=case.case, to=[WARD], clock=clock("emergency-ruled-out"))
    world.wind(24 * 10)

    assert world.verbs(WARD)[-1] == "missed"


def test_both_stamps_are_kept_and_the_first_receipt_anywhere_counts() -> None:
    world = Watched()
    case = world.opened()
    started = world.clock_of(case).started.moment_ms
    world.clock.wind(2 * 3600)
    world.say(HOTLINE, Verb.CASE_NOTED, case=case.case, to=[WARD], clock=clock("commune-informed"))
    found = world.clock_of(case)

    assert found.second is not None
    assert found.second.moment_ms == started + 2 * 3_600_000
    assert found.due_ms == started + 12 * 3_600_000


def test_a_misdirection_starts_the_notice_of_a_breach() -> None:
    breach = rule(
        id='"breach-notice-72h"',
        trigger='["data-misdirected"]',
        required='["breach-notified"]',
        role='"*"',
        limit='"PT72H"',
    )
    world = Watched(breach)
    case = world.opened()
    assigned = world.assigned(case)
    world.received(assigned)
    told = trigger("data-misdirected", whose=HOTLINE)
    world.say(
        WARD,
        Verb.MISDIRECTED,
        case=case.case,
        to=[HOTLINE],
        about=assigned.to(WARD),
        answers=assigned,
        clock=clock(told),
    )
    world.wind(73)

    assert world.clock_of(case, "breach-notice-72h").responsible == HOTLINE
    assert world.verbs(HOTLINE)[-1] == "missed"


def test_a_notice_that_it_will_be_late_is_recorded_on_the_clock() -> None:
    forensic = rule(
        id='"forensic-injury-9d"',
        trigger='["forensic-order-received"]',
        required='["forensic-conclusion-given"]',
        delay_told_by='["forensic-delay-notified"]',
        kind='"calendar_days"',
        limit="9",
        counting='{ confidence = "T" }',
    )
    world = Watched(forensic)
    case = world.opened("forensic-order-received")
    world.wind(24 * 5)
    world.say(HOTLINE, Verb.CASE_NOTED, case=case.case, to=[WARD], clock=clock("forensic-delay-notified"))
    world.wind(24 * 8)
    found = world.clock_of(case, "forensic-injury-9d")

    assert found.delay_told is not None
    assert world.verbs(WARD)[-1] == "missed"


def test_a_rule_that_nobody_has_read_is_measured_and_never_missed() -> None:
    world = Watched(rule(confidence='"N"'))
    case = world.opened()
    world.wind(100)

    assert world.outcome(case) is None
    assert "missed" not in world.verbs(WARD)


def test_cases_of_one_child_are_tied() -> None:
    world = Watched()
    case, other = world.opened(), world.opened()
    link = ClockSection(
        actor=Actor(role=Role.SYSTEM),
        triggers="none",
        links=(LinkedCase(other=other.case, relation=Relation.SAME_CHILD),),
    )
    world.say(HOTLINE, Verb.CASE_LINKED, case=case.case, clock=encode_section(link))

    assert world.watching.case(case.case).links == {other.case}


def away(world: Watched, since_ms: int, until_ms: int) -> None:
    """Let the registrar tell that the bus was away."""
    outage = Outage(reason="mất điện", since=format_time(since_ms), until=format_time(until_ms))
    policy = with_outage(world.simulator.directory.policy, outage)
    world.simulator.change_directory(policy=policy)
    world.look()


def test_no_time_in_which_the_bus_was_away_counts() -> None:
    world = Watched()
    case, accepted = duty(world)
    started = world.clock_of(case).started.moment_ms
    world.wind(11)
    away(world, started + 3_600_000, started + 5 * 3_600_000)
    world.wind(3)

    assert "missed" not in world.verbs(WARD)

    measured(world, case, accepted)
    world.wind(10)

    assert world.outcome(case) == "met"


def test_who_was_called_late_while_the_bus_was_away_is_owed_a_word() -> None:
    world = Watched()
    case, _ = duty(world)
    started = world.clock_of(case).started.moment_ms
    world.wind(13)

    assert world.verbs(WARD)[-1] == "missed"

    away(world, started + 3_600_000, started + 5 * 3_600_000)

    assert world.verbs(WARD)[-1] == "explained"
    assert world.notes(WARD)[-1].deadline.found is Found.OUTAGE


def test_a_notice_that_cannot_be_written_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Watched(partitions=1)
    bad, good = world.opened(), world.opened()

    def refusing(case: Case, *told: Any, **more: Any) -> Any:
        if case.docket.subject == bad.case:
            DeadlineNotice.model_validate({})
        return spoken(case, *told, **more)

    monkeypatch.setattr(speaker, "spoken", refusing)
    world.wind(13)

    assert world.outcome(good) == "missed"
    assert [note.copy.envelope.subject for note in world.notes(WARD) if note.verb is Verb.DEADLINE_MISSED] == [
        good.case
    ]

    monkeypatch.setattr(speaker, "spoken", spoken)
    world.watching.restart()
    world.wind(0.1)

    assert world.verbs(WARD).count("missed") == 2

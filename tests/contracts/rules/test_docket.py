from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.rules.book import RuleInForce
from referral_contracts.rules.clock import Outcome, State, clock_id
from referral_contracts.rules.docket import Docket
from referral_contracts.rules.heard import Happening, Say, Saying, World
from referral_contracts.topics import agency_of
from tests.contracts.rules.dockets import DAY, HOUR, START, SUBJECT, heard, only, told, world
from tests.contracts.rules.packs import rule

INTAKE = told("information-received", 0)
APPLIED = "emergency-measures-applied"
FOREVER = START + 10_000 * DAY


def outcome(world: World, *happenings: Happening, at: float = 1000) -> Outcome | None:
    return only(heard(world, *happenings).clocks).outcome_at(START + round(at * HOUR))


def test_a_trigger_arms_a_clock() -> None:
    clock = only(heard(world(), INTAKE).clocks)

    assert (clock.due_ms, clock.lenient_ms) == (START + 12 * HOUR, START + 12 * HOUR)
    assert clock.id == clock_id("training", SUBJECT, "emergency-measures-12h", "", 0)
    assert (clock.responsible, clock.state_at(START), clock.outcome_at(START)) == ("ubnd", State.RUNNING, None)
    assert clock.started == INTAKE.stamp


def test_a_happening_that_no_rule_waits_for_leaves_the_docket_as_it_is() -> None:
    docket = heard(world(), INTAKE)

    assert docket.hear(world(), [told("plan-approved", 1)]) is docket
    assert docket.hear(world(), [INTAKE]) is docket


@pytest.mark.parametrize(
    ("hours", "late", "came"),
    [
        (12, 0, Outcome.MET),
        (12.001, 0, Outcome.MISSED),
        (11, 0.5, Outcome.MET),
        (11, 2, Outcome.CLAIMED),
        (12.001, 2, Outcome.MISSED),
        (-3, 0, Outcome.MET),
    ],
)
def test_what_was_done_in_time_is_met_and_told_late_is_met_as_claimed(hours: float, late: float, came: Outcome) -> None:
    assert outcome(world(), INTAKE, told(APPLIED, hours, late=late)) is came


def test_nothing_is_missed_before_a_later_moment_was_seen() -> None:
    clock = only(heard(world(), INTAKE).clocks)

    assert clock.outcome_at(START + 12 * HOUR) is None
    assert clock.outcome_at(START + 12 * HOUR + 1) is Outcome.MISSED
    assert clock.overdue(START + 12 * HOUR + 1)


def test_late_paper_accuses_nobody_before_it_has_settled() -> None:
    clock = only(heard(world(), told("information-received", 0, late=20)).clocks)

    assert clock.due_ms == START + 12 * HOUR
    assert clock.outcome_at(START + 21 * HOUR) is None
    assert clock.outcome_at(START + 21 * HOUR + 1) is Outcome.MISSED


def test_the_earliest_trigger_counts_whenever_it_arrives() -> None:
    earlier = told("information-received", -3, late=5)
    clock = only(heard(world(), INTAKE, earlier).clocks)

    assert (clock.started, clock.cycle, clock.due_ms) == (earlier.stamp, 0, START + 9 * HOUR)


def test_a_correction_arms_the_same_clock_anew() -> None:
    right = told("information-received", 2, late=1)
    before = heard(world(), INTAKE)
    after = before.hear(world(), [right], superseded=INTAKE.sha256)

    assert only(after.clocks).id == only(before.clocks).id
    assert (only(after.clocks).started, only(after.clocks).due_ms) == (right.stamp, START + 14 * HOUR)


def test_a_clock_whose_trigger_was_taken_back_ends_and_does_not_come_back() -> None:
    before_the_rule = told("information-received", -20 * 8766, late=20 * 8766)
    gone = heard(world(), INTAKE).hear(world(), [before_the_rule], superseded=INTAKE.sha256)
    again = gone.hear(world(), [told("information-received", 20)])

    assert only(gone.clocks).outcome_at(FOREVER) is Outcome.CANCELLED
    assert list(only(gone.clocks).notices) == []
    assert [(clock.cycle, clock.outcome) for clock in again.clocks] == [(1, None), (0, Outcome.CANCELLED)]


def test_what_is_asked_for_no_more_is_cancelled_or_was_late_already() -> None:
    rules = world(rule(cancelled_by='["case.closed"]'))

    assert outcome(rules, INTAKE, told("case.closed", 5)) is Outcome.CANCELLED
    assert outcome(rules, INTAKE, told("case.closed", 13)) is Outcome.MISSED
    assert outcome(rules, INTAKE, told(APPLIED, 4), told("case.closed", 5)) is Outcome.MET
    assert outcome(rules, INTAKE, told(APPLIED, 13), told("case.voided", 40)) is Outcome.MISSED
    assert outcome(rules, INTAKE, told("case.voided", 40)) is Outcome.CANCELLED


def test_a_clock_waits_for_what_it_requires_and_counts_from_its_trigger() -> None:
    rules = world(rule(requires='["serious-case-detected"]'))
    found = told("serious-case-detected", 6)

    assert heard(rules, INTAKE).clocks == ()
    assert only(heard(rules, INTAKE, found).clocks).due_ms == START + 12 * HOUR
    assert only(heard(rules, INTAKE, found).clocks).armed_ms == START + 6 * HOUR
    assert outcome(world(rule(unless='["serious-case-detected"]')), INTAKE, found) is Outcome.CANCELLED


def test_a_pause_moves_what_is_due() -> None:
    rules = world(rule(paused_by='["serious-case-detected"]', resumed_by='["serious-case-reported"]'))
    paused = heard(rules, INTAKE, told("serious-case-detected", 10))
    resumed = paused.hear(rules, [told("serious-case-reported", 30)])

    assert only(paused.clocks).state_at(FOREVER) is State.PAUSED
    assert only(resumed.clocks).due_ms == START + 32 * HOUR
    assert only(paused.hear(rules, [told(APPLIED, 40)]).clocks).outcome is Outcome.MET


def test_days_on_which_it_stood_still_do_not_count() -> None:
    row = rule(
        kind='"working_days"',
        limit="5",
        counting='{ confidence = "T" }',
        paused_by='["serious-case-detected"]',
        resumed_by='["serious-case-reported"]',
    )
    moments = (INTAKE, told("serious-case-detected", 24), told("serious-case-reported", 72))
    clock = only(heard(world(row), *moments).clocks)
    monday_night = START + 7 * DAY + 15 * HOUR - 1

    assert only(heard(world(row), INTAKE).clocks).due_ms == monday_night
    assert clock.due_ms == monday_night + DAY
    assert clock.lenient_ms == monday_night + 3 * DAY


def test_what_gives_more_time_counts_if_it_was_told_before_the_limit_ended() -> None:
    rules = world(rule(longer='[{ when = "consultation-held", limit = "PT24H" }]'))

    assert only(heard(rules, INTAKE, told("consultation-held", 12)).clocks).due_ms == START + 24 * HOUR
    assert only(heard(rules, INTAKE, told("consultation-held", 13)).clocks).due_ms == START + 12 * HOUR


def test_a_rule_that_waits_for_certain_agencies_is_not_started_by_others() -> None:
    others = replace(INTAKE, whose=None)
    rules = world(rule(whose='"named"', second='["commune-informed"]'))

    assert heard(rules, others).clocks == ()
    assert only(heard(rules, others, INTAKE).clocks).responsible == "ubnd"


def test_only_an_agency_of_the_role_takes_a_clock_off() -> None:
    cancelled = rule(cancelled_by='["emergency-ruled-out"]')
    mine = lambda _rule, one: one.whose if one.whose == "ubnd" else None  # noqa: E731
    rules = replace(world(cancelled), owner=mine)
    by_another, by_the_ward = (told("emergency-ruled-out", 1, whose=name) for name in ("hospital", "ubnd"))

    assert outcome(rules, INTAKE, by_another) is Outcome.MISSED
    assert outcome(rules, INTAKE, by_another, by_the_ward) is Outcome.CANCELLED

    rules = replace(world(rule(cancelled_by='["emergency-ruled-out"]', off_told_by='"anybody"')), owner=mine)

    assert outcome(rules, INTAKE, by_another) is Outcome.CANCELLED


def test_what_another_agency_says_of_its_own_doing_ends_no_duty_of_this_one() -> None:
    rules = replace(world(rule(told_by='"role"')), owner=lambda _rule, one: one.whose if one.whose == "ubnd" else None)
    others, own = told(APPLIED, 2, whose="cong-an"), told(APPLIED, 20)
    docket = heard(rules, INTAKE, others)
    done = docket.hear(rules, [own])
    ended = replace(rules, owner=lambda _rule, _one: None)

    assert only(docket.clocks).outcome_at(FOREVER) is Outcome.MISSED
    assert only(done.clocks).done == own.stamp
    assert only(done.hear(ended, [told(APPLIED, 30, whose="cong-an")]).clocks).done == own.stamp
    assert only(heard(world(), INTAKE, others).clocks).outcome is Outcome.MET


def test_whoever_was_told_second_has_a_clock_that_nobody_was_found_for() -> None:
    rules = world(rule(second='["commune-informed"]'))
    clock = only(heard(rules, replace(INTAKE, whose=None), told("commune-informed", 2)).clocks)

    assert clock.responsible == "ubnd"
    assert clock.second == told("commune-informed", 2).stamp
    assert clock.due_ms == START + 12 * HOUR


def test_an_outage_counts_against_nobody() -> None:
    outage = (START + 11 * HOUR, START + 15 * HOUR)

    assert only(heard(world(outages=(outage,)), INTAKE).clocks).due_ms == START + 16 * HOUR


def test_a_rule_that_nobody_has_read_is_never_missed() -> None:
    rules = world(rule(confidence='"N"'))

    assert outcome(rules, INTAKE) is None
    assert outcome(rules, INTAKE, told(APPLIED, 40)) is Outcome.MEASURED
    assert outcome(rules, INTAKE, told(APPLIED, 4)) is Outcome.MET
    assert outcome(world(rule(limit_confidence='"N"')), INTAKE) is None


def test_a_clock_that_is_nobodys_accuses_nobody() -> None:
    nobodys = replace(INTAKE, whose=None)

    assert outcome(world(), nobodys) is None
    assert outcome(world(), nobodys, told(APPLIED, 40)) is Outcome.MEASURED


def said(say: Say, hours: float, **more: object) -> Saying:
    clock = only(heard(world(), INTAKE).clocks)
    return Saying(clock.id, say, f"{say}@{hours}", START + round(hours * HOUR), **more)  # type: ignore[arg-type]


def test_a_disputed_clock_is_never_called_missed() -> None:
    docket = heard(world(), INTAKE).say(world(), said(Say.DISPUTED, 3))
    clock = only(docket.clocks)

    assert (clock.outcome_at(START + 4 * HOUR), clock.outcome_at(FOREVER)) == (None, Outcome.DISPUTED)
    assert only(docket.hear(world(), [told(APPLIED, 5)]).clocks).outcome_at(FOREVER) is Outcome.MET
    assert only(docket.hear(world(), [told(APPLIED, 50)]).clocks).outcome_at(FOREVER) is Outcome.DISPUTED


def test_an_extension_moves_what_is_due_if_it_was_said_in_time_or_by_a_superior() -> None:
    until = START + 30 * HOUR
    docket = heard(world(), INTAKE)

    in_time = only(docket.say(world(), said(Say.EXTENDED, 11, until_ms=until)).clocks)
    late = only(docket.say(world(), said(Say.EXTENDED, 13, until_ms=until)).clocks)
    above = only(docket.say(world(), said(Say.EXTENDED, 13, until_ms=until, superior=True)).clocks)

    # What an agency gives itself stands beside what is due; what its superior gives, in its place.
    assert (in_time.due_ms, in_time.lenient_ms) == (START + 12 * HOUR, until)
    assert (late.due_ms, late.lenient_ms) == (START + 12 * HOUR, START + 12 * HOUR)
    assert (above.due_ms, above.lenient_ms) == (until, until)


def test_nobody_lets_its_own_measure_last_longer_than_it_may() -> None:
    measure = world(rule(kind='"duration"', limit='"P15D"'))
    until, docket = START + 30 * DAY, heard(measure, INTAKE)
    own = only(docket.say(measure, said(Say.EXTENDED, 11, until_ms=until)).clocks)
    above = only(docket.say(measure, said(Say.EXTENDED, 11, until_ms=until, superior=True)).clocks)

    assert own == only(docket.clocks)
    assert above.lenient_ms == until


def test_a_superior_confirms_what_was_claimed() -> None:
    docket = heard(world(), INTAKE, told(APPLIED, 11, late=2)).say(world(), said(Say.CONFIRMED, 20, superior=True))

    assert only(docket.clocks).confirmed_by == "confirmed@20"
    assert only(docket.clocks).outcome is Outcome.CLAIMED


def test_a_rule_that_repeats_is_armed_again_after_an_end() -> None:
    rules = world(rule(repeats="true"))
    moments = (INTAKE, told(APPLIED, 5), told("information-received", 24), told(APPLIED, 40))
    clocks = heard(rules, *moments).clocks

    assert [(clock.cycle, clock.outcome) for clock in clocks] == [(0, Outcome.MET), (1, Outcome.MISSED)]
    assert len({clock.id for clock in clocks}) == 2
    assert [clock.cycle for clock in heard(world(), *moments).clocks] == [0]


def test_a_hand_off_has_a_clock_of_its_own() -> None:
    rules = world(
        rule(trigger='["handoff.offered"]', required='["handoff.accepted"]', scope='"handoff"', limit='"PT1H"')
    )
    offered = [told("handoff.offered", 0, scope=f"e/{agency}", whose=agency) for agency in ("a", "b")]
    docket = Docket(SUBJECT).hear(rules, offered).hear(rules, [told("handoff.accepted", 0.5, scope="e/b")])

    assert {clock.responsible: clock.outcome_at(FOREVER) for clock in docket.clocks} == {
        "a": Outcome.MISSED,
        "b": Outcome.MET,
    }


def test_a_clock_that_runs_keeps_its_rule() -> None:
    before = heard(world(), INTAKE)
    stricter = world(rule(limit='"PT1H"'))

    assert only(before.hear(stricter, [told(APPLIED, 5)]).clocks).outcome is Outcome.MET
    assert only(before.again(stricter).clocks).due_ms == START + 12 * HOUR


@pytest.mark.parametrize(
    ("scope", "ends"),
    [("e/ubnd", True), ("e/ubnd/desk", True), ("e/hospital", False), ("e/hotline", True), ("", True)],
    ids=["the commune", "its desk", "another", "what the sender has itself", "nothing says whom"],
)
def test_what_has_to_be_told_somewhere_ends_a_clock_where_it_went_there(scope: str, *, ends: bool) -> None:
    def having(rule: RuleInForce, one: Happening) -> str | None:
        return one.whose if rule.rule.role != ("commune",) or agency_of(one.whose or "") == "ubnd" else None

    rules = replace(world(rule(role='"hotline"', told_to='"commune"')), owner=having)
    measure = told(APPLIED, 5, scope=scope, sender="hotline")

    assert (only(heard(rules, INTAKE, measure).clocks).outcome is Outcome.MET) is ends


ROWS = (
    rule(cancelled_by='["case.closed"]', unless='["breach-detected"]'),
    rule(
        id='"paused"',
        kind='"working_days"',
        limit="3",
        paused_by='["serious-case-detected"]',
        resumed_by='["serious-case-reported"]',
    ),
    rule(id='"required"', requires='["serious-case-detected"]', limit='"PT30H"'),
    rule(id='"unread"', confidence='"N"'),
)
NAMES = (
    "information-received",
    APPLIED,
    "case.closed",
    "breach-detected",
    "serious-case-detected",
    "serious-case-reported",
    "plan-approved",
)
HAPPENINGS = st.lists(
    st.builds(
        lambda name, hours, late: told(name, hours, late=late),
        st.sampled_from(NAMES),
        st.integers(-20, 100),
        st.sampled_from([0, 0, 1, 30]),
    ),
    unique_by=lambda one: one.event,
    max_size=8,
)


@given(HAPPENINGS, st.data())
def test_the_order_of_arrival_decides_nothing(happenings: list[Happening], data: st.DataObject) -> None:
    rules = world(*ROWS)
    shuffled = data.draw(st.permutations(happenings))
    one, other = heard(rules, *happenings), heard(rules, *shuffled)

    assert {clock.id: clock for clock in one.clocks} == {clock.id: clock for clock in other.clocks}


@given(HAPPENINGS, st.data())
def test_the_cycles_of_a_rule_that_repeats_are_the_same_in_any_order(
    happenings: list[Happening], data: st.DataObject
) -> None:
    rules = world(rule(repeats="true", cancelled_by='["case.closed"]'), rule(id='"days"', kind='"months"', limit="1"))
    shuffled = data.draw(st.permutations(happenings))
    one, other = (
        {replace(clock, id="", cycle=0) for clock in heard(rules, *told).clocks} for told in (happenings, shuffled)
    )

    assert one == other


@given(HAPPENINGS)
def test_an_outcome_stays_when_only_time_passes(happenings: list[Happening]) -> None:
    for clock in heard(world(*ROWS), *happenings).clocks:
        seen = [clock.outcome_at(START + hours * HOUR) for hours in range(-30, 300, 7)]
        known = [one for one in seen if one is not None]

        assert seen == [None] * (len(seen) - len(known)) + known
        assert len(set(known)) <= 1
        if not clock.rule.rule.verified:
            assert Outcome.MISSED not in known

"""What is counted: children once, clocks by rule and role, what waits by its age."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.indicators import Ended, Indicators, Told, indicators
from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.deadline import Ground, Standing
from referral_contracts.payloads.stats import AgeBand, Form, Stats, Timeliness

ACTOR: Final = Actor(role=Role.SYSTEM)
SINCE: Final = date(2026, 1, 1)
UNTIL: Final = date(2026, 12, 31)
MEASURE: Final = "emergency-measures-12h"


def case(subject: str, **told: Any) -> Told:
    given_ = {"received_on": date(2026, 6, 1), "province": "01", "commune": "00001", **told}
    return Told(subject=subject, stats=Stats(actor=ACTOR, **given_))


def clock(subject: str, standing: Standing = Standing.MET, **told: Any) -> Ended:
    done = standing in {Standing.MET, Standing.MET_AS_CLAIMED}
    given_ = {"rule": MEASURE, "role": "commune", "ground": Ground.LAW, "started_on": date(2026, 6, 1), "done": done}
    return Ended(clock=f"{subject}/{told}", subject=subject, standing=standing, **{**given_, **told})


def counted(
    told: Iterable[Told], ended: Iterable[Ended] = (), same: Iterable[tuple[str, str]] = (), **more: Any
) -> Indicators:
    period = {"since": SINCE, "until": UNTIL, **more}
    return indicators(told, ended, same_child=same, measures={MEASURE}, **period)


def test_a_child_is_counted_once_however_many_cases_tell_of_it() -> None:
    cases = [
        case("a", received_on=date(2026, 6, 2), age_band=AgeBand.TO_5),
        case("b", age_band=AgeBand.TO_10),
        case("c"),
    ]

    found = counted(cases, [clock("a")], [("a", "b")])

    assert (found.cases, found.children, found.with_measure) == (3, 2, 1)
    assert found.timely == 0.5
    # Two reports of one child: the first one is counted by.
    assert found.by["age_band"] == {"6-10": 1, "unknown": 1}


def test_links_lead_through_cases_that_nobody_told_of() -> None:
    found = counted([case("a"), case("c")], (), [("a", "b"), ("b", "c")])

    assert found.children == 1


@pytest.mark.parametrize(
    ("standings", "counts"),
    [
        ([Standing.MET, Standing.MISSED], (1, 0, 0)),
        ([Standing.MET_AS_CLAIMED], (0, 1, 0)),
        ([Standing.MISSED], (0, 0, 0)),
        ([Standing.CANCELLED, Standing.DISPUTED], (0, 0, 0)),
    ],
)
def test_a_measure_counts_by_the_best_that_was_reached(standings: list[Standing], counts: tuple[int, ...]) -> None:
    found = counted([case("a")], [clock("a", one) for one in standings])

    assert (found.with_measure, found.claimed_measure, found.late_measure) == counts


def test_a_measure_after_the_deadline_is_late_and_no_backlog() -> None:
    late, never = clock("a", Standing.MISSED, done=True), clock("b", Standing.MISSED)

    found = counted([case("a"), case("b")], [late, never])

    assert (found.late_measure, found.backlog) == (1, 1)
    assert [row.children for row in found.waiting] == [1]


def test_rates_are_of_what_was_met_or_missed_and_law_stands_apart_from_policy() -> None:
    clocks = [
        clock("a"),
        clock("b", Standing.MET_AS_CLAIMED),
        clock("c", Standing.MISSED),
        clock("d", Standing.DISPUTED),
        clock("e", Standing.CANCELLED),
        clock("f", ground=Ground.POLICY),
    ]

    law, policy = counted([], clocks).rates

    assert (law.met, law.claimed, law.missed, law.disputed, law.cancelled) == (1, 1, 1, 1, 1)
    assert law.on_time == 0.5
    assert (policy.ground, policy.on_time) == (Ground.POLICY, 1.0)


def test_what_lies_outside_the_period_is_not_counted() -> None:
    before, after = SINCE - timedelta(days=1), UNTIL + timedelta(days=1)
    cases = [case("a", received_on=before), case("b", received_on=SINCE), case("c", received_on=UNTIL)]
    clocks = [clock("b", started_on=after), clock("b", started_on=UNTIL)]

    found = counted([*cases, case("d", received_on=after)], clocks)

    assert found.cases == 2
    assert [rate.met for rate in found.rates] == [1]


def test_what_waits_is_told_by_place_and_age_the_oldest_first() -> None:
    ages = {"a": 0, "b": 1, "c": 2, "d": 91, "e": 92}
    cases = [case(name, received_on=UNTIL - timedelta(days=days)) for name, days in ages.items()]

    found = counted([*cases, case("f", received_on=UNTIL, commune=None)])

    assert [(row.days, row.commune, row.children) for row in found.waiting] == [
        (90, "00001", 2),
        (1, "00001", 1),
        (0, None, 1),
        (0, "00001", 2),
    ]


def test_nothing_at_all_has_no_shares() -> None:
    found = counted([])

    assert (found.children, found.timely, found.rates, found.waiting) == (0, None, (), ())


SUBJECTS: Final = st.sampled_from("abcdefgh")


@given(
    cases=st.dictionaries(SUBJECTS, st.tuples(st.sampled_from(Form), st.integers(0, 400))),
    clocks=st.lists(st.tuples(SUBJECTS, st.sampled_from(Standing), st.booleans())),
    same=st.lists(st.tuples(SUBJECTS, SUBJECTS)),
    order=st.randoms(use_true_random=False),
)
def test_every_child_is_in_one_place_of_each_table_whatever_the_order(
    cases: dict[str, tuple[Form, int]],
    clocks: list[tuple[str, Standing, bool]],
    same: list[tuple[str, str]],
    order: Any,
) -> None:
    told = [
        case(subject, form=form, received_on=SINCE + timedelta(days=days)) for subject, (form, days) in cases.items()
    ]
    ended = [clock(subject, standing, done=done) for subject, standing, done in clocks]

    found = counted(told, ended, same)

    waiting = sum(row.children for row in found.waiting)
    assert found.children == found.with_measure + found.claimed_measure + found.late_measure + waiting
    assert {sum(table.values()) for table in found.by.values()} == {found.children}
    assert found.children <= found.cases
    shuffled: list[Any] = [told[:], ended[:], same[:]]
    for part in shuffled:
        order.shuffle(part)
    assert counted(shuffled[0], shuffled[1], [(b, a) for a, b in shuffled[2]]) == found


@pytest.mark.parametrize(
    ("said", "standings", "counts"),
    [
        (Timeliness.IN_TIME, [], (0, 1, 0)),
        (Timeliness.LATE, [], (0, 0, 1)),
        (Timeliness.NOT_YET, [], (0, 0, 0)),
        # Where the watcher has told of it, its word counts.
        (Timeliness.LATE, [Standing.MET], (1, 0, 0)),
        (Timeliness.LATE, [Standing.MET_AS_CLAIMED], (0, 1, 0)),
    ],
)
def test_what_an_agency_says_of_its_measure_is_a_claim(
    said: Timeliness, standings: list[Standing], counts: tuple[int, ...]
) -> None:
    found = counted([case("a", measure=said)], [clock("a", one) for one in standings])

    assert (found.with_measure, found.claimed_measure, found.late_measure) == counts

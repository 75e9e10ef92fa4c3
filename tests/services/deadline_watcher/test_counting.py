"""What the watcher counts of a period: each clock once, each child once, exercises not at all, and nobody's name."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deadline_watcher.core.case import Case
from deadline_watcher.core.counting import Counting
from referral_contracts.clock_counts import ClockCounts, Measures, Overdue, RuleCount
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError
from referral_contracts.rules.heard import Happening
from tests.contracts.rules.dockets import DAY, HOUR, START, heard, told, world
from tests.contracts.rules.packs import rule

LATER = START + 60 * DAY
MEASURE = "emergency-measures-12h"
STARTED = "information-received"
DONE = "emergency-measures-applied"
RULES = world(
    rule(cancelled_by='["emergency-ruled-out"]'),
    rule(id='"plan-review"', trigger='["plan-approved"]', required='["plan-reviewed"]', kind='"none"', limit=None),
)


def case(number: int, *happenings: Happening, links: str = "", **more: Any) -> Case:
    docket = heard(RULES, *happenings)
    subject = f"{number:032x}"
    renamed = type(docket)(subject, docket.heard, docket.sayings, docket.clocks)
    return Case(renamed, links=frozenset(f"{int(one):032x}" for one in links), **more)


def counted(*cases: Case, ledger_ms: int = LATER, since: str = "2026-01-01", until: str = "2026-12-31") -> ClockCounts:
    counting = Counting(date.fromisoformat(since), date.fromisoformat(until), LATER, measures={MEASURE})
    for one in cases:
        counting.take(one, ledger_ms)
    return counting.counts("training", ledger_ms)


def test_a_clock_that_was_simply_met_is_counted_and_so_is_each_other_end() -> None:
    found = counted(
        case(1, told(STARTED, 0), told(DONE, 3)),
        case(2, told(STARTED, 0), told(DONE, 3, late=20)),
        case(3, told(STARTED, 0), told(DONE, 14)),
        case(4, told(STARTED, 0)),
        case(5, told(STARTED, 0), told("emergency-ruled-out", 2)),
        case(6, told(STARTED, 0, whose=None), told(DONE, 3, late=20)),
    )

    assert found.rules == (
        RuleCount(rule=MEASURE, role="commune", basis="law", met=1, claimed=1, missed=2, cancelled=1, measured=1),
    )
    assert found.overdue == (Overdue(rule=MEASURE, role="commune", basis="law", days=30, clocks=1),)
    assert found.measures == Measures(
        cases=6, children=6, in_time=1, claimed=1, late=1, ruled_out=1, untimed=1, waiting=1, complete=5
    )


def test_what_is_overdue_grows_older_while_the_ledger_sees_nothing() -> None:
    found = counted(case(1, told(STARTED, 0)), ledger_ms=START + 13 * HOUR + 1)

    assert [(one.days, one.clocks) for one in found.overdue] == [(30, 1)]


def test_a_clock_that_is_not_late_yet_runs() -> None:
    found = counted(case(1, told(STARTED, 0)), ledger_ms=START + HOUR)

    assert found.rules[0].running == 1
    assert found.overdue == ()
    assert found.measures.waiting == 1


def test_a_child_of_several_cases_is_counted_once_by_the_best_of_them() -> None:
    found = counted(
        case(1, told(STARTED, 0)),
        case(2, told(STARTED, 0), links="3"),
        case(3, told(STARTED, 0), told(DONE, 3), links="1"),
    )

    assert (found.measures.cases, found.measures.children) == (3, 1)
    assert (found.measures.in_time, found.measures.waiting) == (1, 0)
    assert found.measures.complete == 0


def test_what_the_law_asks_for_without_a_number_keeps_a_child_open_until_it_is_done() -> None:
    begun = (told(STARTED, 0), told(DONE, 3), told("plan-approved", 30))

    assert counted(case(1, *begun)).measures.complete == 0
    assert counted(case(1, *begun, told("plan-reviewed", 900))).measures.complete == 1


def test_an_exercise_is_counted_nowhere() -> None:
    assert counted(case(1, told(STARTED, 0), exercise=True)) == counted()


@pytest.mark.parametrize(
    ("since", "until", "counts"),
    [("2026-03-02", "2026-03-02", 1), ("2026-03-03", "2026-12-31", 0), ("2026-01-01", "2026-03-01", 0)],
)
def test_a_clock_belongs_to_the_day_on_which_it_started_in_viet_nam(since: str, until: str, counts: int) -> None:
    # Half past midnight there is still the day before in Greenwich.
    found = counted(case(1, told(STARTED, -8.5)), since=since, until=until)

    assert sum(one.missed for one in found.rules) == counts


def test_a_measure_that_is_no_measure_for_the_child_makes_no_child() -> None:
    assert counted(case(1, told("plan-approved", 0))).measures == Measures()


CASES = st.lists(
    st.tuples(st.sampled_from([None, 3.0, 13.0]), st.sampled_from([0.0, 20.0]), st.sets(st.integers(1, 9), max_size=2)),
    min_size=1,
    max_size=8,
)


@given(CASES, st.randoms(use_true_random=False))
def test_in_whatever_order_the_cases_come_each_clock_and_each_child_is_in_one_place(
    plans: list[tuple[float | None, float, set[int]]], random: Any
) -> None:
    cases = [
        case(
            number,
            told(STARTED, 0),
            *([] if at is None else [told(DONE, at, late=late)]),
            links="".join(str(link) for link in links),
        )
        for number, (at, late, links) in enumerate(plans, 1)
    ]
    found = counted(*cases)
    random.shuffle(cases)

    assert found == counted(*cases)
    (row,) = found.rules
    assert sum(row.model_dump(exclude={"rule", "role", "basis"}).values()) == len(plans)
    told_of = found.measures.model_dump(exclude={"cases", "children", "complete"})
    assert sum(told_of.values()) == found.measures.children <= len(plans)


def test_no_case_agency_or_place_is_in_the_file_and_it_is_read_back() -> None:
    found = counted(case(1, told(STARTED, 0, whose="ubnd-bi-mat", province="79", commune="26734")))
    text = found.encode()

    assert ClockCounts.decode(text) == found
    assert [needle for needle in (b"ubnd-bi-mat", b"26734", b"0000000001") if needle in text] == []


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b'{"format": "clock-counts/2.0"}', b"\xff", b"{" * 100_000])
def test_what_is_no_such_file_is_refused_in_our_own_words(text: bytes) -> None:
    with pytest.raises(LocalError) as refused:
        ClockCounts.decode(text)

    assert refused.value.code is Code.MALFORMED_VALUE

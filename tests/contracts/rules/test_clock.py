"""What a clock says, and when: nothing before its moment, each once, and what is known later is added."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.rules.clock import Clock, Notice, Outcome, Step, clock_id
from referral_contracts.rules.heard import Say, Saying
from tests.contracts.rules.dockets import DAY, HOUR, START, heard, only, told, world
from tests.contracts.rules.packs import rule

INTAKE = told("information-received", 0)
APPLIED = "emergency-measures-applied"
DUE = START + 12 * HOUR
STEPS = {
    "remind": '["PT3H", "PT1H"]',
    "escalate": '[{ up = 1 }, { role = "province", wait = "PT6H", repeat = "P1D", times = 2 }]',
}
RULES = world(rule(**STEPS))


def clock(*happenings: object, **more: str) -> Clock:
    return only(heard(world(rule(**{**STEPS, **more})), INTAKE, *happenings).clocks)  # type: ignore[arg-type]


def keys(notices: list[Notice]) -> list[str]:
    return [notice.key for notice in notices]


def test_a_clock_reminds_then_says_that_it_is_missed_then_goes_up() -> None:
    notices = list(clock().notices)

    assert [(notice.key, notice.after_ms) for notice in notices] == [
        ("reminded/0", DUE - 3 * HOUR),
        ("reminded/1", DUE - HOUR),
        ("missed/0", DUE),
        ("escalated/0", DUE),
        ("escalated/1", DUE + 6 * HOUR),
        ("escalated/2", DUE + 6 * HOUR + DAY),
    ]
    assert [(notice.level.up, notice.level.role) for notice in notices if notice.level] == [
        (1, None),
        (None, "province"),
        (None, "province"),
    ]


def test_nothing_is_said_before_a_later_moment_was_seen() -> None:
    assert keys(list(clock().due_notices(DUE - 3 * HOUR, ()))) == []
    assert keys(list(clock().due_notices(DUE - 3 * HOUR + 1, ()))) == ["reminded/0"]
    assert keys(list(clock().due_notices(DUE, {"reminded/0"}))) == ["reminded/1"]
    assert keys(list(clock().due_notices(DUE + 1, {"reminded/0", "reminded/1"}))) == ["missed/0", "escalated/0"]


def test_a_reminder_of_what_is_missed_already_is_not_said() -> None:
    assert keys(list(clock().due_notices(DUE + 7 * HOUR, ()))) == ["missed/0", "escalated/0", "escalated/1"]


def test_what_came_before_it_was_armed_is_not_reminded_of() -> None:
    late = only(heard(RULES, told("information-received", 0, late=10)).clocks)

    assert keys(list(late.notices))[:2] == ["reminded/1", "missed/0"]


def test_the_next_moment_is_that_of_what_is_not_due_yet() -> None:
    assert clock().next_ms(START) == DUE - 3 * HOUR
    assert clock().next_ms(DUE - 3 * HOUR) == DUE - 3 * HOUR
    assert clock().next_ms(DUE - 3 * HOUR + 1) == DUE - HOUR
    assert clock().next_ms(DUE + 40 * DAY) is None


def test_what_is_done_says_nothing_more() -> None:
    done = clock(told(APPLIED, 11))

    assert list(done.notices) == []
    assert done.next_ms(START) is None


def test_what_is_known_after_the_miss_was_said_is_added_once() -> None:
    said = {"missed/0", "escalated/0"}
    claimed, late = clock(told(APPLIED, 11, late=3)), clock(told(APPLIED, 13))

    assert claimed.outcome is Outcome.CLAIMED
    assert keys(list(claimed.due_notices(DUE + 2 * HOUR, said))) == ["explained/0"]
    assert keys(list(late.due_notices(DUE + 2 * HOUR, said))) == ["explained/0"]
    assert keys(list(late.due_notices(DUE + 2 * HOUR, {*said, "explained/0"}))) == []
    assert keys(list(late.due_notices(DUE + 2 * HOUR, ()))) == []


@pytest.mark.parametrize("more", [{"confidence": '"N"'}, {"limit_confidence": '"N"'}])
def test_what_nobody_has_read_reminds_and_accuses_nobody(more: dict[str, str]) -> None:
    assert {notice.step for notice in clock(**more).notices} == {Step.REMINDED}
    assert clock(**more).alarm_ms is None


def test_a_clock_that_is_nobodys_or_disputed_accuses_nobody() -> None:
    nobodys = only(heard(RULES, told("information-received", 0, whose=None)).clocks)
    running = heard(RULES, INTAKE)
    saying = Saying(only(running.clocks).id, Say.DISPUTED, "e", START + HOUR)

    assert list(nobodys.notices) == []
    assert {notice.step for notice in only(running.say(RULES, saying).clocks).notices} == {Step.REMINDED}


@given(st.lists(st.integers(-2, 60), max_size=12), st.integers(0, 60))
def test_each_notice_is_said_once_however_time_passes(seen: list[int], last: int) -> None:
    said: list[str] = []
    for hours in [*sorted(seen), last, 100]:
        said += keys(list(clock().due_notices(START + hours * HOUR + 1, said)))

    assert len(said) == len(set(said))
    assert {"missed/0", "escalated/0", "escalated/1", "escalated/2"} <= set(said)


def test_a_clock_has_a_name_of_its_own() -> None:
    parts = ("training", "0" * 32, "rule", "opening/recipient", 0)
    others = [
        clock_id(*(part if place != number else other for place, part in enumerate(parts)))  # type: ignore[arg-type]
        for number, other in enumerate(("production", "1" * 32, "other", "", 1))
    ]

    assert len({clock_id(*parts), *others}) == 6
    assert all(len(name) == 32 for name in others)

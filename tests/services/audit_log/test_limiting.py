from hypothesis import given
from hypothesis import strategies as st

from audit_log.core.limiting import Allowance


def test_so_many_at_once_and_then_so_many_a_second() -> None:
    allowance = Allowance(2, 3)

    assert [allowance.ask("10.0.0.1", 0) for _ in range(5)] == [0, 0, 0, 0.5, 0.5]
    assert [allowance.ask("10.0.0.1", 0.5) for _ in range(2)] == [0, 0.5]


def test_addresses_are_counted_apart_and_those_of_one_site_together() -> None:
    allowance = Allowance(1, 1)
    asked = ["10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "::ffff:10.0.0.1", "a", "b", ""]

    assert [allowance.ask(who, 0) > 0 for who in asked] == [False, False, False, True, *[False] * 5]


def test_who_has_not_asked_for_longest_is_forgotten() -> None:
    allowance = Allowance(1, 1)
    for number in range(10_001):
        allowance.ask(f"host-{number}", 0)

    assert allowance.ask("host-0", 0) == 0
    assert allowance.ask("host-10000", 0) > 0


@given(st.lists(st.floats(-10, 100), max_size=200))
def test_no_more_is_granted_than_is_allowed(steps: list[float]) -> None:
    allowance, now_s, passed_s, granted = Allowance(3, 5), 0.0, 0.0, 0
    for step in steps:
        now_s += step
        passed_s += max(0.0, step)
        granted += allowance.ask("who", now_s) == 0

    assert granted <= 5 + 3 * passed_s + 1e-6

"""By which rules a case is due: as data, with a source; what nobody has verified is shown and never applied."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.codes import Code
from referral_contracts.encoding import parse_time
from referral_contracts.errors import LocalError
from referral_contracts.log.retaining import RetentionRules, due, read_retention

DAY_MS = 86_400_000
ENDED_MS = parse_time("2026-03-01T10:00:00.000Z")
SHIPPED = Path(__file__).parents[3] / "contracts/packs/retention/vn.toml"


def rule(name: str = "two-years", **fields: str) -> str:
    told = {
        "id": f'"{name}"',
        "vi": '"hai năm"',
        "en": '"two years"',
        "ends": '["case.closed"]',
        "days": "730",
        "basis": '"policy"',
        "confidence": '"T"',
        "source": '"QĐ 12/QĐ-UBND Đ.4"',
        "valid_from": "2026-01-01",
        **fields,
    }
    return "[[rule]]\n" + "".join(f"{key} = {value}\n" for key, value in told.items() if value)


def read(*rules: str) -> RetentionRules:
    return read_retention("\n".join(rules))


def test_what_came_with_the_program_makes_nothing_due() -> None:
    shipped = read_retention(SHIPPED.read_text())

    assert [one.applies for one in shipped.rule] == [False]
    assert shipped.days is None
    assert due(shipped.rule, "case.closed", 0, ENDED_MS) == []


def test_a_case_is_due_when_its_days_are_over_and_not_before() -> None:
    rules = read(rule()).rule
    at_ms = ENDED_MS + 730 * DAY_MS

    assert due(rules, "case.closed", ENDED_MS, at_ms - 1) == []
    assert [(one.rule.id, one.at_ms) for one in due(rules, "case.closed", ENDED_MS, at_ms)] == [("two-years", at_ms)]
    assert due(rules, "case.voided", ENDED_MS, at_ms) == []


def test_a_rule_holds_for_what_ended_while_it_was_in_force() -> None:
    late = ENDED_MS + 10_000 * DAY_MS
    after, before, on = '"2026-03-02"', '"2026-03-01"', '"2026-03-01"'

    assert due(read(rule(valid_from=after)).rule, "case.closed", ENDED_MS, late) == []
    assert due(read(rule(valid_until=before)).rule, "case.closed", ENDED_MS, late) == []
    assert len(due(read(rule(valid_from=on)).rule, "case.closed", ENDED_MS, late)) == 1


def test_the_day_is_that_of_viet_nam() -> None:
    rules = read(rule(valid_from='"2026-03-02"')).rule
    midnight = parse_time("2026-03-01T17:00:00.000Z")

    assert due(rules, "case.closed", midnight - 1, midnight + 10_000 * DAY_MS) == []
    assert len(due(rules, "case.closed", midnight, midnight + 10_000 * DAY_MS)) == 1


def test_what_nobody_has_verified_is_shown_and_does_not_apply() -> None:
    rules = read(rule(confidence='"N"', basis='"law"'))
    (found,) = due(rules.rule, "case.closed", ENDED_MS, ENDED_MS + 730 * DAY_MS)

    assert not found.rule.applies
    assert rules.days is None


def test_policy_never_calls_itself_law() -> None:
    assert read(rule()).rule[0].ground == "quy định nội bộ của trục / policy of the bus: QĐ 12/QĐ-UBND Đ.4"
    assert read(rule(basis='"law"')).rule[0].ground == "QĐ 12/QĐ-UBND Đ.4"


@pytest.mark.parametrize(
    ("rules", "days"),
    [
        ([rule()], None),
        ([rule(ends='["case.closed", "case.voided"]')], 730),
        ([rule(), rule("voided", ends='["case.voided"]', days="30")], 730),
        ([rule(ends='["case.closed", "case.voided"]'), rule("sooner", days="30")], 730),
        ([rule(ends='["case.closed", "case.voided"]', days="")], None),
    ],
    ids=["an end without a rule", "both", "each its own", "the soonest of each", "no number"],
)
def test_how_long_something_waits_to_be_due(rules: list[str], days: int | None) -> None:
    assert read(*rules).days == days


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "rule = 1",
        rule(days="0"),
        rule(ends="[]"),
        rule(ends='["case.reopened"]'),
        rule(confidence='"X"'),
        rule(more="1"),
        rule(source=""),
        rule() + rule(),
    ],
)
def test_a_file_that_is_not_right_is_refused(text: str) -> None:
    with pytest.raises(LocalError) as told:
        read_retention(text)

    assert told.value.code is Code.MALFORMED_PACK


@given(st.text(max_size=300))
def test_garbage_is_read_or_refused_and_nothing_else(text: str) -> None:
    try:
        read_retention(text)
    except LocalError as error:
        assert error.code is Code.MALFORMED_PACK

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.codes import Code
from referral_contracts.rules.checks import faults_since
from referral_contracts.rules.faults import Fault, PackRefused
from referral_contracts.rules.loading import load_packs
from tests.contracts.rules.packs import head, override, rule, shelved, threshold

IMMEDIATE = {"kind": '"immediate"', "limit": None}
LOCAL = head("local", "quang-trung", places='[{ province = "01", commune = "09541" }]')


def faults(**texts: str) -> set[tuple[str, str, str, Fault]]:
    with pytest.raises(PackRefused) as refused:
        load_packs({f"{name}.toml": text for name, text in texts.items()})

    assert refused.value.code is Code.MALFORMED_PACK
    return {(found.file, found.rule, found.field, found.fault) for found in refused.value.problems}


def test_the_packs_of_the_repository_load() -> None:
    assert {pack.pack.id for pack in load_packs(shelved())} >= {"policy", "demo"}


@pytest.mark.parametrize(
    ("row", "field", "fault"),
    [
        (rule(source=None), "source", Fault.MISSING_SOURCE),
        (rule(source='"  "'), "source", Fault.MISSING_SOURCE),
        (rule(role='"king"'), "role.0", Fault.UNKNOWN_ROLE),
        (rule(role='["police", "*"]'), "role", Fault.WRONG_VALUE),
        (rule(role="[]"), "role", Fault.WRONG_VALUE),
        (rule(role="7"), "role", Fault.WRONG_VALUE),
        (rule(longer="[{ when = 'case.noted', limit = 'PT9H' }]"), "longer.0.limit", Fault.WRONG_VALUE),
        (rule(trigger='["moon-risen"]'), "trigger.0", Fault.UNKNOWN_HAPPENING),
        (rule(required='["handoff.offered", "handoff.eaten"]'), "required.1", Fault.UNKNOWN_HAPPENING),
        (rule(required=None), "required", Fault.MISSING_FIELD),
        (rule(trigger=None), "note_en", Fault.MISSING_FIELD),
        (rule(limits='"PT12H"'), "limits", Fault.UNKNOWN_FIELD),
        (rule(confidence=None), "confidence", Fault.MISSING_FIELD),
        (rule(confidence='"X"'), "confidence", Fault.WRONG_VALUE),
        (rule(limit=None), "limit", Fault.MISSING_FIELD),
        (rule(limit='"12 hours"'), "limit", Fault.WRONG_VALUE),
        (rule(limit='"PT0S"'), "limit", Fault.WRONG_VALUE),
        (rule(limit="12"), "limit", Fault.WRONG_VALUE),
        (rule(limit="12.5"), "limit.str", Fault.WRONG_VALUE),
        (rule(kind='"working_days"'), "limit", Fault.WRONG_VALUE),
        (rule(kind='"working_days"', limit="0"), "limit", Fault.WRONG_VALUE),
        (rule(kind='"fixed_date"', limit='"--02-30"'), "limit", Fault.WRONG_VALUE),
        (rule(kind='"fixed_date"', limit='"--02-29"'), "limit", Fault.WRONG_VALUE),
        (rule(kind='"immediate"'), "limit", Fault.WRONG_VALUE),
        (rule(valid_from='"yesterday"'), "valid_from", Fault.WRONG_VALUE),
        (rule(valid_from="2017-07-01T00:00:00"), "valid_from", Fault.WRONG_VALUE),
        (rule(valid_until="2017-07-01"), "valid_until", Fault.WRONG_VALUE),
        (rule(remind='["PT0S"]'), "remind.0", Fault.WRONG_VALUE),
        (rule(escalate="[{ wait = 'PT1H' }]"), "escalate.0", Fault.WRONG_VALUE),
        (rule(escalate="[{ up = 1, role = 'commune' }]"), "escalate.0", Fault.WRONG_VALUE),
        (rule(escalate="[{ role = '*' }]"), "escalate.0.role", Fault.WRONG_VALUE),
        (rule(escalate="[{ up = 1, times = 2 }]"), "escalate.0.repeat", Fault.MISSING_FIELD),
        (rule(paused_by='["case.closed"]'), "resumed_by", Fault.MISSING_FIELD),
    ],
)
def test_a_row_that_is_wrong_is_refused_with_its_place(row: str, field: str, fault: Fault) -> None:
    assert ("a.toml", "emergency-measures-12h", field, fault) in faults(a=head() + row)


@pytest.mark.parametrize(
    ("text", "field", "fault"),
    [
        ("pack = [", "", Fault.MALFORMED_TOML),
        ("pack = " + "[" * 5000, "", Fault.MALFORMED_TOML),
        (f"pack = {'9' * 5000}", "", Fault.MALFORMED_TOML),
        (f"pack = 0x{'f' * 5000}", "", Fault.MALFORMED_TOML),
        ("pack = 7", "", Fault.WRONG_VALUE),
        (head(version="inf"), "version", Fault.WRONG_VALUE),
        (rule(), "pack", Fault.MISSING_FIELD),
        (head("local"), "places", Fault.MISSING_FIELD),
        (head(places='[{ province = "01" }]'), "places", Fault.WRONG_VALUE),
        (head(settle='"PT1H"'), "settle", Fault.WRONG_VALUE),
        (head() + override(), "override", Fault.WRONG_VALUE),
        (head() + threshold(), "threshold", Fault.WRONG_VALUE),
        (head() + "[[rules]]\n", "rules", Fault.UNKNOWN_FIELD),
        (head() + "[rule]\n", "rule", Fault.WRONG_VALUE),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_place(text: str, field: str, fault: Fault) -> None:
    assert ("a.toml", "", field, fault) in faults(a=text)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    first = head() + rule(source=None, role='"king"', trigger='["moon-risen"]')
    second = LOCAL + override(rule='"no-such-rule"') + rule(id='"b"', limit='"PT12"')

    assert faults(a=first, b=second) == {
        ("a.toml", "emergency-measures-12h", "source", Fault.MISSING_SOURCE),
        ("a.toml", "emergency-measures-12h", "role.0", Fault.UNKNOWN_ROLE),
        ("a.toml", "emergency-measures-12h", "trigger.0", Fault.UNKNOWN_HAPPENING),
        ("b.toml", "no-such-rule", "rule", Fault.UNKNOWN_RULE),
        ("b.toml", "b", "limit", Fault.WRONG_VALUE),
    }


def test_a_row_without_a_name_is_called_by_its_place() -> None:
    assert ("a.toml", "rule 2", "id", Fault.MISSING_FIELD) in faults(a=head() + rule() + rule(id=None))


@pytest.mark.parametrize(
    ("second", "fault"),
    [
        ({}, Fault.DUPLICATE_RULE),
        ({"valid_from": "2020-01-01"}, Fault.OVERLAPPING_VALIDITY),
        ({"valid_from": "2010-01-01", "valid_until": "2017-07-02"}, Fault.OVERLAPPING_VALIDITY),
    ],
)
def test_two_rows_of_one_rule_do_not_overlap(second: dict[str, str], fault: Fault) -> None:
    field = "id" if fault is Fault.DUPLICATE_RULE else "valid_from"

    assert faults(a=head() + rule() + rule(**second)) == {("a.toml", "emergency-measures-12h", field, fault)}


def test_a_row_may_follow_another_on_the_day_on_which_that_ends() -> None:
    texts = {"a.toml": head() + rule(valid_until="2020-01-01") + rule(valid_from="2020-01-01", limit='"PT24H"')}

    assert [row.limit for row in load_packs(texts)[0].rule] == ["PT12H", "PT24H"]


def test_an_id_belongs_to_one_pack() -> None:
    found = faults(a=head() + rule(), b=LOCAL + rule(valid_from="2030-01-01"), c=head())

    assert found == {
        ("b.toml", "emergency-measures-12h", "id", Fault.DUPLICATE_RULE),
        ("c.toml", "", "id", Fault.DUPLICATE_PACK),
    }


@pytest.mark.parametrize(
    ("national", "change", "field", "fault"),
    [
        (rule(), override(limit='"PT12H1S"'), "limit", Fault.LOOSER),
        (rule(), override(limit="8"), "limit", Fault.WRONG_VALUE),
        (rule(kind='"duration"', limit='"PT2H"'), override(limit='"P1D"'), "limit", Fault.LOOSER),
        (rule(**IMMEDIATE), override(), "rule", Fault.WRONG_KIND),
        (rule(valid_until="2020-01-01"), override(), "rule", Fault.UNKNOWN_RULE),
        (rule(), override(source=None), "source", Fault.MISSING_SOURCE),
        (rule(), override() + override(valid_from="2024-01-01"), "valid_from", Fault.OVERLAPPING_VALIDITY),
    ],
)
def test_a_place_may_only_be_stricter(national: str, change: str, field: str, fault: Fault) -> None:
    found = faults(a=head() + national, b=LOCAL + change)

    assert found == {("b.toml", "emergency-measures-12h", field, fault)}


def test_what_is_looser_is_refused_with_the_name_of_the_place() -> None:
    with pytest.raises(PackRefused, match=r"b\.toml: .*: limit: looser: PT13H in 01/09541, PT12H in the country"):
        load_packs({"a.toml": head() + rule(), "b.toml": LOCAL + override(limit='"PT13H"')})


def test_a_threshold_is_for_what_is_due_at_once() -> None:
    policy = head("policy")

    assert load_packs({"a": head() + rule(**IMMEDIATE), "b": policy + threshold()})[1].threshold[0].limit == "PT2H"
    assert faults(a=head() + rule(), b=policy + threshold()) == {
        ("b.toml", "emergency-measures-12h", "rule", Fault.WRONG_KIND)
    }


@pytest.mark.parametrize(
    ("version", "rows", "found"),
    [
        ("2", rule(), set()),
        ("2", rule(valid_until="2026-01-01") + rule(valid_from="2026-01-01", limit='"PT6H"'), set()),
        ("2", rule() + rule(id='"another"'), set()),
        ("1", rule() + rule(id='"another"'), {("version", Fault.SAME_VERSION)}),
        ("2", rule(limit='"PT6H"'), {("limit", Fault.ROW_CHANGED)}),
        ("2", rule(role='"police"', source='"x"'), {("role", Fault.ROW_CHANGED), ("source", Fault.ROW_CHANGED)}),
        ("2", rule(valid_from="2018-01-01"), {("id", Fault.ROW_CHANGED)}),
        ("2", "", {("id", Fault.ROW_CHANGED)}),
    ],
)
def test_a_newer_version_ends_rows_and_changes_none(version: str, rows: str, found: set[tuple[str, Fault]]) -> None:
    old, new = (load_packs({"a": text})[0] for text in (head() + rule(), head(version=version) + rows))

    assert {(one.field, one.fault) for one in faults_since("a", old, new)} == found
    assert not list(faults_since("a", old, old))


def test_a_row_that_ended_does_not_go_on() -> None:
    old, new = (
        load_packs({"a": head(version=version) + rule(valid_until=until)})[0]
        for version, until in (("1", "2025-01-01"), ("2", "2026-01-01"))
    )

    assert [one.field for one in faults_since("a", old, new)] == ["valid_until"]
    assert [one.field for one in faults_since("a", new, old)] == ["version"]


WHOLE = "".join([head(), rule(longer='[{ when = "case.noted", limit = "PT13H" }]'), rule(id='"b"', kind='"months"')])


@given(
    st.integers(0, len(WHOLE)), st.integers(0, 12), st.text(max_size=12) | st.sampled_from(['"', "[", "= 7\n", "{}"])
)
def test_a_file_is_read_or_refused_and_nothing_else_happens(place: int, cut: int, put: str) -> None:
    text = WHOLE[:place] + put + WHOLE[place + cut :]
    try:
        load_packs({"a.toml": text})
    except PackRefused as refused:
        assert refused.problems


def test_each_fault_has_a_hint() -> None:
    assert all(fault.hint for fault in Fault)

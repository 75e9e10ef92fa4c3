import json
import re
from datetime import date, time
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.encoding import TIME
from tests.contracts.vector_runners import octets
from tests.house.tree import ROOT
from tools.grammars import YEARS, of_schema

CONTRACTS: Final = ROOT / "contracts"
GRAMMARS: Final[dict[str, str]] = json.loads((CONTRACTS / "grammars.json").read_text())
KINDS: Final = {
    "change": "directory-change",
    "decision": "decision",
    "delivery": "delivery",
    "entry": "directory-entry",
    "envelope": "envelope",
    "policy": "directory-policy",
    "signed-head": "directory-head",
    "verdict": "verdict",
}
BEYOND: Final = {
    "envelope_content_of_no_padded_size": "a size",
    "envelope_too_many_recipients": "how long a list is",
    "envelope_reader_twice": "an order",
    "envelope_readers_not_ascending": "an order",
    "envelope_unknown_verb": "which verbs there are",
    "envelope_version_2": "which versions there are",
    "policy_with_outages_in_disorder": "an order",
    "entry_via_nobody": "two members together",
    "entry_via_another": "two members together",
    "entry_followed_by_itself": "two members together",
    "entry_followed_without_an_end": "two members together",
    "entry_followed_twice": "two members together",
    "entry_followed_by_many": "how long a list is",
    "entry_granted_too_much": "how long a list is",
    "policy_that_forgets": "two members together",
}
"""Single things in the right spelling that are refused for what no expression sees."""
VECTORS: Final = [json.loads(path.read_text()) for path in sorted((CONTRACTS / "vectors").glob("*.json"))]


def matches(vector: dict[str, Any]) -> bool:
    value = octets(vector["leaf"] if "leaf" in vector else vector["value"])
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return False
    return re.fullmatch(GRAMMARS[KINDS[vector["kind"]]], text) is not None


@pytest.mark.parametrize(
    "vector", [v for v in VECTORS if v["kind"] in KINDS and v["kind"] != "change"], ids=lambda v: v["name"]
)
def test_a_grammar_takes_what_has_its_one_spelling(vector: dict[str, Any]) -> None:
    expected = vector["expect"] == "valid" or vector["name"] in BEYOND

    assert expected is matches(vector)


def test_a_change_that_is_taken_has_its_grammar() -> None:
    assert all(matches(vector) for vector in VECTORS if vector["kind"] == "change" and vector["expect"] == "valid")


@pytest.mark.parametrize(
    ("least", "most"), [(0, 9), (1, 10), (7, 1234), (100, 100), (60_000, 86_400_000), (-120, 2**53 - 1)]
)
def test_a_grammar_knows_the_integers_of_a_range(least: int, most: int) -> None:
    spelled = re.compile(of_schema({"type": "integer", "minimum": least, "maximum": most}))
    near = {bound + step for bound in (least, most, 0, 10, 100, 99_999, 2**53) for step in range(-30, 31)}

    assert {n for n in near if least <= n <= most} == {n for n in near if spelled.fullmatch(str(n))}
    assert not any(spelled.fullmatch(text) for text in ("-0", "00", "07", "", "+8", "8.0"))


@pytest.mark.parametrize(
    ("text", "taken"),
    [("", True), ("Đ", True), ("\\n", True), ("\\u001f", True), ("\\u000a", False), ("\\/", False), ("\\ud800", False)],
)
def test_a_grammar_knows_the_one_spelling_of_a_text(text: str, taken: bool) -> None:
    assert taken is (re.fullmatch(of_schema({"type": "string", "maxLength": 1}), f'"{text}"') is not None)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("0001-01-01T00:00:00.000Z", True),
        ("0000-01-01T00:00:00.000Z", False),
        ("1900-02-29T00:00:00.000Z", False),
        ("2000-02-29T23:59:59.999Z", True),
        ("2024-02-29T00:00:00.000Z", True),
        ("2023-02-29T00:00:00.000Z", False),
        ("2026-04-31T00:00:00.000Z", False),
        ("2026-12-31T24:00:00.000Z", False),
        ("2026-12-31T23:59:60.000Z", False),
        ("2026-13-01T00:00:00.000Z", False),
        ("2026-01-00T00:00:00.000Z", False),
    ],
)
def test_a_grammar_knows_the_times_that_exist(text: str, taken: bool) -> None:
    spelled = of_schema({"type": "string", "pattern": TIME})

    assert taken is (re.fullmatch(spelled, f'"{text}"') is not None)


@given(st.dates(), st.times())
def test_a_grammar_takes_every_time(day: date, at: time) -> None:
    spelled = of_schema({"type": "string", "pattern": TIME})
    text = f"{day.isoformat()}T{at.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"

    assert re.fullmatch(spelled, f'"{text}"')


def test_a_grammar_knows_members_that_may_be_left_out() -> None:
    word = {"const": "x", "default": None}
    optional = of_schema({"type": "object", "properties": {"b": word, "a": word}})
    between = of_schema({"type": "object", "properties": {"a": word, "b": {"const": 1}, "c": word}, "required": ["b"]})

    for spelled in ("{}", '{"a":"x"}', '{"b":"x"}', '{"a":"x","b":"x"}'):
        assert re.fullmatch(optional, spelled)
    for other in ('{"b":"x","a":"x"}', '{"a":"x",}', '{,"b":"x"}', '{"a":"x""b":"x"}'):
        assert not re.fullmatch(optional, other)
    for spelled in ('{"b":1}', '{"a":"x","b":1}', '{"b":1,"c":"x"}', '{"a":"x","b":1,"c":"x"}'):
        assert re.fullmatch(between, spelled)
    assert not re.fullmatch(between, '{"a":"x","c":"x"}')


def test_a_year_is_written_in_one_of_the_ways_alone() -> None:
    """Two ways through a time are, through an entry with 64 grants, more than any engine ends with."""
    ways = [sum(re.fullmatch(one, f"{year:04}") is not None for one in YEARS) for year in range(10_000)]

    assert ways == [0] + [1] * 9_999

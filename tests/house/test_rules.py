"""Every rule of SPEC has its vectors. Where SPEC says MUST, or names a code, the name of the rule is an anchor."""

import json
import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

import pytest

from referral_contracts.codes import Code
from tests.house.tree import ROOT
from tools.vectors.rules import BY_TEST, RULES

PAGE: Final = re.sub(
    r"<!-- generated: .*?<!-- /generated -->", "", (ROOT / "contracts/SPEC.md").read_text(), flags=re.DOTALL
)
VECTORS: Final[list[dict[str, Any]]] = [
    json.loads(path.read_text()) for path in sorted((ROOT / "contracts/vectors").glob("*.json"))
]
ANCHOR: Final = re.compile(r'<a id="([a-z0-9-]+)"></a>')
CODES: Final = {code.value for code in Code} - {Code.ACCEPTED.value}
NO_RULE: Final = {
    "MUST, MUST NOT, SHOULD and MAY are used": "what the words mean",
    "A name like `stale-head` is a code": "what a code is",
}
"""Lines that say MUST, or name a code, and rule nothing."""


def codes_in(line: str) -> set[str]:
    return CODES.intersection(re.findall(r"`([a-z-]+)`", line))


NAMED: Final = [(rule, line) for line in PAGE.splitlines() for rule in ANCHOR.findall(line)]
"""Each rule of the page, with the line that it is."""
NAMED_ONLY: Final[Mapping[tuple[str, str], str]] = {}
"""Codes that stand in a rule and are no answer to what breaks it."""


def shown(rule: str) -> list[dict[str, Any]]:
    return [vector for vector in VECTORS if rule in vector["rules"]]


def test_every_line_that_rules_something_has_a_name() -> None:
    ruling = [line for line in PAGE.splitlines() if "MUST" in line or codes_in(line)]
    nameless = [line for line in ruling if not ANCHOR.search(line)]

    assert [line for line in nameless if not line.startswith(tuple(NO_RULE))] == []


def test_the_rules_of_the_page_are_those_of_the_vectors() -> None:
    assert [rule for rule, _ in NAMED] == list(dict.fromkeys(rule for rule, _ in NAMED))
    assert {rule for rule, _ in NAMED} == set(RULES)


def test_every_vector_shows_a_rule() -> None:
    assert [vector["name"] for vector in VECTORS if not vector["rules"]] == []


@pytest.mark.parametrize(("rule", "patterns"), RULES.items(), ids=RULES)
def test_every_pattern_names_a_vector(rule: str, patterns: Sequence[str]) -> None:
    names = [vector["name"] for vector in shown(rule)]

    assert [one for one in patterns if not any(fnmatchcase(name, one) for name in names)] == []


@pytest.mark.parametrize(("rule", "line"), NAMED, ids=[rule for rule, _ in NAMED])
def test_every_rule_is_shown_and_so_is_each_code_that_it_names(rule: str, line: str) -> None:
    tested = [told.split() for told in BY_TEST if told.split()[0] == rule]
    found = {vector["expect"] for vector in shown(rule)} | {code for _, *codes in tested for code in codes}

    assert found or tested
    assert codes_in(line) - found == {code for named, code in NAMED_ONLY if named == rule}


@pytest.mark.parametrize(("told", "shown_by"), BY_TEST.items(), ids=BY_TEST)
def test_what_no_vector_shows_a_test_does_and_it_is_said_why(told: str, shown_by: Mapping[str, str]) -> None:
    rule, *codes = told.split()
    path, _, name = shown_by["test"].partition("::")

    assert shown_by.keys() == {"test", "why"}
    assert len(shown_by["why"].split()) > 4
    assert f"def {name}(" in (ROOT / path).read_text()
    assert rule in RULES
    assert {vector["expect"] for vector in shown(rule)} & set(codes) == set()
    assert codes or not shown(rule)

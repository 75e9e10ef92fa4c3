"""The page on how to write a pack tells every word that one can hold."""

import re

import pytest

from referral_contracts.rules.pack import TIMED, Kind, PackKind, Rule
from referral_contracts.rules.roles import ANYBODY, ROLES
from tests.house.tree import ROOT

PAGE = (ROOT / "docs" / "rules.md").read_text("utf-8")
TOLD = frozenset(re.findall(r"`([^`\n]+)`", PAGE))


@pytest.mark.parametrize("word", [*Kind, *PackKind, *Rule.model_fields, *sorted(ROLES.keys() - {ANYBODY})])
def test_it_tells_each_kind_field_and_role(word: str) -> None:
    assert str(word) in TOLD


def test_what_has_no_limit_says_so() -> None:
    assert set(Kind) - TIMED.keys() == {Kind.IMMEDIATE, Kind.NONE, Kind.AVAILABILITY}

"""The page on how to write a pack tells every word that one can hold."""

import re
import tomllib

import pytest

from referral_contracts.rules.pack import TIMED, Kind, Override, PackKind, Rule
from referral_contracts.rules.roles import ANYBODY, ROLES
from tests.house.tree import ROOT

PAGE = (ROOT / "docs" / "rules.md").read_text("utf-8")
TOLD = frozenset(re.findall(r"`([^`\n]+)`", PAGE))


@pytest.mark.parametrize(
    "word",
    [*Kind, *PackKind, *dict.fromkeys([*Rule.model_fields, *Override.model_fields]), *sorted(ROLES.keys() - {ANYBODY})],
)
def test_it_tells_each_kind_field_and_role(word: str) -> None:
    assert str(word) in TOLD


def test_what_has_no_limit_says_so() -> None:
    assert set(Kind) - TIMED.keys() == {Kind.IMMEDIATE, Kind.NONE, Kind.AVAILABILITY}


def test_what_the_ward_of_the_example_has_set_is_as_the_page_quotes_it() -> None:
    fenced = re.findall(r"^```toml\n(\[\[override\]\].*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    (quoted,) = [row for text in fenced for row in tomllib.loads(text)["override"]]
    shipped = tomllib.loads((ROOT / "contracts/packs/local/quang-trung.toml").read_text("utf-8"))["override"]

    assert any(quoted.items() <= row.items() for row in shipped), (
        "docs/rules.md quotes another row: one that is there is never changed but ended with valid_until, and what "
        "follows is a row of its own"
    )

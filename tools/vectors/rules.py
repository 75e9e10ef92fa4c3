"""
Which vectors show which rule of SPEC, and which tests show what no vector can: `rules.toml`.

What only a test shows says why no vector does.
"""

import tomllib
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

_TOLD: Final = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())

RULES: Final[Mapping[str, Sequence[str]]] = _TOLD["vectors"]
"""By the name of the rule, which is its anchor in SPEC: patterns of names of vectors."""
BY_TEST: Final[Mapping[str, Mapping[str, str]]] = _TOLD["tests"]
"""By the name of the rule, with a code that it names: the ``test`` that shows it, and ``why`` no vector does."""


def rules_of(name: str) -> list[str]:
    """Return the rules that the vector of this name shows."""
    return [rule for rule, patterns in RULES.items() if any(fnmatchcase(name, one) for one in patterns)]

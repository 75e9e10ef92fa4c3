import ast
import json
from pathlib import Path
from typing import Any

import pytest

import referral_contracts
from referral_contracts.codes import Code
from referral_contracts.errors import ReferralBusError
from tests.contracts.vector_runners import RUNNERS, causes, octets
from tests.house.tree import ROOT
from tools.vectors.kinds import KINDS

VECTORS = sorted((ROOT / "contracts/vectors").glob("*.json"))
CODE = Path(referral_contracts.__file__).parent
COMMON = {"name", "comment", "expect", "kind", "rules"}

DECODERS = (
    "decisions",
    "directory",
    "directory_model",
    "encoding",
    "envelope",
    "keys",
    "lifecycle",
    "merkle",
    "sealing",
    "sections",
    "signing",
    "trust",
    "verbs",
)
"""Modules whose refusals are the wire's: each place that refuses has a vector that is refused there."""

BESIDES: dict[str, str] = {}
"""Places that no vector can reach, and why."""


def read(path: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(path.read_text())
    return told


def tried(vector: dict[str, Any]) -> ReferralBusError | None:
    """Try a vector that should be refused; return how it was."""
    try:
        RUNNERS[vector["kind"]](vector)
    except ReferralBusError as error:
        return error
    return None


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_a_vector_comes_out_as_it_says(path: Path) -> None:
    vector = read(path)
    kind = KINDS[vector["kind"]]
    valid = vector["expect"] == "valid"

    assert path.stem == vector["name"]
    assert vector.keys() - COMMON == {*kind.given, *(kind.comes if valid else ())}
    if not valid:
        error = tried(vector)
        assert error is not None
        assert Code(vector["expect"]) is error.code
        return
    came = RUNNERS[vector["kind"]](vector)
    for name in kind.comes:
        wanted = vector[name]
        assert came[name] == (octets(wanted) if isinstance(came[name], bytes) else wanted)


def test_every_kind_has_a_runner_and_a_vector() -> None:
    kinds = {read(path)["kind"] for path in VECTORS}

    assert kinds == set(KINDS) == set(RUNNERS)


def test_every_kind_that_can_be_refused_has_one_that_is_taken() -> None:
    vectors = [read(path) for path in VECTORS]

    assert {vector["kind"] for vector in vectors} == {v["kind"] for v in vectors if v["expect"] == "valid"}


def refusing(module: str) -> dict[tuple[str, int], str]:
    """Return the lines of *module* that refuse what a peer sent."""
    source = (CODE / f"{module}.py").read_text()
    raised = [(node, node.exc) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Raise)]
    return {
        (module, node.lineno): (ast.get_source_segment(source, node) or "").splitlines()[0]
        for node, made in raised
        if isinstance(made, ast.Call) and ast.unparse(made.func) in {"RemoteError", "Tampered", "NotForUs"}
    }


def refused_at(error: BaseException) -> set[tuple[str, int]]:
    """Return the lines of our own code from which an error, and what it was made of, were raised."""
    found = set()
    for cause in causes(error):
        trace = cause.__traceback__
        while trace is not None:
            path = Path(trace.tb_frame.f_code.co_filename)
            if path.parent == CODE:
                found.add((path.stem, trace.tb_lineno))
            trace = trace.tb_next
    return found


def test_every_place_that_refuses_has_a_vector() -> None:
    reached: set[tuple[str, int]] = set()
    for path in VECTORS:
        vector = read(path)
        if vector["expect"] != "valid" and (error := tried(vector)) is not None:
            reached |= refused_at(error)
    places = {place: text for module in DECODERS for place, text in refusing(module).items()}

    assert {f"{module}:{line}: {text}" for (module, line), text in places.items() if (module, line) not in reached} == {
        f"{place}: {text}" for place, text in BESIDES.items()
    }

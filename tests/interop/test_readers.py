"""The readers in Go and JavaScript, which were made from SPEC.md, against the vectors."""

import re
from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.contracts.vector_runners import octets
from tests.house.tree import ROOT
from tests.interop.readers import VECTORS, Program, given
from tools.vectors.kinds import KINDS

pytestmark = pytest.mark.interop

BY_GRAMMAR: Final = {
    "envelope_null",
    "envelope_without_specversion",
    "signed_head_entries_too_many",
    "signed_head_version_too_large",
}
"""To a grammar these are members of another form: `malformed-envelope`, as SPEC 3 allows."""
BY_VALUE: Final = {
    "body_of_a_newer_minor_with_an_answer",
    "body_with_an_enclosed_document_misspelled",
    "body_with_an_unknown_answer",
}
"""To see that an answer is none takes the values of a form: these readers know its members alone, and show it."""
CODE_LINES: Final = 300


def spelled(value: Any) -> Any:
    """Return a value that came, or has to: bytes as bytes."""
    return octets(value) if isinstance(value, Mapping) and value.keys() <= {"utf8", "base64url", "times"} else value


def test_a_reader_agrees_with_every_vector(program: Program) -> None:
    came = program.came(map(given, VECTORS))

    assert len(VECTORS) == len(came)
    for vector, told in zip(VECTORS, came, strict=True):
        if vector["name"] in BY_VALUE:
            assert "code" not in told, vector["name"]
        elif vector["expect"] == "valid":
            assert {name: spelled(vector[name]) for name in KINDS[vector["kind"]].comes} == {
                name: spelled(value) for name, value in told.get("came", told).items()
            }, vector["name"]
        else:
            allowed = {vector["expect"]} | ({"malformed-envelope"} if vector["name"] in BY_GRAMMAR else set())
            assert told.get("code") in allowed, vector["name"]


@pytest.mark.parametrize("files", [("go/reader.go",), ("js/reader.js", "js/hpke.js")], ids=["go", "javascript"])
def test_a_reader_is_small_enough_to_be_read(files: tuple[str, ...]) -> None:
    text = "\n".join((ROOT / "contracts/readers" / name).read_text() for name in files)
    text = re.sub(r"^import \(.*?^\)$", "", text, flags=re.DOTALL | re.MULTILINE)
    code = [line for line in text.splitlines() if line.strip() and not line.strip().startswith(("//", "import "))]

    assert len(code) <= CODE_LINES

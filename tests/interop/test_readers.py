"""The readers in Go and JavaScript, which were made from SPEC.md, against the vectors."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.contracts.vector_runners import octets
from tests.house.tree import ROOT, files
from tests.interop.readers import VECTORS, Program, given
from tools.vectors.kinds import KINDS

pytestmark = pytest.mark.interop

BY_GRAMMAR: Final = {
    "envelope_no_such_time",
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
READERS: Final = ROOT / "contracts/readers"
LINES: Final = 300
"""Of code: neither empty nor a comment. In each language for events, decisions, directory, writing; and for the log."""
SOURCES: Final = {
    "go": ("go/reader.go",),
    "go-log": ("go-log/log.go",),
    "js": ("js/reader.js", "js/directory.js", "js/hpke.js", "js/write.js"),
    "js-log": ("js-log/log.js",),
}
WIDTH: Final = 150


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


@pytest.mark.parametrize("names", SOURCES.values(), ids=SOURCES)
def test_it_is_small_enough_to_be_read(names: tuple[str, ...]) -> None:
    lines = [line.strip() for name in names for line in (READERS / name).read_text().splitlines()]
    code = [line for line in lines if line and not line.startswith("//")]

    assert "/*" not in "".join(code)
    assert len(code) <= LINES


def _reads(path: Path, *folders: str) -> bool:
    return any(path.is_relative_to(f"contracts/readers/{folder}") for folder in folders)


def test_every_source_file_of_a_reader_is_counted() -> None:
    found = {path.relative_to("contracts/readers") for path in files("*.go", "*.js") if _reads(path, *SOURCES)}

    assert {name for names in SOURCES.values() for name in names} == {str(path) for path in found}


def test_no_line_is_longer_than_a_screen_is_wide() -> None:
    lines = [line for names in SOURCES.values() for name in names for line in (READERS / name).read_text().splitlines()]

    assert [line for line in lines if len(line) > WIDTH] == []

"""The generated JSON Schemas, as ajv and jsonschema read them: alike, and as we mean them."""

import copy
import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator

from referral_contracts.payloads.registry import MODELS
from referral_contracts.sections import encode_section
from tests.contracts.payloads.forms import DRAFTS, example
from tests.contracts.vector_runners import octets
from tests.house.tree import ROOT
from tests.interop.readers import CONTRACTS, VECTORS, node

pytestmark = pytest.mark.interop

SCHEMAS: Final = CONTRACTS / "schemas"
OURS: Final = (
    *("basis", "en", "essential", "help_en", "help_vi", "labels", "personal", "provisional"),
    *("schema_status", "schema_status_en", "schema_status_vi", "vi"),
)
"""What our schemas say besides: JSON Schema has no words for it."""
WIRE: Final = {
    "change": "directory-change",
    "decision": "decision",
    "delivery": "delivery",
    "entry": "directory-entry",
    "envelope": "envelope",
    "policy": "directory-policy",
    "signed-head": "directory-head",
    "verdict": "verdict",
}
Told = tuple[str, Any]


def by_jsonschema(told: Iterable[Told]) -> list[bool]:
    names = {path.stem: json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")}
    checker = Draft202012Validator.FORMAT_CHECKER
    validators = {name: Draft202012Validator(schema, format_checker=checker) for name, schema in names.items()}
    return [validators[name].is_valid(value) for name, value in told]


def by_ajv(told: Iterable[Told]) -> list[bool]:
    run = subprocess.run(
        [node(), "schemas.js", SCHEMAS, *OURS],
        cwd=ROOT / "tests/interop/node",
        input="".join(json.dumps(line) + "\n" for line in told),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return [line == "true" for line in run.stdout.splitlines()]


def examples() -> Iterator[Told]:
    """Yield every example of a form, as a section, and everything on the wire that the vectors call valid."""
    for path in DRAFTS:
        payload = example(path.stem)
        yield f"{payload.schema_name}-{payload.major}", json.loads(encode_section(payload))
    for vector in VECTORS:
        if vector["kind"] in WIRE and vector["expect"] == "valid":
            yield WIRE[vector["kind"]], json.loads(octets(vector["value"] if "value" in vector else vector["leaf"]))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where the objects are in *value*."""
    if isinstance(value, Mapping):
        yield path
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield from places(one, (*path, name))


def faulty(value: Any) -> Iterator[Any]:
    """Yield *value* with one fault: in each object a member too many, and each of its members of another type."""
    for path in places(value):
        for name in (*_at(value, path), "strange"):
            changed = copy.deepcopy(value)
            _at(changed, path)[name] = {"strange": 1}
            yield changed


def _at(value: Any, path: Sequence[Any]) -> Any:
    for step in path:
        value = value[step]
    return value


def test_what_we_write_both_take() -> None:
    told = list(examples())

    assert [name for (name, _), good in zip(told, by_jsonschema(told), strict=True) if not good] == []
    assert [name for (name, _), good in zip(told, by_ajv(told), strict=True) if not good] == []


def test_one_fault_both_refuse() -> None:
    told = [(name, changed) for name, value in examples() for changed in faulty(value)]

    assert len(told) > 1000
    assert not any(by_jsonschema(told))
    assert not any(by_ajv(told))


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.stem)
def test_a_schema_is_one(path: Path) -> None:
    Draft202012Validator.check_schema(json.loads(path.read_text()))


def test_every_form_of_the_decree_is_among_them() -> None:
    shown = {name for name, _ in examples()}
    forms = {f"{name}-{major}" for name, major in MODELS}

    assert {name for name in forms if name.startswith("mau")} <= shown

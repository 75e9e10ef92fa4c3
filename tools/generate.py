"""
Writes the files that are made from the code, or says with --check which of them are not what the code would make.

A generator yields the path and the text of each of its files; a folder in OWNED holds nothing else.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from referral_contracts.decisions import Decision, Delivery, Verdict
from referral_contracts.directory import TrustRoot
from referral_contracts.directory_model import Change, Entry, Policy, SignedHead
from referral_contracts.encoding import AGENCY, TIME
from referral_contracts.envelope import Envelope
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.registry import MODELS
from tools import asyncapi, codes_page, days_off, deadlines_page, grammars, lifecycle_data, lifecycle_page, spec
from tools.dashboard import board, page, picture
from tools.vectors import KEPT, VECTORS, Frozen, all_cases
from tools.vectors.life import Life

ROOT: Final = Path(__file__).resolve().parent.parent
SCHEMAS: Final = Path("contracts/schemas")
OWNED: Final = (SCHEMAS, VECTORS)
VERSIONS: Final = "contracts/referral_contracts/payloads/payload.py"
_DIALECT: Final = {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def section_schema(model: type[Payload]) -> dict[str, object]:
    """Return the JSON Schema of a section that carries *model*, for its writer."""
    body = model.model_json_schema()
    return {
        **_DIALECT,
        "$comment": "For writers. A reader keeps the fields that it does not know: a newer minor version may add some.",
        "title": model.schema_id(),
        **model.about.as_schema(),
        "type": "object",
        "properties": {"body": body, "schema": {"const": model.schema_id()}},
        "required": ["body", "schema"],
        "additionalProperties": False,
        "$defs": body.pop("$defs", {}),
    }


WIRE: Final[dict[str, type[BaseModel]]] = {
    "decision": Decision,
    "delivery": Delivery,
    "directory-change": Change,
    "directory-entry": Entry,
    "directory-head": SignedHead,
    "directory-policy": Policy,
    "envelope": Envelope,
    "trust-root": TrustRoot,
    "verdict": Verdict,
}
TICK: Final = {
    "title": "Tick",
    "type": "object",
    "properties": {
        "bus": {"type": "string", "pattern": AGENCY},
        "kind": {"const": "tick"},
        "partition": {"type": "integer", "minimum": 0},
        "time": {"type": "string", "pattern": TIME},
    },
    "required": ["bus", "kind", "partition", "time"],
    "additionalProperties": False,
}


def canonical_json() -> Iterator[tuple[Path, str]]:
    """Yield the grammars of everything that has one spelling; a trust root is a file of one's own."""
    spelled = {name: model.model_json_schema() for name, model in WIRE.items() if model is not TrustRoot}
    yield from grammars.pages({**spelled, "tick": TICK})


def schemas() -> Iterator[tuple[Path, str]]:
    """Yield the schema of each thing on the wire, and of each section by name and major version."""
    for wire_name, wire_model in WIRE.items():
        yield SCHEMAS / f"{wire_name}.json", as_json({**_DIALECT, **wire_model.model_json_schema()})
    yield SCHEMAS / "tick.json", as_json({**_DIALECT, **TICK})
    for (name, major), model in MODELS.items():
        yield SCHEMAS / f"{name}-{major}.json", as_json(section_schema(model))


def wire_format() -> Iterator[tuple[Path, str]]:
    """Yield the vectors, what they keep, and the specification that opens with one of them."""
    frozen = Frozen()
    for vector in all_cases(frozen):
        yield VECTORS / f"{vector.name}.json", as_json(vector.as_object())
    yield from spec.pages(Life(frozen))
    yield KEPT.relative_to(ROOT), frozen.text()


def what_people_see() -> Iterator[tuple[Path, str]]:
    """Yield the dashboard, and the page that tells how to read it, with its picture."""
    yield from board.pages()
    yield from page.pages(ROOT)
    yield from picture.pages(ROOT)


GENERATORS: Final = (
    schemas,
    canonical_json,
    wire_format,
    asyncapi.pages,
    codes_page.pages,
    deadlines_page.pages,
    lifecycle_page.pages,
    lifecycle_data.pages,
    what_people_see,
    days_off.pages,
)


def stale(generated: dict[Path, str]) -> Iterator[Path]:
    """Yield the paths that differ from *generated*, and those in an owned folder that nothing makes any more."""
    for path, text in generated.items():
        if not (ROOT / path).is_file() or (ROOT / path).read_text() != text:
            yield path
    present = {path.relative_to(ROOT) for folder in OWNED for path in (ROOT / folder).glob("*")}
    yield from sorted(present - generated.keys())


def fields_and_answers(schema: dict[str, Any]) -> set[tuple[str, str]]:
    """Return each field and each answer in *schema*, with the group or choice that has it."""
    groups = {"body": schema["properties"]["body"], **schema["$defs"]}
    return {
        (group, str(one)) for group, of in groups.items() for one in (*of.get("properties", ()), *of.get("enum", ()))
    }


def unversioned(old: str, new: str) -> bool:
    """Whether the section schema *new* has other fields or answers than *old*, and the same version."""
    before, after = json.loads(old), json.loads(new)
    return before["title"] == after["title"] and fields_and_answers(before) != fields_and_answers(after)


def forms_without_a_new_version(generated: dict[Path, str]) -> Iterator[Path]:
    """Yield the schemas in *generated* whose form has other fields than the file, under the same version."""
    for name, major in MODELS:
        path = SCHEMAS / f"{name}-{major}.json"
        if (ROOT / path).is_file() and unversioned((ROOT / path).read_text(), generated[path]):
            yield path


def main(arguments: list[str]) -> int:
    generated = dict(pair for generator in GENERATORS for pair in generator())
    differing = list(stale(generated))
    for path in forms_without_a_new_version(generated):
        print(f"{path}: other fields or answers, same version. {VERSIONS} tells what is a new one", file=sys.stderr)
    if arguments == ["--check"]:
        for path in differing:
            print(f"{path} is not what the code makes: run `make generate`", file=sys.stderr)
        return 1 if differing else 0
    for path in differing:
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        if path in generated:
            (ROOT / path).write_text(generated[path])
        else:
            (ROOT / path).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

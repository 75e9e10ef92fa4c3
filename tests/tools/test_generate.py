import json
from pathlib import Path

from jsonschema import Draft202012Validator

from referral_contracts.payloads.mau02 import Mau02
from tools.generate import ROOT, SCHEMAS, VERSIONS, as_json, forms_without_a_new_version, schemas, section_schema, stale


def test_each_schema_is_one_that_a_validator_takes() -> None:
    for _, text in schemas():
        Draft202012Validator.check_schema(json.loads(text))


def test_a_file_that_the_code_would_not_make_is_named() -> None:
    invented = SCHEMAS / "invented-1.json"

    assert invented in list(stale({invented: "{}\n"}))
    assert Path("LICENSE") in list(stale({Path("LICENSE"): "do as you like\n"}))


def test_a_field_more_is_a_new_version() -> None:
    class More(Mau02):
        interpreter_needed: str | None = None

    class Later(More):
        minor = Mau02.minor + 1

    path = SCHEMAS / "mau02-1.json"
    made = dict(schemas())

    assert list(forms_without_a_new_version(made)) == []
    assert list(forms_without_a_new_version({**made, path: as_json(section_schema(More))})) == [path]
    assert list(forms_without_a_new_version({**made, path: as_json(section_schema(Later))})) == []


def test_the_page_that_tells_what_a_new_version_is_exists() -> None:
    assert "``minor``" in (ROOT / VERSIONS).read_text()

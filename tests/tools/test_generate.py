import json
from pathlib import Path

from jsonschema import Draft202012Validator

from tools.generate import SCHEMAS, schemas, stale


def test_each_schema_is_one_that_a_validator_takes() -> None:
    for _, text in schemas():
        Draft202012Validator.check_schema(json.loads(text))


def test_a_file_that_the_code_would_not_make_is_named() -> None:
    invented = SCHEMAS / "invented-1.json"

    assert invented in list(stale({invented: "{}\n"}))
    assert Path("LICENSE") in list(stale({Path("LICENSE"): "do as you like\n"}))

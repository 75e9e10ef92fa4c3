import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.registry import MODELS
from referral_contracts.sections import encode_section
from tests.contracts.payloads.forms import DRAFTS, EXAMPLES, example
from tools.generate import as_json, section_schema

SCHEMAS = EXAMPLES.parent / "contracts" / "schemas"


def validator(model: type[Payload]) -> Draft202012Validator:
    text = (SCHEMAS / f"{model.schema_name}-{model.major}.json").read_text()
    return Draft202012Validator(json.loads(text), format_checker=Draft202012Validator.FORMAT_CHECKER)


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.schema_name)
def test_the_schema_in_the_repository_is_the_one_of_the_model(model: type[Payload]) -> None:
    text = (SCHEMAS / f"{model.schema_name}-{model.major}.json").read_text()

    assert as_json(section_schema(model)) == text


@pytest.mark.parametrize("path", DRAFTS, ids=lambda path: path.stem)
def test_what_the_model_writes_a_stranger_can_check(path: Path) -> None:
    payload = example(path.stem)

    assert list(validator(type(payload)).iter_errors(json.loads(encode_section(payload)))) == []


@pytest.mark.parametrize(
    "strange",
    [
        {"child_nmae": "Ví Dụ"},
        {"sex": "girl"},
        {"received_at": "2026-11-20T20:10:00+07:00"},
        {"birth_date": "14/03/2016"},
        {"father_age": 34.5},
        {"actor": {}},
    ],
)
def test_what_a_stranger_may_not_write_the_schema_refuses(strange: dict[str, object]) -> None:
    section = json.loads(encode_section(example("mau01")))
    section["body"] |= strange

    assert list(validator(MODELS["mau01", 1]).iter_errors(section)) != []


def test_the_schema_carries_the_words_of_the_form() -> None:
    schema = json.loads((SCHEMAS / "mau01-1.json").read_text())
    field = schema["properties"]["body"]["properties"]["incident_place"]

    assert (field["vi"], field["en"], field["essential"]) == ("Địa điểm xảy ra vụ việc", "incident place", True)
    assert schema["$defs"]["Sex"]["labels"]["unknown"]["vi"] == "Không biết"

"""The composition against the schema that Docker's own reader of it holds."""

import json

import jsonschema
import pytest
import yaml

from tests.house.tree import ROOT
from tests.interop.of_others import folder_of

pytestmark = pytest.mark.interop


def test_the_composition_is_what_its_specification_says_one_is() -> None:
    schema = json.loads((folder_of("github.com/compose-spec/compose-go/v2") / "schema/compose-spec.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    composed = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text())

    assert list(validator.iter_errors(composed)) == []
    assert not validator.is_valid({**composed, "service": {}})

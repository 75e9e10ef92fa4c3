import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from referral_contracts.encoding import jcs
from referral_contracts.payloads.mau01 import Mau01
from referral_contracts.payloads.outline import Kind, depends_on, outline, places
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.registry import MODELS
from referral_contracts.payloads.shown import completeness, describe
from referral_contracts.sections import encode_section, read_draft, read_section
from tests.contracts.payloads.forms import EXAMPLES
from tests.contracts.payloads.strategies import bodies

FORMS = sorted(MODELS.values(), key=lambda model: model.schema_name)


@pytest.mark.parametrize("model", FORMS, ids=lambda model: model.schema_name)
@given(data=st.data())
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
def test_whatever_a_form_can_say_is_read_as_it_was_written(model: type[Payload], data: st.DataObject) -> None:
    body = data.draw(bodies(model))
    payload = read_draft(jcs({"schema": model.schema_id(), "body": body}))

    written = encode_section(payload)
    read = read_section(written)

    assert (read.payload, read.unknown, read.code) == (payload, (), None)
    assert encode_section(payload) == written
    assert json.loads(written)["body"] == body
    schema = json.loads((EXAMPLES.parent / f"contracts/schemas/{model.schema_name}-{model.major}.json").read_text())
    assert list(Draft202012Validator(schema).iter_errors(json.loads(written))) == []
    shown = {row.path for row in describe(payload)}
    assert shown | {missing.path for missing in completeness(payload)} >= {"actor.role"}


@pytest.mark.parametrize("model", FORMS, ids=lambda model: model.schema_name)
def test_each_field_is_a_question_in_the_order_of_the_form(model: type[Payload]) -> None:
    questions = outline(model)

    assert [question.name for question in questions] == list(model.model_fields)
    for question in questions:
        assert (question.kind is Kind.GROUP) == (question.group is not None)
        assert (question.kind is Kind.CHOICE) == bool(question.choices)
        words = depends_on(question, questions)
        assert words is None or words.kind is Kind.CHOICE


def test_the_questions_of_a_group_follow_its_own() -> None:
    found = [place.path for place in places(Mau01)]

    assert found[found.index("incident_place") :][:4] == [
        "incident_place",
        "incident_place.address",
        "incident_place.province",
        "incident_place.commune",
    ]
    assert [place.path for place in places(MODELS["progress", 1]) if "measures" in place.path] == [
        "measures[]",
        "measures[].kind",
        "measures[].kind_other",
        "measures[].done_at",
    ]


def test_a_question_knows_its_limits() -> None:
    questions = {question.name: question for question in outline(Mau01)}

    assert dict(questions["father_age"].limits) == {"minimum": 0, "maximum": 130}
    assert questions["child_name"].kind is Kind.LINE
    assert questions["current_condition"].kind is Kind.TEXT
    assert questions["received_at"].kind is Kind.MOMENT
    assert questions["birth_date"].kind is Kind.DAY

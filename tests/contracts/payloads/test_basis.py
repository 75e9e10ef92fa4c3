import json
import re
import unicodedata

import pytest

from referral_contracts.payloads.base import label_of
from referral_contracts.payloads.basis import Confidence, Status
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.registry import MODELS
from tests.contracts.payloads.forms import EXAMPLES
from tests.contracts.payloads.test_fields import groups

FORMS = sorted(MODELS.values(), key=lambda model: model.schema_name)
PROVISIONAL = [model for model in FORMS if model.about.status is Status.PROVISIONAL]
CITED = re.compile(r"\bĐiều \d|\bĐ\.\s?\d|\b[Aa]rticle \d")


@pytest.mark.parametrize("model", FORMS, ids=lambda model: model.schema_name)
def test_a_form_has_a_name_in_two_languages(model: type[Payload]) -> None:
    vi, en = model.about.vi, model.about.en

    assert "about" in vars(model)
    assert vi.strip() == vi != ""
    assert unicodedata.is_normalized("NFC", vi)
    assert not vi.isascii()
    assert en.strip() == en != ""
    assert en.isascii()


def test_no_two_forms_are_called_alike() -> None:
    assert len({model.about.vi for model in FORMS}) == len({model.about.en for model in FORMS}) == len(FORMS)


@pytest.mark.parametrize("model", FORMS, ids=lambda model: model.schema_name)
def test_the_schema_tells_how_the_form_came_about(model: type[Payload]) -> None:
    schema = json.loads((EXAMPLES.parent / f"contracts/schemas/{model.schema_name}-{model.major}.json").read_text())

    assert schema["schema_status"] == model.about.status
    assert (schema["vi"], schema["en"]) == (model.about.vi, model.about.en)
    assert [part["confidence"] for part in schema["basis"]] == [part.confidence for part in model.about.basis]
    fields = schema["properties"]["body"]["properties"]
    for name, field in model.model_fields.items():
        assert fields[name].get("provisional", False) == label_of(field).provisional


@pytest.mark.parametrize("model", FORMS, ids=lambda model: model.schema_name)
def test_a_form_that_is_not_the_buss_own_says_what_it_rests_on(model: type[Payload]) -> None:
    assert model.about.basis or model.about.status is Status.OWN
    assert model.about.status is not Status.FROZEN or {part.confidence for part in model.about.basis} == {
        Confidence.TEXT
    }
    assert model.about.status is not Status.PARTLY_READ or any(
        label_of(field).provisional for field in model.model_fields.values()
    )


@pytest.mark.parametrize("model", PROVISIONAL, ids=lambda model: model.schema_name)
def test_a_provisional_form_demands_nothing_and_misses_nothing(model: type[Payload]) -> None:
    required = [name for name, field in model.model_fields.items() if field.is_required()]
    essential = [name for name, field in model.model_fields.items() if label_of(field).essential]

    assert required == essential == ["actor"]
    assert Confidence.NOT_VERIFIED in {part.confidence for part in model.about.basis}


@pytest.mark.parametrize("model", FORMS, ids=lambda model: model.schema_name)
def test_what_nobody_has_read_is_not_shown_as_law(model: type[Payload]) -> None:
    unread = model.about.status is Status.PROVISIONAL
    marked = [name for name, field in model.model_fields.items() if label_of(field).provisional]
    assert not marked or model.about.status is Status.PARTLY_READ
    for group in groups(model):
        for field in group.model_fields.values():
            mark = label_of(field)
            if unread or mark.provisional:
                assert not CITED.search(f"{mark.vi} {mark.en} {mark.help_vi} {mark.help_en}")

"""Every form between programs of different versions: its sender is strict, its reader keeps and shows what it gets."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from referral_contracts.codes import Code
from referral_contracts.encoding import jcs
from referral_contracts.errors import LocalError
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.registry import MODELS
from referral_contracts.sections import encode_section, read_draft, read_section
from tests.contracts.payloads.strategies import bodies

FORMS = pytest.mark.parametrize("model", MODELS.values(), ids=[f"{name}-{major}" for name, major in MODELS])
BRIEFLY = settings(
    max_examples=5, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None
)


def section(model: type[Payload], body: dict[str, Any], *, major: int, minor: int) -> bytes:
    return jcs({"schema": f"{model.schema_name}/{major}.{minor}", "body": body})


@FORMS
@BRIEFLY
@given(data=st.data())
def test_an_older_reader_keeps_what_a_newer_minor_version_adds(model: type[Payload], data: st.DataObject) -> None:
    body = data.draw(bodies(model))
    read = read_section(section(model, body | {"new": ["có"]}, major=model.major, minor=model.minor + 1))

    assert read.code is None
    assert read.payload == model.model_validate_json(jcs(body))
    assert [(item.path, item.value) for item in read.unknown] == [("new", ["có"])]
    assert ("new.0", "có") in {(row.path, row.value) for row in read.rows()}


@FORMS
@BRIEFLY
@given(data=st.data())
def test_a_newer_reader_takes_an_older_minor_version_whole(model: type[Payload], data: st.DataObject) -> None:
    body = data.draw(bodies(model))
    with pytest.MonkeyPatch.context() as later:
        later.setattr(model, "minor", model.minor + 1)
        read = read_section(section(model, body, major=model.major, minor=model.minor - 1))

    assert (read.code, read.unknown) == (None, ())
    assert read.payload == model.model_validate_json(jcs(body))


@FORMS
@BRIEFLY
@given(data=st.data())
def test_an_unknown_major_version_is_shown_raw_with_its_code(model: type[Payload], data: st.DataObject) -> None:
    body = data.draw(bodies(model))
    read = read_section(section(model, body, major=model.major + 1, minor=0))

    assert (read.payload, read.code) == (None, Code.UNKNOWN_SCHEMA)
    assert read.body == body
    assert "actor.role" in {row.path for row in read.rows()}


@FORMS
@BRIEFLY
@given(data=st.data())
def test_a_sender_writes_no_field_and_no_version_that_it_does_not_know(
    model: type[Payload], data: st.DataObject
) -> None:
    body = data.draw(bodies(model))
    strange = body | {"new": ["có"]}

    with pytest.raises(ValidationError):
        model.model_validate_json(jcs(strange))
    for major, minor, told, code in (
        (model.major, model.minor, strange, Code.MALFORMED_SECTION),
        (model.major, model.minor + 1, body, Code.UNKNOWN_SCHEMA),
        (model.major + 1, 0, body, Code.UNKNOWN_SCHEMA),
    ):
        with pytest.raises(LocalError) as refused:
            read_draft(section(model, told, major=major, minor=minor))
        assert refused.value.code is code
    sent = encode_section(model.model_validate_json(jcs(body)))
    assert read_section(sent).unknown == ()

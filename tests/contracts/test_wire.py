import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from referral_contracts.encoding import b64, jcs
from referral_contracts.sealing import seal
from referral_contracts.wire import MAX_READERS, Section, SectionReader
from tests.contracts.sections import CONTEXT, READERS, TEXT

SECTION = seal(TEXT, CONTEXT, READERS).section


def refused(change: Callable[[dict[str, Any]], object]) -> bool:
    value = json.loads(SECTION.model_dump_json())
    change(value)
    try:
        Section.model_validate_json(json.dumps(value))
    except ValidationError:
        return True
    return False


def test_a_section_is_written_in_the_canonical_form() -> None:
    assert SECTION.model_dump_json().encode() == jcs(SECTION.model_dump())


@pytest.mark.parametrize("model", [Section, SectionReader])
def test_fields_stand_in_alphabetical_order(model: type[BaseModel]) -> None:
    assert list(model.model_fields) == sorted(model.model_fields)


def test_a_section_as_sealed_is_taken() -> None:
    assert not refused(lambda _: None)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda s: s.update(more=1), id="a field more"),
        pytest.param(lambda s: s.pop("commit"), id="a field less"),
        pytest.param(lambda s: s.update(commit=s["commit"][:-1]), id="a short commitment"),
        pytest.param(lambda s: s.update(commit=s["commit"][:-1] + "B"), id="a commitment with stray bits"),
        pytest.param(lambda s: s.update(commit=s["commit"] + "\n"), id="a newline behind"),
        pytest.param(lambda s: s.update(commit=1), id="a number"),
        pytest.param(lambda s: s.update(content=""), id="no content"),
        pytest.param(lambda s: s.update(content=s["content"][:-1]), id="content of no padded size"),
        pytest.param(lambda s: s.update(content=s["content"][:-1] + "+"), id="the other alphabet"),
        pytest.param(lambda s: s.update(content=b64(bytes(2**18 + 16))), id="content beyond the largest size"),
        pytest.param(lambda s: s.update(readers=[]), id="no readers"),
        pytest.param(lambda s: s.update(readers=s["readers"][::-1]), id="readers in another order"),
        pytest.param(lambda s: s.update(readers=s["readers"][:1] * 2), id="a reader twice"),
        pytest.param(lambda s: s["readers"][0].update(alg="X-Wing"), id="an algorithm of its own"),
        pytest.param(lambda s: s["readers"][0].update(address="A"), id="no address"),
        pytest.param(lambda s: s["readers"][0].update(address="a/b/c"), id="a desk of a desk"),
        pytest.param(lambda s: s["readers"][0].update(kid="x"), id="no key id"),
        pytest.param(lambda s: s["readers"][0].update(enc=s["readers"][0]["enc"][:-1]), id="an entry cut short"),
        pytest.param(lambda s: s["readers"][0].update(enc=s["readers"][0]["enc"] + "A"), id="an entry too long"),
        pytest.param(lambda s: s["readers"][0].update(enc=s["readers"][0]["enc"][:-1] + "B"), id="stray bits"),
    ],
)
def test_a_section_of_another_form_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    assert refused(change)


def test_a_section_has_no_more_readers_than_the_limit() -> None:
    def readers(count: int) -> list[dict[str, str]]:
        kids = sorted(b64(bytes([number]) * 32) for number in range(count))
        return [{"address": "a", "enc": SECTION.readers[0].enc, "kid": kid} for kid in kids]

    assert not refused(lambda s: s.update(readers=readers(MAX_READERS)))
    assert refused(lambda s: s.update(readers=readers(MAX_READERS + 1)))


def test_an_error_quotes_no_input() -> None:
    with pytest.raises(ValidationError) as error:
        SectionReader.model_validate_json('{"address":"Nguyen Van A","enc":"","kid":""}')
    assert "Nguyen" not in str(error.value)

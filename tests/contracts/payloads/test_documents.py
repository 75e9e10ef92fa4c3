import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from referral_contracts.encoding import b64, sha256
from referral_contracts.payloads.case import Note
from referral_contracts.payloads.document import DOCUMENTS_MAX, ENCLOSED_MAX, Document, Enclosure, MediaType
from referral_contracts.payloads.registry import MODELS
from referral_contracts.payloads.shown import describe, personal_strings
from referral_contracts.sections import encode_section, read_section
from referral_contracts.wire import PADDED_SIZES
from tests.contracts.payloads.forms import ACTOR

PAGE = b"%PDF-1.7 m\xe1\xbb\x99t trang"


def note(content: bytes) -> Note:
    return Note(actor=ACTOR, enclosed=Enclosure(media_type=MediaType.PDF, content=content))


@given(st.binary(min_size=1, max_size=200))
def test_an_enclosed_document_comes_out_as_it_went_in(content: bytes) -> None:
    written = encode_section(note(content))
    read = read_section(written).payload

    assert isinstance(read, Note)
    assert read.enclosed is not None
    assert content == read.enclosed.content
    assert json.loads(written)["body"]["enclosed"]["content"] == b64(content)


@pytest.mark.parametrize("size", [0, ENCLOSED_MAX + 1])
def test_an_enclosed_document_is_small_and_not_empty(size: int) -> None:
    with pytest.raises(ValidationError, match="1 to 32768 bytes"):
        note(b"x" * size)


def test_the_largest_one_leaves_room_for_a_form_in_a_section_of_64_kib() -> None:
    assert len(encode_section(note(b"x" * ENCLOSED_MAX))) + 20_000 < 64 * 1024
    assert 64 * 1024 in PADDED_SIZES


@pytest.mark.parametrize("spelling", ["YQ==", "YR", "+/8", "a", "\nYQ", 7, None, ["YQ"]])
def test_a_document_has_one_spelling(spelling: object) -> None:
    with pytest.raises(ValidationError, match="base64url"):
        Enclosure.model_validate_json(json.dumps({"media_type": "image/png", "content": spelling}))


@pytest.mark.parametrize(
    "strange",
    [
        {"sha256": b64(PAGE)},
        {"sha256": b64(sha256(PAGE)) + "="},
        {"key": b64(PAGE)},
        {"key": b64(sha256(PAGE))[:-1] + "B"},
        {"size": 0},
        {"size": "12"},
        {"media_type": "application/x-msdownload"},
        {"media_type": "other"},
        {"issued_on": "25/11/2026"},
    ],
)
def test_a_reference_says_exactly_which_document_it_means(strange: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Document.model_validate_json(json.dumps(strange))


def test_a_file_is_told_by_its_size_and_hash_and_never_printed() -> None:
    rows = {row.path: row.value for row in describe(note(PAGE))}

    assert rows["enclosed.content"] == f"{len(PAGE)} byte, SHA-256 {b64(sha256(PAGE))}"
    assert b64(PAGE) in personal_strings(note(PAGE))


def test_a_form_refers_to_a_bounded_number_of_documents() -> None:
    with pytest.raises(ValidationError):
        Note(actor=ACTOR, documents=(Document(place="tủ số 1"),) * (DOCUMENTS_MAX + 1))


def test_a_form_without_documents_is_written_as_before_it_could_have_any() -> None:
    assert encode_section(Note(actor=ACTOR)) == (
        b'{"body":{"actor":{"role":"child_protection_worker","staff_number":"XTD-0012"}},"schema":"note/1.0"}'
    )


def test_what_carries_documents_carries_an_enclosed_one_too() -> None:
    fields = {name: set(model.model_fields) & {"documents", "enclosed"} for (name, _), model in MODELS.items()}

    assert {name for name, found in fields.items() if len(found) == 1} == set()
    assert {"handoff-request", "transfer-offer", "note", "decline", "progress", "outcome", "answer"} <= {
        name for name, found in fields.items() if found
    }

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.codes import Code
from referral_contracts.encoding import jcs
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.payloads.base import Answer
from referral_contracts.payloads.mau01 import Mau01
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.registry import MODELS, USES, may_carry
from referral_contracts.payloads.request import HandoffRequest, Service
from referral_contracts.sections import ReadSection, encode_section, known_schemas, read_draft, read_section
from referral_contracts.verbs import Verb
from tests.contracts.payloads.forms import ACTOR, DRAFTS, example

BODY = {"actor": {"role": "child_protection_worker"}, "service": "social_work"}


def section(schema: str, **body: object) -> bytes:
    return jcs({"schema": schema, "body": {**BODY, **body}})


def read_request(schema: str, **body: object) -> tuple[ReadSection, HandoffRequest]:
    read = read_section(section(schema, **body))
    assert isinstance(read.payload, HandoffRequest)
    return read, read.payload


def shown(read: ReadSection) -> dict[str, str]:
    return {row.path: row.value for row in read.rows()}


@pytest.mark.parametrize("path", DRAFTS, ids=lambda path: path.stem)
def test_what_was_written_is_what_is_read(path: Path) -> None:
    payload = example(path.stem)

    read = read_section(encode_section(payload))

    assert (read.payload, read.unknown, read.code, read.known) == (payload, (), None, True)
    assert read.schema == payload.schema_id()


def test_a_section_is_canonical_and_leaves_out_what_is_empty() -> None:
    assert encode_section(Mau01(actor=ACTOR)) == (
        b'{"body":{"actor":{"role":"child_protection_worker","staff_number":"XTD-0012"}},"schema":"mau01/1.0"}'
    )


def test_a_payload_changed_behind_its_models_back_is_not_sealed() -> None:
    form = Mau01(actor=ACTOR).model_copy(update={"father_age": "thirty"})

    with pytest.raises(LocalError) as refused:
        encode_section(form)

    assert refused.value.code is Code.MALFORMED_SECTION
    assert "thirty" not in str(refused.value)


def test_fields_of_a_newer_minor_version_are_kept_and_shown() -> None:
    read, request = read_request(
        "handoff-request/1.9", safety={"suspected_carer": "yes", "dog": "có"}, budget=[1, {"a": 2}]
    )

    assert request.service is Service.SOCIAL_WORK
    assert {item.path: item.value for item in read.unknown} == {"safety.dog": "có", "budget": [1, {"a": 2}]}
    assert shown(read)["safety.suspected_carer"] == "Có / yes"
    assert shown(read)["safety.dog"] == "có"
    assert shown(read)["budget.1.a"] == "2"


def test_a_strange_field_of_our_own_version_is_kept_too() -> None:
    read, _ = read_request("handoff-request/1.0", fax="no")

    assert shown(read)["fax"] == "no"


def test_an_answer_of_a_newer_minor_version_is_set_aside_alone() -> None:
    read, request = read_request(
        "handoff-request/1.1", safety={"do_not_contact_home": "by_letter", "suspected_carer": "yes"}
    )

    assert request.safety is not None
    assert (request.safety.do_not_contact_home, request.safety.suspected_carer) == (None, Answer.YES)
    assert request.safety.home_is_off_limits
    assert shown(read)["safety.do_not_contact_home"] == "by_letter"


def test_a_group_that_is_nothing_without_the_new_answer_is_set_aside_whole() -> None:
    body = {"actor": BODY["actor"], "measures": [{"kind": "flown_out", "done_at": "2026-11-20T13:00:00.000Z"}]}

    read = read_section(jcs({"schema": "progress/1.1", "body": body}))

    assert read.known
    assert [(item.path, item.value) for item in read.unknown] == [("measures", body["measures"])]


def test_an_answer_that_our_own_version_does_not_have_is_shown_raw_and_answered_unreadable() -> None:
    read = read_section(section("handoff-request/1.0", urgency="very"))

    assert (read.known, read.code) == (False, Code.MALFORMED_SECTION)
    assert shown(read) == {"actor.role": "child_protection_worker", "service": "social_work", "urgency": "very"}


@pytest.mark.parametrize(
    "schema", ["handoff-request/2.0", "horoscope/1.0", "handoff-request", "", "handoff-request/1.x"]
)
def test_an_unknown_form_is_shown_raw_and_answered_unreadable(schema: str) -> None:
    read = read_section(section(schema, new={"deep": [True, None, "ba\x1b"]}))

    assert (read.schema, read.known, read.code) == (schema, False, Code.UNKNOWN_SCHEMA)
    assert shown(read)["new.deep.0"] == "true"
    assert shown(read)["new.deep.2"] == "ba\ufffd"


@pytest.mark.parametrize(
    ("garbage", "code"),
    [
        (b"", Code.MALFORMED_JSON),
        (b"\xff", Code.MALFORMED_JSON),
        (b'{"body":{},"body":{},"schema":"note/1.0"}', Code.MALFORMED_JSON),
        (b'{"body":{"x":1.5},"schema":"note/1.0"}', Code.MALFORMED_JSON),
        (b"[]", Code.MALFORMED_SECTION),
        (b'{"body":{}}', Code.MALFORMED_SECTION),
        (b'{"body":{},"schema":1}', Code.MALFORMED_SECTION),
        (b'{"body":[],"schema":"note/1.0"}', Code.MALFORMED_SECTION),
        (b'{"body":{},"extra":1,"schema":"note/1.0"}', Code.MALFORMED_SECTION),
    ],
)
def test_what_is_not_a_section_is_refused(garbage: bytes, code: Code) -> None:
    with pytest.raises(RemoteError) as refused:
        read_section(garbage)

    assert refused.value.code is code


def read_or_refuse(data: bytes) -> None:
    try:
        read = read_section(data)
    except RemoteError:
        return
    list(read.rows())
    if read.payload is not None:
        encode_section(read.payload)


@given(st.binary())
def test_any_bytes_give_a_section_or_our_error(data: bytes) -> None:
    read_or_refuse(data)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8) | st.just("other"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Sections of the example case in which one value, somewhere, is any other, under any version."""
    payload = example(draw(st.sampled_from(DRAFTS)).stem)
    whole = json.loads(encode_section(payload))
    spots = list(spots_in(whole["body"]))
    holder, key = draw(st.sampled_from(spots))
    holder[key] = draw(VALUES)
    whole["schema"] = f"{payload.schema_name}/1.{draw(st.integers(0, 2))}"
    return json.dumps(whole).encode()


def spots_in(node: object) -> Iterator[tuple[dict[object, object], object]]:
    if isinstance(node, dict | list):
        for key in node if isinstance(node, dict) else range(len(node)):
            yield node, key  # type: ignore[misc]  # a list is indexed the same way
            yield from spots_in(node[key])


@given(damaged())
def test_any_damage_to_a_section_gives_a_section_or_our_error(data: bytes) -> None:
    read_or_refuse(data)


@given(damaged())
def test_nothing_of_a_section_is_dropped(data: bytes) -> None:
    try:
        read = read_section(data)
    except RemoteError:
        return

    assert read.body == json.loads(data)["body"]
    beyond = {item.path.partition(".")[0] for item in read.unknown}
    understood = set() if read.payload is None else read.payload.model_fields_set
    assert read.payload is None or set(read.body) <= beyond | understood


def test_a_persons_file_is_read_strictly_and_the_fault_is_named_without_its_content() -> None:
    draft = jcs({"schema": "mau01/1.0", "body": {"actor": {"role": "x"}, "Trần Thị": 1, "sexx": 1, "father_name": 7}})

    with pytest.raises(LocalError) as refused:
        read_draft(draft)

    assert refused.value.code is Code.MALFORMED_SECTION
    assert "sexx: " in refused.value.detail
    assert "father_name: " in refused.value.detail
    assert "actor.role: " in refused.value.detail
    assert "Trần" not in str(refused.value)


def test_a_strange_field_is_told_with_the_one_that_was_probably_meant() -> None:
    deep = {"actor": {"role": "system"}, "safety": {"safe_contact": {"phnoe": "0"}}, "triggers": [], "xyz": 1}

    with pytest.raises(LocalError) as refused:
        read_draft(jcs({"schema": "handoff-request/1.0", "body": deep}))

    assert (
        "safety.safe_contact.phnoe: không có mục này; có phải phone? / no such field; is phone meant?"
        in refused.value.detail
    )
    assert "xyz: không có mục này / no such field" in refused.value.detail
    assert "xyz: không có mục này / no such field;" not in refused.value.detail


@pytest.mark.parametrize(
    ("schema", "body", "told"),
    [
        ("mau01/1.0", {"sex": "x"}, "sex: không phải một lựa chọn của mẫu / input should be "),
        ("mau01/1.0", {"received_at": "9h"}, "received_at: không phải thời điểm: ghi như 2026-03-14T09:20:00+07:00 / "),
        ("mau01/1.0", {"birth_date": "14/03"}, "birth_date: không phải ngày: ghi như 2016-03-14 / "),
        (
            "mau01/1.0",
            {"child_name": 7},
            "child_name: cần một đoạn chữ trong ngoặc kép / input should be a valid string",
        ),
        ("mau01/1.0", {"child_name": "x" * 9999}, "child_name: quá dài / string should have at most "),
        ("mau01/1.0", {"father_age": "x"}, "father_age: cần một số nguyên / input should be a valid integer"),
        (
            "mau01/1.0",
            {"father_age": -1},
            "father_age: nhỏ hơn mức cho phép / input should be greater than or equal to ",
        ),
        ("mau01/1.0", {"father_age": 999}, "father_age: lớn hơn mức cho phép / input should be less than or equal to "),
        ("mau01/1.0", {"incident_place": {"commune": "x"}}, "incident_place.commune: không đúng dạng mã / "),
        ("mau01/1.0", {"incident_place": 7}, "incident_place: cần một nhóm mục / "),
        ("note/1.0", {"documents": 7}, "documents: cần một danh sách / "),
    ],
)
def test_what_is_wrong_with_a_field_is_told_in_both_languages(schema: str, body: dict[str, object], told: str) -> None:
    with pytest.raises(LocalError) as refused:
        read_draft(jcs({"schema": schema, "body": {"actor": {"role": "system"}, **body}}))

    assert told in refused.value.detail


def test_a_field_that_is_missing_is_told_in_both_languages() -> None:
    with pytest.raises(LocalError) as refused:
        read_draft(jcs({"schema": "mau01/1.0", "body": {"actor": {}}}))

    assert "actor.role: còn thiếu / field required" in refused.value.detail


def test_a_file_of_nothing_but_faults_is_answered_in_few_words() -> None:
    body = {"actor": {"role": "system"}} | {f"chil_name{number}": 1 for number in range(10_000)}

    with pytest.raises(LocalError) as refused:
        read_draft(jcs({"schema": "mau01/1.0", "body": body}))

    assert refused.value.detail.endswith("; và 9980 lỗi nữa / and 9980 more")
    assert len(refused.value.detail) < 2000


@pytest.mark.parametrize("schema", ["mau01/1.99", "mau01/2.0", "mau2/1.0", "mau01"])
def test_a_persons_file_of_another_version_is_refused_with_the_nearest_one(schema: str) -> None:
    with pytest.raises(LocalError) as refused:
        read_draft(jcs({"schema": schema, "body": {"actor": {"role": "system"}}}))

    assert refused.value.code is Code.UNKNOWN_SCHEMA
    near = {MODELS[name, 1].schema_id() for name in ("mau01", "mau02")}
    assert refused.value.detail in {f"no such form; is {one} meant?" for one in near}


def test_a_persons_file_that_is_no_json_is_our_own_fault() -> None:
    with pytest.raises(LocalError) as refused:
        read_draft(b"{")

    assert refused.value.code is Code.MALFORMED_JSON
    assert refused.value.detail.startswith("line 1, column 2: ")


def test_each_verb_has_its_bodies_and_each_body_its_verb() -> None:
    assert set(USES) == set(Verb)
    assert all(may_carry(verb, model) for verb, models in USES.items() for model in models)
    assert not may_carry(Verb.RECEIVED, Mau01)
    assert len(known_schemas()) == len(MODELS) == len({model for models in USES.values() for model in models}) + 1


def test_the_clock_may_go_with_every_verb() -> None:
    assert all(may_carry(verb, MODELS["clock", 1]) for verb in Verb)


def test_a_schema_name_belongs_to_one_model() -> None:
    models: list[type[Payload]] = list(MODELS.values())

    assert len({model.schema_name for model in models}) == len(models)

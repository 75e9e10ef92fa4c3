import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from referral_contracts import envelope as wire
from referral_contracts.codes import Code
from referral_contracts.encoding import b64, jcs, lp, sha256
from referral_contracts.envelope import MAX_RECIPIENTS, Envelope, EventData, HandoffKey, case_pseudonym
from referral_contracts.sealing import SealContext, seal
from referral_contracts.topics import ENVELOPE_MAX
from referral_contracts.verbs import Verb
from referral_contracts.wire import MAX_SECTIONS
from tests.contracts.refusals import answers, code_of
from tests.contracts.sections import CONTEXT, READERS, TEXT

ID = "01930b5e-8f00-7000-8000-000000000001"
OPENING = "01930b5e-8f00-7000-8000-000000000000"
SECTION = seal(TEXT, CONTEXT, READERS).section
WHOLE: dict[str, Any] = {
    "bus": "training",
    "data": {
        "answers": {"id": OPENING, "sha256": b64(bytes(32))},
        "handoff": {"opening": OPENING, "recipient": "police-b/youth"},
        "recipients": ["ward-a", "police-b/youth"],
        "sections": [json.loads(SECTION.model_dump_json())],
    },
    "datacontenttype": "application/json",
    "exercise": False,
    "id": ID,
    "source": "police-b",
    "specversion": "1.0",
    "subject": "0123456789abcdef" * 2,
    "time": "2026-11-22T12:44:00.000Z",
    "type": "vn.referral-bus.handoff.accepted.v1",
}
FIELDS = [jcs({key: value})[1:-1] for key, value in WHOLE.items()]


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    value = json.loads(json.dumps(WHOLE))
    change(value)
    return jcs(value)


def code_after(change: Callable[[dict[str, Any]], object]) -> Code | None:
    return code_of(lambda: Envelope.decode(changed(change)))


def test_an_envelope_is_written_as_it_was_read() -> None:
    value = jcs(WHOLE)

    assert Envelope.decode(value).encode() == value


def test_reading_the_verb_leaves_the_bytes_alone() -> None:
    envelope = Envelope.decode(jcs(WHOLE))

    assert envelope.verb is Verb.ACCEPTED
    assert envelope.encode() == jcs(WHOLE)


def test_what_is_absent_is_not_written() -> None:
    value = changed(lambda e: (e["data"].pop("answers"), e["data"].pop("handoff")))

    assert Envelope.decode(value).encode() == value


@pytest.mark.parametrize("model", [Envelope, EventData, HandoffKey, wire.EventRef])
def test_fields_stand_in_alphabetical_order(model: type[BaseModel]) -> None:
    assert all(one < other for one, other in pairwise(model.model_fields))


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"no JSON", id="not JSON"),
        pytest.param(jcs(WHOLE).replace(b"police", b"\xff\xfe"), id="not UTF-8"),
        pytest.param(b"[" * 10_000, id="nested 10,000 deep"),
        pytest.param(b'{"data":' * 10_000, id="objects nested 10,000 deep"),
        pytest.param(jcs(WHOLE)[:-1], id="cut short"),
    ],
)
def test_what_is_no_json_is_refused(value: bytes) -> None:
    assert code_of(lambda: Envelope.decode(value)) is Code.MALFORMED_JSON


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(jcs(WHOLE) + b"\n", id="a newline behind"),
        pytest.param(json.dumps(WHOLE, sort_keys=True).encode(), id="white space"),
        pytest.param(jcs(WHOLE).replace(b'"bus"', b'"b\\u0075s"'), id="an escape"),
        pytest.param(jcs(WHOLE).replace(b'{"bus":', b'{"bus":"production","bus":'), id="a key twice"),
        pytest.param(jcs(WHOLE).replace(b'{"answers"', b'{"answers":null,"answers"'), id="a key twice, once null"),
        pytest.param(b"{" + b",".join(reversed(FIELDS)) + b"}", id="another order"),
    ],
)
def test_another_spelling_of_an_envelope_is_refused(value: bytes) -> None:
    assert code_of(lambda: Envelope.decode(value)) is Code.NOT_CANONICAL


def test_a_null_is_another_spelling_of_absent() -> None:
    assert code_after(lambda e: e["data"].update(supersedes=None)) is Code.NOT_CANONICAL


@pytest.mark.parametrize(
    "field", ["bus", "data", "exercise", "id", "source", "subject", "time", "type", "specversion", "datacontenttype"]
)
def test_no_field_may_be_missing(field: str) -> None:
    assert code_after(lambda e: e.pop(field)) in (Code.MALFORMED_ENVELOPE, Code.NOT_CANONICAL)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda e: e.update(dataschema="x"), id="a field more"),
        pytest.param(lambda e: e["data"].update(name="x"), id="a field more in data"),
        pytest.param(lambda e: e.update(exercise="false"), id="a string for a boolean"),
        pytest.param(lambda e: e.update(exercise=0), id="a number for a boolean"),
        pytest.param(lambda e: e.update(specversion="0.3"), id="another CloudEvents"),
        pytest.param(lambda e: e.update(datacontenttype="text/xml"), id="another content"),
        pytest.param(lambda e: e.update(bus="Training"), id="no bus"),
        pytest.param(lambda e: e.update(id="1"), id="an id that is none"),
        pytest.param(lambda e: e.update(id=ID.upper()), id="an id in capitals"),
        pytest.param(lambda e: e.update(id=ID.replace("-7", "-4", 1)), id="an id that is a UUIDv4"),
        pytest.param(lambda e: e.update(id=ID + "\n"), id="an id and a newline"),
        pytest.param(lambda e: e.update(source="Police B"), id="a source that is none"),
        pytest.param(lambda e: e.update(source="a" * 64), id="a source too long"),
        pytest.param(lambda e: e.update(source="police-b/youth"), id="a desk as source"),
        pytest.param(lambda e: e.update(source="police-b\n"), id="a source and a newline"),
        pytest.param(lambda e: e.update(subject="g" * 32), id="a subject that is none"),
        pytest.param(lambda e: e.update(subject="A" * 32), id="a subject in capitals"),
        pytest.param(lambda e: e.update(subject="0" * 31), id="a subject too short"),
        pytest.param(lambda e: e.update(time="2026-11-22T12:44:00Z"), id="a time without milliseconds"),
        pytest.param(lambda e: e.update(time="٢٠٢٦-11-22T12:44:00.000Z"), id="a time in other digits"),
        pytest.param(lambda e: e.update(time=1), id="a time in seconds"),
        pytest.param(lambda e: e.update(type="x" * 101), id="a type too long"),
        pytest.param(lambda e: e["data"].update(recipients=["a/b/c"]), id="a desk of a desk"),
        pytest.param(lambda e: e["data"].update(recipients=["a/"]), id="a desk without a name"),
        pytest.param(lambda e: e["data"].update(recipients=["a"] * (MAX_RECIPIENTS + 1)), id="too many recipients"),
        pytest.param(lambda e: e["data"].update(recipients=[0] * 90_000), id="a great many numbers as recipients"),
        pytest.param(
            lambda e: e["data"].update(sections=e["data"]["sections"] * (MAX_SECTIONS + 1)), id="too many sections"
        ),
        pytest.param(lambda e: e["data"]["sections"][0].pop("commit"), id="a section without a commitment"),
        pytest.param(lambda e: e["data"]["answers"].update(sha256="x" * 43), id="a hash that is none"),
        pytest.param(lambda e: e["data"]["answers"].pop("id"), id="an answer to nothing"),
        pytest.param(lambda e: e["data"]["handoff"].update(recipient="police b"), id="a hand-off to nobody"),
        pytest.param(lambda e: e["data"].update(supersedes="x"), id="superseding nothing"),
        pytest.param(lambda e: e["data"].update(supersedes=e["id"]), id="superseding without a hash"),
        pytest.param(lambda e: e.update({f"x{n}": n for n in range(15_000)}), id="15,000 strange fields"),
        pytest.param(lambda e: [e.pop(key) for key in list(e)], id="an empty object"),
    ],
)
def test_an_envelope_of_another_form_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    assert code_after(change) is Code.MALFORMED_ENVELOPE


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"1.5", b"1e999", b"9" * 5000])
def test_no_number_has_a_place_in_an_envelope(number: bytes) -> None:
    value = jcs(WHOLE).replace(b"false", number)

    assert code_of(lambda: Envelope.decode(value)) in (Code.MALFORMED_ENVELOPE, Code.MALFORMED_JSON)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity"])
@pytest.mark.parametrize("value", [jcs(WHOLE), b'{"a":false}'], ids=["in its place", "elsewhere"])
def test_what_is_no_number_is_no_json(value: bytes, number: bytes) -> None:
    assert code_of(lambda: Envelope.decode(value.replace(b"false", number))) is Code.MALFORMED_JSON


def test_a_moment_that_never_was_is_refused() -> None:
    assert code_after(lambda e: e.update(time="2026-02-30T12:44:00.000Z")) is Code.MALFORMED_VALUE


@pytest.mark.parametrize(
    ("event_type", "code"),
    [
        ("vn.referral-bus.handoff.accepted.v2", Code.UNKNOWN_VERSION),
        ("vn.referral-bus.handoff.accepted.v10", Code.UNKNOWN_VERSION),
        ("vn.referral-bus.handoff.accepted.v", Code.UNKNOWN_TYPE),
        ("vn.referral-bus.handoff.accepted", Code.UNKNOWN_TYPE),
        ("vn.referral-bus.handoff.forgotten.v1", Code.UNKNOWN_TYPE),
        ("vn.other-bus.handoff.accepted.v1", Code.UNKNOWN_TYPE),
        ("", Code.UNKNOWN_TYPE),
    ],
)
def test_an_unknown_type_is_told_from_an_unknown_version(event_type: str, code: Code) -> None:
    assert code_after(lambda e: e.update(type=event_type)) is code


@pytest.mark.parametrize("verb", list(Verb))
def test_every_verb_has_a_type_of_its_own(verb: Verb) -> None:
    assert Envelope.decode(changed(lambda e: e.update(type=verb.type))).verb is verb


def test_an_envelope_over_its_limit_is_refused_unread() -> None:
    assert code_of(lambda: Envelope.decode(b" " * (ENVELOPE_MAX + 1))) is Code.OVERSIZE
    assert code_of(lambda: Envelope.decode(b" " * ENVELOPE_MAX)) is Code.MALFORMED_JSON


def test_a_refusal_quotes_nothing_of_what_was_sent() -> None:
    with pytest.raises(Exception) as refused:  # noqa: PT011 - whatever it is, its text is what matters
        Envelope.decode(changed(lambda e: e.update(source="Nguyễn Văn An", name="Nguyễn Văn An")))
    assert "Nguyễn" not in str(refused.value)
    assert refused.value.__cause__ is None


@given(st.binary(max_size=200))
def test_any_bytes_give_an_envelope_or_our_error(value: bytes) -> None:
    answers(lambda: Envelope.decode(value))


@given(st.data())
def test_an_envelope_with_anything_in_it_gives_an_envelope_or_our_error(data: st.DataObject) -> None:
    value = json.loads(json.dumps(WHOLE))
    at = value if data.draw(st.booleans()) else value["data"]
    leaf = st.none() | st.integers() | st.floats() | st.text(max_size=30) | st.booleans()
    at[data.draw(st.sampled_from(sorted(at)) | st.text(max_size=5))] = data.draw(
        st.recursive(leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner))
    )
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=data.draw(st.booleans()))

    answers(lambda: Envelope.decode(text.encode("utf-8", "surrogatepass")))


@given(st.integers(0, 3000), st.binary(min_size=1, max_size=3))
def test_an_envelope_with_bytes_changed_gives_itself_or_our_error(at: int, other: bytes) -> None:
    whole = jcs(WHOLE)
    value = whole[:at] + other + whole[at + len(other) :]

    if answers(lambda: Envelope.decode(value)):
        assert Envelope.decode(value).encode() == value


class TestSealContext:
    def test_it_is_computed_from_the_envelope(self) -> None:
        assert Envelope.decode(jcs(WHOLE)).seal_context(3) == SealContext(
            bus="training",
            event_id=ID,
            source="police-b",
            subject="0123456789abcdef" * 2,
            handoff=f"{OPENING} police-b/youth",
            section="s3",
        )

    def test_an_opening_event_stands_for_its_own_handoff(self) -> None:
        opening = Envelope.decode(changed(lambda e: e["data"].pop("handoff")))

        assert opening.seal_context(0).handoff == opening.id


class TestCasePseudonym:
    def test_it_is_half_a_hash_of_where_it_came_from(self) -> None:
        parts = lp(b"referral-bus/v1/case", b"training", b"hotline-111", ID.encode())

        assert case_pseudonym("training", "hotline-111", ID) == sha256(parts)[:16].hex()

    def test_another_bus_source_or_opening_makes_another_case(self) -> None:
        named = {
            case_pseudonym(bus, source, opening)
            for bus in ("training", "production")
            for source in ("hotline-111", "hotline-11")
            for opening in (ID, OPENING)
        }

        assert len(named) == 8


def test_a_handoff_is_named_by_its_opening_and_its_recipient() -> None:
    key = HandoffKey(opening=OPENING, recipient="police-b/youth")

    assert str(key) == f"{OPENING} police-b/youth"
    assert HandoffKey.parse(str(key)) == key

import json
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts import encoding
from referral_contracts.codes import Code
from referral_contracts.encoding import (
    MAX_DEPTH,
    b64,
    event_hash,
    format_time,
    jcs,
    lp,
    parse_json,
    parse_time,
    sha256,
    unb64,
    uuid7,
)
from referral_contracts.errors import LocalError
from tests.contracts.refusals import answers, code_of

# The year 1 to the year 9999.
MOMENTS = st.integers(parse_time("0001-01-01T00:00:00.000Z"), parse_time("9999-12-31T23:59:59.999Z"))
KEYS = st.text(st.characters(codec="ascii"), max_size=8)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


class TestBase64:
    @given(st.binary(max_size=80))
    def test_what_is_written_is_read_back(self, data: bytes) -> None:
        assert unb64(b64(data)) == data
        assert unb64(b64(data), len(data)) == data

    @given(st.text(max_size=12) | st.text("ABab01-_=\n", max_size=12))
    def test_a_value_has_one_spelling(self, text: str) -> None:
        if answers(lambda: unb64(text)):
            assert b64(unb64(text)) == text

    @pytest.mark.parametrize("text", ["AA==", "A", "AB", "AAB", "A+", "A/", "AA\n", " AA", "ÀA", "A A"])
    def test_another_spelling_is_refused(self, text: str) -> None:
        assert code_of(lambda: unb64(text)) is Code.MALFORMED_VALUE

    def test_a_value_of_another_length_is_refused(self) -> None:
        assert code_of(lambda: unb64(b64(bytes(31)), 32)) is Code.MALFORMED_VALUE


class TestLengthPrefixes:
    def test_they_are_four_bytes_big_endian(self) -> None:
        assert lp(b"ab", b"") == b"\0\0\0\2ab\0\0\0\0"

    @given(st.lists(st.binary(max_size=4)), st.lists(st.binary(max_size=4)))
    def test_no_two_lists_share_a_form(self, one: list[bytes], other: list[bytes]) -> None:
        assert (lp(*one) == lp(*other)) == (one == other)


class TestJson:
    @given(VALUES)
    def test_what_is_written_is_read_back(self, value: object) -> None:
        assert parse_json(jcs(value)) == value

    @given(VALUES)
    def test_its_form_depends_on_the_value_alone(self, value: Any) -> None:
        shuffled = json.loads(json.dumps(value), object_pairs_hook=lambda pairs: dict(reversed(pairs)))

        assert jcs(shuffled) == jcs(value)

    def test_its_form_is_that_of_rfc_8785(self) -> None:
        # The example of section 3.2.3, without its numbers and the keys that are not ASCII.
        value = {"numbers": [0, -1], "string": '€$\u000f\nA\'B"\\\\"/', "literals": [None, True, False], "\r": 1}

        assert (
            jcs(value)
            == (
                '{"\\r":1,"literals":[null,true,false],"numbers":[0,-1],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
            ).encode()
        )

    @pytest.mark.parametrize("value", [1.5, [1.0], {"a": {"b": float("nan")}}, (0.1,)])
    def test_a_float_is_not_written(self, value: object) -> None:
        with pytest.raises(LocalError):
            jcs(value)

    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"{", id="not JSON"),
            pytest.param(b"\xff\xfe{}", id="not UTF-8"),
            pytest.param(b"\xef\xbb\xbf{}", id="a byte order mark"),
            pytest.param(b'{"a":1,"a":1}', id="a key twice"),
            pytest.param(b'{"a":1,"\\u0061":1}', id="a key twice, once escaped"),
            pytest.param(b"1.0", id="a float"),
            pytest.param(b"1e2", id="an exponent"),
            pytest.param(b"NaN", id="NaN"),
            pytest.param(b"[Infinity]", id="infinity"),
            pytest.param(b"-0", id="minus zero"),
            pytest.param(str(2**53).encode(), id="an integer that not every reader keeps"),
            pytest.param(b"9" * 100_000, id="an integer of 100,000 digits"),
            pytest.param(b'"\\ud800"', id="a lone surrogate"),
            pytest.param(b'{"\\udc00":1}', id="a lone surrogate in a key"),
            pytest.param(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), id="nested one too deep"),
            pytest.param(b"[" * 10_000, id="nested 10,000 deep"),
            pytest.param(b'{"a":' * 10_000, id="objects nested 10,000 deep"),
            pytest.param(b'"' + b'\\"' * 160_000, id="a string that never ends"),
        ],
    )
    def test_what_the_wire_does_not_allow_is_refused(self, data: bytes) -> None:
        assert code_of(lambda: parse_json(data)) is Code.MALFORMED_JSON

    def test_the_deepest_nesting_allowed_is_read(self) -> None:
        assert answers(lambda: parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH))

    @pytest.mark.parametrize("text", ['"' + "[" * 100 + '"', '"\\"' + "{" * 100 + '"', '["\\\\",[]]'])
    def test_brackets_in_strings_are_no_nesting(self, text: str) -> None:
        assert parse_json(text.encode()) == json.loads(text)

    def test_a_string_is_looked_at_once(self) -> None:
        # Each quote of a string that never ends could start another: whoever tried them all would take hours.
        looks = list(encoding._BRACKETS.finditer('{"' + '\\"' * 10_000))

        assert [found[0][:2] for found in looks] == ["{", '"\\']

    @given(st.binary(max_size=60) | st.text('[]{}",:\\u0019aeE+-. \n\x00truefalsn', max_size=60).map(str.encode))
    def test_anything_gives_a_value_or_our_error(self, data: bytes) -> None:
        if answers(lambda: parse_json(data)):
            assert parse_json(jcs(parse_json(data))) == parse_json(data)


class TestTime:
    @given(MOMENTS)
    def test_what_is_written_is_read_back(self, moment: int) -> None:
        assert parse_time(format_time(moment)) == moment

    def test_it_is_utc_with_milliseconds(self) -> None:
        assert format_time(1_795_351_440_007) == "2026-11-22T12:44:00.007Z"
        assert format_time(-1) == "1969-12-31T23:59:59.999Z"

    @given(st.lists(MOMENTS, min_size=2, max_size=5))
    def test_texts_sort_as_moments_do(self, moments: list[int]) -> None:
        texts = [format_time(moment) for moment in sorted(moments)]

        assert all(one <= other for one, other in pairwise(texts))

    @pytest.mark.parametrize(
        "text",
        [
            "2026-02-30T00:00:00.000Z",
            "2026-11-22T24:00:00.000Z",
            "2026-11-22T12:44:60.000Z",
            "2026-11-22T12:44:00Z",
            "2026-11-22T12:44:00.000000Z",
            "2026-11-22T12:44:00.000+00:00",
            "2026-11-22T12:44:00.000-00:00",
            "2026-11-22T19:44:00.000+07:00",
            "2026-11-22T12:44:00.000",
            "2026-11-22 12:44:00.000Z",
            "2026-11-22T12:44:00,000Z",
            "2026-11-22T12:44:00.000z",
            "2026-11-22T12:44:00.000Z\n",
            "2026-W47-7T12:44:00.000Z",
            "20261122T124400.000Z",
            "٢٠٢٦-١١-٢٢T١٢:٤٤:٠٠.٠٠٠Z",
            "2026-11-22",
            "",
        ],
    )
    def test_no_such_moment_or_another_spelling_is_refused(self, text: str) -> None:
        assert code_of(lambda: parse_time(text)) is Code.MALFORMED_VALUE

    @given(st.text(max_size=30) | st.text("0123456789-:.TZ+W", max_size=30) | st.datetimes().map(datetime.isoformat))
    def test_anything_gives_a_value_or_our_error(self, text: str) -> None:
        if answers(lambda: parse_time(text)):
            assert format_time(parse_time(text)) == text


def test_an_event_is_named_by_its_hash() -> None:
    assert event_hash(b"bytes") == b64(sha256(b"bytes"))


def test_an_id_is_a_uuid_of_version_7() -> None:
    # The example of RFC 9562, appendix A.6.
    assert uuid7(0x017F22E279B0, bytes.fromhex("0cc318c4dc0c0c07398f")) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"

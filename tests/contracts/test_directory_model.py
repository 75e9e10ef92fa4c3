from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from referral_contracts import directory_model as wire
from referral_contracts.codes import Code
from referral_contracts.directory import (
    TrustRoot,
)
from referral_contracts.directory_model import (
    Change,
    Entry,
    Head,
    Policy,
    SignedHead,
)
from referral_contracts.encoding import b64, format_time, jcs
from referral_contracts.errors import LocalError
from referral_contracts.topics import CHANGE_MAX
from tests.contracts.directories import HOUR, IDENTITY, NOW, POLICY, ROOTS, YEAR, entry, root
from tests.contracts.refusals import answers, code_of


class TestModels:
    @pytest.mark.parametrize(
        "model",
        [
            model
            for model in vars(wire).values()
            if isinstance(model, type) and issubclass(model, BaseModel) and model.model_fields
        ],
    )
    def test_fields_stand_in_alphabetical_order(self, model: type[BaseModel]) -> None:
        assert all(one < other for one, other in pairwise(model.model_fields))

    @pytest.mark.parametrize("model", [Entry, Change, SignedHead, Head, Policy])
    @given(value=st.binary(max_size=100))
    def test_any_bytes_give_a_record_or_our_error(self, model: type[wire._Wire], value: bytes) -> None:
        answers(lambda: model.decode(value))

    @given(st.integers(0, 4000), st.binary(min_size=1, max_size=2))
    def test_an_entry_with_bytes_changed_gives_itself_or_our_error(self, at: int, other: bytes) -> None:
        whole = entry("a").encode()
        value = whole[:at] + other + whole[at + len(other) :]

        if answers(lambda: Entry.decode(value)):
            assert Entry.decode(value).encode() == value

    @pytest.mark.parametrize(
        "value",
        [
            pytest.param(entry("a").encode() + b"\n", id="a newline behind"),
            pytest.param(entry("a").encode().replace(b'"id":"a"', b'"id":"b","id":"a"'), id="a key twice"),
            pytest.param(entry("a").encode().replace(b'"id"', b'"i\\u0064"'), id="an escape"),
            pytest.param(entry("a").encode().replace(b'"id":"a"', b'"duty":null,"id":"a"'), id="a null"),
        ],
    )
    def test_another_spelling_is_refused(self, value: bytes) -> None:
        assert code_of(lambda: Entry.decode(value)) in (Code.NOT_CANONICAL, Code.MALFORMED_JSON)

    @pytest.mark.parametrize(
        "moment", ["2026-02-30T00:00:00.000Z", "2026-01-01T24:00:00.000Z", "now", "٢٠٢٦-01-01T00:00:00.000Z"]
    )
    def test_a_key_is_not_valid_until_a_moment_that_never_comes(self, moment: str) -> None:
        value = entry("a").encode().replace(format_time(NOW + YEAR).encode(), moment.encode())

        assert code_of(lambda: Entry.decode(value)) is Code.MALFORMED_ENVELOPE

    def test_a_change_over_its_limit_is_refused_unread(self) -> None:
        assert code_of(lambda: Change.decode(b" " * (CHANGE_MAX + 1))) is Code.OVERSIZE

    def test_ids_are_kept_for_longer_than_they_can_come_back(self) -> None:
        with pytest.raises(ValidationError):
            Policy(**{**POLICY.model_dump(), "window_ms": 3 * HOUR, "keep_closed_ms": 8 * HOUR})

    @pytest.mark.parametrize(
        "hours", [[(2, 1)], [(1, 1)], [(1, 3), (2, 4)], [(1, 2), (1, 2)], [(3, 4), (1, 2)], [(1, 2), (2, 3)], []]
    )
    def test_outages_are_told_in_order_and_apart(self, hours: list[tuple[int, int]]) -> None:
        told = [
            {"reason": "mất điện", "since": format_time(NOW + since * HOUR), "until": format_time(NOW + until * HOUR)}
            for since, until in hours
        ]
        with pytest.raises(ValidationError):
            Policy.model_validate_json(jcs({**POLICY.model_dump(mode="json", exclude_none=True), "outages": told}))

    def test_a_policy_without_outages_is_written_as_before_there_were_any(self) -> None:
        assert b"outages" not in POLICY.encode()


class TestTrustRoot:
    def test_it_is_read_as_it_was_written(self) -> None:
        assert TrustRoot.decode(root(2, *ROOTS).encode()) == root(2, *ROOTS)

    @pytest.mark.parametrize(
        "broken",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"{}", id="empty"),
            pytest.param(root(0).encode(), id="nobody has to sign"),
            pytest.param(root(2).encode(), id="more have to sign than there are"),
            pytest.param(root(2, ROOTS[0], ROOTS[0]).encode(), id="a key twice"),
            pytest.param(root().encode().replace(ROOTS[0].kid.encode(), ROOTS[1].kid.encode()), id="another's name"),
            pytest.param(
                root().encode().replace(b64(ROOTS[0].public).encode(), b64(IDENTITY).encode()), id="a small-order key"
            ),
            pytest.param(root().encode().replace(b64(ROOTS[0].public).encode(), b"AAAA"), id="a short key"),
        ],
    )
    def test_a_file_that_pins_nothing_is_refused(self, broken: bytes) -> None:
        with pytest.raises(LocalError):
            TrustRoot.decode(broken)

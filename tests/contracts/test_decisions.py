import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from referral_contracts import decisions
from referral_contracts.codes import Code
from referral_contracts.decisions import (
    Decision,
    Delivery,
    First,
    OpenHandoff,
    Standing,
    Verdict,
    decision_leaf,
    delivery_leaf,
    read_decision,
    read_delivery,
    read_verdict,
    router_key_id,
    sign_batch,
    verdict_leaf,
    verify_leaf,
)
from referral_contracts.encoding import ADDRESS, AGENCY, EVENT_ID, b64, format_time, jcs, unb64
from referral_contracts.envelope import EventRef, HandoffKey
from referral_contracts.errors import Tampered
from referral_contracts.keys import SigningKey
from referral_contracts.lifecycle import CaseState, State
from referral_contracts.merkle import leaf_hash
from referral_contracts.signing import Typ
from tests.contracts.refusals import answers, code_of

KEY = SigningKey.from_seed(b"r" * 32)
READ: dict[str, Callable[[bytes], BaseModel]] = {
    "decision": read_decision,
    "delivery": read_delivery,
    "verdict": read_verdict,
}

counts = st.integers(0, 2**53 - 1)
times = st.integers(0, 4_102_444_800_000).map(format_time)
hashes = st.binary(min_size=32, max_size=32)
salts = st.binary(min_size=16, max_size=16)
names = st.from_regex(AGENCY, fullmatch=True)
addresses = st.from_regex(ADDRESS, fullmatch=True)
ids = st.from_regex(EVENT_ID, fullmatch=True)
subjects = st.text("0123456789abcdef", min_size=32, max_size=32)
refs = st.builds(EventRef, id=ids, sha256=hashes.map(b64))
handoffs = st.builds(HandoffKey, opening=ids, recipient=addresses)
open_handoffs = st.builds(
    OpenHandoff,
    head=refs,
    holder=st.none() | addresses,
    opening=ids,
    recipient=addresses,
    sender=names,
    state=st.sampled_from(State),
)
firsts = st.builds(
    First, code=st.sampled_from(Code), counter=counts, decision=hashes.map(b64), event=hashes.map(b64)
)  # fmt: skip
standings = st.builds(
    Standing,
    handoff=st.none() | handoffs,
    head=st.none() | refs,
    state=st.none() | st.sampled_from(State),
    case_head=st.none() | refs,
    case_restored=counts,
    case_state=st.none() | st.sampled_from(CaseState),
    open=st.lists(open_handoffs, max_size=3).map(tuple),
    first=st.none() | firsts,
)
DECISIONS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "admitted": times,
        "bus": names,
        "case": st.none() | counts,
        "code": st.sampled_from(Code),
        "counter": counts,
        "directory": counts,
        "event": hashes.map(b64),
        "offset": counts,
        "partition": counts,
        "previous": hashes,
        "salt": salts,
        "size": counts,
        "stamp": times,
    }
)
DELIVERIES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "admitted": times,
        "bus": names,
        "counter": counts,
        "event": hashes.map(b64),
        "partition": counts,
        "recipient": addresses,
        "restored": counts,
        "salt": salts,
        "subject": subjects,
    }
)
VERDICTS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "admitted": times,
        "bus": names,
        "clock_offset_ms": st.integers(-(2**53) + 1, 2**53 - 1),
        "code": st.sampled_from(Code),
        "counter": counts,
        "decision": hashes,
        "event": hashes.map(b64),
        "event_id": st.none() | ids,
        "partition": counts,
        "salt": salts,
        "standing": standings,
        "subject": st.none() | subjects,
    }
)
LEAVES = (
    DECISIONS.map(lambda told: decision_leaf(**told))
    | DELIVERIES.map(lambda told: delivery_leaf(**told))
    | VERDICTS.map(lambda told: verdict_leaf(**told))
)


def plain(told: dict[str, Any], kind: str) -> dict[str, object]:
    """What the arguments of a leaf's builder say, as a value for `jcs`."""
    told = {**told, "kind": kind}
    standing = told.pop("standing", None)
    if standing is not None:
        told["id"] = told.pop("event_id")
        listed = [one.model_dump(mode="json", exclude_none=True) for one in standing.open] or None
        rest = {
            name: None if (value := getattr(standing, name)) is None else value.model_dump(mode="json")
            for name in ("handoff", "head", "case_head", "first")
        }
        states = {"state": standing.state, "case_state": standing.case_state}
        told = {**told, **rest, **states, "open": listed, "case_restored": standing.case_restored}
    # What never was is left out.
    told = {name: value for name, value in told.items() if value or name not in {"restored", "case_restored"}}
    return {
        name: b64(value) if isinstance(value, bytes) else value for name, value in told.items() if value is not None
    }


class TestLeaves:
    @given(DECISIONS)
    def test_a_decision_is_written_as_jcs_writes_it(self, told: dict[str, Any]) -> None:
        leaf = decision_leaf(**told)

        assert leaf == jcs(plain(told, "decision"))
        assert read_decision(leaf) == Decision.model_validate(plain(told, "decision"))

    @given(DELIVERIES)
    def test_a_delivery_is_written_as_jcs_writes_it(self, told: dict[str, Any]) -> None:
        leaf = delivery_leaf(**told)

        assert leaf == jcs(plain(told, "delivery"))
        assert read_delivery(leaf) == Delivery.model_validate(plain(told, "delivery"))

    @given(VERDICTS)
    def test_a_verdict_is_written_as_jcs_writes_it(self, told: dict[str, Any]) -> None:
        leaf = verdict_leaf(**told)

        assert leaf == jcs(plain(told, "verdict"))
        assert read_verdict(leaf) == Verdict.model_validate_json(leaf)

    @pytest.mark.parametrize("model", [Decision, Delivery, Verdict, First])
    def test_fields_stand_in_alphabetical_order(self, model: type[BaseModel]) -> None:
        assert all(one < other for one, other in pairwise(model.model_fields))

    @given(LEAVES)
    def test_a_leaf_is_read_as_its_own_kind_only(self, leaf: bytes) -> None:
        kind = json.loads(leaf)["kind"]

        assert {name for name, read in READ.items() if answers(lambda r=read: r(leaf))} == {kind}  # type: ignore[misc]

    @given(LEAVES, st.sampled_from([b" ", b"\n", b"\0"]))
    def test_a_leaf_has_one_spelling(self, leaf: bytes, more: bytes) -> None:
        read = READ[json.loads(leaf)["kind"]]

        assert code_of(lambda: read(leaf + more)) is Code.BAD_DECISION
        assert code_of(lambda: read(leaf.replace(b'"bus"', b'"b\\u0075s"'))) is Code.BAD_DECISION
        assert code_of(lambda: read(leaf[:-1] + b',"zone":null}')) is Code.BAD_DECISION

    @pytest.mark.parametrize("read", READ.values(), ids=READ)
    @given(leaf=st.binary(max_size=80))
    def test_any_bytes_give_a_leaf_or_our_error(self, read: Callable[[bytes], object], leaf: bytes) -> None:
        answers(lambda: read(leaf))

    @given(LEAVES, st.data())
    def test_a_leaf_with_anything_in_it_gives_a_leaf_or_our_error(self, leaf: bytes, data: st.DataObject) -> None:
        told = json.loads(leaf)
        kind = told["kind"]
        told[data.draw(st.sampled_from(sorted(told)))] = data.draw(
            st.none() | st.integers() | st.floats() | st.text(max_size=20) | st.lists(st.integers(), max_size=2)
        )
        text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

        answers(lambda: READ[kind](text.encode("utf-8", "surrogatepass")))

    def test_a_number_of_ten_thousand_digits_is_refused(self) -> None:
        leaf = decision_leaf(
            admitted=format_time(0),
            bus="training",
            case=None,
            code=Code.ACCEPTED,
            counter=1,
            directory=1,
            event=b64(bytes(32)),
            offset=0,
            partition=0,
            previous=decisions.NO_DECISION,
            salt=bytes(16),
            size=0,
            stamp=format_time(0),
        )
        assert answers(lambda: read_decision(leaf))

        assert code_of(lambda: read_decision(leaf.replace(b'"counter":1', b'"counter":' + b"1" * 10_000))) is (
            Code.BAD_DECISION
        )


class TestBatches:
    @given(st.lists(st.binary(max_size=8), min_size=1, max_size=20), st.integers(0, 9))
    def test_every_leaf_of_a_batch_proves_itself(self, leaves: list[bytes], partition: int) -> None:
        batch = sign_batch([leaf_hash(leaf) for leaf in leaves], bus="training", partition=partition, key=KEY)

        for leaf, path in zip(leaves, batch.paths, strict=True):
            verify_leaf(leaf, path, batch.root, bus="training", partition=partition, key=KEY.verify_key)
        assert router_key_id(batch.root) == KEY.kid

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            pytest.param({"leaf": b"another"}, Code.BAD_DECISION, id="another leaf"),
            pytest.param({"bus": "production"}, Code.BAD_DECISION, id="another bus"),
            pytest.param({"partition": 8}, Code.BAD_DECISION, id="another partition"),
            pytest.param({"key": SigningKey.from_seed(bytes(32)).verify_key}, Code.BAD_DECISION, id="another key"),
            pytest.param({"path": b""}, Code.BAD_DECISION, id="no path"),
            pytest.param({"path": bytes(7)}, Code.BAD_DECISION, id="a path cut short"),
            pytest.param({"path": bytes(8)}, Code.BAD_DECISION, id="a tree of no leaves"),
            pytest.param({"path": bytes(8 + 31)}, Code.BAD_DECISION, id="a path with half a hash"),
            pytest.param({"path": b"\xff" * 8}, Code.BAD_DECISION, id="a place beyond the tree"),
            pytest.param({"root": b""}, Code.BAD_DECISION, id="no root"),
            pytest.param({"root": b"\xff" * 300}, Code.BAD_DECISION, id="a root that is no text"),
            pytest.param(
                {"root": KEY.sign(Typ.EVENT, b"statement").encode()}, Code.BAD_DECISION, id="a signature of an event"
            ),
        ],
    )
    def test_a_leaf_without_its_proof_is_refused(self, change: dict[str, Any], code: Code) -> None:
        batch = sign_batch([leaf_hash(leaf) for leaf in (b"a", b"b", b"c")], bus="training", partition=7, key=KEY)
        whole: dict[str, Any] = {
            "leaf": b"b",
            "path": batch.paths[1],
            "root": batch.root,
            "bus": "training",
            "partition": 7,
            "key": KEY.verify_key,
        }

        def verify(leaf: bytes, path: bytes, root: bytes, **rest: Any) -> None:
            verify_leaf(leaf, path, root, **rest)

        verify(**whole)
        assert code_of(lambda: verify(**{**whole, **change})) is code

    def test_a_leaf_of_one_batch_is_none_of_another(self) -> None:
        one, other = (
            sign_batch([leaf_hash(leaf) for leaf in leaves], bus="training", partition=0, key=KEY)
            for leaves in ([b"a", b"b"], [b"a", b"c"])
        )

        with pytest.raises(Tampered):
            verify_leaf(b"a", one.paths[0], other.root, bus="training", partition=0, key=KEY.verify_key)

    @given(st.binary(max_size=120), st.binary(max_size=200))
    def test_any_headers_give_a_proof_or_our_error(self, path: bytes, root: bytes) -> None:
        assert code_of(lambda: verify_leaf(b"a", path, root, bus="training", partition=0, key=KEY.verify_key)) is (
            Code.BAD_DECISION
        )

    def test_a_proof_tells_of_no_other_leaf(self) -> None:
        secret = delivery_leaf(
            admitted=format_time(0),
            bus="training",
            counter=1,
            event=b64(bytes(32)),
            partition=0,
            recipient="hospital-c",
            restored=0,
            salt=b"s" * 16,
            subject="0" * 32,
        )
        batch = sign_batch([leaf_hash(b"mine"), leaf_hash(secret)], bus="training", partition=0, key=KEY)

        # All that is told of the neighbour is its hash, and without its salt nobody can guess what is in it.
        assert batch.paths[0][8:] == leaf_hash(secret)
        assert b64(b"s" * 16).encode() in secret


class TestVerdict:
    @pytest.mark.parametrize(
        ("code", "first", "accepted"),
        [
            (Code.ACCEPTED, None, True),
            (Code.STALE_HEAD, None, False),
            (Code.DUPLICATE, Code.ACCEPTED, True),
            (Code.DUPLICATE, Code.STALE_HEAD, False),
            (Code.DUPLICATE, None, False),
            (Code.ID_REUSED, Code.ACCEPTED, False),
        ],
    )
    def test_a_repetition_is_accepted_if_the_first_was(self, code: Code, first: Code | None, accepted: bool) -> None:
        told = None if first is None else First(code=first, counter=1, decision=b64(bytes(32)), event=b64(bytes(32)))
        leaf = verdict_leaf(
            admitted=format_time(0),
            bus="training",
            clock_offset_ms=0,
            code=code,
            counter=2,
            decision=bytes(32),
            event=b64(bytes(32)),
            event_id=None,
            partition=0,
            salt=bytes(16),
            standing=Standing(first=told),
            subject=None,
        )

        assert read_verdict(leaf).accepted is accepted


def test_a_salt_is_long_enough_to_hide_a_leaf() -> None:
    assert decisions.SALT_SIZE * 8 >= 128
    assert unb64(b64(bytes(decisions.SALT_SIZE)), 16) == bytes(16)

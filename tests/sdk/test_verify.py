"""What a record of the inbox has to be before anything in it is believed or opened."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import referral_bus
from referral_bus import AgencyKeys, Code
from referral_bus._verify import Doubtful, TooNew, VerifiedDelivery, VerifiedVerdict, verify_record
from referral_contracts import topics
from referral_contracts.errors import ReferralBusError, RemoteError
from referral_contracts.records import Record
from referral_contracts.verbs import Verb
from tests.sdk.forging import Copy, Event, changed, with_headers
from tests.sdk.town import KEYS, Town

STRANGE = AgencyKeys.generate("strange")
SUBJECT = "0" * 32


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town(tmp_path_factory.mktemp("town"))


@pytest.fixture(scope="module")
def event(town: Town) -> bytes:
    told = Event(town=town, source="hotline-111", verb=Verb.OFFERED, subject=SUBJECT, recipients=("ward-a",))
    return told.envelope().encode()


@pytest.fixture(scope="module")
def copy(town: Town, event: bytes) -> Copy:
    return Copy(town=town, value=event, recipient="ward-a", counter=1, signer=KEYS["hotline-111"])


def record_of(copy: Copy) -> Record:
    return Record(0, 7, 0, b"key", copy.value, copy.headers())


@pytest.fixture(scope="module")
def good(copy: Copy) -> Record:
    return record_of(copy)


@pytest.fixture(scope="module")
def verdict(town: Town) -> Record:
    Event(town=town, source="hotline-111", verb=Verb.OFFERED, subject=SUBJECT, recipients=("ward-a",)).submit()
    (record,) = town.sim.broker.records(topics.inbox("hotline-111"))
    return record


def refused(town: Town, record: Record, agency: str = "ward-a") -> RemoteError:
    with pytest.raises(RemoteError) as refusal:
        verify_record(record, town.sim.directory, agency=agency)
    return refusal.value


class TestDelivery:
    def test_what_the_router_delivered_and_its_sender_signed_is_verified(self, town: Town, good: Record) -> None:
        found = verify_record(good, town.sim.directory, agency="ward-a")

        assert isinstance(found, VerifiedDelivery)
        assert found.value == good.value
        assert found.recipient == "ward-a"

    @pytest.mark.parametrize("name", ["kind", "signature", "delivery", "path", "root"])
    def test_a_header_that_is_missing_is_refused(self, town: Town, good: Record, name: str) -> None:
        assert refused(town, with_headers(good, **{name: None})).code is Code.MISSING_HEADER

    def test_a_header_too_many_is_refused(self, town: Town, good: Record) -> None:
        assert refused(town, with_headers(good, more=b"")).code is Code.UNEXPECTED_HEADER

    def test_two_signatures_are_refused(self, town: Town, good: Record) -> None:
        twice = Record(0, 7, 0, b"key", good.value, (*good.headers, ("signature", dict(good.headers)["signature"])))

        assert refused(town, twice).code is Code.UNEXPECTED_HEADER

    def test_an_unknown_kind_is_refused(self, town: Town, good: Record) -> None:
        assert refused(town, with_headers(good, kind=b"advice")).code is Code.UNEXPECTED_HEADER

    def test_a_null_value_and_a_fault_are_refused(self, town: Town, good: Record) -> None:
        assert refused(town, Record(0, 7, 0, b"key", None, good.headers)).code is Code.NULL_VALUE
        spoiled = Record(0, 7, 0, b"key", good.value, good.headers, 1, Code.MALFORMED_RECORD)
        assert refused(town, spoiled).code is Code.MALFORMED_RECORD

    @pytest.mark.parametrize("name", ["delivery", "path", "root"])
    def test_a_proof_that_was_changed_is_refused(self, town: Town, good: Record, name: str) -> None:
        before = dict(good.headers)[name] or b""
        error = refused(town, with_headers(good, **{name: changed(before, -min(20, len(before)))}))

        assert error.code is Code.BAD_DECISION

    def test_bytes_that_were_changed_are_refused(self, town: Town, good: Record) -> None:
        spoiled = Record(0, 7, 0, b"key", changed(good.value or b"", 40), good.headers)

        assert refused(town, spoiled).code is Code.BAD_DECISION

    def test_another_agencys_delivery_is_not_ours(self, town: Town, good: Record) -> None:
        assert refused(town, good, agency="ward-z").code is Code.WRONG_RECIPIENTS

    def test_what_somebody_else_than_the_router_signed_is_refused(self, town: Town, copy: Copy) -> None:
        forged = Copy(**{**vars(copy), "router": KEYS["hotline-111"].signing})
        error = refused(town, record_of(forged))

        assert error.code is Code.UNKNOWN_KEY
        assert isinstance(error, Doubtful)

    def test_the_routers_signature_over_another_partition_is_refused(self, town: Town, copy: Copy) -> None:
        other = Copy(**{**vars(copy), "partition": 1})
        leaf = dict(record_of(copy).headers)["delivery"]

        assert refused(town, with_headers(record_of(other), delivery=leaf)).code is Code.BAD_DECISION

    def test_another_bus_is_refused(self, town: Town, copy: Copy) -> None:
        assert refused(town, record_of(Copy(**{**vars(copy), "bus": "production"}))).code is Code.WRONG_BUS

    def test_an_event_that_its_sender_did_not_sign_is_refused_whoever_delivers_it(self, town: Town, copy: Copy) -> None:
        # The router itself, or whoever has its key, cannot put words into an agency's mouth.
        assert refused(town, record_of(Copy(**{**vars(copy), "signer": STRANGE}))).code is Code.UNKNOWN_KEY
        as_police = Copy(**{**vars(copy), "signer": KEYS["police-b"]})
        assert refused(town, record_of(as_police)).code is Code.UNKNOWN_KEY
        spoiled = changed(dict(record_of(copy).headers)["signature"] or b"", -20)
        assert refused(town, with_headers(record_of(copy), signature=spoiled)).code is Code.BAD_SIGNATURE

    def test_an_event_that_is_not_addressed_to_us_is_refused_though_it_was_delivered(
        self, town: Town, copy: Copy
    ) -> None:
        misled = Copy(**{**vars(copy), "recipient": "ward-z"})

        assert refused(town, record_of(misled), agency="ward-z").code is Code.BAD_DECISION

    def test_a_decision_from_before_the_routers_key_was_valid_is_refused(self, town: Town, copy: Copy) -> None:
        early = Copy(**{**vars(copy), "admitted_ms": town.sim.clock.now_ms() - 1})
        error = refused(town, record_of(early))

        assert error.code is Code.KEY_NOT_VALID
        assert isinstance(error, Doubtful)

    def test_what_was_decided_after_our_directory_had_expired_waits_for_a_newer_one(
        self, town: Town, copy: Copy
    ) -> None:
        late = Copy(**{**vars(copy), "admitted_ms": town.sim.directory.expires_ms})
        with pytest.raises(TooNew):
            verify_record(record_of(late), town.sim.directory, agency="ward-a")
        # Only the router can make us wait.
        forged = Copy(**{**vars(late), "router": KEYS["hotline-111"].signing})
        assert refused(town, record_of(forged)).code is Code.UNKNOWN_KEY


class TestVerdict:
    def test_the_routers_verdict_is_verified(self, town: Town, verdict: Record) -> None:
        found = verify_record(verdict, town.sim.directory, agency="hotline-111")

        assert isinstance(found, VerifiedVerdict)
        assert found.verdict.code is Code.NOT_FOUND

    def test_a_verdict_that_was_changed_is_refused(self, town: Town, verdict: Record) -> None:
        kinder = (verdict.value or b"").replace(b'"not-found"', b'"accepted"')

        assert refused(town, Record(0, 0, 0, b"", kinder, verdict.headers)).code is Code.BAD_DECISION

    def test_a_verdict_with_a_delivery_beside_it_is_refused(self, town: Town, verdict: Record) -> None:
        assert refused(town, with_headers(verdict, delivery=b"{}")).code is Code.UNEXPECTED_HEADER


class TestGarbage:
    @given(
        value=st.none() | st.binary(max_size=200),
        headers=st.lists(
            st.tuples(
                st.sampled_from(["kind", "signature", "delivery", "path", "root", "x"]),
                st.none() | st.binary(max_size=200) | st.sampled_from([b"delivery", b"verdict", b"{}"]),
            ),
            max_size=6,
        ),
    )
    def test_any_record_is_a_value_or_our_error(
        self, town: Town, value: bytes | None, headers: list[tuple[str, bytes | None]]
    ) -> None:
        with pytest.raises(ReferralBusError):
            verify_record(Record(0, 0, 0, None, value, tuple(headers)), town.sim.directory, agency="ward-a")

    @given(data=st.data())
    def test_one_changed_byte_is_never_believed(self, town: Town, good: Record, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(["value", "signature", "delivery", "path", "root"]))
        before = (good.value if name == "value" else dict(good.headers)[name]) or b""
        at = data.draw(st.integers(0, len(before) - 1))
        byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != before[at]))
        after = before[:at] + bytes([byte]) + before[at + 1 :]
        spoiled = Record(0, 0, 0, None, after, good.headers) if name == "value" else with_headers(good, **{name: after})
        with pytest.raises(ReferralBusError):
            verify_record(spoiled, town.sim.directory, agency="ward-a")


def calls(path: Path) -> Iterator[str]:
    """Yield what a module calls or imports by name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.Attribute):
            yield node.attr


def test_nothing_is_unsealed_but_what_was_verified_and_our_own_unsent_events() -> None:
    package = Path(referral_bus.__file__).parent
    named = {
        path.relative_to(package).as_posix(): set(calls(path))
        for path in package.rglob("*.py")
        if "testing" not in path.parts
    }

    # `_open` takes a `VerifiedDelivery`, or what this agency said itself, from its own store; `_reseal` what it sealed
    # and nobody has signed.
    assert {path for path, names in named.items() if "unseal" in names} == {"_open.py", "_reseal.py"}
    assert not any({"disclose", "open_disclosed", "decapsulate"} & names for names in named.values())
    # And a `VerifiedDelivery` is made by verifying, or read back from the store.
    source = (package / "_verify.py").read_text()
    assert source.count("VerifiedDelivery(\n") == 2
    readers = {
        "_store/inbox.py",
        "_kept.py",
        "_corrections.py",
        "_links.py",
        "_clocks.py",
        "_times.py",
        "statistics.py",
    }
    assert {path for path, names in named.items() if "read_back" in names} == readers

"""The directory's own partition: changes judged by root keys and the last head, never by freshness."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_bus.registrar import Registrar as Office
from referral_bus.registrar import trust_root
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.directory import Directory, TrustRoot, assemble
from referral_contracts.directory_model import HEAD_KEY, POLICY_KEY, Change, Entry, SignedHead
from referral_contracts.errors import Fatal
from referral_contracts.keys import SigningKey
from referral_contracts.records import Record
from referral_contracts.signing import Typ
from referral_contracts.topics import CHANGE_MAX, H_SIGNATURE, POSITION_KEY
from referral_router.core import Registrar
from tests.services.referral_router import founding
from tests.services.referral_router.audit import Audit, Judged
from tests.services.referral_router.founding import BUS, HOTLINE, HOUR, KEYS, NOW, POLICY, ROOT, ROOT_KEYS, SCHOOL, YEAR
from tests.services.referral_router.world import lane

PARTITION = 4
INBOXES = frozenset({"registrar", HOTLINE})


class Hall:
    """The partition of directory changes, and a registrar who makes them."""

    def __init__(self, root: TrustRoot = ROOT) -> None:
        self.core = Registrar(lane(PARTITION), root)
        self.audit = Audit(bus=BUS, partition=PARTITION, key=KEYS["router"].signing.verify_key, of_cases=False)
        self.offset = 0
        self.state: list[tuple[bytes, bytes]] = []
        self.topic: dict[str, bytes] = {}

    def submit(self, *changes: tuple[bytes | None, bytes]) -> list[Judged]:
        records = []
        for value, signature in changes:
            records.append(Record(0, self.offset, NOW + self.offset, None, value, ((H_SIGNATURE, signature),)))
            self.offset += 1
        return self.judge(records)

    def judge(self, records: Sequence[Record]) -> list[Judged]:
        step = self.core.step(records, INBOXES)
        self.core.merge(step)
        for write in step.writes:
            assert write.key is not None or write.topic not in (topics.STATE, topics.DIRECTORY)
            if write.topic == topics.STATE:
                self.state.append((write.key or b"", write.value or b""))
            elif write.topic == topics.DIRECTORY:
                self.topic[(write.key or b"").decode()] = write.value or b""
        return self.audit.take(step.writes)

    @property
    def directory(self) -> Directory:
        directory = self.core.directory()
        assert directory is not None
        return directory

    def restored(self) -> "Hall":
        other = Hall()
        for key, value in self.state:
            other.core.restore(key, value)
        other.state, other.audit, other.offset = list(self.state), self.audit, self.offset
        return other


def founded() -> Hall:
    hall = Hall()
    assert [judged.code for judged in hall.submit(founding.founded())] == [Code.ACCEPTED]
    return hall


def change(previous: Directory | None, office: Office = founding.REGISTRAR, **told: Any) -> tuple[bytes, bytes]:
    return office.change(previous, NOW, YEAR, **told)


def test_the_first_change_is_answered_and_published_whole() -> None:
    hall = Hall()
    (judged,) = hall.submit(founding.founded())

    assert judged.verdict is not None
    assert (judged.code, judged.decision.directory) == (Code.ACCEPTED, 1)
    head = SignedHead.decode(hall.topic.pop(HEAD_KEY))
    assert assemble(hall.topic, head, ROOT, None) == hall.directory


def test_the_head_comes_after_all_that_it_was_signed_over() -> None:
    hall = Hall()
    records = [Record(0, 0, NOW, None, founding.founded()[0], ((H_SIGNATURE, founding.founded()[1]),))]
    published = [
        write.key or b"" for write in hall.core.step(records, INBOXES).writes if write.topic == topics.DIRECTORY
    ]

    assert published[-1] == HEAD_KEY.encode()
    assert sorted(published[:-1]) == sorted([*(name.encode() for name in founding.ROLES), POLICY_KEY.encode()])


def test_an_expired_head_is_renewed_whenever_it_is() -> None:
    hall = founded()
    value, signature = founding.REGISTRAR.change(hall.directory, NOW + 10 * YEAR, HOUR)
    (judged,) = hall.submit((value, signature))

    assert judged.code is Code.ACCEPTED
    assert hall.directory.expires_ms == NOW + 10 * YEAR + HOUR


def test_changes_of_one_batch_follow_each_other() -> None:
    hall = founded()
    second = change(hall.directory)
    other = change(hall.directory, policy=POLICY.model_copy(update={"window_ms": HOUR}))
    codes = [judged.code for judged in hall.submit(second, other, second)]

    assert codes == [Code.ACCEPTED, Code.DIRECTORY_STALE, Code.DUPLICATE]
    assert hall.directory.version == 2


def test_a_fork_is_refused() -> None:
    hall, other = founded(), founded()
    hall.submit(change(hall.directory))
    other.submit(change(other.directory, policy=POLICY.model_copy(update={"window_ms": HOUR})))

    # The third of another second, and one that left out a version.
    assert hall.submit(change(other.directory))[0].code is Code.DIRECTORY_FORKED
    ahead = replace(hall.directory, head=hall.directory.head.model_copy(update={"version": 7}))
    assert hall.submit(change(ahead))[0].code is Code.DIRECTORY_FORKED
    assert hall.directory.version == 2


def test_a_refused_change_changes_nothing() -> None:
    hall = founded()
    before = hall.directory
    weak = founding.entry(SCHOOL).model_copy(update={"id": "new-z"})
    (judged,) = hall.submit(change(before, agencies=[weak]))

    assert judged.code is Code.REPEATED_KEY
    assert (hall.directory, hall.core.after and hall.core.after.directory) == (before, 1)


def test_a_key_of_an_earlier_change_of_the_batch_is_taken() -> None:
    hall = founded()
    key = SigningKey.from_seed(bytes([77]) * 32)

    def newcomer(agency: str) -> Entry:
        return founding.entry(SCHOOL).model_copy(update={"id": agency, "keys": (founding.event_record(agency, key),)})

    first = change(hall.directory, agencies=[newcomer("new-y")])
    imagined = Hall()
    imagined.submit(founding.founded(), first)
    second = change(imagined.directory, agencies=[newcomer("new-z")])

    assert [judged.code for judged in hall.submit(first, second)] == [Code.ACCEPTED, Code.REPEATED_KEY]


class TestSignatures:
    def test_a_key_that_is_not_of_the_root_changes_nothing(self) -> None:
        hall = founded()
        office = Office(agency="registrar", bus=BUS, keys=[KEYS["registrar"].signing])
        (judged,) = hall.submit(change(hall.directory, office))

        assert (judged.code, judged.verdict, judged.value) == (Code.UNKNOWN_KEY, None, b"")

    def test_one_of_two_root_keys_changes_nothing(self) -> None:
        root = TrustRoot(bus=BUS, keys=trust_root(BUS, ROOT_KEYS[:2]).keys, threshold=2)
        hall = Hall(root)
        both = Office(agency="registrar", bus=BUS, keys=ROOT_KEYS[:2])
        agencies = [founding.entry(agency) for agency in founding.ROLES]
        codes = [
            judged.code
            for judged in hall.submit(
                founding.founded(), both.change(None, NOW, YEAR, agencies=agencies, policy=POLICY)
            )
        ]

        assert codes == [Code.NOT_ENOUGH_SIGNATURES, Code.ACCEPTED]

    def test_bytes_that_were_changed_are_nobodys(self) -> None:
        hall = founded()
        value, signature = change(hall.directory)
        (judged,) = hall.submit((value.replace(b"2026", b"2027"), signature))

        assert (judged.code, judged.verdict, judged.value) == (Code.BAD_SIGNATURE, None, b"")

    @pytest.mark.parametrize(
        ("record", "code"),
        [
            (Record(0, 1, NOW, None, None), Code.NULL_VALUE),
            (Record(0, 1, NOW, None, b"{}"), Code.MISSING_HEADER),
            (Record(0, 1, NOW, None, b"{}", (("x", b""),)), Code.UNEXPECTED_HEADER),
            (Record(0, 1, NOW, None, b"{}", ((H_SIGNATURE, None),)), Code.MISSING_HEADER),
            (Record(0, 1, NOW, None, b"{}", ((H_SIGNATURE, b"x"),)), Code.MALFORMED_SIGNATURE),
            (Record(0, 1, NOW, None, b"{}", fault=Code.MALFORMED_RECORD), Code.MALFORMED_RECORD),
            (Record(0, 1, 2**62, None, b"{}", stamp_type=0), Code.TOPIC_MISCONFIGURED),
        ],
    )
    def test_a_record_that_is_none_stops_nothing(self, record: Record, code: Code) -> None:
        hall = founded()
        (judged,) = hall.judge([record])
        hall.offset = 2

        assert (judged.code, judged.verdict) == (code, None)
        assert hall.submit(change(hall.directory))[0].code is Code.ACCEPTED

    @pytest.mark.parametrize(
        ("value", "code"),
        [
            (b'{"source":"registrar"}', Code.MALFORMED_ENVELOPE),
            (founding.founded()[0] + b" ", Code.NOT_CANONICAL),
            (founding.founded()[0].ljust(CHANGE_MAX + 1), Code.OVERSIZE),
        ],
    )
    def test_a_registrar_is_told_of_what_cannot_be_read(self, value: bytes, code: Code) -> None:
        hall = founded()
        (judged,) = hall.submit((value, ROOT_KEYS[0].sign(Typ.EVENT, value).encode()))

        assert judged.code is code
        assert judged.verdict is not None

    @pytest.mark.parametrize("value", [b"", b"[" * 10_000, b"\xff", b"{}", b'{"source":"a","source":"registrar"}'])
    def test_what_names_no_registrar_is_answered_to_nobody(self, value: bytes) -> None:
        hall = founded()
        (judged,) = hall.submit((value, ROOT_KEYS[0].sign(Typ.EVENT, value).encode()))

        assert (judged.verdict, judged.value) == (None, b"")

    def test_a_root_key_writes_into_nobodys_inbox(self) -> None:
        hall = founded()
        office = Office(agency=HOTLINE, bus=BUS, keys=ROOT_KEYS[:1])
        step = hall.core.step([_record(hall, change(hall.directory, office))], INBOXES)

        assert not [write for write in step.writes if write.topic.startswith("inbox.")]


def _record(hall: Hall, submitted: tuple[bytes, bytes]) -> Record:
    return Record(0, hall.offset, NOW, None, submitted[0], ((H_SIGNATURE, submitted[1]),))


class TestState:
    def test_a_restart_knows_what_was_committed(self) -> None:
        hall = founded()
        hall.submit(change(hall.directory, policy=POLICY.model_copy(update={"window_ms": HOUR})))
        other = hall.restored()

        assert other.directory == hall.directory
        assert (other.core.after, other.core.position()) == (hall.core.after, 2)
        assert other.core.size() == hall.core.size() > 0
        # And whose key is whose.
        stolen = founding.entry(SCHOOL).model_copy(update={"id": "new-z"})
        assert other.submit(change(other.directory, agencies=[stolen]))[0].code is Code.REPEATED_KEY

    def test_a_step_that_is_dropped_leaves_no_trace(self) -> None:
        hall = founded()
        before = (hall.directory, hall.core.after, hall.core.size())
        record = _record(hall, change(hall.directory))
        one, other = (hall.core.step([record], INBOXES) for _ in range(2))

        assert (hall.directory, hall.core.after, hall.core.size()) == before
        assert one.writes == other.writes

    def test_a_directory_without_changes_is_none(self) -> None:
        hall = Hall()

        assert (hall.core.directory(), hall.core.position()) == (None, None)

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            pytest.param(b"school-e", None, id="an entry removed"),
            pytest.param(HEAD_KEY.encode(), b"{}", id="no head"),
            pytest.param(b"school-e", b"{}", id="no entry"),
            pytest.param(b"\xff", b"{}", id="no key"),
            pytest.param(POSITION_KEY, b"{}", id="no position"),
        ],
    )
    def test_a_state_of_another_format_stops_it(self, key: bytes, value: bytes | None) -> None:
        with pytest.raises(Fatal):
            founded().core.restore(key, value)

    def test_a_state_that_the_root_did_not_sign_stops_it(self) -> None:
        hall = founded()
        hall.state = [(key, value) for key, value in hall.state if key != b"school-e"]

        with pytest.raises(Fatal):
            hall.restored().core.directory()

    @given(st.binary(max_size=40), st.binary(max_size=60))
    def test_any_record_of_the_state_is_taken_or_stops_it(self, key: bytes, value: bytes) -> None:
        try:
            Hall().core.restore(key, value)
        except Fatal as fatal:
            assert fatal.code in (Code.STATE_FORMAT, Code.ENTRY_VANISHED)

    def test_an_agency_may_be_called_what_it_likes(self) -> None:
        # The reserved record's key is no agency's.
        hall = founded()
        key = SigningKey.from_seed(bytes([78]) * 32)
        agency = founding.entry(SCHOOL).model_copy(
            update={"id": "position", "keys": (founding.event_record("position", key),)}
        )
        assert hall.submit(change(hall.directory, agencies=[agency]))[0].code is Code.ACCEPTED

        assert hall.restored().directory.member("position") is not None


def test_a_change_of_the_largest_size_fits_the_ledger() -> None:
    value, _ = founding.founded()
    assert len(value) < CHANGE_MAX < topics.BATCH_MAX
    assert Change.decode(value).data.head.head.version == 1

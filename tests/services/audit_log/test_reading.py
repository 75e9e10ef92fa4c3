from dataclasses import replace

import pytest

from audit_log.core.places import NOWHERE, Place
from audit_log.core.reading import LedgerReader, Taken, about
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.encoding import sha256
from referral_contracts.errors import Fatal, LocalError
from referral_contracts.records import Record
from tests.services.audit_log.ledger import FakePartition, opening
from tests.services.referral_router.founding import BUS, HOTLINE, WARD, directory


def read(record: Record, place: Place = NOWHERE) -> Taken | None:
    return LedgerReader(BUS, 0).read(record, place, directory())


def with_header(record: Record, name: str, value: bytes) -> Record:
    return replace(record, headers=tuple((key, value if key == name else old) for key, old in record.headers))


def test_a_decision_is_taken_with_all_that_goes_into_its_leaf() -> None:
    value = opening(1)
    record, *_ = FakePartition(0).write([value, opening(2)])
    headers = dict(record.headers)

    taken = read(record)

    assert taken is not None
    assert (taken.signature, taken.value, taken.decision, taken.path, taken.root) == (
        headers["signature"],
        value,
        headers["decision"],
        headers["path"],
        headers["root"],
    )
    assert (taken.counter, taken.event, taken.code) == (1, sha256(value), "accepted")
    assert taken.about is not None
    assert taken.about.parties == (HOTLINE, WARD)


def test_the_records_of_several_batches_follow_each_other() -> None:
    partition, reader, place = FakePartition(0), LedgerReader(BUS, 0), NOWHERE
    records = [*partition.write([opening(n) for n in range(5)]), *partition.write([opening(9)])]
    for record in records:
        taken = reader.read(record, place, directory())
        assert taken is not None
        place = Place(record.offset + 1, taken.counter, taken.chain)

    assert (place.counter, place.chain) == (6, partition.chain)


def test_a_tick_is_nothing_to_log() -> None:
    partition = FakePartition(0)
    partition.tick()

    assert read(partition.records[0]) is None


@pytest.mark.parametrize("name", [topics.H_DECISION, topics.H_PATH, topics.H_ROOT])
@pytest.mark.parametrize("how", ["flipped", "cut", "empty"])
def test_what_the_router_did_not_write_stops_the_log(name: str, how: str) -> None:
    record, *_ = FakePartition(0).write([opening(1), opening(2)])
    value = dict(record.headers)[name] or b""
    broken = {"flipped": value[:-9] + bytes([value[-9] ^ 1]) + value[-8:], "cut": value[:-1], "empty": b""}[how]

    with pytest.raises(Fatal) as stopped:
        read(with_header(record, name, broken))

    assert stopped.value.code is Code.BAD_DECISION


def test_other_bytes_than_were_decided_on_stop_the_log() -> None:
    record, *_ = FakePartition(0).write([opening(1)])

    with pytest.raises(Fatal) as stopped:
        read(replace(record, value=opening(2)))

    assert stopped.value.code is Code.BAD_DECISION


def test_another_partitions_decision_stops_the_log() -> None:
    record, *_ = FakePartition(1).write([opening(1)])

    with pytest.raises(Fatal) as stopped:
        read(record)

    assert stopped.value.code is Code.BAD_DECISION


def test_a_missing_decision_is_a_gap() -> None:
    _, second = FakePartition(0).write([opening(1), opening(2)])

    with pytest.raises(Fatal) as stopped:
        read(second)

    assert stopped.value.code is Code.LOG_GAP


def test_a_ledger_that_was_made_anew_is_rolled_back() -> None:
    first, second = FakePartition(0).write([opening(1), opening(2)])
    taken = read(first)
    assert taken is not None
    other, other_second = FakePartition(0).write([opening(3), opening(4)])

    for record in (first, other, other_second):
        with pytest.raises(Fatal) as stopped:
            read(record, Place(1, taken.counter, taken.chain))
        assert stopped.value.code is Code.LEDGER_ROLLED_BACK
    assert read(second, Place(1, taken.counter, taken.chain)) is not None


@pytest.mark.parametrize(("start", "end", "code"), [(0, 4, Code.LEDGER_ROLLED_BACK), (6, 9, Code.POSITION_LOST)])
def test_a_place_has_to_lie_within_the_ledger(start: int, end: int, code: Code) -> None:
    place = Place(5, 5, b"x" * 32)
    place.check_within(0, 5)
    place.check_within(5, 5)

    with pytest.raises(Fatal) as stopped:
        place.check_within(start, end)

    assert stopped.value.code is code


def test_a_newer_directory_is_waited_for() -> None:
    partition = FakePartition(0)
    record, *_ = partition.write([opening(1)])
    leaf = (dict(record.headers)[topics.H_DECISION] or b"").replace(b'"directory":1', b'"directory":2')

    with pytest.raises(LocalError) as waits:
        read(with_header(record, topics.H_DECISION, leaf))

    assert waits.value.code is Code.DIRECTORY_BEHIND


@pytest.mark.parametrize(
    "value",
    [b"", b"[]", b"\xff", b'{"type":1}', opening(1).replace(b'"recipients":["', b'"recipients":[{},"'), b"1" * 5000],
)
def test_a_refusals_bytes_may_be_anything(value: bytes) -> None:
    assert about(value) is None

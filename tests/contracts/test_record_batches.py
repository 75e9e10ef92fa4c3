from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.codes import Code
from referral_contracts.errors import Fatal
from referral_contracts.record_batches import Batch, committed, read, split
from referral_contracts.records import Record

Told = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]
"""Key, value, headers."""

optional = st.none() | st.binary(max_size=200)
headers = st.lists(st.tuples(st.text(max_size=10), optional), max_size=4)
told = st.lists(st.tuples(optional, optional, headers), min_size=1, max_size=6)


def batch_of(records: Sequence[Told], *, producer: int = -1, base: int = 0, codec: int = 0) -> bytes:
    """Return a batch as a producer builds it, at the offset where a broker put it."""
    builder = DefaultRecordBatchBuilder(
        2,
        codec,
        is_transactional=producer >= 0,
        producer_id=producer,
        producer_epoch=0,
        base_sequence=0,
        batch_size=1 << 20,
    )
    for nth, (key, value, named) in enumerate(records):
        builder.append(nth, timestamp=1_000 + nth, key=key, value=value, headers=named)
    return base.to_bytes(8, "big") + bytes(builder.build())[8:]


def marker(producer: int, which: bytes, base: int) -> bytes:
    """Return what ends a transaction."""
    made = bytearray(batch_of([(which, b"\x00\x00\x00\x00\x00\x00", [])], producer=producer, base=base))
    made[22] |= 0x20
    made[17:21] = calc_crc32c(bytes(made[21:])).to_bytes(4, "big")
    return bytes(made)


def all_of(data: bytes) -> list[Record]:
    return [record for batch in split(data) for record in read(batch, 7)]


@given(told)
def test_records_are_read_as_kafkas_own_clients_read_them(records: list[Told]) -> None:
    data = batch_of(records, base=40)
    theirs = [
        (record.offset, record.timestamp, record.key, record.value, tuple(record.headers))
        for record in DefaultRecordBatch(data)
    ]
    found = all_of(data)

    assert theirs == [(record.offset, record.stamp_ms, record.key, record.value, record.headers) for record in found]
    assert {(7, 0, None)} == {(record.partition, record.stamp_type, record.fault) for record in found}


def test_a_batch_tells_its_offsets_its_sum_and_how_it_is_packed() -> None:
    data = batch_of([(None, b"one", []), (None, b"two", [])], base=9, codec=1, producer=5)
    (batch,) = split(data)

    assert (batch.base_offset, batch.next_offset, batch.count) == (9, 11, 2)
    assert batch.checksum == calc_crc32c(batch.summed)
    assert batch.codec == 1
    assert batch.transactional
    assert not batch.control
    assert batch.producer_id == 5


def test_the_brokers_stamp_holds_for_the_whole_batch() -> None:
    made = bytearray(batch_of([(None, b"one", []), (None, b"two", [])]))
    made[22] |= 0x08
    made[35:43] = (5_000).to_bytes(8, "big")

    assert [(record.stamp_ms, record.stamp_type) for record in all_of(bytes(made))] == [(5_000, 1), (5_000, 1)]


def test_a_header_whose_name_is_not_utf8_marks_its_record_and_no_other() -> None:
    records: list[Told] = [(None, b"a", []), (None, b"b", [("?", b"1"), ("ok", b"2")]), (None, b"c", [("ok", None)])]
    found = all_of(batch_of(records).replace(b"?", b"\xff"))

    assert [record.value for record in found] == [b"a", b"b", b"c"]
    assert [record.fault for record in found] == [None, Code.MALFORMED_RECORD, None]
    assert found[1].headers == (("\\xff", b"1"), ("ok", b"2"))


def test_a_batch_that_is_cut_off_is_left_for_the_next_time() -> None:
    data = batch_of([(None, b"one", [])]) + batch_of([(None, b"two", [])], base=1)

    assert [record.value for record in all_of(data[:-1])] == [b"one"]
    assert all_of(data[:11]) == []


def test_what_was_aborted_is_left_out_and_so_are_the_markers() -> None:
    data = b"".join(
        [
            batch_of([(None, b"1 aborted", [])], producer=1, base=0),
            batch_of([(None, b"2 kept", [])], producer=2, base=1),
            batch_of([(None, b"plain", [])], base=2),
            batch_of([(None, b"1 aborted too", [])], producer=1, base=3),
            marker(1, b"\x00\x00\x00\x00", 4),
            batch_of([(None, b"1 kept", [])], producer=1, base=5),
            marker(2, b"\x00\x00\x00\x01", 6),
            marker(1, b"\x00\x00\x00\x01", 7),
        ]
    )
    found = [record.value for batch in committed(split(data), [(1, 0)]) for record in read(batch, 0)]

    assert found == [b"2 kept", b"plain", b"1 kept"]


def valued(data: bytes) -> list[Record] | Code:
    try:
        return all_of(data)
    except Fatal as fault:
        return fault.code


@given(st.binary(max_size=300))
def test_any_bytes_are_records_or_our_error(data: bytes) -> None:
    valued(data)


@given(told, st.data())
def test_any_damage_to_a_batch_gives_records_or_our_error(records: list[Told], data: Any) -> None:
    made = bytearray(batch_of(records))
    for _ in range(data.draw(st.integers(1, 4))):
        made[data.draw(st.integers(0, len(made) - 1))] = data.draw(st.integers(0, 255))

    valued(bytes(made))


@pytest.mark.parametrize("length", [0, 1, 48])
def test_a_batch_too_short_to_be_one_is_refused(length: int) -> None:
    with pytest.raises(Fatal):
        list(split(b"\x00" * 8 + length.to_bytes(4, "big") + b"\x00" * 100))


def test_a_repr_shows_no_content() -> None:
    (batch,) = split(batch_of([(b"key", b"secret", [])]))

    assert isinstance(batch, Batch)
    assert "secret" not in repr(batch)

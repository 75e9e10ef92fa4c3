import pytest
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.record_batches import read, split
from referral_contracts.records import Write
from service_chassis.batches import Batch, checksum

PRODUCER = (1 << 40, 7)
NOW_MS = 1_795_374_638_216

names = st.text(max_size=70)
contents = st.none() | st.binary(max_size=200)
headers = st.lists(st.tuples(names, st.binary(max_size=200)), max_size=4).map(tuple)
writes = st.lists(st.builds(Write, st.just("topic"), st.just(0), contents, contents, headers), min_size=1, max_size=8)


def built(some: list[Write]) -> bytes:
    batch = Batch(NOW_MS)
    assert all(batch.append(write) for write in some)
    assert batch.count == len(some)
    return b"".join(batch.build(PRODUCER, 99))


@given(writes)
def test_a_batch_is_what_aiokafka_would_have_built(some: list[Write]) -> None:
    builder = DefaultRecordBatchBuilder(
        2, 0, is_transactional=1, producer_id=-1, producer_epoch=-1, base_sequence=0, batch_size=1_000_000
    )
    for number, write in enumerate(some):
        assert builder.append(number, NOW_MS, write.key, write.value, list(write.headers)) is not None
    builder.set_producer_state(*PRODUCER, 99)
    theirs = bytearray(builder.build())
    # The leader's epoch is the broker's to write; aiokafka leaves 0, Java's client -1.
    theirs[12:16] = b"\xff" * 4

    assert built(some) == bytes(theirs)


@given(writes)
def test_its_records_come_out_as_they_went_in(some: list[Write]) -> None:
    (whole,) = split(built(some))
    found = [(record.key, record.value, record.headers, record.stamp_ms) for record in read(whole, 0)]

    assert found == [(write.key, write.value, write.headers, NOW_MS) for write in some]
    assert whole.transactional


@pytest.mark.parametrize("size", [0, 1, 63, 64, 8_191, 8_192, 16_384, 32_767, 32_768, 300_000, 2_000_000])
def test_lengths_of_every_size(size: int) -> None:
    frame = built([Write("topic", 0, b"k", b"v" * size)])
    (record,) = DefaultRecordBatch(frame)

    assert record.value == b"v" * size


def test_a_full_batch_takes_no_more_and_an_empty_one_takes_anything() -> None:
    large, small = Write("topic", 0, None, b"v" * 500), Write("topic", 0, None, b"v")
    batch = Batch(NOW_MS, 300)

    assert batch.append(large)
    assert not batch.append(small)
    assert batch.count == 1


def test_a_batch_never_grows_over_its_limit() -> None:
    batch = Batch(NOW_MS, 300)
    while batch.append(Write("topic", 0, b"key", b"v" * 40)):
        pass

    assert 300 - 60 < sum(map(len, batch.build(PRODUCER, 0))) <= 300


@given(writes, st.data())
def test_a_checksum_tells_every_changed_byte(some: list[Write], data: st.DataObject) -> None:
    frame = bytearray(built(some))
    batch = DefaultRecordBatch(bytes(frame))
    assert checksum(bytes(frame)) == batch.crc
    assert batch.validate_crc()

    frame[data.draw(st.integers(21, len(frame) - 1))] ^= 1

    assert checksum(bytes(frame)) != DefaultRecordBatch(bytes(frame)).crc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.codes import Code
from referral_contracts.errors import Fatal
from referral_contracts.records import LOG_APPEND_TIME, Record
from service_chassis.decoding import Entry, Kind, decode, decode_entries, without_aborted
from tests.services.service_chassis.batches import Headers, Raw, marker, stamped, stored, transactional, type_of_stamp

GZIP = 1


def records(data: bytes, *, offset: int = 0, inflate: bool = False) -> list[Record]:
    pieces = decode(data, partition=3, offset=offset, inflate=inflate)
    return [record for piece in pieces for record in piece.records]


def entries(data: bytes, *, offset: int = 0) -> list[Entry]:
    return [entry for piece in decode_entries(data, offset=offset) for entry in piece.records]


def test_a_record_keeps_everything_the_broker_stored() -> None:
    data = stored([b"value"], base=7, headers=[("a", b"1"), ("a", None)])

    assert records(data) == [
        Record(3, 7, 1_000, b"key", b"value", (("a", b"1"), ("a", None)), stamp_type=LOG_APPEND_TIME)
    ]


def test_the_senders_own_stamp_is_told_apart() -> None:
    assert [record.stamp_type for record in records(stored([b"v"], attributes=0))] == [0]


def test_null_key_and_null_value_stay_null() -> None:
    (record,) = records(stored([None], key=None))

    assert (record.key, record.value) == (None, None)


def test_records_before_the_offset_that_was_asked_for_are_left_out() -> None:
    assert [record.offset for record in records(stored([b"a", b"b", b"c"], base=5), offset=6)] == [6, 7]


def test_a_batch_that_is_cut_off_is_left_for_the_next_fetch() -> None:
    data = stored([b"a"]) + stored([b"b"], base=1)

    assert [record.value for record in records(data[:-1])] == [b"a"]


def test_a_header_key_that_is_not_utf8_marks_its_record_and_no_other() -> None:
    bad = stored([b"bad", b"bad"], base=1, headers=[(Raw.of(b"\xff"), b"v")])
    found = records(stored([b"good"]) + bad + stored([b"good"], base=3))

    assert [record.fault for record in found] == [None, Code.MALFORMED_RECORD, Code.MALFORMED_RECORD, None]
    assert [record.value for record in found] == [b"good", b"bad", b"bad", b"good"]
    assert found[1].headers == (("\\xff", b"v"),)
    assert found[1].stamp_type == LOG_APPEND_TIME


def test_a_compressed_batch_is_not_inflated_where_the_broker_has_to_store_it_inflated() -> None:
    data = stored([b"a" * 1000], codec=GZIP)

    with pytest.raises(Fatal, match=Code.TOPIC_MISCONFIGURED):
        records(data)

    assert [record.value for record in records(data, inflate=True)] == [b"a" * 1000]


def test_a_wrong_checksum_stops_the_reader() -> None:
    data = bytearray(stored([b"value"]))
    data[-3] ^= 1

    with pytest.raises(Fatal, match=Code.MALFORMED_RECORD):
        records(bytes(data))


def test_the_end_of_a_transaction_is_told() -> None:
    data = stored([b"a"], attributes=type_of_stamp | transactional, producer_id=9)
    pieces = decode(data + marker(base=1, producer_id=9, commit=True), partition=0, offset=0, inflate=False)

    assert [(piece.kind, piece.producer_id, piece.next_offset) for piece in pieces] == [
        (Kind.DATA, 9, 1),
        (Kind.COMMIT, 9, 2),
    ]


def test_what_belongs_to_an_aborted_transaction_is_left_out_but_its_offsets_count() -> None:
    def data(producer: int, base: int) -> bytes:
        return stored([b"%d" % base], base=base, attributes=type_of_stamp | transactional, producer_id=producer)

    log = (
        data(1, 0)
        + data(2, 1)
        + marker(base=2, producer_id=1, commit=False)
        + data(1, 3)
        + marker(base=4, producer_id=1, commit=True)
        + marker(base=5, producer_id=2, commit=True)
        + data(2, 6)
        + marker(base=7, producer_id=2, commit=False)
    )
    pieces = list(without_aborted(decode(log, partition=0, offset=0, inflate=True), [(2, 6), (1, 0)]))

    assert [record.value for piece in pieces for record in piece.records] == [b"1", b"3"]
    assert [piece.next_offset for piece in pieces] == list(range(1, 9))


@pytest.mark.parametrize("codec", [1, 2, 3, 4, 5, 7])
def test_a_compressed_batch_that_cannot_be_read_stops_the_reader(codec: int) -> None:
    data = stored([b"not compressed at all"], attributes=type_of_stamp | codec)

    with pytest.raises(Fatal, match=Code.MALFORMED_RECORD):
        records(data, inflate=True)


@given(
    values=st.lists(st.none() | st.binary(max_size=40), min_size=1, max_size=5),
    names=st.lists(st.binary(max_size=8), max_size=3),
    base=st.integers(0, 2**40),
)
def test_whatever_an_agency_stores_becomes_records(values: list[bytes | None], names: list[bytes], base: int) -> None:
    found = records(stored(values, base=base, headers=[(Raw.of(name), None) for name in names]))

    assert [record.value for record in found] == values
    assert [record.offset for record in found] == [base + nth for nth in range(len(values))]


@given(data=st.binary(max_size=300), damage=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=8))
def test_bytes_are_records_or_our_error(data: bytes, damage: list[tuple[int, int]]) -> None:
    batch = bytearray(stored([b"value", None], headers=[("name", b"content")]) + data)
    for at, byte in damage:
        batch[at % len(batch)] = byte
    try:
        records(bytes(batch), inflate=True)
    except Fatal as error:
        assert error.code in {Code.MALFORMED_RECORD, Code.TOPIC_MISCONFIGURED}


@given(body=st.binary(max_size=60), count=st.integers(-3, 5))
def test_records_with_a_right_checksum_are_records_or_our_error(body: bytes, count: int) -> None:
    batch = bytearray(stored([b"value"]))[:61] + bytearray(body)
    batch[8:12] = (len(batch) - 12).to_bytes(4, "big")
    batch[57:61] = count.to_bytes(4, "big", signed=True)
    try:
        records(stamped(batch, base=0, attributes=0))
    except Fatal as error:
        assert error.code == Code.MALFORMED_RECORD


@given(
    values=st.lists(st.none() | st.binary(max_size=40), min_size=1, max_size=5),
    names=st.lists(st.binary(max_size=8), max_size=3),
    codec=st.sampled_from([0, GZIP]),
    key=st.none() | st.binary(max_size=8),
    offset=st.integers(0, 12),
)
def test_the_entries_of_a_state_are_its_records(
    values: list[bytes | None], names: list[bytes], codec: int, key: bytes | None, offset: int
) -> None:
    headers: Headers = [(Raw.of(name), None) for name in names if not codec]
    data = (
        stored(values, base=5, headers=headers, codec=codec, key=key, attributes=transactional, producer_id=9)
        + marker(base=5 + len(values), producer_id=9, commit=True)
        + stored(values, base=6 + len(values), headers=headers, key=key)
    )
    wanted = list(decode(data, partition=0, offset=offset, inflate=True))
    found = list(decode_entries(data, offset=offset))

    assert [[(record.offset, record.key, record.value) for record in piece.records] for piece in wanted] == [
        piece.records or [] for piece in found
    ]
    assert [(piece.kind, piece.next_offset, piece.producer_id) for piece in wanted] == [
        (piece.kind, piece.next_offset, piece.producer_id) for piece in found
    ]


def test_an_entry_that_lies_elsewhere_is_put_where_the_broker_put_it() -> None:
    batch = bytearray(stored([b"a", b"b"], base=5))
    # The first record's own place, after its length, attributes and time: 40 instead of 0.
    assert batch[61:65] == bytes([batch[61], 0, 0, 0])
    batch[64] = 80
    data = stamped(batch, base=5, attributes=type_of_stamp)

    assert entries(data) == [(5, b"key", b"a"), (6, b"key", b"b")]
    assert entries(data) == [(record.offset, record.key, record.value) for record in records(data)]


def test_a_state_with_a_wrong_checksum_is_not_read() -> None:
    data = bytearray(stored([b"value"]))
    data[-3] ^= 1

    with pytest.raises(Fatal, match=Code.MALFORMED_RECORD):
        entries(bytes(data))


@pytest.mark.parametrize("codec", [1, 2, 3, 4, 5, 7])
def test_a_compressed_state_that_cannot_be_read_is_not_taken_for_an_empty_one(codec: int) -> None:
    data = stored([b"not compressed at all"], attributes=type_of_stamp | codec)

    with pytest.raises(Fatal, match=Code.MALFORMED_RECORD):
        entries(data)


@given(data=st.binary(max_size=300), damage=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=8))
def test_bytes_are_entries_or_our_error(data: bytes, damage: list[tuple[int, int]]) -> None:
    batch = bytearray(stored([b"value", None]) + data)
    for at, byte in damage:
        batch[at % len(batch)] = byte
    try:
        entries(bytes(batch))
    except Fatal as error:
        assert error.code in {Code.MALFORMED_RECORD, Code.TOPIC_MISCONFIGURED}

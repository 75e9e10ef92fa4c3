import io

import pytest
from aiokafka import errors as kafka_errors
from aiokafka.protocol.fetch import FetchRequest_v10, FetchResponse_v10
from hypothesis import given
from hypothesis import strategies as st

from service_chassis.fetching import FETCH, fetch_request, fetched

numbers = st.integers(0, 2**31 - 1)
offsets = st.integers(0, 2**63 - 1)
topics = st.text("abü.-", min_size=1, max_size=40)


def answer(
    *, error: int = 0, topic: str = "t", code: int = 0, aborted: list[tuple[int, int]] | None = None, data: bytes = b""
) -> memoryview:
    row = (3, code, 40, 30, 10, aborted, data)
    return memoryview(FetchResponse_v10(0, error, 0, [(topic, [row])]).encode())


@given(topics, numbers, offsets, numbers, numbers, st.integers(0, 1))
def test_a_request_is_read_as_it_was_meant(
    topic: str, partition: int, offset: int, most: int, wait_ms: int, isolation: int
) -> None:
    body = fetch_request(topic, partition, offset, most=most, wait_ms=wait_ms, isolation=isolation)
    stream = io.BytesIO(body)
    asked = FetchRequest_v10.decode(stream)

    assert (FetchRequest_v10.API_KEY, FetchRequest_v10.API_VERSION) == FETCH
    assert not stream.read()
    assert asked.encode() == body
    assert (asked.max_wait_time, asked.min_bytes, asked.max_bytes, asked.isolation_level) == (
        wait_ms,
        1,
        most,
        isolation,
    )
    assert asked.topics == [(topic, [(partition, -1, offset, -1, most)])]


@given(topics, st.lists(st.tuples(offsets, offsets), max_size=5), st.binary(max_size=300))
def test_an_answer_is_read_as_it_was_meant(topic: str, aborted: list[tuple[int, int]], data: bytes) -> None:
    found = fetched(answer(topic=topic, aborted=aborted, data=data))

    assert (found.high_watermark, found.stable, found.aborted) == (40, 30, aborted)
    assert bytes(found.data) == data


def test_no_list_of_aborted_transactions_is_an_empty_one() -> None:
    assert fetched(answer(aborted=None, data=b"x")).aborted == []


@pytest.mark.parametrize("where", ["error", "code"])
def test_an_error_is_raised_as_kafkas(where: str) -> None:
    errno = kafka_errors.OffsetOutOfRangeError.errno
    told = answer(error=errno) if where == "error" else answer(code=errno)

    with pytest.raises(kafka_errors.OffsetOutOfRangeError):
        fetched(told)


def test_an_answer_that_says_nothing_is_asked_for_again() -> None:
    with pytest.raises(kafka_errors.RequestTimedOutError):
        fetched(memoryview(FetchResponse_v10(0, 0, 0, []).encode()))


@given(st.integers(0, 90))
def test_an_answer_that_is_cut_off_is_an_error(size: int) -> None:
    with pytest.raises(kafka_errors.KafkaError):
        fetched(answer(data=b"x" * 32)[:size])

"""
Fetch, as Kafka's protocol guide has it in version 10: the first that hands out every compression.

One partition a request, no fetch session. What is stored comes as a view of the answer: it is copied once, later, batch
by batch.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka import errors as kafka_errors

from service_chassis.wire import check, string

FETCH: Final = (1, 10)
_ASKED: Final = struct.Struct(">iiiibiii")
"""Replica (none), longest wait, least and most bytes, isolation, session and its epoch (none), one topic."""
_PARTITION: Final = struct.Struct(">iiiqqii")
"""One partition: number, leader epoch (unknown), offset, log start (none), most bytes; no forgotten topics."""
_NONE: Final = -1
_ANSWERED: Final = struct.Struct(">ihii")
"""Throttled for, error, session, number of topics."""
_FOUND: Final = struct.Struct(">iihqqqi")
"""Number of partitions, partition, error, high watermark, last stable offset, log start, aborted transactions."""
_ABORTED: Final = struct.Struct(">qq")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a broker has of a partition from an offset on."""

    high_watermark: int
    stable: int
    """The first offset that an open transaction may still change."""
    aborted: Sequence[tuple[int, int]]
    """Producer and first offset of each transaction among it that was aborted."""
    data: memoryview


def fetch_request(topic: str, partition: int, offset: int, *, most: int, wait_ms: int, isolation: int) -> bytes:
    """Return a request's body: what *topic* holds in *partition* from *offset* on."""
    asked = _ASKED.pack(_NONE, wait_ms, 1, most, isolation, 0, _NONE, 1)
    return b"".join((asked, string(topic), _PARTITION.pack(1, partition, _NONE, offset, _NONE, most, 0)))


def fetched(answer: memoryview) -> Fetched:
    """
    Return what *answer* says.

    Raises:
        KafkaError: The broker's. RequestTimedOutError where it says nothing: that is what a throttled client gets.
    """
    try:
        _, code, _, topics = _ANSWERED.unpack_from(answer)
        check(code)
        if not topics:
            raise kafka_errors.RequestTimedOutError
        at = _ANSWERED.size
        at += 2 + int.from_bytes(answer[at : at + 2], "big")
        _, _, code, high, stable, _, count = _FOUND.unpack_from(answer, at)
        check(code)
        at += _FOUND.size
        aborted = [_ABORTED.unpack_from(answer, at + number * _ABORTED.size) for number in range(count)]
        at += len(aborted) * _ABORTED.size
        (size,) = struct.unpack_from(">i", answer, at)
    except struct.error:
        raise kafka_errors.KafkaError("an answer that cannot be read") from None
    data = answer[at + 4 :]
    if len(data) != max(size, 0):
        raise kafka_errors.KafkaError("an answer that is not as long as it says")
    return Fetched(high, stable, aborted, data)

"""Record batches as no client builds them and Kafka 4.0 stores them all the same, without a word."""

import struct
from collections.abc import Mapping, Sequence
from typing import Final

from aiokafka import AIOKafkaClient, TopicPartition
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.util import calc_crc32c

from reaching import operator_of

_HIGH: Final = 0x70
"""In the fifth byte of a length: four times 2³² and more. A broker keeps 32 bits of it."""


def varint(number: int) -> bytes:
    """Return *number* as a record spells it."""
    left = (number << 1) ^ (number >> 63)
    spelled = bytearray()
    while left >= 0x80:
        spelled.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*spelled, left])


def overlong(number: int) -> bytes:
    """Return what a broker takes for *number*, and another reader for thousands of millions."""
    return bytes([number << 1 | 0x80, 0x80, 0x80, 0x80, _HIGH])


def record(*parts: bytes, size: bytes | None = None, attributes: int = 0) -> bytes:
    """Return a record of *parts*, with its length before it."""
    body = bytes([attributes]) + b"".join(parts)
    return (varint(len(body)) if size is None else size) + body


def simple(place: int, value: bytes, *, attributes: int = 0) -> bytes:
    """Return a record that says of itself that it lies at this place of its batch."""
    return record(varint(0), varint(place), varint(-1), varint(len(value)) + value, varint(0), attributes=attributes)


def batch(records: Sequence[bytes], *, base: int = 0, attributes: int = 0) -> bytes:
    """Return a batch of *records*; the broker gives it its base and its stamp."""
    last = len(records) - 1
    head = struct.pack(">hiqqqhii", attributes, last, 0, 1_000, -1, -1, -1, len(records))
    summed = head + b"".join(records)
    body = struct.pack(">ibI", -1, 2, calc_crc32c(summed)) + summed
    return struct.pack(">qi", base, len(body)) + body


_KEY: Final = varint(1) + b"k"
_VALUE: Final = varint(1) + b"v"
_NO_HEADERS: Final = varint(0)
_HERE: Final = varint(0) + varint(0)
"""No later than its batch, at its first place."""

STORED: Final[Mapping[str, Sequence[bytes]]] = {
    "far ahead": [simple(0, b"v"), simple(1_000_000, b"v")],
    "further than a position goes": [simple(2**31 + 5, b"v")],
    "far behind": [simple(-1_000_000, b"v"), simple(1, b"v")],
    "all in one place": [simple(0, b"v"), simple(0, b"v")],
    "backwards": [simple(1, b"v"), simple(0, b"v")],
    "attributes that nobody knows": [simple(0, b"v", attributes=0xFF)],
    "a negative key": [record(_HERE, varint(-2), _VALUE, _NO_HEADERS)],
    "a negative value": [record(_HERE, _KEY, varint(-2), _NO_HEADERS)],
    "an overlong key": [record(_HERE, overlong(1), b"k", _VALUE, _NO_HEADERS)],
    "an overlong value": [record(_HERE, _KEY, overlong(1), b"v", _NO_HEADERS)],
    "overlong headers": [record(_HERE, _KEY, _VALUE, overlong(0))],
    "an overlong name": [record(_HERE, _KEY, _VALUE, varint(1), overlong(1), b"h", varint(-1))],
    "an overlong header": [record(_HERE, _KEY, _VALUE, varint(1), varint(1) + b"h", overlong(1), b"x")],
    "an overlong place": [record(varint(0), overlong(0), _KEY, _VALUE, _NO_HEADERS)],
    "an overlong time": [record(b"\xff" * 9 + b"\x7f", varint(0), _KEY, _VALUE, _NO_HEADERS)],
    "an overlong record": [
        record(_HERE, _KEY, _VALUE, _NO_HEADERS, size=overlong(8)),
        simple(1, b"v"),
    ],
}
"""What a broker was seen to store. Each is one batch."""


async def store(bootstrap: str, topic: str, batches: Sequence[bytes]) -> None:
    """Hand *batches* to partition 0 of *topic*, one after the other, past every client that would build them well."""
    client = AIOKafkaClient(**operator_of(bootstrap).connection)
    await client.bootstrap()
    try:
        await client.add_topic(topic)
        for data in batches:
            leader = client.cluster.leader_for_partition(TopicPartition(topic, 0))
            answer = await client.send(leader, ProduceRequest(None, -1, 10_000, [(topic, [(0, data)])]))
            assert answer.topics[0][1][0][1] == 0
    finally:
        await client.close()

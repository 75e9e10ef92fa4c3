"""
Kafka's record batches, format 2, as a transaction of ours stores them: uncompressed, and copied once.

`referral_contracts.record_batches` reads them; what is said there of the format is not said again.
"""

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import google_crc32c

from referral_contracts.records import Write
from referral_contracts.topics import BATCH_MAX

_FRAME: Final = struct.Struct(">qiibI")
"""Base offset, length, leader epoch, format, checksum."""
_SUMMED: Final = struct.Struct(">hiqqqhii")
"""Attributes, last offset, base and maximum time, producer, epoch, sequence, count: what the checksum begins with."""
_FORMAT: Final = 2
_TRANSACTIONAL: Final = 0x10
_NO_EPOCH: Final = -1
_UNCOUNTED: Final = 12
"""The length does not count base offset and itself."""


def checksum(frame: bytes) -> int:
    """Return the checksum that the batch *frame* must have."""
    return int(google_crc32c.value(frame[_FRAME.size :]))


class Batch:
    """A record batch being built, for one partition."""

    __slots__ = ("_limit", "_now_ms", "_pieces", "_size", "count")

    def __init__(self, now_ms: int, limit: int = BATCH_MAX) -> None:
        """Stamp its records with *now_ms*; take *limit* bytes, or one record, however large."""
        self._now_ms = now_ms
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = _FRAME.size + _SUMMED.size
        self.count = 0
        """Its records."""

    def append(self, write: Write) -> bool:
        """Add a record, or return False because the batch is full."""
        key, value, headers = write.key, write.value, write.headers
        # A record's own attributes have no meaning, and all have the batch's time.
        pieces = [b"\x00\x00", _varint(self.count)]
        pieces += (_NULL,) if key is None else (_varint(len(key)), key)
        pieces += (_NULL,) if value is None else (_varint(len(value)), value)
        pieces.append(_varint(len(headers)))
        for name, content in headers:
            pieces += (_name(name), _varint(len(content)), content)
        length = sum(map(len, pieces))
        prefix = _varint(length)
        length += len(prefix)
        if self._pieces and self._size + length > self._limit:
            return False
        self._pieces.append(prefix)
        self._pieces += pieces
        self._size += length
        self.count += 1
        return True

    def build(self, producer: tuple[int, int], sequence: int, *, transactional: bool = True) -> Sequence[bytes]:
        """
        Return its bytes, in two pieces, as records of *producer*, id and epoch, from *sequence* on.

        Args:
            transactional: Whether they count only once a transaction is committed.
        """
        records = b"".join(self._pieces)
        attributes = _TRANSACTIONAL if transactional else 0
        summed = _SUMMED.pack(attributes, self.count - 1, self._now_ms, self._now_ms, *producer, sequence, self.count)
        crc = google_crc32c.extend(google_crc32c.value(summed), records)
        frame = _FRAME.pack(0, self._size - _UNCOUNTED, _NO_EPOCH, _FORMAT, crc)
        return frame + summed, records


def _encoded(number: int) -> bytes:
    # Zigzag of what is not negative, seven bits a byte, the lowest first.
    left, found = number << 1, bytearray()
    while left > 0x7F:
        found.append(left & 0x7F | 0x80)
        left >>= 7
    found.append(left)
    return bytes(found)


_NULL: Final = b"\x01"
_VARINTS: Final = tuple(map(_encoded, range(1 << 15)))
"""Every length of nearly every event, ready made."""


def _varint(number: int) -> bytes:
    return _VARINTS[number] if number < len(_VARINTS) else _encoded(number)


@lru_cache(maxsize=64)
def _name(name: str) -> bytes:
    encoded = name.encode("utf-8")
    return _encoded(len(encoded)) + encoded

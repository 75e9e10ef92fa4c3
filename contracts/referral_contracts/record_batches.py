"""
Kafka's record batches, format 2, as a broker hands them out; read so that nothing stored in one stops its reader.

Kafka's clients give up on a whole batch when one header's name is not UTF-8, for ever. Here such a record comes out
marked with a fault, and its neighbours come out whole. Checksums and compression are the caller's affair.

A broker looks at little of what is in a batch. It stores lengths that others read otherwise, and takes over the place
that each record claims to have; by that a reader would jump out of the log, and be lost. The batch's own frame the
broker writes itself: what does not fit into it is a fault, at the place that is left for it.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from referral_contracts.codes import Code
from referral_contracts.errors import Fatal
from referral_contracts.records import Record

_FRAME: Final = struct.Struct(">qi")
"""Base offset and length: what comes before a batch's own bytes."""
_HEADER: Final = struct.Struct(">ibIhiqqqhii")
"""Leader epoch, format, checksum, attributes, last offset, base and maximum time, producer, epoch, sequence, count."""
_RECORDS_AT: Final = _FRAME.size + _HEADER.size
_SUMMED_AT: Final = 21
"""The checksum covers a batch from its attributes on."""
_CODEC: Final = 0x07
_STAMPED: Final = 0x08
_TRANSACTIONAL: Final = 0x10
_CONTROL: Final = 0x20
_MARKER: Final = struct.Struct(">hh")
_FORMAT: Final = 2
_VARINT_BYTES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One batch of the log."""

    base_offset: int
    next_offset: int
    attributes: int
    base_ms: int
    max_ms: int
    producer_id: int
    count: int
    checksum: int
    """CRC-32C of `summed`."""
    frame: bytes = field(repr=False)

    @property
    def summed(self) -> bytes:
        """What the checksum is over."""
        return self.frame[_SUMMED_AT:]

    @property
    def codec(self) -> int:
        """How the records are compressed; 0 is not at all."""
        return self.attributes & _CODEC

    @property
    def stamp_type(self) -> int:
        """1 where the broker stamped the records, 0 where their sender did."""
        return 1 if self.attributes & _STAMPED else 0

    @property
    def control(self) -> bool:
        """Whether it is the log's own: the end of a transaction, not records."""
        return bool(self.attributes & _CONTROL)

    @property
    def transactional(self) -> bool:
        """Whether its records belong to a transaction of `producer_id`."""
        return bool(self.attributes & _TRANSACTIONAL)


def split(data: bytes) -> Iterator[Batch]:
    """
    Yield the batches in *data*. The last one may be cut off; it is left out.

    Raises:
        Fatal: Not batches of format 2: not what a broker stores.
    """
    at = 0
    while len(data) - at >= _FRAME.size:
        base, length = _FRAME.unpack_from(data, at)
        stop = at + _FRAME.size + length
        if length < _HEADER.size:
            raise Fatal(Code.MALFORMED_RECORD, "a record batch that is too short")
        if stop > len(data):
            return
        frame = data[at:stop]
        _, magic, checksum, attributes, last, base_ms, max_ms, producer, _, _, count = _HEADER.unpack_from(
            frame, _FRAME.size
        )
        if magic != _FORMAT or last < 0 or count < 0:
            raise Fatal(Code.MALFORMED_RECORD, "a record batch of an unknown format")
        yield Batch(
            base_offset=base,
            next_offset=base + last + 1,
            attributes=attributes,
            base_ms=base_ms,
            max_ms=max_ms,
            producer_id=producer,
            count=count,
            checksum=checksum,
            frame=frame,
        )
        at = stop


def committed(batches: Iterable[Batch], aborted: Iterable[tuple[int, int]]) -> Iterator[Batch]:
    """Leave out markers and what belongs to *aborted* transactions: pairs of producer and first offset."""
    waiting = sorted(aborted, key=lambda pair: pair[1], reverse=True)
    dropped: set[int] = set()
    for batch in batches:
        while waiting and waiting[-1][1] < batch.next_offset:
            dropped.add(waiting.pop()[0])
        if batch.control:
            if _is_abort(batch):
                dropped.discard(batch.producer_id)
        elif not (batch.transactional and batch.producer_id in dropped):
            yield batch


def _is_abort(batch: Batch) -> bool:
    for record in read(batch, 0):
        # Version and kind; 0 aborts, 1 commits, the others are not about transactions.
        return record.key is not None and len(record.key) >= _MARKER.size and _MARKER.unpack_from(record.key)[1] == 0
    return False


def read(batch: Batch, partition: int) -> Iterator[Record]:
    """
    Yield the records of an uncompressed *batch*, ascending; one that cannot be decoded carries a fault.

    Raises:
        Fatal: More records than it has room for, which a broker refuses to store.
    """
    frame, at, least = batch.frame, _RECORDS_AT, batch.base_offset
    if batch.count > min(batch.next_offset - batch.base_offset, len(frame)):
        raise Fatal(Code.MALFORMED_RECORD, "a record batch that the broker should have refused")
    for left in range(batch.count, 0, -1):
        try:
            start, at = _cut(frame, at)
            record = _record(batch, frame[start:at], partition)
        except _UnreadableError:
            record = _faulty(batch, partition, least)
        # Where nothing was compacted away there is one place for each.
        place = min(max(record.offset, least), batch.next_offset - left)
        yield record if place == record.offset else replace(record, offset=place, fault=Code.MALFORMED_RECORD)
        least = place + 1


def _cut(frame: bytes, at: int) -> tuple[int, int]:
    """Return where the record at *at* begins and ends. Behind one whose end is not known no other can be read."""
    size, start = _varint(frame, at)
    if not 0 <= size <= len(frame) - start:
        raise _UnreadableError
    return start, start + size


def _faulty(batch: Batch, partition: int, offset: int) -> Record:
    stamp_ms, stamp_type = batch.max_ms, batch.stamp_type
    return Record(partition, offset, stamp_ms, None, None, (), stamp_type, Code.MALFORMED_RECORD)


def _record(batch: Batch, data: bytes, partition: int) -> Record:
    # The first byte, a record's own attributes, has no meaning.
    delta_ms, at = _varint(data, 1)
    nth, at = _varint(data, at)
    key, at = _field(data, at)
    value, at = _field(data, at)
    count, at = _varint(data, at)
    headers: list[tuple[str, bytes | None]] = []
    fault = None
    for _ in range(count):
        name, at = _field(data, at)
        content, at = _field(data, at)
        try:
            headers.append(((name or b"").decode("utf-8"), content))
        except UnicodeDecodeError:
            headers.append(((name or b"").decode("utf-8", "backslashreplace"), content))
            fault = Code.MALFORMED_RECORD
    stamp_ms = batch.max_ms if batch.stamp_type else batch.base_ms + delta_ms
    return Record(partition, batch.base_offset + nth, stamp_ms, key, value, tuple(headers), batch.stamp_type, fault)


def _field(data: bytes, at: int) -> tuple[bytes | None, int]:
    size, at = _varint(data, at)
    if size < 0:
        return None, at
    if at + size > len(data):
        raise _UnreadableError
    return data[at : at + size], at + size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    found = 0
    for nth, byte in enumerate(data[at : at + _VARINT_BYTES]):
        found |= (byte & 0x7F) << (7 * nth)
        if byte < 0x80:
            return (found >> 1) ^ -(found & 1), at + nth + 1
    raise _UnreadableError


class _UnreadableError(Exception):
    """A record has another structure than we read: a length of 2⁶⁰, say, of which the broker saw the low bits only."""

"""
Bytes of the log to records. No I/O, and nothing an agency can store makes it raise for ever.

aiokafka decodes a whole batch at once, gives up on it when one header key is not UTF-8, and believes each record where
it lies. A batch that it gives up on, or whose records do not lie where the broker put them, is read again by the
contracts' own reader, and the record at fault is marked.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import Any, Final, Generic, TypeAlias, TypeVar

from aiokafka.record.default_records import DefaultRecordBatch

from referral_contracts.codes import Code
from referral_contracts.errors import Fatal
from referral_contracts.record_batches import read, split
from referral_contracts.records import Record
from service_chassis.batches import checksum

_FRAME: Final = struct.Struct(">qi")
_MAGIC_AT: Final = 16
_RECORDS_AT: Final = 61
_MARKER: Final = struct.Struct(">hh")
_CODEC: Final = 0x07


Entry: TypeAlias = tuple[int, bytes | None, bytes | None]
"""Offset, key and value: all that a state is made of. A whole `Record` takes three times as long."""

ReadT = TypeVar("ReadT")


class Kind(Enum):
    """What a batch of the log is."""

    DATA = "data"
    COMMIT = "commit"
    ABORT = "abort"


@dataclass(frozen=True, slots=True)
class Piece(Generic[ReadT]):
    """One record batch of the log, from the offset that was asked for."""

    kind: Kind
    next_offset: int
    producer_id: int | None
    """Whose transaction it belongs to, or None."""
    records: Sequence[ReadT] = ()


def decode(data: bytes | memoryview, *, partition: int, offset: int, inflate: bool) -> Iterator[Piece[Record]]:
    """
    Yield the batches in *data*, without the records before *offset*. The last one may be cut off; it is left out.

    Raises:
        Fatal: The bytes are not what the broker stored, or compressed although *inflate* is False. The broker is told
            to store input inflated; a batch that is not may be a bomb.
    """
    for batch, frame in _batches(data, inflate=inflate):
        if batch.is_control_batch:
            yield _marker(batch)
        else:
            yield Piece(Kind.DATA, batch.next_offset, _owner(batch), _records(batch, frame, partition, offset))


def decode_entries(data: bytes | memoryview, *, offset: int) -> Iterator[Piece[Entry]]:
    """
    Yield the batches in *data* as `decode` does, compressed ones too, with no more of each record than a state needs.

    Raises:
        Fatal: The bytes are not what the broker stored.
    """
    for batch, frame in _batches(data, inflate=True):
        if batch.is_control_batch:
            yield _marker(batch)
        else:
            yield Piece(Kind.DATA, batch.next_offset, _owner(batch), _entries(batch, frame, offset))


def _batches(data: bytes | memoryview, *, inflate: bool) -> Iterator[tuple[DefaultRecordBatch, bytes]]:
    """Yield each whole batch in *data* once its checksum is found right, and its bytes."""
    at, end = 0, len(data)
    while end - at >= _FRAME.size:
        _, length = _FRAME.unpack_from(data, at)
        stop = at + _FRAME.size + length
        if stop > end:
            return
        frame = bytes(data[at:stop])
        at = stop
        if len(frame) < _RECORDS_AT or frame[_MAGIC_AT] != 2:
            raise Fatal(Code.TOPIC_MISCONFIGURED, "a record batch of an unknown format")
        batch = DefaultRecordBatch(frame)
        if checksum(frame) != batch.crc:
            raise Fatal(Code.MALFORMED_RECORD, "a record batch with a wrong checksum")
        if batch.attributes & _CODEC and not inflate:
            raise Fatal(Code.TOPIC_MISCONFIGURED, "compressed records, where the broker has to store them inflated")
        yield batch, frame


def _owner(batch: DefaultRecordBatch) -> int | None:
    return batch.producer_id if batch.is_transactional else None


def without_aborted(pieces: Iterator[Piece[ReadT]], aborted: Sequence[tuple[int, int]]) -> Iterator[Piece[ReadT]]:
    """Leave out what belongs to *aborted* transactions: pairs of producer and first offset, as the broker lists."""
    waiting = sorted(aborted, key=lambda pair: pair[1])
    dropped: set[int] = set()
    for piece in pieces:
        while waiting and waiting[0][1] < piece.next_offset:
            dropped.add(waiting.pop(0)[0])
        if piece.kind is Kind.ABORT and piece.producer_id is not None:
            dropped.discard(piece.producer_id)
        if piece.kind is Kind.DATA and piece.producer_id in dropped:
            yield Piece(Kind.DATA, piece.next_offset, piece.producer_id)
        else:
            yield piece


def _marker(batch: DefaultRecordBatch) -> Piece[Any]:
    kind = Kind.ABORT
    for record in batch:
        _, which = _MARKER.unpack_from(record.key)
        # 0 aborts, 1 commits; the others (a leader's change) are not about transactions.
        kind = Kind.COMMIT if which == 1 else Kind.ABORT if which == 0 else Kind.DATA
    return Piece(kind, batch.next_offset, batch.producer_id)


def _records(batch: DefaultRecordBatch, frame: bytes, partition: int, offset: int) -> list[Record]:
    stamp_type = batch.timestamp_type
    try:
        found = [
            Record(
                partition,
                record.offset,
                record.timestamp,
                record.key,
                record.value,
                tuple(record.headers),
                stamp_type,
            )
            for record in batch
        ]
    except Exception as error:  # noqa: BLE001 (aiokafka's, and those of the codecs)
        found = _given_up(batch, error)
    if not _in_place([record.offset for record in found], batch):
        found = _again(frame, partition)
    return [record for record in found if record.offset >= offset] if batch.base_offset < offset else found


def _entries(batch: DefaultRecordBatch, frame: bytes, offset: int) -> list[Entry]:
    try:
        found = [(record.offset, record.key, record.value) for record in batch]
    except Exception as error:  # noqa: BLE001 (as above)
        found = _given_up(batch, error)
    if not _in_place([place for place, _, _ in found], batch):
        found = [(record.offset, record.key, record.value) for record in _again(frame, 0)]
    return [entry for entry in found if entry[0] >= offset] if batch.base_offset < offset else found


def _given_up(batch: DefaultRecordBatch, error: Exception) -> list[Any]:
    """Return nothing: an uncompressed *batch* can be read another way."""
    if batch.attributes & _CODEC:
        # Codecs raise what they like; what we read inflating, our own services wrote.
        raise Fatal(Code.MALFORMED_RECORD, "a compressed record batch that cannot be read") from error
    return []


def _again(frame: bytes, partition: int) -> list[Record]:
    (whole,) = split(frame)
    return list(read(whole, partition))


def _in_place(places: list[int], batch: DefaultRecordBatch) -> bool:
    """Whether each record of a *batch* lies where the broker put it, and not where its sender says that it does."""
    if batch.attributes & _CODEC:
        # Only we write such, and nobody else could read them.
        return True
    if len(places) == batch.next_offset - batch.base_offset:
        return places == list(range(batch.base_offset, batch.next_offset))
    # Some were compacted away, or none could be read.
    ascending = all(one < other for one, other in pairwise(places))
    return bool(places) and ascending and batch.base_offset <= places[0] and places[-1] < batch.next_offset

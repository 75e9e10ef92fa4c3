"""Record batches as a broker stores them, built by aiokafka's own builder and stamped as a broker does."""

import struct
from collections.abc import Sequence

from aiokafka.record.default_records import DefaultRecordBatchBuilder, _DefaultRecordBatchBuilderPy
from aiokafka.record.util import calc_crc32c

type_of_stamp = 0x08
transactional = 0x10
control = 0x20

Headers = list[tuple[str, bytes | None]]


class Raw(str):
    """A header key with bytes of its own: one character of Latin-1 for each."""

    __slots__ = ()

    @classmethod
    def of(cls, raw: bytes) -> "Raw":
        return cls(raw.decode("latin-1"))

    def encode(self, *_: object) -> bytes:
        return super().encode("latin-1")


def stored(
    values: Sequence[bytes | None],
    *,
    base: int = 0,
    headers: Headers | None = None,
    attributes: int = type_of_stamp,
    producer_id: int = -1,
    codec: int = 0,
    key: bytes | None = b"key",
    stamp_ms: int = 1_000,
) -> bytes:
    """Return one batch that starts at offset *base*."""
    raw = any(isinstance(name, Raw) for name, _ in headers or [])
    kind = _DefaultRecordBatchBuilderPy if raw else DefaultRecordBatchBuilder
    builder = kind(2, codec, 0, producer_id, 0, 0, 1 << 20)
    for nth, value in enumerate(values):
        builder.append(nth, stamp_ms, key, value, headers or [])
    return stamped(bytearray(builder.build()), base=base, attributes=attributes)


def marker(*, base: int, producer_id: int, commit: bool) -> bytes:
    """Return the control batch that ends a transaction."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, producer_id, 0, 0, 1 << 20)
    builder.append(0, 1_000, struct.pack(">hh", 0, int(commit)), struct.pack(">hi", 0, 0), [])
    return stamped(bytearray(builder.build()), base=base, attributes=transactional | control)


def stamped(batch: bytearray, *, base: int, attributes: int) -> bytes:
    """Return *batch* with what a broker adds: the offset, the attributes, the checksum over them."""
    (before,) = struct.unpack_from(">h", batch, 21)
    struct.pack_into(">q", batch, 0, base)
    struct.pack_into(">h", batch, 21, before | attributes)
    struct.pack_into(">I", batch, 17, calc_crc32c(bytes(batch[21:])))
    return bytes(batch)

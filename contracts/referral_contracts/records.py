"""
A Kafka record, as plain values: what a core reads and what it wants written.

The broker's own types stop at the chassis and at the SDK's transport.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from referral_contracts.codes import Code

LOG_APPEND_TIME: Final = 1
"""The stamp type of a topic whose broker stamps each record itself."""

Headers: TypeAlias = tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One record as the broker stored it."""

    partition: int
    offset: int
    stamp_ms: int
    """The record's timestamp, milliseconds since the epoch."""
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    stamp_type: int = LOG_APPEND_TIME
    fault: Code | None = None
    """Set when the record could not be decoded, or when what follows from it could not be produced."""


@dataclass(frozen=True, slots=True)
class Write:
    """One record to produce. The partition is always said."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()

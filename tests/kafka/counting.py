"""
A fold that is easy to check: it counts the records of each key and writes each count to two topics.

What it writes names the input offset and the count, so every loss, repetition and lost update shows.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from referral_contracts.codes import Code
from referral_contracts.records import Record, Write
from referral_contracts.topics import POSITION_KEY
from service_chassis.fold import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """The topics of one test."""

    prefix: str

    @property
    def inputs(self) -> str:
        return f"{self.prefix}.in"

    @property
    def first(self) -> str:
        return f"{self.prefix}.first"

    @property
    def second(self) -> str:
        """One partition for all: every lane writes here at the same time."""
        return f"{self.prefix}.second"

    @property
    def state(self) -> str:
        return f"{self.prefix}.state"

    def source(self, **changes: Any) -> Source:
        """Return what makes a processor count."""
        return Source(
            topic=self.inputs,
            state_topic=self.state,
            state_partition=lambda partition: partition,
            fold=lambda partition: Counting(self, partition, **changes),
        )


@dataclass(frozen=True, slots=True)
class Counted:
    """What a step leads to."""

    position: int
    writes: Sequence[Write]
    counts: Mapping[bytes, int]


@dataclass(slots=True)
class Counting:
    """The counts of one partition."""

    topics: Topics
    partition: int
    wait: list[Code | None] = field(default_factory=lambda: [None])
    """What `waits` says; a test changes it."""
    counts: dict[bytes, int] = field(default_factory=dict)
    at: int | None = None
    restore_s: float = 0
    """What a restored record costs, for a restore that takes long."""

    def restore(self, key: bytes, value: bytes | None) -> None:
        if self.restore_s:
            time.sleep(self.restore_s)
        if key == POSITION_KEY:
            self.at = self.position_in(value or b"")
        else:
            self.counts[key] = int(value or b"0")

    def position(self) -> int | None:
        return self.at

    def position_in(self, value: bytes) -> int:
        return int(value)

    def waits(self, now_ms: int) -> Code | None:
        return self.wait[0]

    async def step(self, records: Sequence[Record], now_ms: int) -> Counted:
        counts: dict[bytes, int] = {}
        writes = []
        for record in records:
            if record.value == b"raise":
                raise ZeroDivisionError
            key = record.key or b"none"
            count = counts.get(key, self.counts.get(key, 0)) + 1
            counts[key] = count
            said = json.dumps([record.partition, record.offset, key.decode(), count, record.fault]).encode()
            writes.append(Write(self.topics.first, self.partition, key, said + _padding(record)))
            writes.append(Write(self.topics.second, 0, key, said, (("kind", b"count"),)))
            if record.value == b"to:nowhere" and not record.fault:
                writes.append(Write(f"{self.topics.prefix}.nowhere", 0, key, said))
        position = records[-1].offset + 1
        writes += [Write(self.topics.state, self.partition, key, b"%d" % count) for key, count in counts.items()]
        writes.append(Write(self.topics.state, self.partition, POSITION_KEY, b"%d" % position))
        return Counted(position, writes, counts)

    def merge(self, step: Counted) -> None:
        self.counts.update(step.counts)
        self.at = step.position

    def size(self) -> int:
        return len(self.counts)


def _padding(record: Record) -> bytes:
    """Return spaces as many as the record asks for, unless it is known that they cannot be stored."""
    value = record.value or b""
    return b" " * int(value.removeprefix(b"pad:")) if value.startswith(b"pad:") and not record.fault else b""

"""
The decisions of one batch: numbered, chained, signed once, and turned into records.

Nothing here judges. What was judged comes in order; `finish` signs the root over all leaves and gives the writes.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Final, TypeAlias

from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.decisions import (
    SALT_SIZE,
    Standing,
    decision_leaf,
    delivery_leaf,
    sign_batch,
    verdict_leaf,
)
from referral_contracts.encoding import format_time
from referral_contracts.keys import SigningKey
from referral_contracts.merkle import leaf_hash
from referral_contracts.records import LOG_APPEND_TIME, Write
from referral_contracts.topics import agency_of
from referral_router.core.examine import Examined
from referral_router.core.position import Position

_SALTS: Final = 256
"""Salts drawn at a time: a batch of fifty events to three recipients."""

Salts: TypeAlias = Callable[[int, int], Sequence[bytes]]
"""``sealing.random_salts``: how many, how long."""

Headers: TypeAlias = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Which partition this is, and who decides on it."""

    bus: str
    partition: int
    """The partition of the ledger and of the state: the input's own, or one past them for the directory."""
    key: SigningKey
    salts: Salts


_Pending: TypeAlias = tuple[str, int, bytes | None, bytes | None, Headers, int | None]
"""A `Write` without its proof, and the number of the leaf that is to be proven. Six an event: a tuple, for 2 µs."""


class Ledger:
    """One batch's decisions in the making."""

    def __init__(self, lane: Lane, before: Position, directory: int) -> None:
        """Go on after *before*; the batch is judged by this version of the directory."""
        self.lane = lane
        self.codes: Counter[Code] = Counter()
        self.exercises: Counter[Code] = Counter()
        self.position = before.position
        self.admitted_ms = before.admitted_ms
        self.admitted = format_time(before.admitted_ms)
        self.directory = directory
        self.floor_ms = before.floor_ms
        self._chain = before.chain
        self._counter = before.counter
        self._hashes: list[bytes] = []
        self._pending: list[_Pending] = []
        self._salt = self._draw()

    def _draw(self) -> Iterator[bytes]:
        return chain.from_iterable(self.lane.salts(_SALTS, SALT_SIZE) for _ in repeat(None))

    def admit(self, found: Examined) -> None:
        """Take the next record: time moves on, and so does the position."""
        record = found.record
        # What the broker did not stamp says nothing about the time.
        if record.stamp_type == LOG_APPEND_TIME and record.stamp_ms > self.admitted_ms:
            self.admitted_ms = record.stamp_ms
            self.admitted = format_time(record.stamp_ms)
        self.position = record.offset + 1

    def tick(self, found: Examined) -> None:
        """Pass on a tick: no decision, no counter, but what was before it is before it in the ledger too."""
        headers = (
            (topics.H_KIND, topics.KIND_TICK),
            *_signature(found),
            (topics.H_ADMITTED, self.admitted.encode("ascii")),
        )
        self._pending.append((topics.LEDGER, self.lane.partition, None, found.record.value, headers, None))

    def decide(self, found: Examined, code: Code, case: int | None) -> bytes:
        """Write the decision on *found* and return its hash."""
        record = found.record
        stamped = record.stamp_type == LOG_APPEND_TIME and record.stamp_ms != self.admitted_ms
        size = 0 if record.value is None else len(record.value)
        self._counter += 1
        leaf = decision_leaf(
            admitted=self.admitted,
            bus=self.lane.bus,
            case=case,
            code=code,
            counter=self._counter,
            directory=self.directory,
            event=found.event,
            offset=record.offset,
            partition=self.lane.partition,
            previous=self._chain,
            salt=next(self._salt),
            size=size,
            stamp=format_time(record.stamp_ms) if stamped else self.admitted,
        )
        self._chain = leaf_hash(leaf)
        practised = found.envelope is not None and found.envelope.exercise
        (self.exercises if practised else self.codes)[code] += 1
        # Of what nobody is known to have said only hash, size and offset are kept: they are in the decision.
        # Not even its key: that too is a place to put a child's name in.
        value = b"" if found.sender is None else record.value
        headers = ((topics.H_KIND, topics.KIND_EVENT), *_signature(found), (topics.H_DECISION, leaf))
        self._add(topics.LEDGER, self.lane.partition, found.case_key, value, headers, self._chain)
        return self._chain

    @property
    def counter(self) -> int:
        """The number of the last decision."""
        return self._counter

    def deliver(self, found: Examined, recipient: str, subject: str, counter: int, restored: int) -> None:
        """Write one recipient's copy."""
        leaf = delivery_leaf(
            admitted=self.admitted,
            bus=self.lane.bus,
            counter=counter,
            event=found.event,
            partition=self.lane.partition,
            recipient=recipient,
            restored=restored,
            salt=next(self._salt),
            subject=subject,
        )
        headers = ((topics.H_KIND, topics.KIND_DELIVERY), *_signature(found), (topics.H_DELIVERY, leaf))
        self._add(topics.inbox(agency_of(recipient)), 0, found.case_key, found.record.value, headers, leaf_hash(leaf))

    def answer(self, found: Examined, code: Code, decision: bytes, standing: Standing) -> None:
        """Write the sender's verdict."""
        if found.sender is None:
            return
        envelope = found.envelope
        leaf = verdict_leaf(
            admitted=self.admitted,
            bus=self.lane.bus,
            clock_offset_ms=0 if envelope is None else envelope.time_ms - found.record.stamp_ms,
            code=code,
            counter=self._counter,
            decision=decision,
            event=found.event,
            event_id=found.sender.id,
            partition=self.lane.partition,
            salt=next(self._salt),
            standing=standing,
            subject=found.sender.subject,
        )
        headers = ((topics.H_KIND, topics.KIND_VERDICT),)
        self._add(topics.inbox(found.sender.source), 0, found.case_key, leaf, headers, leaf_hash(leaf))

    def _add(  # noqa: PLR0917 - a record's own five parts, in Kafka's order, and its proof
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        leaf: bytes,
    ) -> None:
        self._pending.append((topic, partition, key, value, headers, len(self._hashes)))
        self._hashes.append(leaf)

    def finish(self, state: Sequence[Write]) -> tuple[Position, list[Write]]:
        """Sign the batch; return where the partition stands after it, and everything to produce."""
        after = Position(
            position=self.position,
            admitted_ms=self.admitted_ms,
            chain=self._chain,
            counter=self._counter,
            directory=self.directory,
            floor_ms=self.floor_ms,
        )
        lane = self.lane
        paths, root = self._proofs()
        signed = (topics.H_ROOT, root)
        writes = []
        for topic, partition, key, value, headers, leaf in self._pending:
            proof = () if leaf is None else ((topics.H_PATH, paths[leaf]), signed)
            writes.append(Write(topic, partition, key, value, headers + proof))
        writes.extend(state)
        writes.append(Write(topics.STATE, lane.partition, topics.POSITION_KEY, after.encode()))
        return after, writes

    def _proofs(self) -> tuple[Sequence[bytes], bytes]:
        if not self._hashes:
            return (), b""
        batch = sign_batch(self._hashes, bus=self.lane.bus, partition=self.lane.partition, key=self.lane.key)
        return batch.paths, batch.root


def _signature(found: Examined) -> Headers:
    # The very bytes that were parsed, not written again: once in the ledger, once for each recipient.
    return () if found.signature is None else ((topics.H_SIGNATURE, found.record.headers[0][1] or b""),)

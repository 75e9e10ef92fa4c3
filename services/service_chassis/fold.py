"""
What a service gives the processor: the state of one input partition, and a pure step over it.

Protocols only. The processor calls them from one task per partition, never twice at a time.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from referral_contracts.codes import Code
from referral_contracts.records import Record, Write


class Step(Protocol):
    """What follows from some records: nothing of it has happened until the transaction is committed."""

    @property
    def position(self) -> int:
        """The next input offset once this step has happened."""

    @property
    def writes(self) -> Sequence[Write]:
        """Every record to produce, the state's and the reserved position record among them."""


StepT = TypeVar("StepT", bound=Step)


class Fold(Protocol[StepT]):
    """The state of one partition and the pure step over it."""

    def restore(self, key: bytes, value: bytes | None) -> None:
        """
        Take one record of the state topic, oldest first.

        It also comes on a state that is in use: after an unknown outcome, or when another owner had the partition
        for a while, the tail of the topic is what really happened.
        """

    def position(self) -> int | None:
        """Return the next input offset, from the reserved record; None says that the state is empty."""

    def position_in(self, value: bytes) -> int:
        """Return the next input offset that a reserved record names."""

    def waits(self, now_ms: int) -> Code | None:
        """Say why no step may be taken now, or None."""

    async def step(self, records: Sequence[Record], now_ms: int) -> StepT:
        """
        Decide what follows from *records* without changing the state.

        Raises:
            Fatal: Going on would lose or forge something; the partition stops with the code.
            ReferralBusError: Any other: not now; the same records come again, as if `waits` had said its code.
        """

    def merge(self, step: StepT) -> None:
        """Make the changes of *step* the state: its transaction is committed."""

    def size(self) -> int:
        """Return about how many bytes the state holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An input topic and what judges it."""

    topic: str
    state_topic: str
    state_partition: Callable[[int], int]
    """Where the state of an input partition lies. No two inputs may share one."""
    fold: Callable[[int], Fold[Any]]
    """A new, empty state for an input partition."""
    committed: bool = False
    """Whether our own services write the topic, in transactions: then only what was committed is read, and a record's
    stamp is its writer's and not looked at. What agencies write is read as it lies, and stamped by the broker."""
    beside: Callable[[Any], Awaitable[None]] | None = None
    """What runs beside a fold for as long as its partition is ours and its state whole; it must never end. It may look
    at the fold between two steps, and write only what does no harm when it is written twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much at a time and how long, with the reasons."""

    batch_records: int = 500
    batch_bytes: int = 4 * 1024 * 1024
    """A step blocks the loop while it decides: about 50 ms of work, far below a heartbeat. A transaction costs this
    process some 5 ms and the broker as much: with 1 MiB at a time that was a fifth of an event of 13 KB."""
    fetch_bytes: int = 4 * 1024 * 1024
    restore_bytes: int = 1024 * 1024
    """Of a state at a time: with 4 MiB four partitions that restore took 50 MB more, and no less time."""
    fetch_wait_ms: int = 250
    """How long the broker holds an empty answer: also how old the news of an idle partition may be."""
    stamp_ahead_ms: int = 2_000
    """A broker's clock may run ahead by this much: more would make answers look late."""
    transaction_s: float = 15.0
    """After this the outcome counts as unknown. Below the broker's own limit, `transaction_timeout_ms`."""
    transaction_timeout_ms: int = 20_000
    """The broker's: what a dead process leaves open holds up readers at most this long."""
    request_timeout_ms: int = 10_000
    session_timeout_ms: int = 6_000
    """How long a dead process keeps its partitions. A broker allows no less than this unless told to."""
    heartbeat_ms: int = 1_500
    report_s: float = 2.0
    """How often positions are committed to the group, for lag tools only."""
    keep_state_s: float = 600.0
    """How long a revoked partition keeps its state. Far below `delete.retention.ms` of the state topic: a longer
    absence could miss a deletion."""
    stall_s: float = 120.0
    """A step or transaction that takes longer than this is stuck."""
    first_contact_s: float = 60.0
    """Without a broker for this long after the start the process says that it is not alive."""
    grace_s: float = 3.0
    """How long a transaction in flight may take when the partition goes or the process stops."""

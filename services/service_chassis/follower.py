"""
A small topic, read to its end and followed, and how fresh that is.

What one transaction wrote is given to the callback at once and whole: a reader of the callback's result never sees half
of it. Freshness counts from when the broker was asked, not from when its answer was looked at: a process that was
stopped for an hour finds old answers waiting for it.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from aiokafka import TopicPartition
from aiokafka import errors as kafka_errors

from referral_contracts.codes import Code
from referral_contracts.errors import Fatal
from referral_contracts.records import Record
from service_chassis.decoding import Kind, Piece
from service_chassis.fold import Limits
from service_chassis.health import Trouble
from service_chassis.kafka import Kafka, close
from service_chassis.logs import Log
from service_chassis.reader import Chunk, PartitionReader

_BACKOFF_S: Final = 0.5


class Follower:
    """Follows one partition that our own services write."""

    def __init__(
        self,
        kafka: Kafka,
        tp: TopicPartition,
        take: Callable[[Sequence[Record]], None],
        *,
        limits: Limits,
        log: Log,
        settled: Callable[[], None] = lambda: None,
    ) -> None:
        """
        Prepare; nothing connects before `run`.

        Args:
            take: Is given the records of each transaction, in the order of their commits, from the beginning.
            settled: Is called each time that everything committed has been taken.
        """
        self._kafka = kafka
        self._tp = tp
        self._take = take
        self._limits = limits
        self._log = log
        self._settled = settled
        self._offset: int | None = None
        self._open: dict[int, list[Record]] = {}
        self._current_at: float | None = None

    def age_s(self) -> float:
        """Return for how long it has not been known to be current; infinite before it was for the first time."""
        if self._current_at is None:
            return float("inf")
        return asyncio.get_running_loop().time() - self._current_at

    def caught_up(self, within_ms: int) -> bool:
        """Return whether everything committed up to *within_ms* ago has been taken."""
        return self.age_s() * 1000 <= within_ms

    def trouble(self, within_ms: int) -> Trouble | None:
        """Say that it is behind by more than *within_ms*, or None."""
        return None if self.caught_up(within_ms) else Trouble(self._tp.topic, Code.TIMED_OUT)

    async def run(self) -> None:
        """Follow until cancelled; connect again whenever that fails."""
        while True:
            client = self._kafka.client(self._limits)
            try:
                await client.bootstrap()
                await self._follow(PartitionReader(client, self._tp, self._limits, committed=True))
            except (kafka_errors.KafkaError, OSError, TimeoutError, Fatal) as error:
                self._log.warning("follower-failed", topic=self._tp.topic, error=type(error).__name__)
            finally:
                await close(client)
            await asyncio.sleep(_BACKOFF_S)

    async def _follow(self, reader: PartitionReader) -> None:
        if self._offset is None:
            self._offset = (await reader.span()).start
        while True:
            self._absorb(await reader.fetch(self._offset, wait_ms=self._limits.fetch_wait_ms))
            await asyncio.sleep(0)

    def _absorb(self, chunk: Chunk) -> None:
        for piece in chunk.pieces:
            self._piece(piece)
        self._offset = chunk.next_offset
        if chunk.next_offset >= chunk.stable:
            # Nothing is open before the stable end: compaction may have taken a marker, what it ended stays ended.
            for records in self._open.values():
                self._take(records)
            self._open.clear()
        if chunk.at_end:
            self._current_at = chunk.asked_at
            self._settled()

    def _piece(self, piece: Piece[Record]) -> None:
        if piece.kind is Kind.DATA and piece.producer_id is None:
            if piece.records:
                self._take(piece.records)
        elif piece.kind is Kind.DATA and piece.producer_id is not None:
            self._open.setdefault(piece.producer_id, []).extend(piece.records)
        elif (
            piece.producer_id is not None
            and (records := self._open.pop(piece.producer_id, None))
            and piece.kind is Kind.COMMIT
        ):
            self._take(records)

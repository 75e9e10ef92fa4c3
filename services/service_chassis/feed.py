"""
The input of one partition: reads one fetch ahead, hands out bounded batches.

Backpressure is that nobody asks: at most one fetch waits beside what is pending.
"""

import asyncio
from collections import deque

from referral_contracts.records import Record
from service_chassis.fold import Limits
from service_chassis.reader import Chunk, PartitionReader


class Feed:
    """The records from a position on, in order, each once."""

    def __init__(self, reader: PartitionReader, position: int, limits: Limits) -> None:
        """Start reading at *position*; `close` it."""
        self._reader = reader
        self._limits = limits
        self._offset = position
        self._pending: deque[Record] = deque()
        self._ahead: asyncio.Task[Chunk] | None = None
        self.end = position
        """The end of the log as last heard: what the lag is counted from."""

    async def take(self, most: int, *, until: asyncio.Event) -> list[Record]:
        """Wait for input and return up to *most* records of a bounded size, or none when *until* is set first."""
        while not self._pending:
            ahead = self._fetch()
            waiter = asyncio.ensure_future(until.wait())
            try:
                await asyncio.wait((ahead, waiter), return_when=asyncio.FIRST_COMPLETED)
            finally:
                waiter.cancel()
            if until.is_set():
                return []
            self._absorb()
        if len(self._pending) < most and self._ahead is not None and self._ahead.done():
            self._absorb()
        batch: list[Record] = []
        size = 0
        while self._pending and len(batch) < most:
            size += len(self._pending[0].value or b"")
            if batch and size > self._limits.batch_bytes:
                break
            batch.append(self._pending.popleft())
        if len(self._pending) < most:
            self._fetch()
        return batch

    def put_back(self, records: list[Record]) -> None:
        """Take *records* back: they come first again."""
        self._pending.extendleft(reversed(records))

    @property
    def drained(self) -> bool:
        """Whether everything up to `end` has been handed out: behind the last record may lie a transaction's end."""
        return not self._pending and self._offset >= self.end

    @property
    def first(self) -> Record | None:
        """What comes next, if it is here."""
        return self._pending[0] if self._pending else None

    async def close(self) -> None:
        if self._ahead is not None:
            self._ahead.cancel()
            await asyncio.wait((self._ahead,))
            if not self._ahead.cancelled():
                self._ahead.exception()
            self._ahead = None

    def _fetch(self) -> "asyncio.Task[Chunk]":
        if self._ahead is None:
            fetch = self._reader.fetch(self._offset, wait_ms=self._limits.fetch_wait_ms)
            self._ahead = asyncio.create_task(fetch)
        return self._ahead

    def _absorb(self) -> None:
        if self._ahead is None:
            return
        chunk, self._ahead = self._ahead.result(), None
        self._offset, self.end = chunk.next_offset, chunk.high_watermark
        for piece in chunk.pieces:
            self._pending.extend(piece.records)

"""
One partition, read by offset. No group, no position, nothing read ahead, nothing reset.

A consumer of aiokafka hides three things that we must know: where a transaction ends, whether the end of the log was
reached (and as of when), and which record it could not decode. So this asks the broker itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from aiokafka import TopicPartition
from aiokafka import errors as kafka_errors
from aiokafka.protocol.offset import OffsetRequest

from referral_contracts.codes import Code
from referral_contracts.errors import Fatal
from referral_contracts.records import Record
from service_chassis.client import Client
from service_chassis.decoding import Entry, Piece, decode, decode_entries, without_aborted
from service_chassis.fetching import FETCH, Fetched, fetch_request, fetched
from service_chassis.fold import Limits
from service_chassis.wire import check

AnsweredT = TypeVar("AnsweredT")

_EARLIEST: Final = -2
_LATEST: Final = -1
_UNCOMMITTED: Final = 0
_COMMITTED: Final = 1
_BACKOFF_S: Final = (0.02, 0.05, 0.1, 0.2, 0.5)

# What a broker, a leader or a connection on its way out answers. It passes; asking again does no harm.
_PASSING: Final = (
    kafka_errors.BrokerNotAvailableError,
    kafka_errors.ReplicaNotAvailableError,
    kafka_errors.UnknownError,
    OSError,
    TimeoutError,
)


@dataclass(frozen=True, slots=True)
class Span:
    """The offsets a partition holds: *start* is the first, *end* the one after the last."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one fetch brought."""

    pieces: Sequence[Piece[Record]]
    next_offset: int
    """Where to read on."""
    high_watermark: int
    stable: int
    """The first offset that an open transaction may still change; without one the high watermark."""
    asked_at: float
    """The loop's time when the question was sent: the answer is at least as new."""

    @property
    def at_end(self) -> bool:
        """Whether everything that was committed when the broker answered has been read."""
        return self.next_offset >= self.high_watermark and self.stable >= self.high_watermark


class PartitionReader:
    """Reads one partition over *client*; waits out what passes by itself."""

    def __init__(self, client: Client, tp: TopicPartition, limits: Limits, *, committed: bool) -> None:
        """Read only what was *committed*, or everything that is stored."""
        self._client = client
        self._tp = tp
        self._limits = limits
        self._isolation = _COMMITTED if committed else _UNCOMMITTED
        # What is read committed, our own services wrote: no bomb, and the operator may compress it.
        self._inflate = committed
        self.trouble: Code | None = None
        """Why the broker does not answer at the moment, or None."""

    async def span(self) -> Span:
        """Return which offsets there are; the end of a committed reader is the last stable offset."""
        start = await self._offset(_EARLIEST, self._isolation)
        return Span(start, await self._offset(_LATEST, self._isolation))

    async def high_watermark(self) -> int:
        """Return the end of the log, open transactions included."""
        return await self._offset(_LATEST, _UNCOMMITTED)

    async def offset_at(self, time_ms: int) -> int:
        """Return the first offset that was stamped at *time_ms* or later, or the end where there is none."""
        found = await self._offset(time_ms, self._isolation)
        return found if found >= 0 else await self._offset(_LATEST, self._isolation)

    async def fetch(self, offset: int, *, wait_ms: int) -> Chunk:
        """
        Return what is stored from *offset* on, after at most *wait_ms* if that is nothing.

        Raises:
            Fatal: *offset* is not there any more, or not yet; or the bytes are broken.
        """
        asked_at = asyncio.get_running_loop().time()
        found = await self._stored(offset, self._limits.fetch_bytes, wait_ms)
        pieces = decode(found.data, partition=self._tp.partition, offset=offset, inflate=self._inflate)
        kept = tuple(without_aborted(pieces, found.aborted) if found.aborted else pieces)
        next_offset = kept[-1].next_offset if kept else offset
        return Chunk(kept, next_offset, found.high_watermark, found.stable, asked_at)

    async def entries(self, offset: int, *, wait_ms: int) -> Iterator[Piece[Entry]]:
        """
        Return the same for a state that is read: each batch is decoded when it is asked for, and soon forgotten.

        Raises:
            Fatal: As `fetch`; broken bytes are found when they are asked for.
        """
        found = await self._stored(offset, self._limits.restore_bytes, wait_ms)
        pieces = decode_entries(found.data, offset=offset)
        return without_aborted(pieces, found.aborted) if found.aborted else pieces

    async def _stored(self, offset: int, most: int, wait_ms: int) -> Fetched:
        topic, partition = self._tp
        request = fetch_request(topic, partition, offset, most=most, wait_ms=wait_ms, isolation=self._isolation)

        async def ask(leader: int) -> Fetched:
            wire = await self._client.wire(leader, self._tp)
            try:
                return fetched(await wire.ask(*FETCH, (request,)))
            except asyncio.CancelledError:
                # It took too long, and may be a connection on which nothing will ever come: the next asks on another.
                wire.close()
                raise

        found = await self._ask(ask)
        # An uncommitted reader passes over no open transaction.
        return found if self._isolation == _COMMITTED else replace(found, stable=found.high_watermark, aborted=())

    async def _offset(self, which: int, isolation: int) -> int:
        request = OffsetRequest(-1, isolation, [(self._tp.topic, [(self._tp.partition, which)])])

        async def ask(leader: int) -> int:
            return _listed(await self._client.send(leader, request))

        return await self._ask(ask)

    async def _ask(self, ask: Callable[[int], Awaitable[AnsweredT]]) -> AnsweredT:
        """Ask the leader until it answers; a leader that is silent is as good as away."""
        attempt = 0
        while True:
            try:
                async with asyncio.timeout(self._limits.request_timeout_ms / 1000):
                    answer = await ask(self._leader())
            except kafka_errors.OffsetOutOfRangeError:
                raise Fatal(Code.POSITION_LOST, "the log does not hold the position") from None
            except (kafka_errors.KafkaError, *_PASSING) as error:
                if isinstance(error, kafka_errors.TopicAuthorizationFailedError):
                    self.trouble = Code.NOT_AUTHORISED
                if not (isinstance(error, _PASSING) or getattr(error, "retriable", False)):
                    raise
                missing = isinstance(error, kafka_errors.UnknownTopicOrPartitionError)
                self.trouble = Code.TOPIC_MISSING if missing else Code.BROKER_AWAY
                await asyncio.sleep(_BACKOFF_S[min(attempt, len(_BACKOFF_S) - 1)])
                attempt += 1
                await self._client.force_metadata_update()
            else:
                self.trouble = None
                return answer

    def _leader(self) -> int:
        self._client.add_topic(self._tp.topic)
        leader: int | None = self._client.cluster.leader_for_partition(self._tp)
        if self._tp.topic in self._client.cluster.unauthorized_topics:
            # It would be looked for until somebody gives the right.
            raise kafka_errors.TopicAuthorizationFailedError
        if leader is None:
            raise kafka_errors.UnknownTopicOrPartitionError
        if leader == -1:
            raise kafka_errors.LeaderNotAvailableError
        return leader


def _listed(response: Any) -> int:  # noqa: ANN401 (aiokafka's protocol is untyped)
    ((_, ((_, code, _, offset),)),) = response.topics
    check(code)
    return int(offset)

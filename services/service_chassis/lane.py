"""
One input partition while it is ours: fence, read the end, restore, then batch after batch, one transaction each.

Its order is what makes it exactly once. (1) InitProducerId fences whoever had the partition and ends their last
transaction. (2) Only then the end of the state topic is asked for. (3) The state is read up to there. (4) Input is read
from the position that the state names. (5) A step's changes join the state after its transaction is committed.
After any error the lane starts again at (1): what the state topic holds then has happened, the rest has not.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka import errors as kafka_errors

from referral_contracts.codes import Code
from referral_contracts.errors import Fatal, ReferralBusError
from referral_contracts.records import LOG_APPEND_TIME, Record
from service_chassis.client import Client
from service_chassis.feed import Feed
from service_chassis.fold import Fold, Source
from service_chassis.health import Trouble
from service_chassis.kafka import close, discard
from service_chassis.kit import Kit, Ownership
from service_chassis.reader import PartitionReader
from service_chassis.restore import restore
from service_chassis.transaction import Fenced, Known, Transactions, Unproducible

_BACKOFF_S: Final = (0.01, 0.1, 0.3, 1.0, 2.0)
_BUGS: Final = 3
"""So many errors in a row that are not about Kafka: the same step will not get better."""
_AWAIT_S: Final = 0.1
_ABOUT_KAFKA: Final = (kafka_errors.KafkaError, OSError, TimeoutError, Fenced, Unproducible)


class Phase(StrEnum):
    """What a lane is doing; anything but `RUNNING` means that the process is not ready."""

    IDLE = "idle"
    FENCING = "fencing"
    RESTORING = "restoring"
    RUNNING = "running"
    WAITING = "waiting"
    RECOVERING = "recovering"
    LOST = "lost"
    STUCK = "stuck"


class _Postponed(Exception):
    def __init__(self, code: Code) -> None:
        super().__init__(code.value)
        self.code = code


class _Alone(Exception):
    """What runs beside the fold has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """What a lane works with between two fences."""

    fold: Fold[Any]
    transactions: Transactions
    reader: PartitionReader
    feed: Feed
    beside: "asyncio.Task[None] | None"


class Lane:
    """The worker of one partition. The state stays when the worker ends, for the case that it comes back soon."""

    def __init__(self, tp: TopicPartition, source: Source, kit: Kit) -> None:
        """Prepare; nothing happens before `start`."""
        self.tp = tp
        self.phase = Phase.IDLE
        self.code: Code | None = None
        self.released_at: float | None = None
        self._source = source
        self._kit = kit
        self._state = TopicPartition(source.state_topic, source.state_partition(tp.partition))
        self._label = f"{tp.topic}-{tp.partition}"
        self._fold: Fold[Any] | None = None
        self._state_end: int | None = None
        self._known = Known()
        self._closing = asyncio.Event()
        self._stirred = asyncio.Event()
        """Set when input must not be waited for any longer: the lane closes, or what runs beside the fold has ended."""
        self._at_work: _Opened | None = None
        self._last: int | None = None
        self._quota = kit.limits.batch_records
        self._suspect: int | None = None
        self._busy_since: float | None = None
        self._failures = 0
        self._bugs = 0

    def start(self) -> "asyncio.Task[None]":
        """Begin to process the partition, until `stop`, its loss, or something that must not be passed."""
        # Not inside the task: whoever stops it before it has begun must not be overheard.
        self._closing.clear()
        self.released_at = None
        return asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            while not self._closing.is_set():
                try:
                    async with self._opened() as opened:
                        await self._work(opened)
                except Fatal as fault:
                    self._say(Phase.STUCK, fault.code)
                    self._kit.log.exception("partition-stuck", lane=self._label, code=fault.code, detail=fault.detail)
                    return
                except Exception as error:  # noqa: BLE001 (whatever it was: start again behind a fence)
                    if not await self._recover(error):
                        return
            self._say(Phase.IDLE)
        finally:
            self.released_at = asyncio.get_running_loop().time()

    def stop(self) -> None:
        """Ask the worker to end at the next safe point."""
        self._closing.set()
        self._stirred.set()

    @property
    def opening(self) -> bool:
        """Whether it may be cut off at once: no transaction is in flight."""
        return self.phase in {Phase.FENCING, Phase.RESTORING, Phase.RECOVERING}

    def forget(self) -> None:
        """Drop the state: it has been away from its topic for too long."""
        self._fold, self._state_end = None, None

    def position(self) -> int | None:
        """Return the next input offset as far as it is committed and known."""
        if self._at_work is not None:
            self._last = self._at_work.fold.position()
        return self._last

    def lag(self) -> int:
        """Return how many offsets of the input are still to be taken."""
        at = self._at_work
        return 0 if at is None or at.feed.drained else max(0, at.feed.end - (self.position() or 0))

    def behind_ms(self, now_ms: int) -> int:
        """Return how long the next input has waited, as far as it has been fetched; 0 where nothing waits."""
        first = None if self._at_work is None else self._at_work.feed.first
        return 0 if first is None else max(0, now_ms - first.stamp_ms)

    def size(self) -> int:
        return self._fold.size() if self._fold is not None else 0

    def trouble(self, now_ms: int) -> Trouble | None:
        """Say why this partition is not being processed, or None."""
        busy = self._busy_since
        if self.phase is Phase.STUCK:
            return Trouble(self._label, self.code or Code.INTERNAL, fatal=True)
        if busy is not None and asyncio.get_running_loop().time() - busy > self._kit.limits.stall_s:
            return Trouble(self._label, Code.TIMED_OUT, fatal=True)
        at = self._at_work
        if self.phase is not Phase.RUNNING or at is None:
            return Trouble(self._label, self.code or self.phase)
        if at.reader.trouble is not None:
            return Trouble(self._label, at.reader.trouble)
        waits = at.fold.waits(now_ms)
        return Trouble(self._label, waits) if waits is not None else None

    # (1)-(4): from nothing, or from whatever an error left, to reading input.

    @contextlib.asynccontextmanager
    async def _opened(self) -> AsyncIterator["_Opened"]:
        self._say(Phase.FENCING)
        self._stirred = asyncio.Event()
        kit = self._kit
        with contextlib.ExitStack() as stack:
            client = kit.kafka.client(kit.limits)
            # What an old producer may still send is behind the next fence, so nobody waits for it to close.
            stack.callback(lambda: kit.background(close(client)))
            await client.bootstrap()
            producer = kit.producers(f"{kit.service}-{self._label}")
            stack.callback(lambda: kit.background(discard(producer)))
            transactions = await Transactions.open(producer, kit.limits, self._known)
            fold = await self._restored(client)
            reader = PartitionReader(client, self.tp, kit.limits, committed=self._source.committed)
            feed = Feed(reader, await self._resume_at(reader, fold), kit.limits)
            stack.callback(lambda: kit.background(feed.close()))
            beside = self._beside(fold)
            if beside is not None:
                stack.callback(lambda: kit.background(_end(beside)))
            opened = _Opened(fold=fold, transactions=transactions, reader=reader, feed=feed, beside=beside)
            self._at_work = opened
            stack.callback(self._leave)
            self._say(Phase.RUNNING)
            kit.log.info("partition-open", lane=self._label, offset=fold.position())
            yield opened

    async def _restored(self, client: Client) -> Fold[Any]:
        self._say(Phase.RESTORING)
        started = asyncio.get_running_loop().time()
        reader = PartitionReader(client, self._state, self._kit.limits, committed=True)
        if self._fold is None:
            self._fold, self._state_end = self._source.fold(self.tp.partition), None
        try:
            await restore(
                self._fold,
                reader,
                self._state_end,
                patience_s=self._kit.limits.stall_s,
                reached=self._restored_to,
                tell=lambda code: self._say(Phase.RESTORING, code),
            )
        except Exception:
            # Not so when it is cancelled: a long restore goes on after a rebalance where it was.
            self.forget()
            raise
        self._kit.metrics.restored(asyncio.get_running_loop().time() - started)
        return self._fold

    def _restored_to(self, offset: int) -> None:
        self._state_end = offset

    async def _resume_at(self, reader: PartitionReader, fold: Fold[Any]) -> int:
        position = fold.position() or 0
        for _ in range(10):
            span = await reader.span()
            if position <= span.end:
                break
            # A new leader may not yet know how far everybody has read.
            await asyncio.sleep(_AWAIT_S)
        if not span.start <= position <= span.end:
            raise Fatal(Code.POSITION_LOST, "the input does not hold the position any more, or not yet")
        return position

    def _beside(self, fold: Fold[Any]) -> "asyncio.Task[None] | None":
        if self._source.beside is None:
            return None
        task = asyncio.ensure_future(self._source.beside(fold))
        stirred = self._stirred
        task.add_done_callback(lambda _: stirred.set())
        return task

    def _leave(self) -> None:
        self._at_work = None

    # (5): one batch after the other.

    async def _work(self, at: "_Opened") -> None:
        feed, fold, kit = at.feed, at.fold, self._kit
        while not self._closing.is_set():
            records = await feed.take(self._quota, until=self._stirred)
            if at.beside is not None and at.beside.done():
                raise _Alone from at.beside.exception()
            if not records:
                continue
            now_ms = kit.clock()
            count = self._in_time(records, now_ms)
            code = fold.waits(now_ms) if count else Code.CLOCK_BEHIND
            if code is not None:
                feed.put_back(records)
                await self._wait(code)
                continue
            self._say(Phase.RUNNING)
            feed.put_back(records[count:])
            try:
                await self._step(at, records[:count], now_ms)
            except _Postponed as postponed:
                feed.put_back(records[:count])
                await self._wait(postponed.code)

    def _in_time(self, records: list[Record], now_ms: int) -> int:
        """Return how many of *records* come before one whose stamp this process must not act upon."""
        if self._source.committed:
            return len(records)
        latest = now_ms + self._kit.limits.stamp_ahead_ms
        for count, record in enumerate(records):
            if record.stamp_type != LOG_APPEND_TIME:
                if count == 0:
                    raise Fatal(Code.TOPIC_MISCONFIGURED, "stamps by the sender, where the broker has to stamp")
                return count
            if record.stamp_ms > latest:
                return count
        return len(records)

    async def _step(self, at: "_Opened", records: list[Record], now_ms: int) -> None:
        if records[0].offset == self._suspect:
            records = [replace(records[0], fault=Code.UNDELIVERABLE)]
        self._busy_since = started = asyncio.get_running_loop().time()
        try:
            step = await self._decided(at.fold, records, now_ms)
            if step.position != records[-1].offset + 1 or not step.writes:
                raise Fatal(Code.INTERNAL, "a step that does not say where it ends")
            try:
                end = await at.transactions.write(step.writes, self._state, now_ms)
            except Unproducible:
                self._narrow(records)
                raise
            try:
                at.fold.merge(step)
            except BaseException:
                self.forget()
                raise
        finally:
            self._busy_since = None
        self._state_end = end or self._state_end
        self._quota = min(self._quota * 2, self._kit.limits.batch_records)
        self._failures = self._bugs = 0
        took_s, waited_ms = asyncio.get_running_loop().time() - started, self._kit.clock() - records[0].stamp_ms
        self._kit.metrics.committed(len(records), took_s, waited_s=waited_ms / 1000)

    async def _decided(self, fold: Fold[Any], records: list[Record], now_ms: int) -> Any:  # noqa: ANN401 (its own kind)
        try:
            return await fold.step(records, now_ms)
        except Fatal:
            raise
        except ReferralBusError as error:
            # What a step needs can go between `waits` and `step`. Nothing has happened: it waits as if told before.
            raise _Postponed(error.code) from error

    def _narrow(self, records: list[Record]) -> None:
        """Close in on the record whose outputs the broker refuses; a success widens the batch again."""
        if len(records) > 1:
            self._quota = len(records) // 2
        elif records[0].offset == self._suspect:
            raise Fatal(Code.UNDELIVERABLE, "not even the refusal of a record can be stored")
        else:
            self._suspect = records[0].offset

    async def _wait(self, code: Code) -> None:
        self._say(Phase.WAITING, code)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_AWAIT_S):
                await self._closing.wait()

    # After an error.

    async def _recover(self, error: Exception) -> bool:
        """Clear up; return whether to start again."""
        kit = self._kit
        kit.metrics.failed(error)
        kit.log.warning("partition-recovers", lane=self._label, error=type(error).__name__, cause=_cause(error))
        self._say(Phase.RECOVERING, Code.BROKER_AWAY if isinstance(error, OSError | TimeoutError) else None)
        if not isinstance(error, Unproducible):
            # It was something else that time: no record is refused for it.
            self._suspect = None
        self._failures += 1
        self._bugs += not isinstance(error, _ABOUT_KAFKA)
        if self._bugs >= _BUGS:
            self._say(Phase.STUCK, Code.INTERNAL)
            return False
        while not self._closing.is_set():
            await asyncio.sleep(_BACKOFF_S[min(self._failures, len(_BACKOFF_S)) - 1])
            # Two owners that both start again would fence each other for ever: the group says whose it is.
            ownership = await kit.confirm(self.tp, self.position() or 0)
            if ownership is Ownership.OURS:
                return True
            if ownership is Ownership.LOST:
                self._say(Phase.LOST)
                return False
            self._failures += 1
        return False

    def _say(self, phase: Phase, code: Code | None = None) -> None:
        self.phase, self.code = phase, code


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait((task,))


def _cause(error: BaseException) -> str | None:
    return type(error.__cause__).__name__ if error.__cause__ is not None else None

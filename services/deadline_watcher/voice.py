"""
What a `Speaker` wants said, sealed, signed and submitted: through the same door as every agency's word.

At-least-once: the ids follow from what is said, and the router lets each in once. Nothing is kept over a restart.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol, TypeVar

from aiokafka.errors import KafkaError

from deadline_watcher.core import Round, Speaker, Watcher
from deadline_watcher.metrics import ClockMetrics
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.directory import ROLE_WATCHER, Directory
from referral_contracts.encoding import format_time
from referral_contracts.errors import LocalError
from referral_contracts.keys import SigningKey
from referral_contracts.notices import Draft, Letter, Notice, draft_notice
from referral_contracts.records import Write
from referral_contracts.signing import Typ
from referral_contracts.ticks import tick_statement
from service_chassis.directory import DirectoryReader
from service_chassis.health import Trouble
from service_chassis.logs import Log
from service_chassis.submitter import Submitter

_AT_ONCE: Final = 32
"""Notices sealed before others have their turn: about 7 ms."""
_TROUBLED_S: Final = 0.5


BeforeT = TypeVar("BeforeT", Notice, Draft)
AfterT = TypeVar("AfterT")


class Speaking(Protocol):
    """What is spoken for: a fold."""

    core: Watcher
    speaker: Speaker | None
    stirred: asyncio.Event


def tick(bus: str, partition: int, signing: SigningKey, now_ms: int) -> Write:
    """Return a tick into *partition*."""
    value = tick_statement(bus, partition, format_time(now_ms))
    signature = signing.sign(Typ.TICK, value).encode("ascii")
    return Write(topics.SUBMISSIONS, partition, None, value, ((topics.H_SIGNATURE, signature),))


def submission(letter: Letter, signing: SigningKey, *, partition: int, now_ms: int) -> Write:
    """Return a sealed notice as it is submitted."""
    value, key = letter.event(now_ms), letter.notice.subject.encode("ascii")
    signature = signing.sign(Typ.EVENT, value).encode("ascii")
    return Write(topics.SUBMISSIONS, partition, key, value, ((topics.H_SIGNATURE, signature),))


class Voice:
    """Submits what the partitions of one process have to say."""

    def __init__(
        self,
        *,
        signing: SigningKey,
        submitter: Submitter,
        directory: DirectoryReader,
        clock: Callable[[], int],
        metrics: ClockMetrics,
        most: int,
        log: Log,
    ) -> None:
        """Sign with *signing*; seal at most *most* notices of a partition at a time."""
        self._signing = signing
        self._submitter = submitter
        self._directory = directory
        self._clock = clock
        self._metrics = metrics
        self._most = most
        self._log = log
        self._trouble: Code | None = None

    def troubles(self) -> Sequence[Trouble]:
        """Say why nothing can be said."""
        return [] if self._trouble is None else [Trouble("voice", self._trouble)]

    async def close(self) -> None:
        """Let go of the connection."""
        await self._submitter.close()

    async def speak(self, fold: Speaking) -> None:
        """Speak for *fold* until cancelled."""
        speaker = fold.speaker = Speaker(fold.core)
        try:
            while True:
                fold.stirred.clear()
                wait_s = await self._round(fold.core, speaker)
                if wait_s:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(wait_s):
                            await fold.stirred.wait()
        finally:
            fold.speaker = None

    async def _round(self, core: Watcher, speaker: Speaker) -> float:
        now_ms = self._clock()
        directory, code = self._directory.current, self._directory.unusable(now_ms)
        if directory is None or code is not None:
            # What is due stays due; what is said must be sealed to keys that are known to be right.
            return _TROUBLED_S
        found = speaker.round(directory, now_ms, self._most)
        if found.unsayable:
            self._metrics.unsaid("any", Code.INTERNAL.value, found.unsayable)
            self._log.error("notices-unsayable", count=found.unsayable)
        writes = await self._written(found, directory, core.partition, now_ms)
        if writes:
            try:
                await self._submitter.submit(writes, now_ms)
            except (KafkaError, OSError, TimeoutError) as error:
                self._trouble = Code.BROKER_AWAY
                self._log.warning("submission-failed", error=type(error).__name__, count=len(writes))
                return _TROUBLED_S
            self._trouble = None
        return found.wait_ms / 1000

    async def _written(self, found: Round, directory: Directory, partition: int, now_ms: int) -> list[Write]:
        writes: list[Write] = []
        for start in range(0, len(found.notices), _AT_ONCE):
            if start:
                await asyncio.sleep(0)
            writes += self._sealed(found.notices[start : start + _AT_ONCE], directory, partition, now_ms)
        if found.tick:
            writes.append(tick(directory.head.bus, partition, self._signing, now_ms))
        return writes

    def _sealed(self, notices: Sequence[Notice], directory: Directory, partition: int, now_ms: int) -> list[Write]:
        """Return *notices* as they are submitted, but for those that cannot be now."""
        source = directory.service(ROLE_WATCHER)

        def draft(notice: Notice) -> Draft:
            if source is None:
                raise LocalError(Code.UNKNOWN_RECIPIENT, "the directory names no deadline watcher")
            return draft_notice(notice, bus=directory.head.bus, source=source)

        def close(draft: Draft) -> Letter:
            return draft.seal([directory.reader(draft.notice.recipient, now_ms)])

        # One step for all, and then the next: each has the processor's cache for itself, and takes a fifth less.
        letters = self._each(close, self._each(draft, notices))
        return [submission(letter, self._signing, partition=partition, now_ms=now_ms) for letter in letters]

    def _each(self, step: Callable[[BeforeT], AfterT], those: Iterable[BeforeT]) -> list[AfterT]:
        done: list[AfterT] = []
        for one in those:
            try:
                done.append(step(one))
            except LocalError as error:
                # Tried again, less and less often: its recipient may get a key.
                self._metrics.unsaid(one.verb.value.removeprefix("deadline."), error.code.value)
        return done

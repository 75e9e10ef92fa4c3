"""The watcher on Kafka: what its core needs is brought to it, what it wants said is sealed, signed and submitted."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiokafka.errors import KafkaError

from deadline_watcher.core import Desk, Speaker, Watcher, WatcherStep
from deadline_watcher.core.tally import label_of_rule
from deadline_watcher.metrics import ClockMetrics
from deadline_watcher.settings import Settings
from deadline_watcher.voice import Voice
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.directory import Directory
from referral_contracts.errors import LocalError
from referral_contracts.records import Record
from referral_contracts.rules.book import RuleBook
from referral_contracts.rules.days import read_calendar
from referral_contracts.rules.loading import load_packs
from referral_contracts.sealing import random_salts
from service_chassis.directory import DirectoryReader
from service_chassis.fold import Limits, Source
from service_chassis.health import Trouble
from service_chassis.keyfile import ServiceKeys, read_service_keys, read_state_key, read_trust
from service_chassis.logs import Log
from service_chassis.metrics import Metrics
from service_chassis.processor import Processor

SERVICE: Final = "deadline-watcher"
"""The consumer group, and the first part of every transactional id."""

_SURVEY_S: Final = 0.5
_SHOW_S: Final = 2.0
_NEEDED: Final = (topics.SUBMISSIONS, topics.LEDGER, topics.WATCHER_STATE, topics.DIRECTORY)


@dataclass(slots=True)
class LedgerFold:
    """A partition of ``referral.ledger`` for the processor."""

    core: Watcher
    directory: Callable[[], Directory | None]
    metrics: ClockMetrics
    speaker: Speaker | None = None
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when something was heard: there may be something to say."""

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Take one record of the state topic."""
        self.core.restore(key, value)

    def position(self) -> int | None:
        """Return the next offset of the ledger."""
        return self.core.position()

    def position_in(self, value: bytes) -> int:
        """Return the next offset that a reserved record names."""
        return self.core.position_in(value)

    def size(self) -> int:
        """Return how many bytes the state holds."""
        return self.core.size()

    def waits(self, now_ms: int) -> Code | None:
        """Wait for a directory as new as the one that was last heard by; whether it has expired is no matter here."""
        del now_ms
        directory, after = self.directory(), self.core.after
        if directory is None:
            return Code.DIRECTORY_MISSING
        if after is not None and directory.version < after.directory:
            return Code.DIRECTORY_BEHIND
        return None

    async def step(self, records: Sequence[Record], now_ms: int) -> WatcherStep:
        """Hear *records* by the directory of this moment."""
        directory = self.directory()
        if directory is None:
            raise LocalError(Code.DIRECTORY_MISSING)
        return self.core.step(records, directory, now_ms)

    def merge(self, step: WatcherStep) -> None:
        """Make what *step* changed the state."""
        self.core.merge(step)
        if self.speaker is not None:
            self.speaker.heard(step.heard)
        self.metrics.took(step.tally)
        self.stirred.set()


class WatcherService:
    """The watcher, wired. Nothing connects before `run`."""

    def __init__(self, settings: Settings, *, clock: Callable[[], int], metrics: Metrics, log: Log) -> None:
        """
        Read keys, trust root, packs and calendar.

        Raises:
            ReferralBusError: One of them cannot be used.
        """
        root, keys = read_trust(settings.trust), read_service_keys(settings.watcher_key)
        self._clock, self._metrics, self._log = clock, metrics, log
        self._limits = Limits(batch_records=200)
        self._kafka = settings.kafka(SERVICE, log.warning)
        self._desk = make_desk(settings, root.bus, keys)
        self._clocks = ClockMetrics(metrics.registry, clock, {label_of_rule(rule) for rule in self._desk.book.every()})
        self._folds: dict[int, LedgerFold] = {}
        self._directory = DirectoryReader(
            self._kafka, root, within_ms=settings.directory_within_ms, limits=self._limits, metrics=metrics, log=log
        )
        self._voice = Voice(
            signing=keys.signing,
            submitter=self._kafka.submitter(self._limits),
            directory=self._directory,
            clock=clock,
            metrics=self._clocks,
            most=settings.notices,
            log=log,
        )
        self._processor: Processor | None = None
        self._missing: Code = Code.BROKER_AWAY
        self._first_look: float | None = None

    def troubles(self) -> Sequence[Trouble]:
        """Say what is wrong; nothing when all is well."""
        if self._processor is not None:
            return [*self._processor.troubles(), *self._directory.troubles(), *self._voice.troubles()]
        waited = 0.0 if self._first_look is None else asyncio.get_running_loop().time() - self._first_look
        return [Trouble("topics", self._missing, fatal=waited > self._limits.first_contact_s)]

    async def run(self) -> None:
        """Watch until cancelled."""
        referrals = await self._survey()
        self._processor = self._wire(referrals)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._directory.run())
                tasks.create_task(self._processor.run())
                tasks.create_task(self._show())
        finally:
            await self._voice.close()

    async def _survey(self) -> int:
        """Wait for a broker that has the topics of a bus; return how many partitions submissions have."""
        self._first_look = asyncio.get_running_loop().time()
        while True:
            try:
                found = await self._kafka.topics(self._limits)
                self._missing = Code.TOPIC_MISSING
                if all(name in found for name in _NEEDED):
                    self._missing = Code.TOPIC_MISCONFIGURED
                    count = found[topics.SUBMISSIONS]
                    if found[topics.LEDGER] == found[topics.WATCHER_STATE] == count + 1:
                        return count
            except (KafkaError, OSError, TimeoutError):
                self._missing = Code.BROKER_AWAY
            self._log.warning("waiting-for-topics", code=self._missing)
            await asyncio.sleep(_SURVEY_S)

    def _wire(self, referrals: int) -> Processor:
        def fold(partition: int) -> LedgerFold:
            made = LedgerFold(Watcher(self._desk, partition), lambda: self._directory.current, self._clocks)
            # One that was dropped goes: it may hold a million clocks.
            self._folds[partition] = made
            return made

        async def beside(fold: LedgerFold) -> None:
            if fold.core.partition < referrals:
                await self._voice.speak(fold)
            # Of the directory's own partition nothing is ever due.
            await asyncio.get_running_loop().create_future()

        ledger = Source(
            topic=topics.LEDGER,
            state_topic=topics.WATCHER_STATE,
            state_partition=lambda partition: partition,
            fold=fold,
            committed=True,
            beside=beside,
        )
        return Processor(
            service=SERVICE,
            kafka=self._kafka,
            sources=[ledger],
            clock=self._clock,
            metrics=self._metrics,
            log=self._log,
            limits=self._limits,
        )

    async def _show(self) -> None:
        while True:
            await asyncio.sleep(_SHOW_S)
            live = [fold for fold in self._folds.values() if fold.speaker is not None]
            self._clocks.show((fold.core.shown for fold in live), behind_ms=self._behind_ms())

    def _behind_ms(self) -> int:
        processor = self._processor
        return 0 if processor is None else processor.behind_ms()


def make_desk(settings: Settings, bus: str, keys: ServiceKeys) -> Desk:
    """
    Return what all partitions share.

    Raises:
        ReferralBusError: The state's key, a pack or the calendar cannot be used.
    """
    return Desk(
        bus=bus,
        state_key=read_state_key(settings.watcher_state_key),
        opening_keys=keys.sealing,
        book=_read_book(settings.packs),
        calendar=read_calendar(settings.calendar.name, _read(settings.calendar)),
        nonces=random_salts,
    )


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise LocalError(Code.NO_SUCH_FILE, "a file of rules cannot be read") from error
    except UnicodeDecodeError:
        raise LocalError(Code.MALFORMED_PACK, "a file of rules that is no UTF-8") from None


def _read_book(listed: str) -> RuleBook:
    paths = [Path(name) for name in listed.split(":") if name]
    return RuleBook(load_packs({path.name: _read(path) for path in paths}))

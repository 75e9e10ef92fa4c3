"""The router on Kafka: what its core needs is brought to it, what it decides goes to the processor. No rule here."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from aiokafka.errors import KafkaError

from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.directory import Directory, TrustRoot
from referral_contracts.errors import LocalError
from referral_contracts.keys import SigningKey
from referral_contracts.records import Record
from referral_contracts.sealing import random_salts
from referral_router.core import Examined, Registrar, Router, RouterStep, examine, verify_signature
from referral_router.core.ledger import Lane
from referral_router.core.registrar import RegistrarStep
from referral_router.settings import Settings
from service_chassis.directory import DirectoryReader
from service_chassis.fold import Limits, Source
from service_chassis.health import Trouble
from service_chassis.keyfile import read_signing_key, read_trust
from service_chassis.logs import Log
from service_chassis.metrics import Metrics
from service_chassis.processor import Processor

SERVICE: Final = "referral-router"
"""The consumer group, and the first part of every transactional id."""

_SURVEY_S: Final = 0.5
_ASK_AGAIN_S: Final = 1.0
"""How long a missing inbox counts as missing: a topic that was just made is found after a second refusal at most."""

_AT_ONCE: Final = 32
"""Signatures a thread checks before it asks for more: some 4 ms, so that two threads end together."""
_BY_ITSELF: Final = 2
"""So few are checked where they are: to ask a thread costs as much, and a quiet bus has one at a time."""


class Topology:
    """The topics of the broker, as it last told: how many partitions a bus has, and who has an inbox."""

    def __init__(self, ask: Callable[[], Awaitable[Mapping[str, int]]]) -> None:
        """*ask* the broker for its topics and their numbers of partitions."""
        self._ask = ask
        self._asked_at = float("-inf")
        self._topics: Mapping[str, int] = {}
        self.inboxes: frozenset[str] = frozenset()

    async def refresh(self) -> None:
        """Ask again."""
        self._topics = await self._ask()
        prefix = topics.inbox("")
        self.inboxes = frozenset(name.removeprefix(prefix) for name in self._topics if name.startswith(prefix))

    async def look_for(self, agencies: Iterable[str]) -> None:
        """Ask again if one of *agencies* is not known; not all the time, whoever names what is not there."""
        now = asyncio.get_running_loop().time()
        if now - self._asked_at > _ASK_AGAIN_S and not self.inboxes.issuperset(agencies):
            await self.refresh()
            self._asked_at = now

    def partitions(self) -> int:
        """
        Return how many partitions submissions have.

        Raises:
            LocalError: TOPIC_MISSING, or TOPIC_MISCONFIGURED: not as many partitions as belong to each other.
        """
        needed = (topics.SUBMISSIONS, topics.DIRECTORY_SUBMISSIONS, topics.LEDGER, topics.STATE, topics.DIRECTORY)
        if not all(name in self._topics for name in needed):
            raise LocalError(Code.TOPIC_MISSING)
        count = self._topics[topics.SUBMISSIONS]
        if self._topics[topics.LEDGER] != count + 1 or self._topics[topics.STATE] != count + 1:
            raise LocalError(Code.TOPIC_MISCONFIGURED)
        return count


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the folds of one process share."""

    bus: str
    key: SigningKey
    root: TrustRoot
    partitions: int
    directory: Callable[[], Directory | None]
    unusable: Callable[[int], Code | None]
    """Why the directory may not be decided by now, or None."""
    topology: Topology
    threads: ThreadPoolExecutor
    metrics: Metrics

    def lane(self, partition: int) -> Lane:
        """Return what the decisions of a ledger partition are made with."""
        return Lane(bus=self.bus, partition=partition, key=self.key, salts=random_salts)


class ReferralFold:
    """A partition of ``referral.submissions`` for the processor."""

    def __init__(self, desk: Desk, partition: int) -> None:
        """Start empty."""
        self._desk = desk
        self._core = Router(desk.lane(partition), desk.partitions)
        self.restore = self._core.restore
        self.position = self._core.position
        self.position_in = self._core.position_in
        self.size = self._core.size

    def waits(self, now_ms: int) -> Code | None:
        """Referrals wait for a usable directory; none is refused for want of one."""
        directory, after = self._desk.directory(), self._core.after
        if directory is not None and after is not None and directory.version < after.directory:
            # Another process has decided by a newer one: this one has not heard of it yet.
            return Code.DIRECTORY_BEHIND
        return self._desk.unusable(now_ms)

    async def step(self, records: Sequence[Record], now_ms: int) -> RouterStep:
        """Judge *records* by the directory of this moment."""
        desk = self._desk
        directory = desk.directory()
        code = self.waits(now_ms)
        if directory is None or code is not None:
            raise LocalError(code or Code.DIRECTORY_MISSING)
        found = [examine(record, directory, desk.bus) for record in records]
        await _verify(found, desk.threads)
        if any(record.fault is Code.UNDELIVERABLE for record in records):
            # An inbox may have gone: the refusal must not be written where nothing can be written.
            await desk.topology.refresh()
        await desk.topology.look_for(_addressed(found, directory, desk.topology.inboxes))
        return self._core.step(found, directory, desk.topology.inboxes)

    def merge(self, step: RouterStep) -> None:
        """Make what *step* changed the state."""
        self._core.merge(step)
        for code, count in step.codes.items():
            self._desk.metrics.judged(code.value, count)
        for code, count in step.exercises.items():
            self._desk.metrics.practised(code.value, count)


class RegistrarFold:
    """The partition of ``directory.submissions`` for the processor."""

    def __init__(self, desk: Desk) -> None:
        """Start empty."""
        self._desk = desk
        self._core = Registrar(desk.lane(desk.partitions), desk.root)
        self.restore = self._core.restore
        self.position = self._core.position
        self.position_in = self._core.position_in
        self.size = self._core.size

    def waits(self, now_ms: int) -> Code | None:
        """Never: an expired head can always be renewed."""
        del now_ms
        return None

    async def step(self, records: Sequence[Record], now_ms: int) -> RegistrarStep:
        """Judge *records* by the pinned root and the last head."""
        del now_ms
        return self._core.step(records, self._desk.topology.inboxes)

    def merge(self, step: RegistrarStep) -> None:
        """Make what *step* changed the state."""
        self._core.merge(step)


async def _verify(found: Sequence[Examined], threads: ThreadPoolExecutor) -> None:
    if len(found) <= _BY_ITSELF:
        _verify_all(found)
        return
    # Ed25519 releases the GIL: two threads do nearly twice as many.
    loop = asyncio.get_running_loop()
    parts = [found[start : start + _AT_ONCE] for start in range(0, len(found), _AT_ONCE)]
    await asyncio.gather(*(loop.run_in_executor(threads, _verify_all, part) for part in parts))


def _verify_all(found: Sequence[Examined]) -> None:
    for item in found:
        verify_signature(item)


def _addressed(found: Sequence[Examined], directory: Directory, known: frozenset[str]) -> Iterable[str]:
    """Return the agencies of *directory* that *found* names and whose inbox is not among the *known* ones."""
    named: set[str] = set()
    for item in found:
        if item.envelope is not None:
            named.add(item.envelope.source)
            named.update(map(topics.agency_of, item.envelope.data.recipients))
    return [agency for agency in named - known if directory.member(agency) is not None]


class RouterService:
    """The router, wired. Nothing connects before `run`."""

    def __init__(self, settings: Settings, *, clock: Callable[[], int], metrics: Metrics, log: Log) -> None:
        """
        Read the key and the trust root.

        Raises:
            LocalError: One of them cannot be used.
        """
        self._root, self._key = read_trust(settings.trust), read_signing_key(settings.router_key)
        self._clock, self._metrics, self._log = clock, metrics, log
        self._limits = Limits()
        self._kafka = settings.kafka(SERVICE, log.warning)
        self._topology = Topology(lambda: self._kafka.topics(self._limits))
        self._directory = DirectoryReader(
            self._kafka,
            self._root,
            within_ms=settings.directory_within_ms,
            limits=self._limits,
            metrics=metrics,
            log=log,
        )
        self._threads = ThreadPoolExecutor(settings.verifiers, thread_name_prefix="verify")
        self._processor: Processor | None = None
        self._missing: Code = Code.BROKER_AWAY
        self._first_look: float | None = None

    def troubles(self) -> Sequence[Trouble]:
        """Say what is wrong; nothing when all is well."""
        if self._processor is not None:
            return [*self._processor.troubles(), *self._directory.troubles()]
        waited = 0.0 if self._first_look is None else asyncio.get_running_loop().time() - self._first_look
        return [Trouble("topics", self._missing, fatal=waited > self._limits.first_contact_s)]

    async def run(self) -> None:
        """Route until cancelled."""
        partitions = await self._survey()
        self._processor = self._wire(partitions)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._directory.run())
                tasks.create_task(self._processor.run())
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _survey(self) -> int:
        """Wait for a broker that has the topics of a bus; return how many partitions it has."""
        self._first_look = asyncio.get_running_loop().time()
        while True:
            try:
                await self._topology.refresh()
                return self._topology.partitions()
            except LocalError as error:
                self._missing = error.code
            except (KafkaError, OSError, TimeoutError):
                self._missing = Code.BROKER_AWAY
            self._log.warning("waiting-for-topics", code=self._missing)
            await asyncio.sleep(_SURVEY_S)

    def _wire(self, partitions: int) -> Processor:
        desk = Desk(
            bus=self._root.bus,
            key=self._key,
            root=self._root,
            partitions=partitions,
            directory=lambda: self._directory.current,
            unusable=self._directory.unusable,
            topology=self._topology,
            threads=self._threads,
            metrics=self._metrics,
        )
        referrals = Source(
            topic=topics.SUBMISSIONS,
            state_topic=topics.STATE,
            state_partition=lambda partition: partition,
            fold=lambda partition: ReferralFold(desk, partition),
        )
        changes = Source(
            topic=topics.DIRECTORY_SUBMISSIONS,
            state_topic=topics.STATE,
            state_partition=lambda _: partitions,
            fold=lambda _: RegistrarFold(desk),
        )
        return Processor(
            service=SERVICE,
            kafka=self._kafka,
            sources=[referrals, changes],
            clock=self._clock,
            metrics=self._metrics,
            log=self._log,
        )

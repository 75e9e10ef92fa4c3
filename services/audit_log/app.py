"""The log on Kafka: what comes in is appended, what was appended is published on the beat, what is wrong is told."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from aiokafka.errors import KafkaError

from audit_log.asking import Asking
from audit_log.auditing import auditing
from audit_log.cases import Cases
from audit_log.core.limiting import Allowance
from audit_log.core.nonces import Nonces
from audit_log.core.places import Place
from audit_log.core.reading import Taken
from audit_log.eraser import Eraser
from audit_log.folder import Folder
from audit_log.intake import Intake, Pending
from audit_log.log import Desk
from audit_log.log import Log as TreeLog
from audit_log.metrics import LogMetrics, ReadMetrics, WitnessMetrics
from audit_log.reads import Reads
from audit_log.receipts import Receipts
from audit_log.retention import Retention
from audit_log.settings import Settings
from audit_log.signed import Askers
from audit_log.statements import Statements
from audit_log.stating import stating
from audit_log.store import open_store
from audit_log.store.reading import StoreReader
from audit_log.together import Beat, until_one_fails
from audit_log.web import web
from audit_log.witnesses import WITNESSED_PATH, Surroundings, Witnesses
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.errors import Fatal, LocalError
from referral_contracts.log.policy import Policy
from referral_contracts.sealing import random_salts
from service_chassis.directory import DirectoryReader
from service_chassis.fold import Limits
from service_chassis.health import Trouble
from service_chassis.keyfile import read_signing_key, read_trust
from service_chassis.logs import Log
from service_chassis.metrics import Metrics
from service_chassis.service import serve

SERVICE: Final = "audit-log"
ResultT = TypeVar("ResultT")

_SURVEY_S: Final = 0.5
_SHOW_S: Final = 2.0
_IDLE_S: Final = 5.0
"""How long positions alone, without a leaf, may wait to be stored."""
_GATHER_S: Final = 0.02
"""The least from one append to the next: what comes in meanwhile shares a transaction, and its flush of the disk."""
_BACKOFF_S: Final = (0.1, 0.25, 0.5, 1.0, 2.0)
_AT_ONCE_S: Final = 10
_DIRECTORY_WITHIN_MS: Final = 5_000
_NEEDED: Final = (topics.SUBMISSIONS, topics.LEDGER, topics.DIRECTORY)


class LogService:
    """The log, wired. Nothing connects or is opened before `run`."""

    def __init__(self, settings: Settings, *, clock: Callable[[], int], metrics: Metrics, log: Log) -> None:
        """
        Read key and trust root.

        Raises:
            ReferralBusError: One of them cannot be used.
        """
        self._settings, self._clock, self._log = settings, clock, log
        self._root = read_trust(settings.trust)
        self._desk = Desk(
            origin=settings.log_origin or f"{self._root.bus}.log",
            key=read_signing_key(settings.log_key),
            salts=random_salts,
            clock=clock,
        )
        self._limits = Limits(fetch_wait_ms=100)
        self._kafka = settings.kafka(SERVICE, log.warning)
        self._metrics, self._shown = metrics, LogMetrics(metrics.registry)
        self._witnessed = WitnessMetrics(metrics.registry)
        self._read = ReadMetrics(metrics.registry)
        self._directory = DirectoryReader(
            self._kafka, self._root, within_ms=_DIRECTORY_WITHIN_MS, limits=self._limits, metrics=metrics, log=log
        )
        self._missing: Code | None = Code.BROKER_AWAY
        self._first_look: float | None = None
        self._trouble: Trouble | None = Trouble("log", "opening")
        self._intake: Intake | None = None
        self._reader: StoreReader | None = None
        self._statements = Statements()
        self._cases: Cases | None = None
        self._oldest_ms: int | None = None
        self._beat = Beat(settings.log_beat_ms / 1000)
        self._policy = None if settings.log_policy is None else _read_policy(settings.log_policy)
        # One each for what is appended, published, asked of the witnesses, erased, and stated from outside.
        self._threads = ThreadPoolExecutor(5, thread_name_prefix="log")
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="log-reads")
        self._running: set[asyncio.Future[Any]] = set()

    def troubles(self) -> Sequence[Trouble]:
        """Say what is wrong; nothing when all is well."""
        found = [] if self._trouble is None else [self._trouble]
        if self._missing is not None:
            waited = 0.0 if self._first_look is None else asyncio.get_running_loop().time() - self._first_look
            return [Trouble("topics", self._missing, fatal=waited > self._limits.first_contact_s)]
        code = None if self._intake is None else self._intake.trouble()
        if code is not None:
            found.append(Trouble(topics.LEDGER, code))
        return [*found, *self._directory.troubles()]

    async def run(self) -> None:
        """
        Log until cancelled.

        Raises:
            Fatal: LOG_BUSY: another process writes the log. What else is fatal stays, and is told.
        """
        partitions = await self._survey()
        await until_one_fails([self._directory.run(), self._keep(partitions), self._serve()])

    async def _serve(self) -> None:
        """Serve what is published, and receipts: also while nothing can be appended."""
        settings, folder = self._settings, Folder(self._settings.log_tiles)
        receipts = Receipts(folder, lambda: self._reader, self._desk.note_key)
        asking = Asking(
            lambda: self._cases,
            self._statements.state,
            self._threaded,
            clock=self._clock,
            wait_ms=settings.wait_ms,
        )
        reads = Reads(
            lambda: None if self._reader is None or self._cases is None else (self._reader, self._cases),
            self._statements.state,
            self._reading,
            desk=self._desk,
            witnessed=lambda: folder.read(WITNESSED_PATH),
            clock=self._clock,
        )
        askers = Askers(self._root.bus, Nonces(self._clock() // 1000), self._clock)
        routers = [
            stating(asking, _allowance(settings.log_stated_per_s), self._shown.unshown),
            auditing(reads, askers, lambda: self._directory.current, _allowance(settings.log_reads_per_s), self._read),
        ]
        allowance = _allowance(settings.log_http_per_s)
        try:
            await serve(web(folder, receipts, allowance, self._shown.unshown, routers), settings.log_http, self._log)
        finally:
            folder.close()

    async def _survey(self) -> int:
        """Wait for a broker that has the topics of a bus; return how many partitions the ledger has."""
        self._first_look = asyncio.get_running_loop().time()
        while True:
            try:
                found = await self._kafka.topics(self._limits)
                if all(name in found for name in _NEEDED) and found[topics.LEDGER] == found[topics.SUBMISSIONS] + 1:
                    self._missing = None
                    return found[topics.LEDGER]
                whole = all(name in found for name in _NEEDED)
                self._missing = Code.TOPIC_MISCONFIGURED if whole else Code.TOPIC_MISSING
            except (KafkaError, OSError, TimeoutError):
                self._missing = Code.BROKER_AWAY
            self._log.warning("waiting-for-topics", code=self._missing)
            await asyncio.sleep(_SURVEY_S)

    async def _keep(self, partitions: int) -> None:
        """Open the log and keep it, anew after whatever may pass: a start is the only way back."""
        attempt = 0
        while True:
            opened_at = asyncio.get_running_loop().time()
            try:
                await self._session(partitions)
            except LocalError as error:
                self._trouble = Trouble("log", error.code)
                self._shown.failed(error.code)
                self._log.error("log-failed", code=error.code, detail=error.detail)
            except Fatal as error:
                self._trouble = Trouble("log", error.code, fatal=True)
                self._log.critical("log-stopped", code=error.code, detail=error.detail)
                if error.code is Code.LOG_BUSY:
                    raise
                # It stays as it is until a person has looked: to go on would bury the evidence.
                await asyncio.get_running_loop().create_future()
            if asyncio.get_running_loop().time() - opened_at > _BACKOFF_S[-1]:
                attempt = 0
            await asyncio.sleep(_BACKOFF_S[min(attempt, len(_BACKOFF_S) - 1)])
            attempt += 1

    async def _session(self, partitions: int) -> None:
        """Open store and folder and log until something fails."""
        url = self._settings.log_store.get_secret_value()
        store = await self._threaded(lambda: open_store(url, bus=self._root.bus, origin=self._desk.origin))
        folder, reader = Folder(self._settings.log_tiles), store.reader
        try:
            tree = await self._threaded(TreeLog, store, folder, self._desk)
            self._shown.opened(tree.size, tree.published, self._clock())
            self._intake = Intake(
                self._kafka,
                self._root.bus,
                tree.places,
                lambda: self._directory.current,
                limits=self._limits,
                log=self._log,
            )
            cases = Cases(reader, lambda: tree.size, lambda: self._directory.current)
            self._trouble, self._reader, self._cases = None, reader, cases
            self._statements.open(self._intake.wake)
            self._log.info("log-opened", count=tree.size)
            await until_one_fails(
                [
                    self._intake.run(partitions),
                    self._append(tree, self._intake),
                    self._publish(tree),
                    self._show(self._intake),
                    *([] if self._policy is None else [self._witnesses(tree, folder, self._policy).run()]),
                    self._retain(tree),
                    self._erase(tree, Eraser(tree, cases, self._desk, self._settings.wait_ms)),
                ]
            )
        finally:
            self._statements.close()
            self._intake = self._reader = self._cases = None
            # What still writes ends first: a thread cannot be cancelled.
            if self._running:
                done, _ = await asyncio.wait(self._running)
                for future in done:
                    future.exception()
            folder.close()
            store.close()

    def _witnesses(self, tree: TreeLog, folder: Folder, policy: Policy) -> Witnesses:
        around = Surroundings(
            key=self._desk.note_key,
            folder=folder,
            metrics=self._witnessed,
            log=self._log,
            clock=self._clock,
            threaded=self._threaded,
        )
        return Witnesses(policy, tree, around, self._settings.log_beat_ms / 1000)

    async def _threaded(self, work: Callable[..., ResultT], *arguments: object) -> ResultT:
        """Do *work* in a thread; `_running` has it until it has ended, whatever becomes of who waits."""
        return await self._in(self._threads, work, *arguments)

    async def _reading(self, work: Callable[..., ResultT], *arguments: object) -> ResultT:
        """Do *work* in a thread of those that only read: who reads much keeps nobody from writing."""
        return await self._in(self._readers, work, *arguments)

    async def _in(self, threads: ThreadPoolExecutor, work: Callable[..., ResultT], *arguments: object) -> ResultT:
        future = asyncio.get_running_loop().run_in_executor(threads, work, *arguments)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        return await asyncio.shield(future)

    async def _append(self, tree: TreeLog, intake: Intake) -> None:
        loop = asyncio.get_running_loop()

        async def write(taken: Sequence[Taken], places: Mapping[int, Place], *, erased: Sequence[int]) -> int:
            return await self._threaded(lambda: tree.append(taken, places, erased=erased))

        while True:
            pending = await intake.take(_IDLE_S)
            began = loop.time()
            count = await self._statements.append(pending.taken, pending.places, write)
            if not count and not pending.places:
                continue
            self._wait_since(pending)
            self._beat.tell()
            self._shown.appended(count, tree.size, loop.time() - began)
            await asyncio.sleep(max(0.0, began + _GATHER_S - loop.time()))

    async def _publish(self, tree: TreeLog) -> None:
        """Publish as soon as something was appended, and at most once a beat."""
        loop = asyncio.get_running_loop()
        while True:
            await self._beat.wait()
            began = loop.time()
            oldest_ms, self._oldest_ms = self._oldest_ms, None
            found = await self._threaded(tree.publish)
            if found is not None:
                waited_s = None if oldest_ms is None else (self._clock() - oldest_ms) / 1000
                self._shown.published(found.size, loop.time() - began, waited_s=waited_s)
            if tree.published == tree.size:
                self._shown.current(self._clock())

    async def _show(self, intake: Intake) -> None:
        while True:
            await asyncio.sleep(_SHOW_S)
            self._metrics.lanes(intake.lags(), state_bytes=0, stuck=0)

    async def _retain(self, tree: TreeLog) -> None:
        settings = self._settings
        if settings.log_keep_days:
            retention = Retention(
                self._kafka,
                days=settings.log_keep_days,
                groups=settings.readers,
                clock=self._clock,
                limits=self._limits,
            )
            await retention.run(lambda: tree.stands, self._log)

    async def _erase(self, tree: TreeLog, eraser: Eraser) -> None:
        while True:
            # Whose keys count is known a moment after the start.
            if self._directory.current is not None:
                carried = [one for one in await self._threaded(eraser.run) if one.code is None]
                for one in carried:
                    self._log.info("erased", count=len(one.leaves))
                self._shown.erased([len(one.leaves) for one in carried], tree.size, busy=eraser.busy)
                if eraser.busy:
                    self._log.warning("erased-not-overwritten", code=Code.STORE_BUSY)
            await asyncio.sleep(self._settings.log_erase_s)

    def _wait_since(self, pending: Pending) -> None:
        if pending.oldest_ms is not None:
            known = self._oldest_ms
            self._oldest_ms = pending.oldest_ms if known is None else min(known, pending.oldest_ms)


def _allowance(per_s: float) -> Allowance:
    return Allowance(per_s, max(1, round(per_s * _AT_ONCE_S)))


def _read_policy(path: Path) -> Policy:
    try:
        return Policy.parse(path.read_bytes())
    except OSError as error:
        raise LocalError(Code.NO_SUCH_FILE, "the policy of logs and witnesses cannot be read") from error

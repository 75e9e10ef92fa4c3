"""
The router on Kafka: what its core needs brought to it, what its core decides handed to the processor. No rule here.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

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
from service_chassis.metrics import Metrics

_AT_ONCE: Final = 32
"""Signatures a thread checks before it asks for more: some 4 ms, so that two threads end together."""


class Inboxes:
    """Which agencies have an inbox topic, as the broker last told."""

    def __init__(self, ask: Callable[[], "asyncio.Future[set[str]]"]) -> None:
        """*ask* the broker for the names of its topics."""
        self._ask = ask
        self._asked_for: set[str] = set()
        self.known: frozenset[str] = frozenset()

    async def refresh(self) -> None:
        """Ask again."""
        prefix = topics.inbox("")
        self.known = frozenset(name.removeprefix(prefix) for name in await self._ask() if name.startswith(prefix))

    async def look_for(self, agencies: Iterable[str]) -> None:
        """Ask again if one of *agencies* is not known; for each only once, so that nobody makes us ask for ever."""
        unknown = set(agencies) - self.known - self._asked_for
        if unknown:
            self._asked_for |= unknown
            await self.refresh()
            self._asked_for -= self.known


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
    inboxes: Inboxes
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
        return self._desk.unusable(now_ms)

    async def step(self, records: Sequence[Record], now_ms: int) -> RouterStep:
        """Judge *records* by the directory of this moment."""
        desk = self._desk
        directory = desk.directory()
        code = desk.unusable(now_ms)
        if directory is None or code is not None:
            raise LocalError(code or Code.DIRECTORY_MISSING)
        found = [examine(record, directory, desk.bus) for record in records]
        await _verify(found, desk.threads)
        await desk.inboxes.look_for(_addressed(found, directory))
        return self._core.step(found, directory, desk.inboxes.known)

    def merge(self, step: RouterStep) -> None:
        """Make what *step* changed the state."""
        self._core.merge(step)
        for code, count in step.codes.items():
            self._desk.metrics.judged(code.value, count)


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

    async def step(self, records: Sequence[Record], now_ms: int) -> RegistrarStep:
        """Judge *records* by the pinned root and the last head."""
        del now_ms
        return self._core.step(records, self._desk.inboxes.known)

    def merge(self, step: RegistrarStep) -> None:
        """Make what *step* changed the state."""
        self._core.merge(step)


async def _verify(found: Sequence[Examined], threads: ThreadPoolExecutor) -> None:
    # Ed25519 releases the GIL: two threads do nearly twice as many.
    loop = asyncio.get_running_loop()
    parts = [found[start : start + _AT_ONCE] for start in range(0, len(found), _AT_ONCE)]
    await asyncio.gather(*(loop.run_in_executor(threads, _verify_all, part) for part in parts))


def _verify_all(found: Sequence[Examined]) -> None:
    for item in found:
        verify_signature(item)


def _addressed(found: Sequence[Examined], directory: Directory) -> Iterable[str]:
    for item in found:
        if item.envelope is not None:
            yield item.envelope.source
            for address in item.envelope.data.recipients:
                agency = topics.agency_of(address)
                if directory.member(agency) is not None:
                    yield agency

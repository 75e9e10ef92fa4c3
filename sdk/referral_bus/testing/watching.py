"""
The deadline watcher beside a bus in memory: the real one's rules, its state in the state topic, its own signed events.

It goes to work when the simulator does. A wound clock alone moves nothing: `Simulator.run` makes it look.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from referral_bus.keys import AgencyKeys
from referral_bus.testing.memory import MemoryBroker
from referral_contracts import topics
from referral_contracts.directory import Directory
from referral_contracts.encoding import format_time
from referral_contracts.errors import LocalError
from referral_contracts.notices import Notice, seal_notice
from referral_contracts.rules.book import RuleBook
from referral_contracts.rules.calendar import Calendar
from referral_contracts.sealing import random_salts
from referral_contracts.signing import Typ
from referral_contracts.ticks import tick_statement
from referral_contracts.topics import H_SIGNATURE, partition_for

_MOST: Final = 50
_STATE_KEY: Final = bytes(range(32))


class WatcherCore(Protocol):
    """``deadline_watcher.core``, handed in: this package does not know what a bus runs."""

    Desk: Any
    Watcher: Any
    Speaker: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a watcher of a simulated bus watches by."""

    core: WatcherCore
    book: RuleBook
    calendar: Calendar


class Watching:
    """The watcher of a simulated bus."""

    def __init__(
        self,
        rules: Rules,
        broker: MemoryBroker,
        *,
        bus: str,
        partitions: int,
        keys: AgencyKeys,
        directory: Callable[[], Directory],
    ) -> None:
        """Watch the ledger in *broker*."""
        self._core = rules.core
        self._broker = broker
        self._bus = bus
        self._partitions = partitions
        self._keys = keys
        self._directory = directory
        self._desk = rules.core.Desk(
            bus=bus,
            state_key=_STATE_KEY,
            opening_keys=tuple(keys.sealing[keys.agency]),
            book=rules.book,
            calendar=rules.calendar,
            nonces=random_salts,
        )
        self.away = False
        """Whether it is down: nothing is heard and nothing said."""
        self.skew_s = 0.0
        """How far its own clock is ahead of the broker's."""
        self.tallies: list[Any] = []
        """What each step did, as the metrics are told."""
        self.restart()

    def restart(self) -> None:
        """Kill it and start another: it knows what the state topic holds, and nothing else."""
        self.folds = [self._restored(partition) for partition in range(self._partitions)]
        self._speakers = [self._core.Speaker(fold) for fold in self.folds]

    def case(self, subject: str) -> Any:  # noqa: ANN401 - the core's own type
        """Return what it knows of a case."""
        return self.folds[partition_for(subject, self._partitions)].case(subject.encode("ascii"))

    def step(self, most: int | None = None) -> int:
        """Let it hear at most *most* records of each partition and say what is due; return how much that was."""
        if self.away:
            return 0
        return sum([self._hear(number, most) + self._say(number) for number in range(self._partitions)])

    def _now_ms(self) -> int:
        return self._broker.clock.now_ms() + round(self.skew_s * 1000)

    def _restored(self, partition: int) -> Any:  # noqa: ANN401 - the core's own type
        fold = self._core.Watcher(self._desk, partition)
        for record in self._broker.records(topics.WATCHER_STATE, partition):
            fold.restore(record.key, record.value)
        return fold

    def _hear(self, number: int, most: int | None) -> int:
        fold = self.folds[number]
        records = self._broker.records(topics.LEDGER, number, fold.position() or 0)[:most]
        if not records:
            return 0
        step = fold.step(records, self._directory(), self._now_ms())
        self._broker.transact(step.writes)
        fold.merge(step)
        self._speakers[number].heard(step.heard)
        self.tallies.append(step.tally)
        return len(records)

    def _say(self, number: int) -> int:
        now_ms, directory = self._now_ms(), self._directory()
        if now_ms >= directory.expires_ms or self._broker.away:
            return 0
        found = self._speakers[number].round(directory, now_ms, _MOST)
        for notice in found.notices:
            self._submit(notice, number, directory, now_ms)
        if found.tick:
            value = tick_statement(self._bus, number, format_time(now_ms))
            self._append(number, None, value, Typ.TICK)
        count: int = len(found.notices) + found.tick
        return count

    def _submit(self, notice: Notice, number: int, directory: Directory, now_ms: int) -> None:
        try:
            readers: Sequence[Any] = [directory.reader(notice.recipient, now_ms)]
        except LocalError:
            return
        value = seal_notice(notice, bus=self._bus, source=self._keys.agency, readers=readers, now_ms=now_ms)
        self._append(number, notice.subject.encode("ascii"), value, Typ.EVENT)

    def _append(self, number: int, key: bytes | None, value: bytes, typ: Typ) -> None:
        signature = self._keys.signing.sign(typ, value).encode("ascii")
        self._broker.append(topics.SUBMISSIONS, number, key, value, ((H_SIGNATURE, signature),))

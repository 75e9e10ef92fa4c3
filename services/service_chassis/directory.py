"""
The directory as a service holds it: the compacted topic followed, and whether it may be decided by.

A decision may be made only by a directory that is signed, unexpired and known to be current: one that was read to the
end of its topic not longer ago than a bound.
"""

from collections.abc import Sequence

from aiokafka import TopicPartition

from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.directory import Directory, TrustRoot
from referral_contracts.directory_shelf import Shelf
from referral_contracts.records import Record
from service_chassis.fold import Limits
from service_chassis.follower import Follower
from service_chassis.health import Trouble
from service_chassis.kafka import Kafka
from service_chassis.logs import Log
from service_chassis.metrics import Metrics


class DirectoryReader:
    """Follows the directory topic. `current` never goes back, and never to something that was not signed."""

    def __init__(
        self, kafka: Kafka, root: TrustRoot, *, within_ms: int, limits: Limits, metrics: Metrics, log: Log
    ) -> None:
        """Prepare; nothing connects before `run`. It may have been known to be current *within_ms* ago."""
        self._shelf = Shelf(root)
        self._within_ms = within_ms
        self._metrics = metrics
        self._log = log
        tp = TopicPartition(topics.DIRECTORY, 0)
        self._follower = Follower(kafka, tp, self._take, limits=limits, log=log, settled=self._settle)
        self.run = self._follower.run

    @property
    def current(self) -> Directory | None:
        """The last good directory, usable or not."""
        return self._shelf.current

    def unusable(self, now_ms: int) -> Code | None:
        """Say why no decision may be made by it now, or None."""
        code = self._shelf.unusable(now_ms)
        if code is None and not self._follower.caught_up(self._within_ms):
            return Code.DIRECTORY_BEHIND
        return code

    def troubles(self) -> Sequence[Trouble]:
        """Say what is wrong with a head that was not taken; whether the directory is usable the lanes say."""
        fault = self._shelf.fault
        return [] if fault is None else [Trouble(topics.DIRECTORY, fault)]

    def _take(self, records: Sequence[Record]) -> None:
        for record in records:
            self._shelf.take(record.key, record.value)

    def _settle(self) -> None:
        taken, current = self._shelf.settle(), self._shelf.current
        if taken and current is not None:
            self._log.info("directory-taken", version=current.version)
        expires_s = None if current is None else current.expires_ms / 1000
        self._metrics.directory(age_s=self._follower.age_s(), expires_s=expires_s)

"""
Our place in the consumer group: which partitions are ours, and the proof that they still are.

The group's callbacks only note, pause and count: aiokafka sends no heartbeat while one runs. The consumer reads
nothing; it is polled so that it stays a member.
"""

import asyncio
import contextlib
from collections.abc import Collection, Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka import errors as kafka_errors

from service_chassis.fold import Limits
from service_chassis.kafka import STOP_S, Kafka
from service_chassis.kit import Ownership
from service_chassis.logs import Log
from service_chassis.metrics import Metrics

_POLL_MS: Final = 500
_PATIENCE: Final = 5
"""So many polls in a row may fail before the consumer is replaced."""
_BACKOFF_S: Final = 0.5


class Membership(ConsumerRebalanceListener):  # type: ignore[misc]
    """A member of *group* on *topics*, replaced when it cannot be one any more."""

    def __init__(
        self, kafka: Kafka, group: str, topics: Collection[str], *, limits: Limits, metrics: Metrics, log: Log
    ) -> None:
        """Prepare; nothing connects before `run`."""
        self.epoch = 0
        """Counts what the group told us: what was begun under another number is not ours to go on with."""
        self.owned: frozenset[TopicPartition] = frozenset()
        self.changed = asyncio.Event()
        self.met = False
        """Whether the broker has ever let us into the group."""
        self._kafka = kafka
        self._group = group
        self._topics = tuple(topics)
        self._limits = limits
        self._metrics = metrics
        self._log = log
        self._consumer: AIOKafkaConsumer | None = None
        self._replace = asyncio.Event()

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:  # noqa: ARG002 (aiokafka's signature)
        """Note that nothing is ours until we are told again."""
        self._note(frozenset(), "revoked")

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Note what is ours and keep the consumer from reading it."""
        if self._consumer is not None:
            for tp in assigned:
                # With a position it does not ask for one, paused it does not fetch.
                self._consumer.seek(tp, 0)
                self._consumer.pause(tp)
        self._note(frozenset(assigned), "assigned")

    async def run(self) -> None:
        """Be a member until cancelled."""
        while True:
            self._replace.clear()
            consumer = self._kafka.member(self._group, self._limits)
            consumer.subscribe(list(self._topics), listener=self)
            self._consumer = consumer
            try:
                await consumer.start()
                self.met = True
                await self._poll(consumer)
            except (kafka_errors.KafkaError, OSError, TimeoutError) as error:
                self._log.warning("membership-failed", error=type(error).__name__)
            finally:
                self._consumer = None
                self._note(frozenset(), "left")
                await _leave(consumer)
            await asyncio.sleep(_BACKOFF_S)

    async def confirm(self, tp: TopicPartition, offset: int) -> Ownership:
        """Ask the group whether *tp* is ours, by committing *offset* for it."""
        epoch, consumer = self.epoch, self._consumer
        if consumer is None or tp not in self.owned:
            return Ownership.LOST
        try:
            async with asyncio.timeout(self._limits.session_timeout_ms / 1000):
                await consumer.commit({tp: offset})
        except (kafka_errors.CommitFailedError, kafka_errors.IllegalStateError):
            # The coordinator has told aiokafka as well: it joins again by itself. Where it does not, it is replaced.
            asyncio.get_running_loop().call_later(self._rejoin_s(), self._unless_joined, epoch)
            return Ownership.LOST
        except TimeoutError:
            return Ownership.UNKNOWN
        except (kafka_errors.KafkaError, OSError) as error:
            self._log.warning("commit-failed", error=type(error).__name__)
            self._replace.set()
            return Ownership.UNKNOWN
        return Ownership.OURS if epoch == self.epoch else Ownership.LOST

    async def report(self, positions: Mapping[TopicPartition, int]) -> None:
        """Commit *positions* for those who watch the group's lag. Nothing is resumed from them."""
        consumer = self._consumer
        mine = {tp: offset for tp, offset in positions.items() if tp in self.owned}
        if consumer is None or not mine:
            return
        # What matters of a failure, the next poll or the next confirmation will find.
        with contextlib.suppress(kafka_errors.KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(self._limits.session_timeout_ms / 1000):
                await consumer.commit(mine)

    async def _poll(self, consumer: AIOKafkaConsumer) -> None:
        failures = 0
        while not self._replace.is_set():
            try:
                await consumer.getmany(timeout_ms=_POLL_MS)
            except kafka_errors.KafkaError as error:
                failures += 1
                self._log.warning("poll-failed", error=type(error).__name__)
                if failures >= _PATIENCE:
                    return
                await asyncio.sleep(_BACKOFF_S)
            else:
                failures = 0

    def _note(self, owned: frozenset[TopicPartition], event: str) -> None:
        self.epoch += 1
        self.owned = owned
        self.changed.set()
        self._metrics.rebalanced(event, len(owned))

    def _rejoin_s(self) -> float:
        return 3 * self._limits.session_timeout_ms / 1000

    def _unless_joined(self, epoch: int) -> None:
        if self.epoch == epoch:
            self._replace.set()


async def _leave(consumer: AIOKafkaConsumer) -> None:
    with contextlib.suppress(Exception):
        async with asyncio.timeout(STOP_S):
            await consumer.stop()

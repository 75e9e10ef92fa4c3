"""
Deletes from the ledger in Kafka what is old, and only behind the positions that are stored with the leaves.

The topic itself forgets nothing by age: an outage of the log, however long, loses nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import KafkaError

from audit_log.core.places import Place
from audit_log.core.retention import DAY_MS, EVERY_MS, deletable
from audit_log.settings import Keeping
from referral_contracts import topics
from service_chassis.fold import Limits
from service_chassis.kafka import Kafka, close
from service_chassis.logs import Log
from service_chassis.reader import PartitionReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletable:
    """What of a partition may go, and what keeps the rest."""

    partition: int
    start: int
    end: int
    """From which offset to before which it has records."""
    durable: int
    """Where the log's stored position stands."""
    aged: int
    """The first record that is not old enough."""
    read: Mapping[str, int | None]
    """How far each group has read; None: it has not said."""

    @property
    def before(self) -> int:
        """Before which offset everything may go."""
        return deletable(self.durable, self.aged, self.read.values())


class Retention:
    """Keeps the ledger to so many days."""

    def __init__(
        self, kafka: Kafka, *, days: int, groups: Sequence[str], clock: Callable[[], int], limits: Limits
    ) -> None:
        """Keep *days*, and whatever one of the consumer *groups* has not read; nothing connects before `run`."""
        self._kafka, self._days, self._groups = kafka, days, groups
        self._clock, self._limits = clock, limits

    async def run(self, places: Callable[[], Mapping[int, Place]], log: Log) -> None:
        """Delete every hour until cancelled; *places* is what is stored."""
        while True:
            try:
                for tp, before in (await self.delete(places())).items():
                    log.info("ledger-deleted", topic=tp.topic, partition=tp.partition, offset=before)
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning("retention-failed", error=type(error).__name__)
            await asyncio.sleep(EVERY_MS / 1000)

    async def look(self, places: Mapping[int, Place]) -> list[Deletable]:
        """
        Return of each partition what may go now; nothing is deleted.

        Raises:
            KafkaError, OSError, TimeoutError: The broker does not tell.
        """
        async with self._admin() as admin:
            return await self._look(admin, places)

    async def delete(self, places: Mapping[int, Place]) -> Mapping[TopicPartition, int]:
        """
        Delete what may go once; return before which offset of each partition that something went from.

        Raises:
            KafkaError, OSError, TimeoutError: The broker does not do it.
        """
        async with self._admin() as admin:
            found = {
                TopicPartition(topics.LEDGER, one.partition): one.before
                for one in await self._look(admin, places)
                if one.before > one.start
            }
            if found:
                await admin.delete_records({tp: RecordsToDelete(before_offset=before) for tp, before in found.items()})
            return found

    async def _look(self, admin: AIOKafkaAdminClient, places: Mapping[int, Place]) -> list[Deletable]:
        read = {group: await admin.list_consumer_group_offsets(group) for group in self._groups}
        client, found = self._kafka.client(self._limits), []
        try:
            await client.bootstrap()
            for partition, place in sorted(places.items()):
                tp = TopicPartition(topics.LEDGER, partition)
                reader = PartitionReader(client, tp, self._limits, committed=True)
                aged = await reader.offset_at(self._clock() - self._days * DAY_MS)
                span = await reader.span()
                found.append(
                    Deletable(
                        partition=partition,
                        start=span.start,
                        end=span.end,
                        durable=place.next_offset,
                        aged=aged,
                        read={group: _offset(told, tp) for group, told in read.items()},
                    )
                )
        finally:
            await close(client)
        return found

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = self._kafka.admin(self._limits)
        try:
            await admin.start()
            yield admin
        finally:
            await admin.close()


def retention_at(kafka: Kafka, told: Keeping, clock: Callable[[], int]) -> Retention:
    """Return the retention of the ledger that *kafka* reaches, by the settings, to be looked at beside the service."""
    return Retention(kafka, days=told.log_keep_days, groups=told.readers, clock=clock, limits=Limits())


def _offset(group: Mapping[TopicPartition, Any], tp: TopicPartition) -> int | None:
    found = group.get(tp)
    return None if found is None or found.offset < 0 else int(found.offset)

"""
Deletes from the ledger in Kafka what is old, and only behind the positions that are stored with the leaves.

The topic itself forgets nothing by age: an outage of the log, however long, loses nothing.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import KafkaError

from audit_log.core.places import Place
from audit_log.core.retention import DAY_MS, deletable
from referral_contracts import topics
from service_chassis.fold import Limits
from service_chassis.kafka import Kafka, close
from service_chassis.logs import Log
from service_chassis.reader import PartitionReader

_EVERY_S: Final = 3_600.0


class Retention:
    """Keeps the ledger to so many days."""

    def __init__(
        self, kafka: Kafka, *, days: int, groups: Sequence[str], clock: Callable[[], int], limits: Limits, log: Log
    ) -> None:
        """Keep *days*, and whatever one of the consumer *groups* has not read; nothing connects before `run`."""
        self._kafka, self._days, self._groups = kafka, days, groups
        self._clock, self._limits, self._log = clock, limits, log

    async def run(self, places: Callable[[], Mapping[int, Place]]) -> None:
        """Delete every hour until cancelled; *places* is what is stored."""
        while True:
            try:
                for tp, before in (await self.delete(places())).items():
                    self._log.info("ledger-deleted", topic=tp.topic, partition=tp.partition, offset=before)
            except (KafkaError, OSError, TimeoutError) as error:
                self._log.warning("retention-failed", error=type(error).__name__)
            await asyncio.sleep(_EVERY_S)

    async def delete(self, places: Mapping[int, Place]) -> Mapping[TopicPartition, int]:
        """
        Delete what may go once; return before which offset of each partition that something went from.

        Raises:
            KafkaError, OSError, TimeoutError: The broker does not do it.
        """
        client, admin = self._kafka.client(self._limits), self._kafka.admin(self._limits)
        try:
            await client.bootstrap()
            await admin.start()
            read = [await admin.list_consumer_group_offsets(group) for group in self._groups]
            found = {}
            for partition, place in places.items():
                tp = TopicPartition(topics.LEDGER, partition)
                reader = PartitionReader(client, tp, self._limits, committed=True)
                aged = await reader.offset_at(self._clock() - self._days * DAY_MS)
                before = deletable(place.next_offset, aged, [_offset(group, tp) for group in read])
                if before > (await reader.span()).start:
                    found[tp] = before
            await _delete(admin, found)
            return found
        finally:
            await close(client)
            await admin.close()


async def _delete(admin: AIOKafkaAdminClient, found: Mapping[TopicPartition, int]) -> None:
    if found:
        await admin.delete_records({tp: RecordsToDelete(before_offset=before) for tp, before in found.items()})


def _offset(group: Mapping[TopicPartition, Any], tp: TopicPartition) -> int | None:
    found = group.get(tp)
    return None if found is None or found.offset < 0 else int(found.offset)

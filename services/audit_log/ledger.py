"""Kafka's ledger read beside the log, to be held against what was logged."""

from collections.abc import AsyncIterator, Mapping

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError
from referral_contracts.records import Record
from service_chassis.client import Client
from service_chassis.fold import Limits
from service_chassis.kafka import Kafka, close
from service_chassis.reader import PartitionReader


class KafkaLedger:
    """The ledger of the broker that *kafka* names. Close it."""

    def __init__(self, kafka: Kafka) -> None:
        """Nothing connects before `spans`."""
        self._away = LocalError(Code.BROKER_AWAY, f"{kafka.bootstrap}: the ledger cannot be read")
        self._limits = Limits(fetch_wait_ms=100)
        self._client: Client = kafka.client(self._limits)
        self._readers: dict[int, PartitionReader] = {}
        self._spans: dict[int, tuple[int, int]] = {}

    async def spans(self) -> Mapping[int, tuple[int, int]]:
        """
        Return what each partition has now.

        Raises:
            LocalError: BROKER_AWAY. TOPIC_MISSING: this broker has no ledger.
        """
        try:
            await self._client.bootstrap()
            cluster = await self._client.fetch_all_metadata()
            numbers = sorted(cluster.partitions_for_topic(topics.LEDGER) or ())
            for number in numbers:
                place = TopicPartition(topics.LEDGER, number)
                reader = self._readers[number] = PartitionReader(self._client, place, self._limits, committed=True)
                span = await reader.span()
                self._spans[number] = (span.start, span.end)
        except (KafkaError, OSError, TimeoutError) as error:
            raise self._away from error
        if not numbers:
            raise LocalError(Code.TOPIC_MISSING, "the broker has no ledger")
        return self._spans

    async def records(self, partition: int) -> AsyncIterator[Record]:
        """
        Go through the committed records of *partition*.

        Raises:
            LocalError: BROKER_AWAY.
        """
        offset, end = self._spans[partition]
        while offset < end:
            try:
                chunk = await self._readers[partition].fetch(offset, wait_ms=self._limits.fetch_wait_ms)
            except (KafkaError, OSError, TimeoutError) as error:
                raise self._away from error
            for piece in chunk.pieces:
                for record in piece.records:
                    yield record
            offset = chunk.next_offset

    async def close(self) -> None:
        """Disconnect."""
        await close(self._client)

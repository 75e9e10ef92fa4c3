"""
The transactions of one partition: a step's writes become stored, all of them or none.

After any error a `Transactions` is spent, and what became of the step is unknown. Only the state topic tells, read
behind a new InitProducerId; the lane does that.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from aiokafka import errors as kafka_errors

from referral_contracts.codes import Code
from referral_contracts.errors import ReferralBusError
from referral_contracts.records import Write
from service_chassis.batches import Batch
from service_chassis.fold import Limits
from service_chassis.producer import InvalidRecord, Producer, Target

_TOPIC_PATIENCE_S: Final = 3.0
"""A topic that has just been created takes a moment to be known everywhere."""

_TOPIC_MISSING_S: Final = 30.0

# The broker will not store these writes, today or tomorrow.
_REFUSED: Final = (
    kafka_errors.MessageSizeTooLargeError,
    kafka_errors.RecordListTooLargeError,
    kafka_errors.InvalidTopicError,
    kafka_errors.InvalidTimestampError,
    kafka_errors.PolicyViolationError,
    kafka_errors.TopicAuthorizationFailedError,
    InvalidRecord,
)
_FENCED: Final = (
    kafka_errors.ProducerFenced,
    kafka_errors.InvalidProducerEpoch,
    kafka_errors.InvalidProducerIdMapping,
    kafka_errors.InvalidTxnState,
)


class Fenced(Exception):
    """Somebody has our transactional id, or the broker gave up waiting for us: both look the same."""


class Unproducible(ReferralBusError):
    """The broker refuses something among the writes: to try the same again is of no use."""


@dataclass(slots=True)
class Known:
    """What a partition's producers, one after the other, have learnt about topics."""

    topics: set[str] = field(default_factory=set)
    missing: dict[Target, float] = field(default_factory=dict)
    """Until when a target counts as missing without being asked for again: a refusal must not take long each time."""


class Transactions:
    """Writes steps, one transaction each, until the first error."""

    def __init__(self, producer: Producer, limits: Limits, known: Known) -> None:
        """Use *producer*, which has been started."""
        self._producer = producer
        self._limits = limits
        self._known = known

    @classmethod
    async def open(cls, producer: Producer, limits: Limits, known: Known) -> "Transactions":
        """Fence every other owner of the producer's id. When this returns, their last transaction has ended."""
        async with asyncio.timeout(limits.transaction_s):
            await producer.start()
            if known.topics:
                await producer.client.set_topics(known.topics)
        return cls(producer, limits, known)

    async def write(self, writes: Sequence[Write], state: Target, now_ms: int) -> int | None:
        """
        Store *writes* in one transaction, stamped *now_ms*.

        Return where the *state* partition goes on, if the broker said it.

        Raises:
            Unproducible: The broker refuses something among them.
            Fenced: Another owner, or a transaction that took too long.
        """
        batches = pack(writes, now_ms)
        try:
            async with asyncio.timeout(self._limits.transaction_s):
                await self._know(batches)
                # A crash up to here leaves nothing behind.
                await self._producer.begin(batches)
                end = await self._send(batches, state)
                # A crash here leaves an open transaction: the next owner's InitProducerId aborts it.
                await self._producer.commit()
                # From somewhere inside the commit on it has happened: the next owner finds it in the state topic.
        except _FENCED as error:
            raise Fenced from error
        except _REFUSED as error:
            raise Unproducible(Code.UNDELIVERABLE, type(error).__name__) from error
        return end

    async def _know(self, targets: Iterable[Target]) -> None:
        """Have metadata of all topics in one request: aiokafka's own way is one for each, and each asks for all."""
        client, known = self._producer.client, self._known
        time = asyncio.get_running_loop().time
        if any(known.missing.get(target, 0.0) > time() for target in targets):
            raise Unproducible(Code.TOPIC_MISSING, "a topic or partition to write to did not exist a moment ago")
        topics = {topic for topic, _ in targets}
        if not topics <= known.topics:
            known.topics |= topics
            await client.set_topics(known.topics)
        patience = time() + _TOPIC_PATIENCE_S
        while missing := {(t, p) for t, p in targets if p not in (client.cluster.partitions_for_topic(t) or ())}:
            if time() > patience:
                known.topics -= {topic for topic, _ in missing}
                known.missing |= dict.fromkeys(missing, time() + _TOPIC_MISSING_S)
                raise Unproducible(Code.TOPIC_MISSING, "a topic or partition to write to does not exist")
            await asyncio.sleep(0.1)
            await client.force_metadata_update()

    async def _send(self, batches: Mapping[Target, Sequence[Batch]], state: Target) -> int | None:
        end = None
        # A partition's second batch goes after its first, so the first of all go first.
        for number in range(max(map(len, batches.values()))):
            row = {target: each[number] for target, each in batches.items() if number < len(each)}
            answers = await self._producer.produce(row)
            errors = [answer for answer in answers.values() if isinstance(answer, BaseException)]
            if errors:
                # To be fenced explains every other error, and a refusal explains those that merely follow from it.
                raise min(errors, key=_rank)
            offset = answers.get(state)
            if isinstance(offset, int):
                # A duplicate sequence would be a success without an offset (-1).
                end = offset + row[state].count if offset >= 0 else None
        return end


def pack(writes: Sequence[Write], now_ms: int) -> dict[Target, list[Batch]]:
    """Build record batches: one per partition, more where one is full."""
    open_: dict[Target, Batch] = {}
    packed: dict[Target, list[Batch]] = {}
    for write in writes:
        target = (write.topic, write.partition)
        batch = open_.get(target)
        if batch is None or not batch.append(write):
            batch = open_[target] = Batch(now_ms)
            packed.setdefault(target, []).append(batch)
            batch.append(write)
    return packed


def _rank(error: BaseException) -> int:
    return 0 if isinstance(error, _FENCED) else 1 if isinstance(error, _REFUSED) else 2

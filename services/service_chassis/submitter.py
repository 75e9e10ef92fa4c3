"""
A producer outside of any transaction, for what a service submits as agencies do: batch-built, acknowledged by all.

A batch whose answer was lost is asked again, in the same bytes: the broker keeps it once (it knows the producer's id
and its sequence numbers). Who gives up does not know what is stored, and goes on under a new id: the caller must not
mind if something is stored twice. Kafka's protocol guide has the requests: InitProducerId 0, Produce 7.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from aiokafka import errors as kafka_errors
from aiokafka.protocol.transaction import InitProducerIdRequest

from referral_contracts.records import Write
from service_chassis.batches import Batch
from service_chassis.client import Client
from service_chassis.producer import PRODUCE, SEQUENCES, Target, leader_of, produce_request, stored
from service_chassis.transaction import pack

_NO_TRANSACTION: Final = b"\xff\xff"
"""A null string: no transactional id."""
_NO_TIMEOUT_MS: Final = -1
_AGAIN_S: Final = (0.02, 0.1, 0.3, 1.0)

_PASSING: Final = (
    kafka_errors.NotLeaderForPartitionError,
    kafka_errors.LeaderNotAvailableError,
    kafka_errors.UnknownTopicOrPartitionError,
    kafka_errors.NotEnoughReplicasError,
    kafka_errors.NotEnoughReplicasAfterAppendError,
    kafka_errors.RequestTimedOutError,
    kafka_errors.KafkaConnectionError,
    kafka_errors.NodeNotReadyError,
    kafka_errors.CoordinatorLoadInProgressError,
    kafka_errors.CoordinatorNotAvailableError,
    kafka_errors.StaleMetadata,
    OSError,
)
"""What a leader or a connection on its way out answers: asking again does no harm."""


class Submitter:
    """Stores records, one call after the other; each waits until they are stored, which is all the backpressure."""

    def __init__(self, client: Callable[[], Client], *, request_timeout_ms: int, patience_s: float) -> None:
        """
        Prepare; nothing connects before the first `submit`.

        Args:
            client: Makes a client, inside the loop.
            request_timeout_ms: How long the broker may wait for its replicas.
            patience_s: How long a call goes on asking.
        """
        self._make = client
        self._made: Client | None = None
        self._request_timeout_ms = request_timeout_ms
        self._patience_s = patience_s
        self._producer: tuple[int, int] | None = None
        self._sequences: defaultdict[Target, int] = defaultdict(int)
        self._turn = asyncio.Lock()

    async def submit(self, writes: Sequence[Write], now_ms: int) -> None:
        """
        Store *writes*, those of one partition in their order; the broker stamps them, or has *now_ms*.

        Raises:
            KafkaError, OSError, TimeoutError: Nobody knows which of them are stored.
        """
        async with self._turn:
            try:
                async with asyncio.timeout(self._patience_s):
                    await self._connect(writes)
                    batches = pack(writes, now_ms)
                    for number in range(max(map(len, batches.values()), default=0)):
                        await self._row({t: each[number] for t, each in batches.items() if number < len(each)})
            except BaseException:
                # Its sequence numbers are not known any more.
                self._producer = None
                raise

    async def close(self) -> None:
        """Let go of the connection."""
        if self._made is not None:
            await self._made.close()
            self._made = None

    @property
    def _client(self) -> Client:
        if self._made is None:
            raise kafka_errors.KafkaConnectionError("not connected")
        return self._made

    async def _connect(self, writes: Sequence[Write]) -> None:
        if self._made is None:
            made = self._make()
            try:
                await made.bootstrap()
            except BaseException:
                await made.close()
                raise
            self._made = made
        for topic in {write.topic for write in writes}:
            self._client.add_topic(topic)
        attempt = 0
        while self._producer is None:
            try:
                answer = await self._client.send(
                    self._client.get_random_node(), InitProducerIdRequest(None, _NO_TIMEOUT_MS)
                )
                if answer.error_code:
                    raise kafka_errors.for_code(answer.error_code)
            except _PASSING:
                attempt = await self._later(attempt)
            else:
                self._producer = (answer.producer_id, answer.producer_epoch)
                self._sequences.clear()

    async def _row(self, batches: Mapping[Target, Batch]) -> None:
        """Store one batch for each partition; the next of the same partition has to come after it."""
        left = {target: self._built(target, batch) for target, batch in batches.items()}
        attempt = 0
        while left:
            for target, outcome in (await self._asked(left)).items():
                if isinstance(outcome, int | kafka_errors.DuplicateSequenceNumber):
                    del left[target]
                elif not isinstance(outcome, _PASSING):
                    raise outcome
            if left:
                attempt = await self._later(attempt)

    def _built(self, target: Target, batch: Batch) -> Sequence[bytes]:
        sequence = self._sequences[target]
        self._sequences[target] = (sequence + batch.count) % SEQUENCES
        return batch.build(self._producer or (-1, -1), sequence, transactional=False)

    async def _asked(self, batches: Mapping[Target, Sequence[bytes]]) -> Mapping[Target, int | BaseException]:
        led: defaultdict[int, dict[Target, Sequence[bytes]]] = defaultdict(dict)
        found: dict[Target, int | BaseException] = {}
        for target, batch in batches.items():
            try:
                led[leader_of(self._client, target)][target] = batch
            except kafka_errors.LeaderNotAvailableError as error:
                found[target] = error
        answers = await asyncio.gather(*(self._ask(*part) for part in led.items()), return_exceptions=True)
        for part, answer in zip(led.values(), answers, strict=True):
            found |= dict.fromkeys(part, answer) if isinstance(answer, BaseException) else answer
        return found

    async def _ask(
        self, leader: int, batches: Mapping[Target, Sequence[bytes]]
    ) -> Mapping[Target, int | BaseException]:
        wire = await self._client.wire(leader)
        answer = await wire.ask(*PRODUCE, produce_request(_NO_TRANSACTION, self._request_timeout_ms, batches))
        found = stored(answer)
        if found.keys() != batches.keys():
            raise kafka_errors.KafkaConnectionError("the broker did not answer for every partition")
        return found

    async def _later(self, attempt: int) -> int:
        await asyncio.sleep(_AGAIN_S[min(attempt, len(_AGAIN_S) - 1)])
        await self._client.force_metadata_update()
        return attempt + 1

"""
The producer of one partition's transactions: begin, produce, commit, each asked once.

Only what the transaction before still keeps busy is asked again. After any other error the outcome is unknown, and the
lane starts again behind a new fence, as it would with any producer: so there is nothing here that retries, reorders or
waits in the background. Kafka's protocol guide has the requests: AddPartitionsToTxn 0, Produce 7, EndTxn 0.
"""

import asyncio
import struct
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final, Protocol, TypeAlias

from aiokafka import TopicPartition
from aiokafka import errors as kafka_errors
from aiokafka.client import CoordinationType
from aiokafka.protocol.transaction import InitProducerIdRequest

from service_chassis.batches import Batch
from service_chassis.client import Client
from service_chassis.wire import check, string

Target: TypeAlias = tuple[str, int]
"""A topic and a partition."""

_INVALID_RECORD: Final = 87

PRODUCE: Final = (0, 7)
_ADD_PARTITIONS: Final = (24, 0)
_END: Final = (26, 0)
_ENDED: Final = struct.Struct(">ih")
"""Throttled for, error."""
_ACKS_ALL: Final = -1
SEQUENCES: Final = 1 << 31
_AGAIN_S: Final = 0.05
_BUSY_S: Final = (0.001, 0.001, 0.002, 0.005, 0.01)
"""How long to wait for the markers of the transaction before: on one node they take 1 to 3 ms."""

_LATER: Final = (
    kafka_errors.ConcurrentTransactions,
    kafka_errors.CoordinatorNotAvailableError,
    kafka_errors.CoordinatorLoadInProgressError,
    kafka_errors.NotCoordinatorError,
    kafka_errors.NodeNotReadyError,
    kafka_errors.KafkaConnectionError,
    kafka_errors.RequestTimedOutError,
    kafka_errors.StaleMetadata,
)
"""At the start: a broker that is just coming, or still ending what the id's last owner has begun."""


class InvalidRecord(Exception):
    """The broker refuses a record for what is in it."""


class Producer(Protocol):
    """What `Transactions` needs: `TransactionalProducer`, or one that fails where a test wants it to."""

    client: Any

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def begin(self, targets: Iterable[Target]) -> None: ...
    async def produce(self, batches: Mapping[Target, Batch]) -> "Mapping[Target, int | BaseException]": ...
    async def commit(self) -> None: ...


class TransactionalProducer:
    """One transactional id."""

    def __init__(
        self,
        client: Client,
        transactional_id: str,
        *,
        transaction_timeout_ms: int,
        request_timeout_ms: int,
    ) -> None:
        """Prepare; `start` connects and fences. *client* is this producer's own, and tells who leads what."""
        self.client = client
        self._id = transactional_id
        self._name = string(transactional_id)
        self._transaction_timeout_ms = transaction_timeout_ms
        self._request_timeout_ms = request_timeout_ms
        self._coordinator = -1
        self._producer = (-1, -1)
        self._sequences: defaultdict[Target, int] = defaultdict(int)

    async def start(self) -> None:
        """Fence whoever has the id: when this returns, their last transaction has ended. Bounded by its caller."""
        await self.client.bootstrap()
        while True:
            try:
                await self._init()
            except _LATER:
                await self.client.force_metadata_update()
                await asyncio.sleep(_AGAIN_S)
            else:
                return

    async def _init(self) -> None:
        self._coordinator = await self.client.coordinator_lookup(CoordinationType.TRANSACTION, self._id)
        request = InitProducerIdRequest(self._id, self._transaction_timeout_ms)
        answer = await self.client.send(self._coordinator, request)
        check(answer.error_code)
        self._producer = (answer.producer_id, answer.producer_epoch)
        await self.client.wire(self._coordinator)

    async def stop(self) -> None:
        """Let go of everything, whatever is on its way."""
        await self.client.close()

    async def begin(self, targets: Iterable[Target]) -> None:
        """
        Begin a transaction that *targets* are part of, as soon as the one before has ended everywhere.

        Raises:
            KafkaError: It has not begun, or nobody knows.
        """
        targets = frozenset(targets)
        body = (self._name, struct.pack(">qh", *self._producer), _topics(targets))
        wire = await self.client.wire(self._coordinator)
        attempt = 0
        while any((codes := _added(await wire.ask(*_ADD_PARTITIONS, body), targets)).values()):
            error = min((kafka_errors.for_code(code) for code in codes.values() if code), key=_is_busy)
            if not _is_busy(error):
                raise error
            await asyncio.sleep(_BUSY_S[min(attempt, len(_BUSY_S) - 1)])
            attempt += 1

    async def produce(self, batches: Mapping[Target, Batch]) -> "Mapping[Target, int | BaseException]":
        """
        Store one batch for each partition; return where each begins, or why it is not stored.

        Raises:
            KafkaError: A broker did not answer: all of it may be stored, or none.
        """
        led: defaultdict[int, dict[Target, Batch]] = defaultdict(dict)
        for target, batch in batches.items():
            led[leader_of(self.client, target)][target] = batch
        wires = [await self.client.wire(node) for node in led]
        asked = [wire.ask(*PRODUCE, self._produced(part)) for wire, part in zip(wires, led.values(), strict=True)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        found: dict[Target, int | BaseException] = {}
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
            found |= stored(answer)
        if found.keys() != batches.keys():
            raise kafka_errors.KafkaError("the broker did not answer for every partition")
        return found

    def _produced(self, batches: Mapping[Target, Batch]) -> list[bytes]:
        built = {}
        for target, batch in batches.items():
            sequence = self._sequences[target]
            self._sequences[target] = (sequence + batch.count) % SEQUENCES
            built[target] = batch.build(self._producer, sequence)
        return produce_request(self._name, self._request_timeout_ms, built)

    async def commit(self) -> None:
        """
        Commit the transaction. Only what `produce` has said to be stored is in it.

        Raises:
            KafkaError: It is not committed, or nobody knows.
        """
        wire = await self.client.wire(self._coordinator)
        answer = await wire.ask(*_END, (self._name, struct.pack(">qhb", *self._producer, 1)))
        if len(answer) < _ENDED.size:
            raise kafka_errors.KafkaError("an answer that cannot be read")
        check(_ENDED.unpack_from(answer)[1])


def leader_of(client: Any, target: Target) -> int:  # noqa: ANN401 - aiokafka is untyped
    """
    Return the broker that *client* knows to lead *target*.

    Raises:
        LeaderNotAvailableError: It knows none.
    """
    leader: int | None = client.cluster.leader_for_partition(TopicPartition(*target))
    if leader is None or leader < 0:
        raise kafka_errors.LeaderNotAvailableError
    return leader


def produce_request(name: bytes, timeout_ms: int, batches: Mapping[Target, Sequence[bytes]]) -> list[bytes]:
    """Return a request's body: *batches*, each in pieces, in the transaction of the id *name*, or in none."""
    topics: defaultdict[str, list[tuple[int, Sequence[bytes]]]] = defaultdict(list)
    for (topic, partition), batch in batches.items():
        topics[topic].append((partition, batch))
    pieces: list[bytes] = []
    head = name + struct.pack(">hii", _ACKS_ALL, timeout_ms, len(topics))
    for topic, parts in topics.items():
        head += string(topic) + struct.pack(">i", len(parts))
        for partition, batch in parts:
            pieces += (head + struct.pack(">ii", partition, sum(map(len, batch))), *batch)
            head = b""
    return pieces


def _is_busy(error: type[BaseException]) -> bool:
    return error is kafka_errors.ConcurrentTransactions or error is kafka_errors.OperationNotAttempted


def _topics(targets: Iterable[Target]) -> bytes:
    """Return *targets* as an array of topics, each with an array of its partitions."""
    topics: defaultdict[str, list[int]] = defaultdict(list)
    for topic, partition in targets:
        topics[topic].append(partition)
    pieces = [struct.pack(">i", len(topics))]
    for topic, numbers in topics.items():
        pieces += (string(topic), struct.pack(f">i{len(numbers)}i", len(numbers), *numbers))
    return b"".join(pieces)


def _added(answer: memoryview, targets: AbstractSet[Target]) -> Mapping[Target, int]:
    """Return the error codes of an AddPartitionsToTxn of *targets*."""
    found = {(topic, partition): code for topic, (partition, code) in _partitions(answer, 4, struct.Struct(">ih"))}
    if found.keys() != targets:
        raise kafka_errors.KafkaError("the broker did not answer for every partition")
    return found


def stored(answer: memoryview) -> dict[Target, int | BaseException]:
    """Return the base offset or the error of each partition of a Produce."""
    found: dict[Target, int | BaseException] = {}
    for topic, (partition, code, offset, *_) in _partitions(answer, 0, struct.Struct(">ihqqq")):
        # aiokafka has no name for it, and makes of it what it makes of every passing trouble.
        error = InvalidRecord() if code == _INVALID_RECORD else kafka_errors.for_code(code)()
        found[topic, partition] = error if code else offset
    return found


def _partitions(answer: memoryview, at: int, row: struct.Struct) -> list[tuple[str, tuple[int, ...]]]:
    """Return the rows of *answer*, an array of topics from *at* on, each with an array of rows."""
    found = []
    try:
        (topics,) = struct.unpack_from(">i", answer, at)
        at += 4
        for _ in range(topics):
            (size,) = struct.unpack_from(">h", answer, at)
            topic = str(answer[at + 2 : at + 2 + size], "utf-8")
            (rows,) = struct.unpack_from(">i", answer, at + 2 + size)
            at += 6 + size
            for _ in range(rows):
                found.append((topic, row.unpack_from(answer, at)))
                at += row.size
    except (struct.error, UnicodeDecodeError):
        raise kafka_errors.KafkaError("an answer that cannot be read") from None
    return found

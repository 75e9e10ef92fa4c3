"""
The transport over Kafka: the one module here that knows aiokafka.

Writing goes through one idempotent producer; reading asks the partition's leader itself, by offset: no group, nothing
read ahead, nothing reset. Each call has a deadline, and what failed is dropped and made anew by the next call.
"""

import asyncio
import contextlib
import logging
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from functools import partial
from itertools import chain
from typing import Any, Final, Generic, TypeVar

from aiokafka import AIOKafkaClient, AIOKafkaProducer, TopicPartition
from aiokafka import errors as kafka_errors
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.record.util import calc_crc32c

from referral_bus.transport import Submission
from referral_contracts.codes import Code
from referral_contracts.errors import Fatal, LocalError, ReferralBusError
from referral_contracts.record_batches import committed, read, split
from referral_contracts.records import Record
from referral_contracts.topics import OUTPUT_MAX

DEADLINE_S: Final = 10.0
"""How long one exchange with the broker may take before it counts as away."""

_POLL_S: Final = 0.5
"""How long the broker holds back an empty answer."""
_STOP_S: Final = 2.0
"""How long a client may take to say goodbye."""
_BACKOFF_S: Final = 0.05
_FETCH_BYTES: Final = 4 * OUTPUT_MAX
_READ_COMMITTED: Final = 1
_EARLIEST: Final = -2
_LATEST: Final = -1

_MISSING: Final = (kafka_errors.UnknownTopicOrPartitionError, kafka_errors.InvalidTopicError)
_FORBIDDEN: Final = (kafka_errors.TopicAuthorizationFailedError, kafka_errors.ClusterAuthorizationFailedError)
_OVERSIZE: Final = (kafka_errors.MessageSizeTooLargeError, kafka_errors.RecordListTooLargeError)
_UNCONNECTED: Final = (
    kafka_errors.KafkaConnectionError,
    kafka_errors.NodeNotReadyError,
    kafka_errors.RequestTimedOutError,
)
# Besides its own errors: aiokafka asserts, and trips over bytes of a port that is not Kafka's.
_FOREIGN: Final = (kafka_errors.KafkaError, OSError, EOFError, TimeoutError, AssertionError, ValueError, struct.error)

_C = TypeVar("_C")
_T = TypeVar("_T")


class KafkaTransport:
    """One agency's way to a Kafka cluster; a `Transport`. It connects when it is first asked for something."""

    def __init__(
        self,
        bootstrap: str,
        *,
        ssl_context: ssl.SSLContext | None = None,
        client_id: str = "referral-bus",
        deadline_s: float = DEADLINE_S,
    ) -> None:
        """
        Prepare; nothing connects yet.

        Args:
            bootstrap: Host and port, several with commas.
            ssl_context: With the agency's certificate; without one nothing is encrypted and nobody is identified.
            client_id: What the broker's own log calls this client.
            deadline_s: How long one exchange with the broker may take.
        """
        _quieten()
        secured = {"security_protocol": "SSL", "ssl_context": ssl_context} if ssl_context is not None else {}
        # The protocol has to be said as well: with a context alone aiokafka speaks plaintext.
        self._settings: dict[str, Any] = {"bootstrap_servers": bootstrap, "client_id": client_id, **secured}
        self._settings["request_timeout_ms"] = round(deadline_s * 1000)
        self._deadline_s = deadline_s
        self._links: dict[tuple[str, int] | None, _Held[AIOKafkaClient]] = {}
        self._writer: _Held[AIOKafkaProducer] = _Held(self._producer, AIOKafkaProducer.start, _stopped)
        self._known: dict[str, int] = {}

    async def submit(self, topic: str, submissions: Sequence[Submission]) -> None:
        """Append records; return when every in-sync replica has all of them."""

        async def send(producer: AIOKafkaProducer) -> None:
            sent: list[asyncio.Future[Any]] = []
            try:
                for partition, key, value, headers in submissions:
                    sent.append(await producer.send(topic, value, key=key, partition=partition, headers=list(headers)))
            finally:
                # Each is looked at, also beside one that failed: an answer that nobody takes is complained of.
                answers = await asyncio.gather(*sent, return_exceptions=True)
            for answer in answers:
                if isinstance(answer, BaseException):
                    raise answer

        if not self._writer.open:
            # What was known may be the reason why the last one failed.
            self._known.clear()
        if topic not in self._known:
            # aiokafka would look for a missing topic until its own time is up.
            self._known[topic] = await self.partitions(topic)
        if not all(0 <= submission.partition < self._known[topic] for submission in submissions):
            raise LocalError(Code.TOPIC_MISSING, "no such partition")
        async with _translated(self._deadline_s):
            await self._writer.run(send)

    async def read(self, topic: str, partition: int, offset: int, timeout_s: float) -> Sequence[Record]:
        """Return committed records from *offset* on, or nothing after *timeout_s*."""
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_s
        link = self._link((topic, partition))
        while True:
            wait_s = max(0.0, min(_POLL_S, until - loop.time()))
            fetch = partial(_Ask(topic, partition).fetch, offset=offset, wait_s=wait_s)
            async with _translated(wait_s + self._deadline_s):
                records, offset = await _asked(link, fetch)
            if records or loop.time() >= until:
                return records

    async def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """Return the first offset the topic still has and the one after its last committed record."""
        ask = _Ask(topic, partition)
        async with _translated(self._deadline_s):
            return await _asked(self._link(None), ask.bounds)

    async def partitions(self, topic: str) -> int:
        """Return how many partitions *topic* has, or raise LocalError(TOPIC_MISSING)."""
        async with _translated(self._deadline_s):
            return await _asked(self._link(None), partial(_count, topic=topic))

    async def close(self) -> None:
        """Let go of the broker; calls that wait end with BROKER_AWAY."""
        links, self._links = list(self._links.values()), {}
        await asyncio.gather(self._writer.close(), *(link.close() for link in links))

    def _link(self, name: tuple[str, int] | None) -> "_Held[AIOKafkaClient]":
        # A partition that is waited for has a connection of its own: the broker answers a connection in order.
        if name not in self._links:
            self._links[name] = _Held(partial(AIOKafkaClient, **self._settings), AIOKafkaClient.bootstrap, _closed)
        return self._links[name]

    def _producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            enable_idempotence=True, acks="all", linger_ms=0, max_request_size=2 * OUTPUT_MAX, **self._settings
        )


class _Held(Generic[_C]):
    """A client of aiokafka, opened by the first call that needs it and dropped by the first that fails."""

    def __init__(
        self,
        make: Callable[[], _C],
        start: Callable[[_C], Coroutine[Any, Any, None]],
        stop: Callable[[_C], Coroutine[Any, Any, None]],
    ) -> None:
        self._make = make
        self._start = start
        self._stop = stop
        self._lock = asyncio.Lock()
        self._client: _C | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def open(self) -> bool:
        return self._client is not None

    async def run(self, use: Callable[[_C], Coroutine[Any, Any, _T]]) -> _T:
        async with self._lock:
            client = self._client or await self._opened()
            self._client = client
        try:
            return await use(client)
        except LocalError:
            raise
        except BaseException:
            if self._client is client:
                self._client = None
                self._leave(self._stop(client))
            raise

    async def _opened(self) -> _C:
        client = self._make()
        starting = asyncio.get_running_loop().create_task(self._start(client))
        try:
            # Cancelled in the middle, aiokafka would lose sight of a socket that it has opened.
            await asyncio.shield(starting)
        except BaseException:
            self._leave(self._give_up(client, starting))
            raise
        return client

    async def _give_up(self, client: _C, starting: "asyncio.Task[None]") -> None:
        await asyncio.wait((starting,), timeout=_STOP_S)
        starting.cancel()
        await asyncio.wait((starting,))
        if not starting.cancelled():
            starting.exception()
        await self._stop(client)

    def _leave(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            self._leave(self._stop(client))
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=2 * _STOP_S)


class _Ask:
    """Questions about one partition, to its leader."""

    def __init__(self, topic: str, partition: int) -> None:
        self._topic = topic
        self._partition = partition
        self._tp = TopicPartition(topic, partition)

    async def fetch(self, client: AIOKafkaClient, offset: int, wait_s: float) -> tuple[list[Record], int]:
        """Return the committed records from *offset* on, and where to go on."""
        wanted = [(self._topic, [(self._partition, offset, _FETCH_BYTES)])]
        request = FetchRequest(round(wait_s * 1000), 1, _FETCH_BYTES, _READ_COMMITTED, wanted)
        aborted, data = await self._ask(client, request, _fetched)
        batches = list(split(data))
        for batch in batches:
            if calc_crc32c(batch.summed) != batch.checksum:
                raise Fatal(Code.MALFORMED_RECORD, "a record batch with a wrong checksum")
            if batch.codec:
                # A small one can hold gigabytes. The topic is told to store them inflated, and refuses such a one.
                raise Fatal(Code.TOPIC_MISCONFIGURED, "compressed records, where the broker has to store them inflated")
        records = [
            record
            for batch in committed(batches, aborted)
            for record in read(batch, self._partition)
            if record.offset >= offset
        ]
        return records, max(offset, batches[-1].next_offset) if batches else offset

    async def bounds(self, client: AIOKafkaClient) -> tuple[int, int]:
        """Return the first offset and the end of what is committed."""
        return await self._offset(client, _EARLIEST), await self._offset(client, _LATEST)

    async def _offset(self, client: AIOKafkaClient, which: int) -> int:
        request = OffsetRequest(-1, _READ_COMMITTED, [(self._topic, [(self._partition, which)])])
        return await self._ask(client, request, _listed)

    async def _ask(self, client: AIOKafkaClient, request: Any, read_answer: Callable[[Any], _T]) -> _T:  # noqa: ANN401
        if client.cluster.leader_for_partition(self._tp) is None:
            await self._locate(client)
        while True:
            leader = client.cluster.leader_for_partition(self._tp)
            try:
                if leader is None or leader == -1:
                    raise kafka_errors.LeaderNotAvailableError
                return read_answer(await client.send(leader, request))
            except _UNCONNECTED:
                raise
            except kafka_errors.OffsetOutOfRangeError:
                raise LocalError(Code.POSITION_LOST, "the topic does not hold this offset") from None
            except kafka_errors.KafkaError as error:
                if not error.retriable:
                    raise
            # A leader on its way out; the caller's deadline ends this.
            await asyncio.sleep(_BACKOFF_S)
            await self._locate(client)

    async def _locate(self, client: AIOKafkaClient) -> None:
        if not 0 <= self._partition < await _count(client, self._topic):
            raise LocalError(Code.TOPIC_MISSING, "no such partition")


async def _asked(link: _Held[AIOKafkaClient], ask: Callable[[AIOKafkaClient], Coroutine[Any, Any, _T]]) -> _T:
    reused = link.open
    try:
        return await link.run(ask)
    except _UNCONNECTED:
        if not reused:
            raise
    # A connection that was idle for long may be gone without anybody being away.
    return await link.run(ask)


async def _count(client: AIOKafkaClient, topic: str) -> int:
    """Return how many partitions *topic* has, and let *client* know their leaders."""
    while True:
        node = client.get_random_node()
        if node is None:
            # A broker that was just started, or was thought dead, does not count itself in yet.
            await asyncio.sleep(_BACKOFF_S)
            await client.force_metadata_update()
            continue
        # Said here, because aiokafka itself would let the broker make the topic.
        answer = await client.send(node, MetadataRequest([topic], allow_auto_topic_creation=False))
        ((code, _, *_, partitions),) = answer.topics
        error = kafka_errors.for_code(code)
        if error in _MISSING:
            raise LocalError(Code.TOPIC_MISSING, "no such topic")
        if error is kafka_errors.NoError:
            client.cluster.update_metadata(answer)
            # So that it keeps itself informed of this topic, and not of all there are.
            client.add_topic(topic)
            return len(partitions)
        if not error.retriable:
            raise error
        await asyncio.sleep(_BACKOFF_S)


def _fetched(answer: Any) -> tuple[Sequence[tuple[int, int]], bytes]:  # noqa: ANN401 - aiokafka's protocol is untyped
    if not answer.topics:
        # A throttled client is answered at once, and with nothing.
        return (), b""
    ((_, ((_, code, _, *rest),)),) = answer.topics
    _check(code)
    # Since version 4: last stable offset, …, aborted transactions, (since 11: preferred replica,) records.
    aborted = rest[2] if answer.API_VERSION >= 11 else rest[-2]
    return aborted or (), rest[-1] or b""


def _listed(answer: Any) -> int:  # noqa: ANN401 - aiokafka's protocol is untyped
    ((_, ((_, code, _, offset, *_),)),) = answer.topics
    _check(code)
    return int(offset)


def _check(code: int) -> None:
    error = kafka_errors.for_code(code)
    if error is not kafka_errors.NoError:
        raise error


@contextlib.asynccontextmanager
async def _translated(deadline_s: float) -> AsyncIterator[None]:
    """Bound what happens inside, and let only our own errors out."""
    try:
        async with asyncio.timeout(deadline_s):
            yield
    except ReferralBusError:
        raise
    except _FOREIGN as error:
        raise _ours(error) from error


def _ours(error: BaseException) -> LocalError:
    if isinstance(error, _OVERSIZE):
        return LocalError(Code.OVERSIZE, "the topic takes no record of this size")
    if isinstance(error, _MISSING):
        return LocalError(Code.TOPIC_MISSING, "no such topic")
    if isinstance(error, _FORBIDDEN):
        return LocalError(Code.NOT_AUTHORISED, "the broker does not let this certificate at the topic")
    return LocalError(Code.BROKER_AWAY, f"no answer that could be used ({type(error).__name__})")


async def _stopped(producer: AIOKafkaProducer) -> None:
    """Let go of *producer* at once: what it still wants to send it would send again and again, behind our back."""
    sender = producer._sender.sender_task  # noqa: SLF001 - there is no public way to give up
    waiting = producer._message_accumulator  # noqa: SLF001
    given_up = [*chain.from_iterable(waiting._batches.values()), *waiting._pending_batches]  # noqa: SLF001
    waiting.fail_all(kafka_errors.ProducerClosed())
    for batch in given_up:
        # Nobody waits for room any more, and an exception that nobody takes is complained of in the agency's log.
        batch._drain_waiter.exception()  # noqa: SLF001
    if sender is not None:
        sender.cancel()
        # It waits for what is on its way, which ends with the connection.
        await _closed(producer.client)
        sender.cancel()
    with contextlib.suppress(*_FOREIGN):
        async with asyncio.timeout(_STOP_S):
            await producer.stop()


async def _closed(client: AIOKafkaClient) -> None:
    with contextlib.suppress(*_FOREIGN):
        async with asyncio.timeout(_STOP_S):
            await client.close()


def _quieten() -> None:
    # It writes a line at each attempt to connect, and at DEBUG keys and values. What is wrong, we say ourselves.
    logger = logging.getLogger("aiokafka")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL)

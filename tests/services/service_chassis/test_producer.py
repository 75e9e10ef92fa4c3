import io
from collections import defaultdict, deque
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import errors as kafka_errors
from aiokafka.protocol.produce import ProduceRequest_v7, ProduceResponse_v7
from aiokafka.protocol.transaction import (
    AddPartitionsToTxnRequest_v0,
    AddPartitionsToTxnResponse_v0,
    EndTxnRequest_v0,
    EndTxnResponse_v0,
)
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.record_batches import read, split
from referral_contracts.records import Write
from service_chassis.batches import Batch
from service_chassis.producer import InvalidRecord, Target, TransactionalProducer

CONCURRENT = kafka_errors.ConcurrentTransactions.errno
FENCED = kafka_errors.InvalidProducerEpoch.errno
NOT_ATTEMPTED = kafka_errors.OperationNotAttempted.errno
REQUESTS = {24: AddPartitionsToTxnRequest_v0, 0: ProduceRequest_v7, 26: EndTxnRequest_v0}

pytestmark = pytest.mark.asyncio

targets = st.lists(st.tuples(st.text("abü.-", min_size=1, max_size=20), st.integers(0, 9)), min_size=1, unique=True)


class FakeWire:
    """A broker that gives one answer after the other, and reads what it is asked with aiokafka's own shapes."""

    def __init__(self, answers: Iterable[Any] = ()) -> None:
        self.answers = deque(answers)
        self.asked: list[Any] = []

    async def ask(self, api: int, version: int, body: Iterable[bytes]) -> memoryview:
        told = b"".join(body)
        stream = io.BytesIO(told)
        self.asked.append(REQUESTS[api].decode(stream))
        assert not stream.read()
        assert self.asked[-1].encode() == told
        assert version == REQUESTS[api].API_VERSION
        return memoryview(self.answers.popleft().encode())


def producer(*wires: FakeWire) -> TransactionalProducer:
    """A producer that has been started; partition n of every topic is led by wire n, modulo."""
    cluster = SimpleNamespace(leader_for_partition=lambda tp: tp.partition % len(wires))

    async def wire(node: int) -> FakeWire:
        return wires[node]

    client: Any = SimpleNamespace(cluster=cluster, wire=wire)
    made = TransactionalProducer(client, "lane", transaction_timeout_ms=1, request_timeout_ms=7)
    made._coordinator, made._producer = 0, (5, 2)
    return made


def batch(*values: bytes) -> Batch:
    made = Batch(0)
    for value in values:
        assert made.append(Write("", 0, b"key", value, (("h", b"x"),)))
    return made


TWO: list[Target] = [("t", 0), ("t", 1)]


def added(*codes: int) -> AddPartitionsToTxnResponse_v0:
    return AddPartitionsToTxnResponse_v0(0, [("t", list(enumerate(codes)))])


def stored(rows: Iterable[tuple[Target, int, int]]) -> ProduceResponse_v7:
    topics = defaultdict(list)
    for (topic, partition), code, offset in rows:
        topics[topic].append((partition, code, offset, -1, 0))
    return ProduceResponse_v7(list(topics.items()), 0)


@given(targets)
async def test_begin_names_every_partition(named: list[Target]) -> None:
    wire = FakeWire([AddPartitionsToTxnResponse_v0(0, [(topic, [(number, 0)]) for topic, number in named])])

    await producer(wire).begin(named)

    (asked,) = wire.asked
    assert (asked.transactional_id, asked.producer_id, asked.producer_epoch) == ("lane", 5, 2)
    assert sorted((topic, number) for topic, numbers in asked.topics for number in numbers) == sorted(named)


async def test_begin_waits_for_the_markers_of_the_transaction_before() -> None:
    wire = FakeWire([added(CONCURRENT, NOT_ATTEMPTED), added(CONCURRENT, 0), added(0, 0)])

    await producer(wire).begin(TWO)

    assert len(wire.asked) == 3


@pytest.mark.parametrize("codes", [(FENCED, 0), (NOT_ATTEMPTED, FENCED), (CONCURRENT, FENCED)])
async def test_begin_waits_for_nothing_else(codes: tuple[int, ...]) -> None:
    with pytest.raises(kafka_errors.InvalidProducerEpoch):
        await producer(FakeWire([added(*codes)])).begin(TWO)


@pytest.mark.parametrize("codes", [(), (0,), (0, 0, 0)])
async def test_begin_wants_an_answer_for_every_partition(codes: tuple[int, ...]) -> None:
    with pytest.raises(kafka_errors.KafkaError):
        await producer(FakeWire([added(*codes)])).begin(TWO)


@pytest.mark.parametrize(("code", "refused"), [(87, True), (-1, False), (2, False)])
async def test_only_a_record_that_is_refused_for_itself_is_told_apart(code: int, *, refused: bool) -> None:
    found = await producer(FakeWire([stored([(("t", 0), code, -1)])])).produce({("t", 0): batch(b"v")})

    assert isinstance(found["t", 0], InvalidRecord) == refused


@given(targets, st.integers(1, 3))
async def test_produce_asks_each_leader_for_its_own(named: list[Target], leaders: int) -> None:
    expected = {target: number * 10 for number, target in enumerate(named)}
    led = {node: [target for target in named if target[1] % leaders == node] for node in range(leaders)}
    wires = [FakeWire([stored((target, 0, expected[target]) for target in led[node])]) for node in range(leaders)]

    assert await producer(*wires).produce({target: batch(b"v") for target in named}) == expected

    for node, wire in enumerate(wires):
        assert len(wire.asked) == bool(led[node])
        for asked in wire.asked:
            assert (asked.transactional_id, asked.required_acks, asked.timeout) == ("lane", -1, 7)
            assert {(topic, part) for topic, parts in asked.topics for part, _ in parts} == set(led[node])


async def test_sequences_go_on_from_one_transaction_to_the_next() -> None:
    target = ("t", 0)
    wire = FakeWire([stored([(target, 0, 0)]), stored([(target, 0, 3)])])
    writing = producer(wire)
    writing._sequences[target] = (1 << 31) - 2

    for values in ((b"a", b"b", b"c"), (b"d",)):
        await writing.produce({target: batch(*values)})

    found = [next(iter(split(asked.topics[0][1][0][1]))) for asked in wire.asked]
    assert [whole.producer_id for whole in found] == [5, 5]
    assert [int.from_bytes(asked.topics[0][1][0][1][53:57], "big") for asked in wire.asked] == [(1 << 31) - 2, 1]
    assert [record.value for whole in found for record in read(whole, 0)] == [b"a", b"b", b"c", b"d"]


async def test_an_error_of_one_partition_leaves_the_others_their_offsets() -> None:
    wire = FakeWire([stored([(("t", 0), 0, 4), (("t", 1), FENCED, -1)])])

    found = await producer(wire).produce({("t", 0): batch(b"v"), ("t", 1): batch(b"v")})

    assert found["t", 0] == 4
    assert isinstance(found["t", 1], kafka_errors.InvalidProducerEpoch)


@pytest.mark.parametrize("rows", [[], [(("t", 1), 0, 4)], [(("t", 0), 0, 4), (("t", 1), 0, 4)]])
async def test_an_answer_about_other_partitions_is_none(rows: list[tuple[Target, int, int]]) -> None:
    with pytest.raises(kafka_errors.KafkaError):
        await producer(FakeWire([stored(rows)])).produce({("t", 0): batch(b"v")})


@given(st.binary(max_size=60))
async def test_an_answer_that_cannot_be_read_is_an_error_of_kafkas(answer: bytes) -> None:
    wire = FakeWire([SimpleNamespace(encode=lambda: answer)])
    try:
        found = await producer(wire).produce({("t", 0): batch(b"v")})
    except kafka_errors.KafkaError:
        return
    assert found.keys() == {("t", 0)}


@pytest.mark.parametrize("size", range(6))
async def test_a_commit_that_is_not_answered_whole_is_an_error(size: int) -> None:
    answer = SimpleNamespace(encode=lambda: EndTxnResponse_v0(0, 0).encode()[:size])

    with pytest.raises(kafka_errors.KafkaError):
        await producer(FakeWire([answer])).commit()


@pytest.mark.parametrize("code", [CONCURRENT, FENCED])
async def test_a_commit_is_asked_for_once(code: int) -> None:
    wire = FakeWire([EndTxnResponse_v0(0, 0), EndTxnResponse_v0(0, code)])
    writing = producer(wire)

    await writing.commit()
    with pytest.raises(kafka_errors.for_code(code)):
        await writing.commit()

    told = [(asked.transactional_id, asked.producer_id, asked.producer_epoch) for asked in wire.asked]
    assert told == [("lane", 5, 2)] * 2
    assert all(asked.transaction_result for asked in wire.asked)


async def test_a_partition_without_a_leader_is_not_asked_for() -> None:
    writing = producer(FakeWire())
    writing.client.cluster.leader_for_partition = lambda tp: -1

    with pytest.raises(kafka_errors.LeaderNotAvailableError):
        await writing.produce({("t", 0): batch(b"v")})

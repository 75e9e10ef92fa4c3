import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import errors as kafka_errors

from referral_contracts.codes import Code
from referral_contracts.records import Write
from service_chassis.batches import Batch
from service_chassis.fold import Limits
from service_chassis.producer import Target
from service_chassis.transaction import Fenced, Known, Transactions, Unproducible

pytestmark = pytest.mark.asyncio

STATE = ("state", 0)


@dataclass
class FakeProducer:
    """Stores what is committed; `answer` decides what becomes of a batch."""

    answer: Callable[[str], BaseException | None] = lambda _topic: None
    topics: frozenset[str] = frozenset({"a", "b", "state"})
    sent: list[tuple[str, int, int]] = field(default_factory=list)
    committed: bool = False
    client: Any = None

    def __post_init__(self) -> None:
        async def nothing(*_: object) -> None: ...

        partitions = {topic: {0, 1} for topic in self.topics}
        self.client = SimpleNamespace(
            cluster=SimpleNamespace(partitions_for_topic=partitions.get),
            set_topics=nothing,
            force_metadata_update=nothing,
            close=nothing,
        )

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def begin(self, targets: Iterable[Target]) -> None: ...

    async def commit(self) -> None:
        self.committed = True

    async def produce(self, batches: Mapping[Target, Batch]) -> dict[Target, int | BaseException]:
        answers: dict[Target, int | BaseException] = {}
        for (topic, partition), batch in batches.items():
            offset = sum(count for sent, _, count in self.sent if sent == topic)
            self.sent.append((topic, partition, batch.count))
            answers[topic, partition] = self.answer(topic) or offset
        return answers


def writes(*topics: str, size: int = 10) -> list[Write]:
    return [Write(topic, 0, b"key", b"v" * size) for topic in topics]


async def test_a_partition_gets_one_batch_in_the_order_of_its_writes() -> None:
    producer = FakeProducer()
    transactions = await Transactions.open(producer, Limits(), Known())

    end = await transactions.write(writes("a", "b", "a", "state"), STATE, 0)

    assert producer.sent == [("a", 0, 2), ("b", 0, 1), ("state", 0, 1)]
    assert producer.committed
    assert end == 1


async def test_after_a_full_batch_comes_another_and_the_first_of_all_go_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service_chassis.transaction.Batch", lambda now_ms: Batch(now_ms, 300))
    producer = FakeProducer()
    transactions = await Transactions.open(producer, Limits(), Known())

    end = await transactions.write(writes("a", "a", "a", "b", "state", "state", "state", size=90), STATE, 0)

    assert producer.sent == [("a", 0, 2), ("b", 0, 1), ("state", 0, 2), ("a", 0, 1), ("state", 0, 1)]
    assert end == 3


async def test_a_record_larger_than_a_batch_gets_one_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service_chassis.transaction.Batch", lambda now_ms: Batch(now_ms, 300))
    producer = FakeProducer()
    transactions = await Transactions.open(producer, Limits(), Known())

    await transactions.write([*writes("a"), *writes("a", size=5_000), *writes("a")], STATE, 0)

    assert producer.sent == [("a", 0, 1), ("a", 0, 1), ("a", 0, 1)]


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        (kafka_errors.MessageSizeTooLargeError(), Unproducible),
        (kafka_errors.TopicAuthorizationFailedError(), Unproducible),
        (kafka_errors.ProducerFenced(), Fenced),
        (kafka_errors.OutOfOrderSequenceNumber(), kafka_errors.OutOfOrderSequenceNumber),
    ],
)
async def test_nothing_is_committed_when_one_produce_has_failed(
    answer: BaseException, raised: type[BaseException]
) -> None:
    producer = FakeProducer(answer=lambda topic: answer if topic == "b" else None)
    transactions = await Transactions.open(producer, Limits(), Known())

    with pytest.raises(raised):
        await transactions.write(writes("a", "b", "state"), STATE, 0)

    assert not producer.committed


async def test_to_be_fenced_explains_every_other_error() -> None:
    answers = {"a": kafka_errors.MessageSizeTooLargeError(), "b": kafka_errors.ProducerFenced()}
    transactions = await Transactions.open(FakeProducer(answer=answers.get), Limits(), Known())

    with pytest.raises(Fenced):
        await transactions.write(writes("a", "b"), STATE, 0)


async def test_a_topic_that_does_not_exist_is_refused_and_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service_chassis.transaction._TOPIC_PATIENCE_S", 0.0)
    known = Known()
    for _ in range(2):
        transactions = await Transactions.open(FakeProducer(), Limits(), known)

        with pytest.raises(Unproducible) as refusal:
            await transactions.write(writes("a", "nowhere"), STATE, 0)

        assert refusal.value.code == Code.TOPIC_MISSING
    assert known.missing.keys() == {("nowhere", 0)}
    assert known.topics == {"a"}


async def test_an_answer_that_never_comes_is_an_unknown_outcome() -> None:
    producer = FakeProducer()

    async def never(*_: object, **__: object) -> Any:
        await asyncio.get_running_loop().create_future()

    producer.commit = never  # type: ignore[method-assign]
    transactions = await Transactions.open(producer, replace(Limits(), transaction_s=0.01), Known())

    with pytest.raises(TimeoutError):
        await transactions.write(writes("a"), STATE, 0)


async def test_a_success_without_an_offset_leaves_the_end_of_the_state_unknown() -> None:
    producer = FakeProducer()
    transactions = await Transactions.open(producer, Limits(), Known())

    async def duplicate(batches: Mapping[Target, Batch]) -> dict[Target, int | BaseException]:
        return dict.fromkeys(batches, -1)

    producer.produce = duplicate  # type: ignore[method-assign]

    assert await transactions.write(writes("state"), STATE, 0) is None

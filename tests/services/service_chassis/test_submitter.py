import asyncio
import struct
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import errors as kafka_errors

from referral_contracts.record_batches import read, split
from referral_contracts.records import Record, Write
from service_chassis.submitter import Submitter

pytestmark = pytest.mark.asyncio

MOVED = kafka_errors.NotLeaderForPartitionError.errno
TWICE = kafka_errors.DuplicateSequenceNumber.errno
REFUSED = kafka_errors.TopicAuthorizationFailedError.errno
NOTE = (("signature", b"s"),)


class FakeBroker:
    """A leader that answers each produce request with the next of *codes*, and then with success."""

    def __init__(self, codes: Iterator[int | OSError]) -> None:
        self.codes = codes
        self.batches: list[bytes] = []
        self.ids = 0

    async def ask(self, api: int, version: int, body: list[bytes]) -> memoryview:
        assert (api, version) == (0, 7)
        code = next(self.codes, 0)
        told = b"".join(body)
        # No transactional id, acknowledged by all.
        assert told[:4] == b"\xff\xff\xff\xff"
        self.batches.append(b"".join(body[1:3]))
        if isinstance(code, OSError):
            raise code
        answer = struct.pack(">i", 1) + struct.pack(">h", 1) + b"t" + struct.pack(">i", 1)
        return memoryview(answer + struct.pack(">ihqqq", 0, code, 5, -1, 0) + struct.pack(">i", 0))

    async def send(self, _node: int, _request: Any) -> Any:
        self.ids += 1
        return SimpleNamespace(error_code=0, producer_id=self.ids, producer_epoch=0)

    def records(self, nth: int) -> list[Record]:
        (batch,) = split(self.batches[nth])
        return list(read(batch, 0))


def submitter(broker: FakeBroker, patience_s: float = 5.0) -> Submitter:
    async def nothing() -> None:
        await asyncio.sleep(0)

    async def wire(_: int) -> FakeBroker:
        await asyncio.sleep(0)
        return broker

    client: Any = SimpleNamespace(
        bootstrap=nothing,
        force_metadata_update=nothing,
        add_topic=lambda _: None,
        get_random_node=lambda: 0,
        send=broker.send,
        wire=wire,
        cluster=SimpleNamespace(leader_for_partition=lambda _: 0),
    )
    return Submitter(lambda: client, request_timeout_ms=7, patience_s=patience_s)


def write(value: bytes) -> Write:
    return Write("t", 0, b"k", value, NOTE)


async def test_what_is_submitted_is_stored_outside_of_any_transaction() -> None:
    broker = FakeBroker(iter(()))
    await submitter(broker).submit([write(b"a"), write(b"b")], 9)

    assert [record.value for record in broker.records(0)] == [b"a", b"b"]
    assert broker.records(0)[0].headers == NOTE
    # The attribute that says "in a transaction" is not set.
    assert struct.unpack_from(">h", broker.batches[0], 21) == (0,)


@pytest.mark.parametrize("trouble", [MOVED, OSError("reset")], ids=["a leader that moved", "a lost answer"])
async def test_what_may_not_be_stored_is_asked_again_in_the_same_bytes(trouble: int | OSError) -> None:
    broker = FakeBroker(iter([trouble]))
    await submitter(broker).submit([write(b"a")], 9)

    assert len(broker.batches) == 2
    assert broker.batches[0] == broker.batches[1]
    assert broker.ids == 1


async def test_what_the_broker_has_already_is_stored() -> None:
    broker = FakeBroker(iter([OSError("reset"), TWICE]))
    await submitter(broker).submit([write(b"a")], 9)

    assert len(broker.batches) == 2


async def test_the_sequence_goes_on_from_call_to_call() -> None:
    broker = FakeBroker(iter(()))
    made = submitter(broker)
    await made.submit([write(b"a"), write(b"b")], 9)
    await made.submit([write(b"c")], 9)

    sequences = [struct.unpack_from(">i", batch, 53)[0] for batch in broker.batches]
    assert sequences == [0, 2]


async def test_a_refusal_is_an_error_and_the_next_call_goes_on_under_a_new_id() -> None:
    broker = FakeBroker(iter([REFUSED]))
    made = submitter(broker)

    with pytest.raises(kafka_errors.TopicAuthorizationFailedError):
        await made.submit([write(b"a")], 9)
    await made.submit([write(b"a")], 9)

    assert broker.ids == 2
    assert struct.unpack_from(">q", broker.batches[1], 43) == (2,)


async def test_patience_ends() -> None:
    broker = FakeBroker(iter([MOVED] * 100))

    with pytest.raises(TimeoutError):
        await submitter(broker, patience_s=0.2).submit([write(b"a")], 9)


async def test_nothing_is_nothing() -> None:
    broker = FakeBroker(iter(()))
    await submitter(broker).submit([], 9)

    assert broker.batches == []

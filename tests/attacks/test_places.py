"""
Whoever may write to a topic chooses the bytes inside a batch, and a broker looks at few of them. No reader may stop
over them, and none may take a record's own word for where it lies: a position that leaves the log stops a partition
for everybody, and one that goes back judges again what was judged.
"""

import json
from collections.abc import Callable

import pytest
from aiokafka.record.util import calc_crc32c

from reaching import transport_of
from referral_contracts import record_batches
from referral_contracts.codes import Code
from referral_contracts.records import Record
from service_chassis.decoding import decode
from tests.attacks.batches import STORED, batch, simple, store
from tests.kafka.audit import make_topics, submit
from tests.kafka.counting import Topics
from tests.kafka.running import running

BASE = 40
Reader = Callable[[bytes], list[Record]]


def of_the_sdk(data: bytes) -> list[Record]:
    return [record for found in record_batches.split(data) for record in record_batches.read(found, 0)]


def of_the_router(data: bytes) -> list[Record]:
    pieces = decode(data, partition=0, offset=BASE, inflate=False)
    return [record for piece in pieces for record in piece.records]


@pytest.mark.parametrize("read", [of_the_sdk, of_the_router])
class TestReaders:
    @pytest.mark.parametrize("name", STORED)
    def test_each_record_lies_where_the_broker_put_it(self, read: Reader, name: str) -> None:
        before, after = batch([simple(0, b"before")], base=BASE), [simple(0, b"after")]
        count = len(STORED[name])
        found = read(before + batch(STORED[name], base=BASE + 1) + batch(after, base=BASE + 1 + count))

        assert [record.offset for record in found] == list(range(BASE, BASE + count + 2))
        assert (found[0].value, found[-1].value) == (b"before", b"after")
        assert (found[0].fault, found[-1].fault) == (None, None)

    @pytest.mark.parametrize("name", ["far ahead", "far behind", "backwards", "an overlong key", "an overlong record"])
    def test_one_that_lies_about_its_place_or_its_length_is_nobodys(self, read: Reader, name: str) -> None:
        assert Code.MALFORMED_RECORD in {record.fault for record in read(batch(STORED[name], base=BASE))}

    def test_places_are_kept_where_others_were_compacted_away(self, read: Reader) -> None:
        made = bytearray(batch([simple(2, b"a"), simple(5, b"b"), simple(6, b"c")], base=BASE))
        made[23:27] = (9).to_bytes(4, "big")
        made[17:21] = calc_crc32c(bytes(made[21:])).to_bytes(4, "big")
        found = read(bytes(made))

        assert [(record.offset - BASE, record.fault) for record in found] == [(2, None), (5, None), (6, None)]


@pytest.mark.kafka
@pytest.mark.asyncio
async def test_a_broker_stores_them_and_nobody_stops_or_gets_lost(kafka: str, topic_prefix: str) -> None:
    topics = Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 1)
    await submit(kafka, topics, 5, partitions=1)
    await store(kafka, topics.inputs, [batch(records) for records in STORED.values()])
    await submit(kafka, topics, 5, partitions=1)
    end = 10 + sum(len(records) for records in STORED.values())
    async with running(kafka, topics) as processor:
        await processor.reach({0: end})
    await submit(kafka, topics, 5, partitions=1)
    # What a restart goes on from is what was written down before it.
    async with running(kafka, topics) as processor:
        await processor.reach({0: end + 5})

        assert processor.troubles() == []
    transport = transport_of(kafka)
    try:
        told = await transport.read(topics.first, 0, 0, 5.0)
        heard = await transport.read(topics.inputs, 0, 0, 5.0)
    finally:
        await transport.close()

    assert [json.loads(record.value or b"")[1] for record in told] == list(range(end + 5))
    assert [record.offset for record in heard] == list(range(end + 5))

"""A case that comes back from the archive, over a real broker: its time has passed while the router was away."""

import asyncio
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from kafka_node import KafkaNode, NotInstalled
from provision import provision
from reaching import operator_of
from referral_contracts import topics
from referral_contracts.records import Record
from referral_contracts.topics import POSITION_KEY, partition_for, topic_specs
from referral_router.core.case import kind_and_touched
from running import PARTITIONS, RunningBus
from tests.contracts.payloads.forms import example
from tests.kafka.ledger_check import settled
from tests.kafka.test_everyday import LEGAL_AID, system
from tests.kafka.town import COMMUNE
from tests.stories.put_away import put_away_and_taken_up

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio]

STUB = 128
KEPT_MS = 24 * 3600 * 1000
"""How long the bus of the tests keeps a closed case whole."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBus]:
    home = tmp_path_factory.mktemp("kept")
    try:
        with (
            KafkaNode.start() as node,
            RunningBus(home / "bus", say=lambda _text: None, bootstrap=node.bootstrap) as running,
        ):
            yield running
    except NotInstalled as error:
        pytest.exit(f"kafka: {error}", returncode=2)


async def age(bus: RunningBus) -> None:
    """
    Let the time pass that a closed case is kept whole.

    Nobody can wind a broker's clock. While no router runs, all that it remembers of cases is put back by that time.
    """
    held = await settled(bus.bootstrap)
    (router,) = bus.routers
    router.stop()
    await forget(bus)
    async with AIOKafkaProducer(**operator_of(bus.bootstrap).connection, acks="all") as producer:
        for (topic, place), records in held.records.items():
            for record in records if topic == topics.STATE else ():
                value = record.value if place == held.partitions else aged(record)
                await producer.send_and_wait(topics.STATE, value, key=record.key, partition=place)
    router.start()
    router.wait_ready()


async def forget(bus: RunningBus) -> None:
    """Make the topic of the router's state anew, with nothing in it."""
    admin = AIOKafkaAdminClient(**operator_of(bus.bootstrap).connection)
    await admin.start()
    try:
        await admin.delete_topics([topics.STATE])
        async with asyncio.timeout(30):
            while True:
                if topics.STATE not in await admin.list_topics():
                    break
                await asyncio.sleep(0.1)
    finally:
        await admin.close()
    assert await provision(bus.kafka, topic_specs(PARTITIONS, bus.founding.agencies)) == []


def aged(record: Record) -> bytes | None:
    if record.key == POSITION_KEY or record.value is None:
        return record.value
    kind, touched_ms = kind_and_touched(record.value)
    before = (touched_ms - KEPT_MS - 1).to_bytes(8, "big")
    value = kind + before + record.value[len(kind) + len(before) :]
    assert kind_and_touched(value) == (kind, touched_ms - KEPT_MS - 1)
    return value


async def test_a_case_is_put_away_after_its_time_and_taken_up_again(kept: RunningBus) -> None:
    cases: list[str] = []

    async def pass_time(case: str) -> None:
        cases.append(case)
        await age(kept)

    async with system(kept, COMMUNE) as commune, system(kept, LEGAL_AID) as legal_aid:
        await put_away_and_taken_up(commune, legal_aid, (COMMUNE, LEGAL_AID), example("legal-aid"), pass_time)
    held, case = await settled(kept.bootstrap), cases[0]
    records = held.read(topics.STATE, partition_for(case, held.partitions))
    sizes = [len(record.value or b"") for record in records if record.key == case.encode()]

    assert 0 < min(sizes) <= STUB < sizes[-1]

"""The audit log on a ledger in which a decision is missing: it appends nothing more, and says why."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from kafka_node import NotInstalled
from reaching import operator_of
from referral_contracts import topics
from referral_contracts.decisions import read_decision, sign_batch
from referral_contracts.merkle import leaf_hash
from running import PARTITIONS, RunningBus
from tests.kafka.ledger_check import Held, settled
from tests.kafka.logged import WITHIN_S, size, span, stopped_with, told, verified
from tests.kafka.watched import now_ms, openings, submit, voices

pytestmark = pytest.mark.kafka

PARTITION = 1
MORE = 50


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[RunningBus]:
    """Give a bus of the test's own: nobody can log its ledger afterwards."""
    try:
        with RunningBus(tmp_path / "bus", say=print, log=True) as running:
            yield running
    except NotInstalled as error:
        pytest.exit(f"kafka: {error}", returncode=2)


async def leave_out_one(bus: RunningBus, held: Held) -> None:
    """Write a decision that the router signed, and not the one that has to come before it."""
    last = [record for record in held.read(topics.LEDGER, PARTITION) if dict(record.headers).get(topics.H_DECISION)][-1]
    headers = {name: value or b"" for name, value in last.headers}
    counter = read_decision(headers[topics.H_DECISION]).counter
    leaf = headers[topics.H_DECISION].replace(b'"counter":%d,' % counter, b'"counter":%d,' % (counter + 2))
    key = bus.founding.keys("router").signing
    signed = sign_batch([leaf_hash(leaf)], bus=bus.founding.trust.bus, partition=PARTITION, key=key)
    headers |= {topics.H_DECISION: leaf, topics.H_PATH: signed.paths[0], topics.H_ROOT: signed.root}
    async with AIOKafkaProducer(**operator_of(bus.bootstrap).connection) as producer:
        await producer.send_and_wait(topics.LEDGER, last.value, partition=PARTITION, headers=list(headers.items()))


async def ends(bootstrap: str) -> int:
    """Return how far the ledger's partitions reach, together."""
    return sum([(await span(bootstrap, number)).end for number in range(PARTITIONS)])


def test_a_decision_that_is_missing_on_the_ledger_stops_it(bus: RunningBus) -> None:
    (log,), folder = bus.logs, bus.founding.home / "log"
    store, tiles = f"sqlite:///{folder / 'log.db'}", folder / "tiles"

    async def story() -> None:
        everybody = await voices(bus)
        await submit(bus, openings(everybody, MORE, now_ms()))
        whole = await verified(bus, log, tiles, store)
        await leave_out_one(bus, await settled(bus.bootstrap))
        await told(log, "log-gap")
        assert log.get("/livez")[0] == 503
        assert stopped_with(log) == {"log-gap"}

        # The bus goes on. The log does not, in any partition, nor when it is started again.
        reached = await ends(bus.bootstrap)
        await submit(bus, openings(everybody, MORE, now_ms()))
        deadline = time.monotonic() + WITHIN_S
        while await ends(bus.bootstrap) < reached + MORE:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
        await asyncio.to_thread(log.stop)
        log.start()
        await told(log, "log-gap")
        assert size(bus, tiles) == whole.size

    asyncio.run(story())

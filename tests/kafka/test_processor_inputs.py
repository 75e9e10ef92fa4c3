import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from reaching import operator_of
from referral_contracts.codes import Code
from referral_contracts.records import Write
from referral_contracts.topics import POSITION_KEY
from service_chassis.fold import Source
from service_chassis.health import Trouble
from tests.kafka import strange
from tests.kafka.audit import audit, counted, make_topics, submit
from tests.kafka.audit import committed as committed_values
from tests.kafka.counting import Counting, Topics
from tests.kafka.running import QUICK, running

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio]


def lane(topics: Topics) -> str:
    return f"{topics.inputs}-0"


async def test_a_header_key_that_is_not_utf8_is_a_fault_of_its_record_alone(kafka: str, topic_prefix: str) -> None:
    topics = Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 1)
    await submit(kafka, topics, 10, partitions=1)
    await strange.submit_with_broken_header_key(kafka, topics.inputs)
    await submit(kafka, topics, 10, partitions=1)

    async with running(kafka, topics) as processor:
        await processor.reach({0: 23})

    assert [count.offset for count in await audit(kafka, topics) if count.fault == Code.MALFORMED_RECORD] == [11]


async def test_an_output_that_is_too_large_is_found_among_many_and_refused(kafka: str, topic_prefix: str) -> None:
    topics = Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 1, largest=100_000)
    await submit(kafka, topics, 100, partitions=1)
    await strange.submit_values(kafka, topics.inputs, [b"pad:200000"])
    await submit(kafka, topics, 60, partitions=1)
    await strange.submit_values(kafka, topics.inputs, [b"pad:90000", b"pad:2000000"])

    async with running(kafka, topics) as processor:
        await processor.reach({0: 163})

        assert processor.troubles() == []
    assert {count.offset: count.fault for count in await audit(kafka, topics) if count.fault} == {
        100: Code.UNDELIVERABLE,
        162: Code.UNDELIVERABLE,
    }


async def test_an_output_topic_that_does_not_exist_is_no_reason_to_stop(kafka: str, topic_prefix: str) -> None:
    topics = Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 1)
    await strange.submit_values(kafka, topics.inputs, [b"input", b"to:nowhere", b"input"])

    async with running(kafka, topics) as processor:
        await processor.reach({0: 3})

    assert [count.fault for count in await audit(kafka, topics)] == [None, Code.UNDELIVERABLE, None]


async def test_aborted_and_open_transactions_of_others_are_input_like_any_other(kafka: str, topic_prefix: str) -> None:
    topics = Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 1)
    await submit(kafka, topics, 5, partitions=1)
    await strange.submit_and_abort(kafka, topics.inputs, 5)
    producer = await strange.dangling(kafka, topics.inputs, 5)
    await submit(kafka, topics, 5, partitions=1)
    try:
        async with running(kafka, topics) as processor:
            # Five, five and the marker of the abort, five that dangle, five.
            await processor.reach({0: 21})
    finally:
        await producer.abort_transaction()
        await producer.stop()

    assert len(await audit(kafka, topics)) == 20


async def test_a_topic_whose_senders_stamp_is_refused(kafka: str, topic_prefix: str) -> None:
    topics = Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 1, stamped=False)
    await submit(kafka, topics, 5, partitions=1)

    async with running(kafka, topics) as processor:
        await processor.until(lambda: any(trouble.fatal for trouble in processor.troubles()))

        assert processor.troubles() == [Trouble(lane(topics), Code.TOPIC_MISCONFIGURED, fatal=True)]
        assert processor.positions() == {0: 0}


@dataclass
class Wound:
    """A clock that a test winds."""

    offset_ms: int = 0

    def __call__(self) -> int:
        return int(time.time() * 1000) + self.offset_ms


async def test_a_stamp_ahead_of_the_clock_waits_until_the_clock_has_caught_up(kafka: str, topic_prefix: str) -> None:
    topics, clock = Topics(prefix=topic_prefix), Wound()
    await make_topics(kafka, topics, 1)
    await submit(kafka, topics, 5, partitions=1)

    async with running(kafka, topics, clock=clock) as processor:
        await processor.reach({0: 5})
        clock.offset_ms = -3_600_000
        await submit(kafka, topics, 5, partitions=1)
        await processor.until(lambda: bool(processor.troubles()))

        assert processor.troubles() == [Trouble(lane(topics), Code.CLOCK_BEHIND)]
        assert processor.positions() == {0: 5}

        clock.offset_ms = 0
        await processor.reach({0: 10})

        assert processor.troubles() == []
    assert len(await audit(kafka, topics)) == 10


@dataclass
class Tap:
    """What a fold waits for."""

    code: list[Code | None] = field(default_factory=lambda: [Code.DIRECTORY_BEHIND])


async def test_a_fold_that_waits_keeps_its_partition(kafka: str, topic_prefix: str) -> None:
    topics, tap = Topics(prefix=topic_prefix), Tap()
    await make_topics(kafka, topics, 1)
    await submit(kafka, topics, 5, partitions=1)
    limits = replace(QUICK, session_timeout_ms=1_500)

    async with running(kafka, topics, limits=limits, source=topics.source(wait=tap.code)) as processor:
        await processor.until(lambda: processor.told("partition-open") == 1)
        until = time.monotonic() + 4
        await processor.until(lambda: time.monotonic() > until)

        assert processor.troubles() == [Trouble(lane(topics), Code.DIRECTORY_BEHIND)]
        assert processor.told("partition-open") == 1

        tap.code[0] = None
        await processor.reach({0: 5})

        assert processor.troubles() == []


async def test_a_position_below_the_start_of_the_log_stops_the_partition(kafka: str, topic_prefix: str) -> None:
    topics = Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 1)
    await submit(kafka, topics, 10, partitions=1)
    async with running(kafka, topics) as processor:
        await processor.reach({0: 10})
    await submit(kafka, topics, 10, partitions=1)
    await strange.delete_before(kafka, topics.inputs, 15)

    async with running(kafka, topics) as processor:
        await processor.until(lambda: any(trouble.fatal for trouble in processor.troubles()))

        assert processor.troubles() == [Trouble(lane(topics), Code.POSITION_LOST, fatal=True)]


async def test_a_log_without_its_beginning_is_not_begun_in_the_middle(kafka: str, topic_prefix: str) -> None:
    topics = Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 1)
    await submit(kafka, topics, 10, partitions=1)
    await strange.delete_before(kafka, topics.inputs, 5)

    async with running(kafka, topics) as processor:
        await processor.until(lambda: any(trouble.fatal for trouble in processor.troubles()))

        assert processor.troubles() == [Trouble(lane(topics), Code.POSITION_LOST, fatal=True)]


async def test_a_position_beyond_the_end_of_the_log_stops_the_partition(kafka: str, topic_prefix: str) -> None:
    topics = Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 1)
    await strange.write_state(kafka, topics.state, POSITION_KEY, b"12")

    async with running(kafka, topics) as processor:
        await processor.until(lambda: any(trouble.fatal for trouble in processor.troubles()))

        assert processor.troubles() == [Trouble(lane(topics), Code.POSITION_LOST, fatal=True)]


async def test_a_state_without_a_position_stops_the_partition(kafka: str, topic_prefix: str) -> None:
    topics = Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 1)
    await strange.write_state(kafka, topics.state, b"k0", b"3")

    async with running(kafka, topics) as processor:
        await processor.until(lambda: any(trouble.fatal for trouble in processor.troubles()))

        assert processor.troubles() == [Trouble(lane(topics), Code.POSITION_MISSING, fatal=True)]


async def test_a_transaction_of_somebody_else_in_the_state_topic_is_waited_for(kafka: str, topic_prefix: str) -> None:
    topics = Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 1)
    await submit(kafka, topics, 10, partitions=1)
    async with running(kafka, topics) as processor:
        await processor.reach({0: 5})
        producer = await strange.dangling(kafka, topics.state, 1)
        # Committed behind the open one: who reads committed records only does not see it yet.
        await submit(kafka, topics, 10, partitions=1)
        await processor.reach({0: 20})

    async with running(kafka, topics) as processor:
        await processor.until(lambda: Trouble(lane(topics), Code.TOPIC_MISCONFIGURED) in processor.troubles())
        await producer.abort_transaction()
        await producer.stop()
        await processor.reach({0: 20})

    assert len(await audit(kafka, topics)) == 20


async def test_a_step_that_raises_again_and_again_stops_the_partition_and_loses_nothing(
    kafka: str, topic_prefix: str
) -> None:
    topics = Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 1)
    await strange.submit_values(kafka, topics.inputs, [b"input"])
    async with running(kafka, topics) as processor:
        await processor.reach({0: 1})
        await strange.submit_values(kafka, topics.inputs, [b"raise"])
        await processor.until(lambda: any(trouble.fatal for trouble in processor.troubles()))

        assert processor.troubles() == [Trouble(lane(topics), Code.INTERNAL, fatal=True)]
        assert processor.positions() == {0: 1}


def committed(topics: Topics, **changes: Any) -> Source:
    """Return a source whose input our own services wrote."""
    return replace(topics.source(), committed=True, **changes)


async def test_what_our_own_services_write_is_read_as_far_as_it_is_committed(kafka: str, topic_prefix: str) -> None:
    topics = Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 1, stamped=False)
    await submit(kafka, topics, 5, partitions=1)
    await strange.submit_and_abort(kafka, topics.inputs, 5)
    await submit(kafka, topics, 5, partitions=1)
    producer = await strange.dangling(kafka, topics.inputs, 5)
    async with running(kafka, topics, source=committed(topics)) as processor:
        # Five, five and a marker that do not count, five.
        await processor.reach({0: 16})

        assert processor.troubles() == []

        await producer.commit_transaction()
        await producer.stop()
        await processor.reach({0: 21})
        (lane,) = processor.processor._lanes.values()
        # Behind the last record lies the end of its transaction, and nothing that is still to be taken.
        await processor.until(lambda: lane.lag() == 0)

    taken = [count.offset for count in await counted(kafka, topics.first)]
    assert [*range(5), *range(11, 16), *range(16, 21)] == taken


@dataclass
class Beside:
    """What runs beside a fold: it notes when it does, and fails as often as it is told to."""

    failures: int = 0
    begun: int = 0
    running: int = 0

    async def run(self, fold: Counting) -> None:
        assert fold.position() is not None or not fold.counts
        self.begun += 1
        self.running += 1
        try:
            if self.failures:
                self.failures -= 1
                raise OSError
            await asyncio.get_running_loop().create_future()
        finally:
            self.running -= 1


async def test_what_runs_beside_a_fold_runs_as_long_as_its_partition_is_ours(kafka: str, topic_prefix: str) -> None:
    topics, beside = Topics(prefix=topic_prefix), Beside()
    await make_topics(kafka, topics, 1)
    await submit(kafka, topics, 5, partitions=1)
    async with running(kafka, topics, source=replace(topics.source(), beside=beside.run)) as processor:
        await processor.reach({0: 5})

        assert (beside.begun, beside.running) == (1, 1)
    assert (beside.begun, beside.running) == (1, 0)


async def test_a_lane_whose_companion_ends_starts_again(kafka: str, topic_prefix: str) -> None:
    topics, beside = Topics(prefix=topic_prefix), Beside(failures=2)
    await make_topics(kafka, topics, 1)
    async with running(kafka, topics, source=replace(topics.source(), beside=beside.run)) as processor:
        await processor.until(lambda: beside.begun == 3)
        await submit(kafka, topics, 5, partitions=1)
        await processor.reach({0: 5})

        assert processor.told("partition-recovers") == 2
    assert len(await audit(kafka, topics)) == 5


async def test_what_is_submitted_is_stored_once_in_order(kafka: str, topic_prefix: str) -> None:
    topics = Topics(prefix=topic_prefix)
    await make_topics(kafka, topics, 2)
    submitter = operator_of(kafka).submitter(QUICK)
    try:
        for nth in range(20):
            # More than one batch holds at a time.
            values = [b"%d %d " % (nth, number) + b"x" * 40_000 for number in range(30)]
            await submitter.submit([Write(topics.inputs, nth % 2, b"k", value) for value in values], 0)
    finally:
        await submitter.close()

    found = [value or b"" for _, _, value in await committed_values(kafka, topics.inputs)]
    names = [tuple(map(int, value.split(b" ")[:2])) for value in found]
    assert sorted(names) == [(nth, number) for nth in range(20) for number in range(30)]
    for parity in (0, 1):
        assert [name for name in names if name[0] % 2 == parity] == sorted(n for n in names if n[0] % 2 == parity)

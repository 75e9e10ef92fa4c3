"""
What anybody can write into the real topic: each is a decision with a code or the broker's own refusal, and the bus
goes on. The rules themselves are tested without a broker; here are the bytes that only a broker makes difficult.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka import errors as kafka_errors

from reaching import operator_of, transport_of
from referral_bus._kafka import KafkaTransport
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.decisions import Decision, read_decision
from referral_contracts.encoding import parse_time
from referral_contracts.signing import Typ
from referral_contracts.topics import ENVELOPE_MAX, H_DECISION, H_KIND, H_SIGNATURE, KIND_EVENT, SUBMISSION_MAX
from referral_contracts.topics import partition_for as place_of
from referral_contracts.verbs import Verb
from running import RunningBus
from tests.kafka import strange
from tests.kafka.ledger_check import ledger_holds, settled
from tests.kafka.town import HOTLINE, conversation, now_ms
from tests.kafka.voices import Voices
from tests.stories.world import Said

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio]

WAIT_S = 60.0
A_YEAR_MS = 365 * 24 * 3_600_000


@dataclass(slots=True, kw_only=True)
class Intruder:
    """One who writes into submissions what it likes, and reads in the ledger what became of it."""

    voices: Voices
    producer: AIOKafkaProducer
    reader: KafkaTransport
    partitions: int
    _read: dict[int, int] = field(default_factory=dict)
    _decided: dict[tuple[int, int], Decision] = field(default_factory=dict)

    async def write(
        self,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
        *,
        key: bytes | None = b"0" * 32,
        partition: int = 0,
        stamp_ms: int | None = None,
    ) -> Decision:
        """Write one record and return the decision on it."""
        record = await self.producer.send_and_wait(
            topics.SUBMISSIONS,
            value,
            key=key,
            partition=partition,
            timestamp_ms=stamp_ms,
            headers=list(headers),
        )
        return await self.decision(partition, record.offset)

    async def say(self, said: Said, **changes: Any) -> Decision:
        """Write an event as its agency would, but for *changes*."""
        given = {"key": said.case.encode(), "partition": place_of(said.case, self.partitions), **changes}
        return await self.write(said.value, [(H_SIGNATURE, said.signature)], **given)

    def opened(self) -> Said:
        """Return an event that is good."""
        return self.voices.write(HOTLINE, Verb.CASE_OPENED, now_ms=now_ms())

    def signed(self, value: bytes) -> list[tuple[str, bytes]]:
        """Return the headers of *value* as an agency that can sign and cannot write."""
        return [(H_SIGNATURE, self.voices.keys(HOTLINE).signing.sign(Typ.EVENT, value).encode())]

    async def decision(self, partition: int, offset: int) -> Decision:
        """Return what was decided of a record, as soon as it was."""
        async with asyncio.timeout(WAIT_S):
            while (partition, offset) not in self._decided:
                at = self._read.get(partition, 0)
                for record in await self.reader.read(topics.LEDGER, partition, at, 1.0):
                    self._read[partition] = record.offset + 1
                    headers = dict(record.headers)
                    if headers[H_KIND] == KIND_EVENT:
                        decision = read_decision(headers[H_DECISION] or b"")
                        self._decided[partition, decision.offset] = decision
        return self._decided[partition, offset]


@asynccontextmanager
async def intruder(bus: RunningBus, **settings: Any) -> AsyncIterator[Intruder]:
    """Give an intruder; afterwards the bus judges what is good as before."""
    directory = (await settled(bus.bootstrap)).directory(bus.founding.trust)
    reader = transport_of(bus.bootstrap)
    async with AIOKafkaProducer(**operator_of(bus.bootstrap).connection, acks="all", **settings) as producer:
        found = Intruder(
            voices=Voices(directory=directory, founding=bus.founding),
            producer=producer,
            reader=reader,
            partitions=await reader.partitions(topics.SUBMISSIONS),
        )
        try:
            yield found

            assert (await found.say(found.opened())).code is Code.ACCEPTED
        finally:
            await reader.close()


async def test_what_is_no_event_is_a_decision_with_a_code(bus: RunningBus) -> None:
    async with intruder(bus) as one:
        good = one.opened()
        signature = (H_SIGNATURE, good.signature)
        deep = b"[" * 10_000 + b"]" * 10_000
        tries: list[tuple[Code, bytes | None, list[tuple[str, bytes]]]] = [
            (Code.NULL_VALUE, None, [signature]),
            (Code.MISSING_HEADER, good.value, []),
            (Code.UNEXPECTED_HEADER, good.value, [signature, signature]),
            (Code.UNEXPECTED_HEADER, good.value, [("other", good.signature)]),
            (Code.MALFORMED_SIGNATURE, good.value, [(H_SIGNATURE, b"\xff\xfe")]),
            (Code.MALFORMED_SIGNATURE, good.value, [(H_SIGNATURE, good.signature[:-1])]),
            (Code.MALFORMED_JSON, b"not JSON", one.signed(b"not JSON")),
            (Code.MALFORMED_JSON, b'{"a":"\xff"}', one.signed(b'{"a":"\xff"}')),
            (Code.MALFORMED_JSON, b'{"a":NaN}', one.signed(b'{"a":NaN}')),
            (Code.MALFORMED_JSON, deep, one.signed(deep)),
            (Code.BAD_SIGNATURE, good.value.replace(b'"exercise":false', b'"exercise":true'), [signature]),
        ]
        found = [(await one.write(value, headers)).code for _, value, headers in tries]

        assert [code for code, _, _ in tries] == found


async def test_a_header_whose_name_is_no_text_spoils_only_its_own_record(bus: RunningBus) -> None:
    async with intruder(bus) as one:
        _, end = await one.reader.bounds(topics.SUBMISSIONS, 0)
        await strange.submit_with_broken_header_key(bus.bootstrap, topics.SUBMISSIONS)
        found = [(await one.decision(0, end + nth)).code for nth in range(3)]

        assert found == [Code.UNEXPECTED_HEADER, Code.MALFORMED_RECORD, Code.UNEXPECTED_HEADER]


async def test_a_key_or_partition_that_does_not_fit_the_case_is_refused(bus: RunningBus) -> None:
    async with intruder(bus) as one:
        said = one.opened()
        other = (place_of(said.case, one.partitions) + 1) % one.partitions

        assert (await one.say(said, partition=other)).code is Code.WRONG_PARTITION
        assert (await one.say(one.opened(), key=b"0" * 32)).code is Code.WRONG_PARTITION
        assert (await one.say(one.opened(), key=None)).code is Code.WRONG_PARTITION


async def test_too_large_is_refused_by_the_router_or_by_the_broker(bus: RunningBus) -> None:
    async with intruder(bus, max_request_size=4 * SUBMISSION_MAX) as one:
        large = b" " * (ENVELOPE_MAX + 1)

        assert (await one.write(large, one.signed(large))).code is Code.OVERSIZE
        with pytest.raises(kafka_errors.MessageSizeTooLargeError):
            await one.write(b" " * (SUBMISSION_MAX + 1), one.signed(b""))


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_a_compressed_batch_is_stored_inflated_and_judged(bus: RunningBus, codec: str) -> None:
    async with intruder(bus, compression_type=codec) as one:
        assert (await one.say(one.opened())).code is Code.ACCEPTED


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
async def test_a_decompression_bomb_is_refused_by_the_broker_at_its_real_size(bus: RunningBus, codec: str) -> None:
    async with intruder(bus, compression_type=codec, max_request_size=1 << 26, max_batch_size=1 << 26) as one:
        with pytest.raises((kafka_errors.MessageSizeTooLargeError, kafka_errors.RecordListTooLargeError)):
            await one.producer.send_and_wait(topics.SUBMISSIONS, bytes(1 << 25), key=b"0" * 32, partition=0)


@pytest.mark.parametrize("off_ms", [-A_YEAR_MS, A_YEAR_MS])
async def test_a_stamp_of_the_senders_own_means_nothing(bus: RunningBus, off_ms: int) -> None:
    async with intruder(bus) as one:
        decision = await one.say(one.opened(), stamp_ms=now_ms() + off_ms)

        assert decision.code is Code.ACCEPTED
        assert abs(parse_time(decision.stamp) - now_ms()) < A_YEAR_MS / 2


@pytest.mark.parametrize(
    "submit", [pytest.param(strange.submit_and_abort, id="aborted"), pytest.param(strange.dangling, id="left open")]
)
async def test_a_transaction_of_an_agency_holds_nobody_up(
    bus: RunningBus, submit: Callable[[str, str, int], Awaitable[AIOKafkaProducer | None]]
) -> None:
    async with intruder(bus) as one:
        _, end = await one.reader.bounds(topics.SUBMISSIONS, 0)
        left_open = await submit(bus.bootstrap, topics.SUBMISSIONS, 3)
        try:
            # Its records count as submitted, and what comes behind it is judged at once.
            found = [(await one.decision(0, end + nth)).code for nth in range(3)]

            assert found == [Code.MISSING_HEADER] * 3
            assert (await one.say(one.opened())).code is Code.ACCEPTED
        finally:
            if left_open is not None:
                await left_open.stop()


async def test_after_all_that_everything_holds_together(bus: RunningBus) -> None:
    async with intruder(bus) as one:
        for said, code in conversation(one.voices):
            assert (await one.say(said)).code is code
    found = await ledger_holds(bus.bootstrap, bus.founding.trust)

    assert {Code.NULL_VALUE, Code.OVERSIZE, Code.MALFORMED_RECORD, Code.WRONG_PARTITION} <= set(found.codes)
    for router in bus.routers:
        assert router.get("/readyz")[0] == 200

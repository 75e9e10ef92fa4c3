import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import errors as kafka_errors

from service_chassis.wire import Wire
from tests.services.service_chassis.spoken_to import Answer, broker, correlation, framed

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def spoken_to(answer: Answer) -> AsyncIterator[Wire]:
    async with broker(answer) as (host, port):
        wire = await Wire.open(host, port, client_id="tests", ssl_context=None)
        yield wire
        wire.close()


async def test_a_request_carries_its_head_and_its_pieces() -> None:
    seen: list[bytes] = []

    def answer(request: bytes) -> list[bytes]:
        seen.append(request)
        return [framed(correlation(request) + b"yes")]

    async with spoken_to(answer) as wire:
        assert bytes(await wire.ask(3, 7, (b"one", b"two"))) == b"yes"

    assert seen == [struct.pack(">hhi", 3, 7, 1) + b"\x00\x05tests" + b"onetwo"]


async def test_large_pieces_arrive_as_they_are() -> None:
    pieces = [bytes([number]) * 700_000 for number in range(5)]

    def answer(request: bytes) -> list[bytes]:
        return [framed(correlation(request) + request[15:])]

    async with spoken_to(answer) as wire:
        assert bytes(await wire.ask(0, 0, pieces)) == b"".join(pieces)


async def test_answers_go_to_their_requests_in_whatever_pieces_they_come() -> None:
    def answer(request: bytes) -> list[bytes]:
        return [bytes([byte]) for byte in framed(correlation(request) + request[-1:])]

    async with spoken_to(answer) as wire:
        asked = [wire.ask(0, 0, (bytes([number]),)) for number in range(20)]

        assert await asyncio.gather(*asked) == [bytes([number]) for number in range(20)]


@pytest.mark.parametrize(
    "nonsense",
    [
        lambda request: None,
        lambda request: [framed(struct.pack(">i", 99) + b"for another")],
        lambda request: [struct.pack(">i", 1 << 30)],
        lambda request: [struct.pack(">i", -1)],
        lambda request: [struct.pack(">i", 0)],
    ],
    ids=["gone", "another's", "too large", "negative", "nothing"],
)
async def test_whoever_waits_hears_of_a_connection_that_is_of_no_use(nonsense: Answer) -> None:
    async with spoken_to(nonsense) as wire:
        asked = [wire.ask(0, 0, ()) for _ in range(2)]
        answers = await asyncio.gather(*asked, return_exceptions=True)

        assert {type(answer) for answer in answers} == {kafka_errors.KafkaConnectionError}
        assert wire.closed
        with pytest.raises(kafka_errors.KafkaConnectionError):
            await wire.ask(0, 0, ())


async def test_an_answer_that_nobody_waits_for_any_more_is_dropped() -> None:
    held = asyncio.Event()

    def answer(request: bytes) -> list[bytes]:
        held.set()
        return [framed(correlation(request) + request[-1:])]

    async with spoken_to(answer) as wire:
        wire.ask(0, 0, (b"a",)).cancel()
        await held.wait()

        assert bytes(await wire.ask(0, 0, (b"b",))) == b"b"

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from aiokafka import errors as kafka_errors

from service_chassis.wire import Wire

pytestmark = pytest.mark.asyncio

Answer = Callable[[bytes], list[bytes] | None]
"""From a request, without its size, to the pieces written in answer; None ends the connection."""


def framed(answer: bytes) -> bytes:
    return struct.pack(">i", len(answer)) + answer


def correlation(request: bytes) -> bytes:
    return request[4:8]


@asynccontextmanager
async def broker(answer: Answer) -> AsyncIterator[Wire]:
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while (pieces := answer(await _request(reader))) is not None:
                for piece in pieces:
                    writer.write(piece)
                    await asyncio.sleep(0)
        writer.close()
        ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        wire = await Wire.open(*server.sockets[0].getsockname(), client_id="tests", ssl_context=None)
        yield wire
        wire.close()
        await ended.wait()


async def _request(reader: asyncio.StreamReader) -> bytes:
    (size,) = struct.unpack(">i", await reader.readexactly(4))
    return await reader.readexactly(size)


async def test_a_request_carries_its_head_and_its_pieces() -> None:
    seen: list[bytes] = []

    def answer(request: bytes) -> list[bytes]:
        seen.append(request)
        return [framed(correlation(request) + b"yes")]

    async with broker(answer) as wire:
        assert bytes(await wire.ask(3, 7, (b"one", b"two"))) == b"yes"

    assert seen == [struct.pack(">hhi", 3, 7, 1) + b"\x00\x05tests" + b"onetwo"]


async def test_large_pieces_arrive_as_they_are() -> None:
    pieces = [bytes([number]) * 700_000 for number in range(5)]

    def answer(request: bytes) -> list[bytes]:
        return [framed(correlation(request) + request[15:])]

    async with broker(answer) as wire:
        assert bytes(await wire.ask(0, 0, pieces)) == b"".join(pieces)


async def test_answers_go_to_their_requests_in_whatever_pieces_they_come() -> None:
    def answer(request: bytes) -> list[bytes]:
        return [bytes([byte]) for byte in framed(correlation(request) + request[-1:])]

    async with broker(answer) as wire:
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
    async with broker(nonsense) as wire:
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

    async with broker(answer) as wire:
        wire.ask(0, 0, (b"a",)).cancel()
        await held.wait()

        assert bytes(await wire.ask(0, 0, (b"b",))) == b"b"

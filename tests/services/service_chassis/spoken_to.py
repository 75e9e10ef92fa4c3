"""A broker that answers as a test says: sizes before requests and answers, and nothing else of Kafka."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Answer = Callable[[bytes], list[bytes] | None]
"""From a request, without its size, to the pieces written in answer; None ends the connection."""
Hold = Callable[[bytes], Awaitable[object]]
"""How long to hold the answer to a request, and with it all that is asked behind it on the same connection."""


def framed(answer: bytes) -> bytes:
    return struct.pack(">i", len(answer)) + answer


def correlation(request: bytes) -> bytes:
    return request[4:8]


@asynccontextmanager
async def broker(answer: Answer, hold: Hold | None = None) -> AsyncIterator[tuple[str, int]]:
    """Yield where it listens; at the end all connections have to be closed."""
    serving: list[asyncio.Event] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended = asyncio.Event()
        serving.append(ended)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request = await _request(reader)
                if hold is not None:
                    await hold(request)
                if (pieces := answer(request)) is None:
                    break
                for piece in pieces:
                    writer.write(piece)
                    await asyncio.sleep(0)
        writer.close()
        ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()
        for ended in serving:
            await asyncio.wait_for(ended.wait(), 10)


async def _request(reader: asyncio.StreamReader) -> bytes:
    (size,) = struct.unpack(">i", await reader.readexactly(4))
    return await reader.readexactly(size)

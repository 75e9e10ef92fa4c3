"""Connections over which nothing comes, or too many of them: they end, and who asks is answered."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from service_chassis import service
from service_chassis.health import Receive, Scope, Send
from service_chassis.logs import make_log
from service_chassis.patience import Patience
from service_chassis.service import Http

ASKED = b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Read all that is asked, and answer whose address it came from."""
    while (await receive()).get("more_body"):
        pass
    body = scope["client"][0].encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving() -> AsyncIterator[Callable[[], Awaitable[Streams]]]:
    told: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    monkey = pytest.MonkeyPatch()
    monkey.setattr(service, "_tell", lambda _http, listener, _log: told.set_result(listener.getsockname()[1]))
    task = asyncio.create_task(service.serve(app, Http(), make_log("test", dropped=lambda: None)))
    port = await told
    try:
        yield lambda: asyncio.open_connection("127.0.0.1", port)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        monkey.undo()


async def answer(streams: Streams, asked: bytes = ASKED) -> bytes:
    reader, writer = streams
    writer.write(asked)
    try:
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Patience, "look_s", 0.05)
    monkeypatch.setattr(Patience, "ask_s", 0.3)
    monkeypatch.setattr(Patience, "most", 3)


@pytest.mark.parametrize("begun", [b"", ASKED[:20], b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\nab"])
def test_a_question_that_does_not_end_is_not_waited_for(begun: bytes) -> None:
    async def asked() -> bytes:
        async with serving() as connect:
            return await answer(await connect(), begun)

    assert asyncio.run(asked()) == b""


def test_one_too_many_is_turned_away_until_another_has_ended() -> None:
    async def asked() -> list[bytes]:
        async with serving() as connect:
            held = [await connect() for _ in range(3)]
            await asyncio.sleep(0.1)
            turned_away = await answer(await connect())
            await asyncio.sleep(0.6)
            for _, writer in held:
                writer.close()
            return [turned_away, await answer(await connect())]

    turned_away, answered = asyncio.run(asked())

    assert turned_away == b""
    assert answered.startswith(b"HTTP/1.1 200")


def test_nobody_says_for_himself_from_where_he_asks() -> None:
    async def asked() -> bytes:
        async with serving() as connect:
            return await answer(await connect(), ASKED[:-2] + b"X-Forwarded-For: 192.0.2.7\r\n\r\n")

    assert asyncio.run(asked()).endswith(b"127.0.0.1")

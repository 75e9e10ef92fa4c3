"""A log that answers byte by byte is one that does not answer: its receipts are missed as any others."""

import asyncio

import pytest

from referral_bus import _http_log
from referral_bus._http_log import HttpLog
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError


async def trickle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n")
        for _number in range(9000):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)
    except ConnectionError:
        return
    finally:
        writer.transport.abort()


def test_an_answer_that_never_ends_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http_log, "_WHOLE_S", 0.3)

    async def asked() -> None:
        server = await asyncio.start_server(trickle, "127.0.0.1", 0)
        log = HttpLog(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        try:
            await asyncio.wait_for(log.receipt("A" * 43, None), 5)
        finally:
            await log.close()
            server.close()
            await asyncio.sleep(0.1)

    with pytest.raises(LocalError) as refusal:
        asyncio.run(asked())
    assert refusal.value.code is Code.LOG_AWAY

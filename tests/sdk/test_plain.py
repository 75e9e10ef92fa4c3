"""What a log packs is not opened: a few bytes would become more than a machine has."""

import asyncio
import gzip

import httpx
import pytest

from referral_bus._http_statements import HttpStatements
from referral_bus._plain import PLAIN, check_plain
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError

PACKED = gzip.compress(b'{"kind":"hold"}')


def packed(request: httpx.Request) -> httpx.Response:
    assert request.headers["accept-encoding"] == PLAIN["accept-encoding"]
    return httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(PACKED))


def test_a_packed_answer_is_none() -> None:
    async def asked() -> None:
        log = HttpStatements("http://log", httpx.MockTransport(packed))
        try:
            await log.standing("A" * 43)
        finally:
            await log.close()

    with pytest.raises(LocalError) as refusal:
        asyncio.run(asked())
    assert refusal.value.code is Code.LOG_AWAY


def test_what_is_not_packed_is_one() -> None:
    check_plain(httpx.Response(200))
    check_plain(httpx.Response(200, headers={"content-encoding": "identity"}))

"""The log over HTTP. The answer is read no further than a receipt can be long."""

import asyncio
from typing import Final

import httpx

from referral_contracts.codes import Code
from referral_contracts.errors import LocalError
from referral_contracts.log.proof import MAX_RECEIPT

_TIMEOUT_S: Final = 10.0
_WHOLE_S: Final = 30.0
"""An answer that comes byte by byte would never be late, and nobody be told that the receipt is missing."""
_NOT_THERE: Final = frozenset({404, 503})
"""Unknown, or not covered by a checkpoint yet: who was promised a receipt waits in either case."""


class HttpLog:
    """A log at an address."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._client = httpx.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=False)

    async def receipt(self, event: str, place: tuple[int, int] | None) -> bytes | None:
        """See `LogTransport`."""
        chosen = "" if place is None else f"?partition={place[0]}&counter={place[1]}"
        try:
            async with (
                asyncio.timeout(_WHOLE_S),
                self._client.stream("GET", f"{self._url}/receipt/{event}{chosen}") as response,
            ):
                if response.status_code in _NOT_THERE:
                    return None
                if response.status_code != httpx.codes.OK:
                    raise LocalError(Code.LOG_AWAY, f"the log answers with {response.status_code}")
                found = b""
                async for part in response.aiter_bytes():
                    found += part
                    if len(found) > MAX_RECEIPT:
                        raise LocalError(Code.LOG_AWAY, "the log answers without an end")
                return found
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise LocalError(Code.LOG_AWAY, f"the log does not answer ({type(error).__name__})") from error

    async def close(self) -> None:
        """See `LogTransport`."""
        await self._client.aclose()

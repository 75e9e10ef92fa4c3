"""Statements to the log over HTTP. An answer is read no further than one can be long."""

from collections.abc import Mapping
from typing import Any, Final

import httpx

from referral_bus._plain import PLAIN, check_plain
from referral_contracts.codes import Code
from referral_contracts.encoding import parse_json
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.log.erasing import Request

_TIMEOUT_S: Final = 30.0
_MOST: Final = 16 * 1024
_REFUSED: Final = frozenset({400, 403, 404, 409, 413})
_CODES: Final[Mapping[str, Code]] = {code.value: code for code in Code}


class HttpStatements:
    """A log at an address."""

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """Ask the log at *url*; nothing connects before the first question."""
        self._url = f"{url.rstrip('/')}/v1/statements"
        self._client = httpx.AsyncClient(headers=PLAIN, timeout=_TIMEOUT_S, follow_redirects=False, transport=transport)

    async def state(self, request: Request) -> Mapping[str, Any]:
        """See `StatementTransport`."""
        return await self._ask("POST", self._url, request.encode())

    async def standing(self, event: str) -> Mapping[str, Any]:
        """See `StatementTransport`."""
        return await self._ask("GET", f"{self._url}/{event}", None)

    async def close(self) -> None:
        """See `StatementTransport`."""
        await self._client.aclose()

    async def _ask(self, method: str, url: str, body: bytes | None) -> Mapping[str, Any]:
        found, headers = b"", {} if body is None else {"content-type": "application/json"}
        try:
            async with self._client.stream(method, url, content=body, headers=headers) as response:
                check_plain(response)
                async for part in response.aiter_bytes():
                    found += part
                    if len(found) > _MOST:
                        raise LocalError(Code.LOG_AWAY, "the log answers without an end")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise LocalError(Code.LOG_AWAY, f"the log does not answer ({type(error).__name__})") from error
        told = _read(found)
        code = _CODES.get(str(told.get("code")))
        if response.status_code in _REFUSED and code is not None:
            raise RemoteError(code, "the log refuses it")
        if response.status_code != httpx.codes.OK:
            raise LocalError(Code.LOG_AWAY, f"the log answers with {response.status_code}")
        return told


def _read(body: bytes) -> Mapping[str, Any]:
    try:
        told = parse_json(body)
    except RemoteError:
        return {}
    return told if isinstance(told, dict) else {}

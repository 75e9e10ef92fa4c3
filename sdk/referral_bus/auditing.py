"""
A log that is asked over HTTP what it has of cases, by an agency that signs what it asks: an auditor, or a case's owner.

Nothing that it answers is believed here: whoever asked checks it by keys of their own, as `read_trail` does.
"""

from collections.abc import Mapping
from typing import Final, Self

import httpx

from referral_bus._plain import PLAIN, check_plain
from referral_bus.asking import Signed
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.trail import archive
from referral_contracts.trail.answers import CaseAnswer, Search, SearchAnswer

_TIMEOUT_S: Final = 60.0
_MOST: Final = 2 * archive.MAX_SIZE
"""What a bundle holds at most, in base64url and with some more around it."""
_REFUSED: Final[Mapping[int, tuple[Code, str]]] = {
    400: (Code.MALFORMED_VALUE, "the log does not understand what is asked"),
    401: (
        Code.BAD_SIGNATURE,
        "the log does not take the signature: is the key published, is the clock right, has the log just started?",
    ),
    404: (Code.NOT_FOUND, "no such case, or no grant for it"),
    413: (Code.OVERSIZE, "more than the log gives in one answer"),
    429: (Code.TOO_MANY, "the log is asked too often"),
}


class AskedLog:
    """A log at an address."""

    def __init__(self, url: str, signed: Signed, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """Ask at *url*, signing by *signed*; with *transport* by another way than the network."""
        self._url = url.rstrip("/")
        self._client = httpx.AsyncClient(
            auth=signed,
            headers=PLAIN,
            timeout=_TIMEOUT_S,
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        """Return it."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close what connects."""
        await self._client.aclose()

    async def case(self, subject: str) -> CaseAnswer:
        """Return the leaves of a case, and what proves them; what is raised see `bundle`."""
        return CaseAnswer.decode(await self._get(f"/v1/cases/{subject}/trail"))

    async def bundle(self, subject: str) -> bytes:
        """
        Return the evidence bundle of a case.

        Raises:
            LocalError: LOG_AWAY, NOT_FOUND, BAD_SIGNATURE, TOO_MANY, OVERSIZE, MALFORMED_VALUE.
            RemoteError: It answers what is no answer.
        """
        return await self._get(f"/v1/cases/{subject}/bundle")

    async def reads(self, subject: str, after: int | None = None) -> CaseAnswer:
        """Return who read a case, a page behind the leaf *after*; what is raised see `bundle`."""
        return CaseAnswer.decode(
            await self._get(f"/v1/cases/{subject}/reads", {} if after is None else {"after": after})
        )

    async def search(self, search: Search) -> SearchAnswer:
        """Return a page of what is found; what is raised see `bundle`."""
        return SearchAnswer.decode(await self._get("/v1/search", search.parameters()))

    async def _get(self, path: str, parameters: Mapping[str, str | int] | None = None) -> bytes:
        try:
            async with self._client.stream("GET", f"{self._url}{path}", params=parameters or None) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise _refused(answer)
                check_plain(answer)
                found = bytearray()
                async for part in answer.aiter_bytes():
                    found += part
                    if len(found) > _MOST:
                        raise RemoteError(Code.OVERSIZE, "the log answers without an end")
                return bytes(found)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise LocalError(Code.LOG_AWAY, f"the log does not answer ({type(error).__name__})") from error


def _refused(answer: httpx.Response) -> LocalError:
    code, detail = _REFUSED.get(answer.status_code, (Code.LOG_AWAY, f"the log answers with {answer.status_code}"))
    again = answer.headers.get("retry-after")
    return LocalError(code, detail if again is None else f"{detail}; it may be asked again in {again} s")

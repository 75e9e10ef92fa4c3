"""
What is shown of cases, over HTTP, to auditors with a grant and to who owns a case: trails, bundles, a search, and who
has read them. Read only.

Who asks signs each request (RFC 9421, see `referral_contracts.asking`). Whatever is wrong with that is one 401, and
a case that is not there and one that may not be read are one 404. A read is in the log before it is answered.
"""

import asyncio
import math
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response, Security
from fastapi import Path as InPath
from fastapi.security import APIKeyHeader
from pydantic import BaseModel, ValidationError

from audit_log.core.limiting import Allowance
from audit_log.metrics import ReadMetrics
from audit_log.reads import Reads
from audit_log.signed import Asked, Askers, Headers, Message, accepted
from referral_contracts.asking import MAX_BODY
from referral_contracts.codes import Code
from referral_contracts.directory import Directory
from referral_contracts.encoding import SUBJECT
from referral_contracts.errors import LocalError, ReferralBusError, RemoteError
from referral_contracts.log.access import Way
from referral_contracts.trail.answers import MOST_FOUND, CaseAnswer, Search, SearchAnswer

_SUBJECT: Final = re.compile(SUBJECT)
_HOST: Final = re.compile(r"([A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?")
"""Whoever passes a request on can write anything there: a path, too, and that this one is but a fragment of it."""
_AGAIN_S: Final = 1
_TOLD: Final = {
    Code.NOT_PERMITTED: Code.NOT_FOUND,
    **dict.fromkeys(
        (
            Code.AGENCY_ENDED,
            Code.DUPLICATE,
            Code.KEY_NOT_VALID,
            Code.MALFORMED_SIGNATURE,
            Code.OUTSIDE_WINDOW,
            Code.UNKNOWN_KEY,
            Code.UNKNOWN_SENDER,
        ),
        Code.BAD_SIGNATURE,
    ),
}
"""What is told instead: who has no key learns nothing of who has, and who has no grant nothing of what there is."""
_STATUS: Final = {
    Code.BAD_SIGNATURE: 401,
    Code.MALFORMED_VALUE: 400,
    Code.NOT_FOUND: 404,
    Code.OVERSIZE: 413,
    Code.TOO_MANY: 429,
}
"""What else is wrong is 503: with the log, not with what is asked."""


class Refusal(BaseModel):
    """Why not."""

    code: str


def _refusal(description: str, code: Code, *headers: str) -> dict[str, Any]:
    return {
        "description": description,
        "model": Refusal,
        "content": {"application/json": {"example": {"code": code.value}}},
        "headers": {name: {"required": True, "schema": {"type": "string"}} for name in headers},
    }


_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    400: _refusal("Not a question, or not in its one form", Code.MALFORMED_VALUE),
    401: _refusal(
        "Not signed as it has to be, by a key that is good", Code.BAD_SIGNATURE, "www-authenticate", "accept-signature"
    ),
    404: _refusal("No such case, or none that may be read", Code.NOT_FOUND),
    413: _refusal("More than one answer holds", Code.OVERSIZE),
    429: _refusal("This key asks too often", Code.TOO_MANY, "retry-after"),
    503: _refusal("Not now; nothing was shown", Code.STORE_AWAY, "retry-after"),
}
_HEADERS: Final = {"www-authenticate": "Signature", "accept-signature": accepted()}
_EXAMPLE: Final = "3f2a9c0d5e6b718293a4b5c6d7e8f901"
_Subject = Annotated[
    str,
    InPath(json_schema_extra={"pattern": SUBJECT}, description="The case's id.", examples=[_EXAMPLE]),
]
_SIGNED: Final = APIKeyHeader(
    name="signature",
    scheme_name="signature",
    description=f"RFC 9421; with signature-input: {accepted()}",
    auto_error=False,
)
"""For the description alone: who asks is told by `Askers`."""


def auditing(
    reads: Reads,
    askers: Askers,
    directory: Callable[[], Directory | None],
    allowance: Allowance,
    metrics: ReadMetrics,
) -> APIRouter:
    """Return the routes; each key has an *allowance* of questions."""
    router = APIRouter(prefix="/v1", responses=_RESPONSES, dependencies=[Security(_SIGNED)])
    desk = _Desk(askers, directory, allowance, metrics)

    @router.get("/cases/{subject}/trail", response_model=CaseAnswer)
    async def trail(request: Request, subject: _Subject) -> Response:
        """Return the leaves of a case with all that proves them: receipts, the checkpoint, the directory."""
        return await desk.answer(request, Way.TRAIL, _of_case(reads.trail, subject))

    bundled = {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}

    @router.get("/cases/{subject}/bundle", response_class=Response, responses={200: bundled})
    async def bundle(request: Request, subject: _Subject) -> Response:
        """Return the evidence bundle of a case: one file that anybody can check offline."""
        work = _of_case(reads.bundle, subject)
        return await desk.answer(request, Way.BUNDLE, work, content="application/zip")

    @router.get("/cases/{subject}/reads", response_model=CaseAnswer, openapi_extra={"parameters": _PAGE})
    async def read(request: Request, subject: _Subject) -> Response:
        """Return who has read a case, proven: to its owner, and to auditors with a grant. `next` leads on."""
        return await desk.answer(request, Way.READS, lambda asked: reads.reads(asked, _case(subject), *_page(request)))

    @router.get("/search", response_model=SearchAnswer, openapi_extra={"parameters": _PARAMETERS})
    async def search(request: Request) -> Response:
        """Return a page of what was logged and answers all that is asked, of cases that may be read."""
        return await desk.answer(request, Way.SEARCH, lambda asked: reads.search(asked, _search(request)))

    return router


class _Desk:
    """Tells who asks, and answers."""

    def __init__(
        self,
        askers: Askers,
        directory: Callable[[], Directory | None],
        allowance: Allowance,
        metrics: ReadMetrics,
    ) -> None:
        self._askers, self._directory, self._allowance, self._metrics = askers, directory, allowance, metrics

    async def answer(
        self,
        request: Request,
        way: Way,
        work: Callable[[Asked], Awaitable[bytes]],
        *,
        content: str = "application/json",
    ) -> Response:
        """Return what *work* makes for who asks, or why not."""
        try:
            asked = await self._asked(request)
            wait_s = self._allowance.ask(asked.asker.kid, asyncio.get_running_loop().time())
            if wait_s:
                self._metrics.refused(Code.TOO_MANY)
                return _refused(Code.TOO_MANY, math.ceil(wait_s))
            body = await work(asked)
        except ReferralBusError as error:
            self._metrics.refused(error.code)
            return _refused(_TOLD.get(error.code, error.code))
        self._metrics.answered(way.value)
        return Response(body, media_type=content, headers={"cache-control": "no-store"})

    async def _asked(self, request: Request) -> Asked:
        directory = self._directory()
        if directory is None:
            raise LocalError(Code.DIRECTORY_MISSING, "there is no directory yet")
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY:
                raise RemoteError(Code.OVERSIZE, "nothing that is asked here has a body")
        return self._askers.asked(_message(request), body, directory)


def _message(request: Request) -> Message:
    """
    Return the request as it came: what a framework makes of its path is not what was signed.

    Raises:
        RemoteError: BAD_SIGNATURE: put together it would be the URL of something else than is asked here.
    """
    scope, host = request.scope, request.headers.get("host", "")
    query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
    target = f"{scope['raw_path'].decode('latin-1')}{query}"
    if not _HOST.fullmatch(host) or "#" in target:
        raise RemoteError(Code.BAD_SIGNATURE, "not the host or the target of a request")
    return Message(request.method, f"{scope['scheme']}://{host}{target}", Headers(request.headers.raw))


def _case(subject: str) -> str:
    # What cannot be a case is no other thing than one that is not there.
    if not _SUBJECT.fullmatch(subject):
        raise RemoteError(Code.NOT_FOUND, "no such case")
    return subject


def _of_case(work: Callable[[Asked, str], Awaitable[bytes]], subject: str) -> Callable[[Asked], Awaitable[bytes]]:
    return lambda asked: work(asked, _case(subject))


def _told(request: Request, known: Mapping[str, object]) -> dict[str, str]:
    pairs = request.query_params.multi_items()
    found = dict(pairs)
    if len(found) != len(pairs) or not found.keys() <= known.keys():
        raise RemoteError(Code.MALFORMED_VALUE, "a parameter twice, or one that there is not")
    return found


def _search(request: Request) -> Search:
    try:
        return Search.model_validate(_told(request, _ASKED), by_name=False)
    except ValidationError:
        raise RemoteError(Code.MALFORMED_VALUE, "a parameter in another form than its own") from None


def _page(request: Request) -> tuple[int | None, int]:
    found = _told(request, {"after": None, "limit": None})
    try:
        page = Search.model_validate(found)
    except ValidationError:
        raise RemoteError(Code.MALFORMED_VALUE, "a parameter in another form than its own") from None
    return page.after, page.limit


def _refused(code: Code, again_s: int | None = None) -> Response:
    status = _STATUS.get(code, 503)
    headers = {"cache-control": "no-store"} | (_HEADERS if status == 401 else {})
    if status in {429, 503}:
        headers["retry-after"] = str(again_s or _AGAIN_S)
    body = Refusal(code=code.value).model_dump_json()
    return Response(body, status_code=status, media_type="application/json", headers=headers)


_ASKED: Final = Search.model_json_schema(by_alias=True)["properties"]
_EXAMPLES: Final = {"verb": "handoff.offered", "from": "2026-11-01T00:00:00.000Z", "limit": MOST_FOUND}


def _parameter(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    kinds = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    told = {key: value for key, value in kinds[0].items() if key not in {"title", "description", "default"}}
    shown = {"name": name, "in": "query", "required": False, "schema": told}
    shown |= {"description": schema["description"]} if "description" in schema else {}
    return shown | ({"example": _EXAMPLES[name]} if name in _EXAMPLES else {})


_PARAMETERS: Final = [_parameter(name, schema) for name, schema in _ASKED.items()]
_PAGE: Final = [one for one in _PARAMETERS if one["name"] in {"after", "limit"}]

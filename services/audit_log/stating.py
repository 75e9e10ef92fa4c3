"""
What is stated over HTTP: requests to erase, holds and their ends. Nobody says who he is: a statement proves itself by
its signatures, and where it stands is told to whoever knows its hash, who has it.

What is refused says why by its code; a case that is not there, and one that does not concern who signed, are one 404.
"""

import asyncio
import math
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, ValidationError

from audit_log.asking import Answer, Asking, StandsAt
from audit_log.core.limiting import Allowance
from referral_contracts.codes import Code
from referral_contracts.encoding import format_time, unb64
from referral_contracts.errors import LocalError, ReferralBusError, RemoteError
from referral_contracts.log.erasing import MOST_STATED
from referral_contracts.log.erasing import Request as Carried
from referral_contracts.log.leaf import MAX_SIGNERS

_HASH: Final = r"^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$"
_AGAIN_S: Final = 1
_STATUS: Final = {
    Code.NOT_FOUND: 404,
    Code.OVERSIZE: 413,
    Code.TOO_MANY: 429,
    **dict.fromkeys((Code.CASE_OPEN, Code.OPEN_HANDOFFS, Code.HELD, Code.NOT_ERASABLE, Code.OUTSIDE_WINDOW), 409),
    **dict.fromkeys(
        (
            Code.NOT_ENOUGH_SIGNATURES,
            Code.WRONG_PARTY,
            Code.UNKNOWN_KEY,
            Code.KEY_NOT_VALID,
            Code.REPEATED_KEY,
            Code.BAD_SIGNATURE,
        ),
        403,
    ),
}
"""What else is refused is 400: it is not written as a statement is."""
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    400: {"description": "Not a statement about erasing"},
    403: {"description": "Not signed by those who have to sign it"},
    404: {"description": "No such case, or none that concerns who signed"},
    409: {"description": "Not as things stand: see code"},
    413: {"description": "Too large"},
    429: {"description": "Asked too often; see Retry-After"},
    503: {"description": "Not now, and it may be in the log or not: state it once more; see Retry-After"},
}


class Refusal(BaseModel):
    """Why not."""

    code: str


class Logged(BaseModel):
    """That a statement is in the log."""

    model_config = ConfigDict(frozen=True)

    kind: str
    leaf: int
    logged: str
    not_before: str | None = None
    """Of a request: when it may be carried out."""


class Standing(Logged):
    """What has become of it."""

    state: str
    """Of a request: waits, erased. Of a hold: holds, lifted. Of the end of one: logged."""
    by: int | None = None
    """The leaf of what ended it."""
    code: str | None = None
    """Why a request would not be carried out as things stand."""


def stating(asking: Asking, allowance: Allowance, failed: Callable[[Code], None]) -> APIRouter:
    """Return the routes; *failed* hears why something could not be logged or looked for."""
    router = APIRouter(prefix="/v1/statements", responses=_RESPONSES)

    async def answered(request: Request, work: Callable[[], Any]) -> Response:
        host = request.client.host if request.client else ""
        wait_s = allowance.ask(host, asyncio.get_running_loop().time())
        if wait_s:
            return _refused(Code.TOO_MANY, math.ceil(wait_s))
        try:
            found: Logged = await work()
        except LocalError as error:
            failed(error.code)
            return _not_now(error.code)
        except ReferralBusError as error:
            return _refused(error.code)
        return _json(200, found)

    @router.post("", response_model=Logged, openapi_extra=_BODY)
    async def state(request: Request) -> Response:
        """Log a signed request to erase, a hold or the end of one. The same once more has the same answer."""

        async def work() -> Logged:
            return _logged(await asking.take((await _read(request)).statement))

        return await answered(request, work)

    @router.get("/{event}", response_model=Standing)
    async def standing(request: Request, event: Annotated[str, InPath(pattern=_HASH)]) -> Response:
        """Tell where a statement stands, by the SHA-256 of what was signed (base64url without padding)."""

        async def work() -> Standing:
            return _standing(await asking.standing(unb64(event)))

        return await answered(request, work)

    return router


_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": Carried.model_json_schema()}}}
}


async def _read(request: Request) -> Carried:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_STATED:
            raise RemoteError(Code.OVERSIZE)
    try:
        found = Carried.model_validate_json(body)
    except ValidationError:
        raise RemoteError(Code.MALFORMED_RECORD, "not signatures and what is signed") from None
    if len(found.signatures) > MAX_SIGNERS or not all(one.isascii() for one in found.signatures):
        raise RemoteError(Code.MALFORMED_SIGNATURE)
    return found


def _logged(answer: Answer) -> Logged:
    return Logged(**_fields(answer))


def _standing(found: StandsAt) -> Standing:
    code = None if found.code is None else found.code.value
    return Standing(**_fields(found.answer), state=found.state, by=found.by, code=code)


def _fields(answer: Answer) -> dict[str, Any]:
    before_ms = answer.not_before_ms
    return {
        "kind": answer.kind,
        "leaf": answer.leaf,
        "logged": format_time(answer.logged_ms),
        "not_before": None if before_ms is None else format_time(before_ms),
    }


def _refused(code: Code, again_s: int | None = None) -> Response:
    return _json(_STATUS.get(code, 400), Refusal(code=code.value), again_s)


def _not_now(code: Code) -> Response:
    return _json(503, Refusal(code=code.value), _AGAIN_S)


def _json(status: int, found: BaseModel, again_s: int | None = None) -> Response:
    headers = {"cache-control": "no-store"} | ({} if again_s is None else {"retry-after": str(again_s)})
    body = found.model_dump_json(exclude_none=True)
    return Response(body, status_code=status, media_type="application/json", headers=headers)

"""
What the log shows to everybody, over HTTP on a port of its own: tiles and checkpoints, as c2sp.org/tlog-tiles has
them, and receipts; what goes under ``/v1/`` has routers of its own. Nothing is written here, nobody is asked who they
are, and what is not there is 404, whatever the reason.

A receipt is open to whoever knows the event's hash, and says nothing to who has not the event.
"""

import asyncio
import math
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Query, Response
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError

from audit_log.core.limiting import Allowance
from audit_log.folder import Folder
from audit_log.receipts import NotYet, Receipts
from audit_log.store.reading import DecisionNumber
from audit_log.witnesses import WITNESSED_PATH
from referral_contracts.codes import Code
from referral_contracts.encoding import unb64
from referral_contracts.errors import ReferralBusError
from referral_contracts.log.tiles import CHECKPOINT_PATH
from service_chassis.health import Asgi, Receive, Scope, Send

_TEXT: Final = "text/plain; charset=utf-8"
_BYTES: Final = "application/octet-stream"
_FOR_EVER: Final = "public, max-age=31536000, immutable"
"""A tile never changes; a checkpoint does on every beat, and a receipt may get witnesses."""
_HASH: Final = r"^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$"
_TILE: Final = (
    r"^(entries|[0-9]|[1-5][0-9]|6[0-3])/(x[0-9]{3}/)*[0-9]{3}(\.p/([1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?$"
)
_MAX_COUNT: Final = 2**53 - 1
_AGAIN_S: Final = 1
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    404: {"description": "Not there"},
    429: {"description": "Asked too often; see Retry-After"},
    503: {"description": "Not now; see Retry-After"},
}

_Event = Annotated[str, InPath(pattern=_HASH, description="The event's hash: SHA-256, base64url without padding.")]
_Count = Annotated[int | None, Query(ge=0, le=_MAX_COUNT)]


def web(
    folder: Folder,
    receipts: Receipts,
    allowance: Allowance,
    failed: Callable[[Code], None],
    routers: Iterable[APIRouter] = (),
) -> Asgi:
    """Return the application, with *routers*; *failed* hears why something that should be there cannot be shown."""
    app = FastAPI(title="referral-bus log", version="1", docs_url=None, redoc_url=None)

    def shown(make: Callable[[], bytes | None], content: str, cache: str) -> Response:
        try:
            found = make()
        except NotYet:
            return _not_now()
        except ReferralBusError as error:
            failed(error.code)
            return _not_now()
        if found is None:
            return _missing()
        return Response(found, media_type=content, headers={"cache-control": cache})

    @app.get("/checkpoint", responses=_RESPONSES, response_class=Response)
    def checkpoint() -> Response:
        """Return the newest checkpoint (c2sp.org/tlog-checkpoint)."""
        return shown(lambda: folder.read(CHECKPOINT_PATH), _TEXT, "no-cache")

    @app.get("/checkpoint.witnessed", responses=_RESPONSES, response_class=Response)
    def witnessed() -> Response:
        """Return the newest checkpoint with enough cosignatures."""
        return shown(lambda: folder.read(WITNESSED_PATH), _TEXT, "no-cache")

    @app.get("/tile/{path:path}", responses=_RESPONSES, response_class=Response)
    def tile(path: Annotated[str, InPath(pattern=_TILE, max_length=60)]) -> Response:
        """Return a tile, or a bundle of entries (c2sp.org/tlog-tiles)."""
        return shown(lambda: folder.read(f"tile/{path}"), _BYTES, _FOR_EVER)

    @app.get("/receipt/{event}", responses=_RESPONSES, response_class=Response)
    def receipt(event: _Event, partition: _Count = None, counter: _Count = None) -> Response:
        """
        Return the receipt of an event (c2sp.org/tlog-proof).

        Of one that was decided on several times the acceptance, else the first; with *partition* and *counter*, as a
        verdict tells them, that decision.
        """
        number = None if partition is None or counter is None else DecisionNumber(partition, counter)
        return shown(lambda: receipts.receipt(unb64(event), number), _TEXT, "no-store")

    return _limited(_whole(app, routers), allowance)


def _whole(app: FastAPI, routers: Iterable[APIRouter]) -> FastAPI:
    for router in routers:
        app.include_router(router)
    # What cannot be a name here is no other thing than what is not here.
    app.add_exception_handler(RequestValidationError, lambda *_: _missing())
    app.add_exception_handler(404, lambda *_: _missing())
    return app


def _limited(app: Asgi, allowance: Allowance) -> Asgi:
    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        host = scope["client"][0] if scope.get("client") else ""
        wait_s = allowance.ask(host, asyncio.get_running_loop().time())
        if wait_s:
            await _plain(429, f"{Code.TOO_MANY.value}\n", math.ceil(wait_s))(scope, receive, send)
        elif any(name == b"transfer-encoding" for name, _ in scope["headers"]):
            # Of what comes byte by byte each costs as much as a question: nobody asks so who has one.
            answer = _plain(411, f"{Code.MALFORMED_VALUE.value}\n")
            answer.headers["connection"] = "close"
            await answer(scope, receive, send)
        else:
            await app(scope, receive, send)

    return limited


def _missing() -> Response:
    return _plain(404, f"{Code.NOT_FOUND.value}\n")


def _not_now() -> Response:
    return _plain(503, f"{Code.STORE_AWAY.value}\n", _AGAIN_S)


def _plain(status: int, text: str, again_s: int | None = None) -> Response:
    headers = {"cache-control": "no-store"} | ({} if again_s is None else {"retry-after": str(again_s)})
    return Response(text, status_code=status, media_type=_TEXT, headers=headers)

"""
A witness over HTTP, as c2sp.org/tlog-witness has it: two addresses, and nothing else is there.

`POST /add-checkpoint` takes a checkpoint and answers with the cosignature; `GET /<origin hash>/checkpoint` shows the
last one that was cosigned. Nobody is asked who they are: what counts is the log's signature.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from referral_bus.clock import Clock
from referral_bus.witness.store import WitnessStore
from referral_contracts.errors import ReferralBusError
from referral_contracts.log.note import NoteKey, NoteSignature
from referral_contracts.log.policy import Policy
from referral_contracts.log.witnessing import (
    ADD_CHECKPOINT,
    CONFLICT,
    MAX_REQUEST,
    NOT_FOUND,
    OK,
    SIZE_TYPE,
    Conflict,
    Refused,
    Submitted,
    origin_hash,
    read_request,
)

_TEXT: Final = "text/plain; charset=utf-8"
_NOT_ALLOWED: Final = 405
_UNAVAILABLE: Final = 503

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back."""

    status: int
    body: str
    content: str = _TEXT


def logs_of(policy: Policy) -> Mapping[str, Sequence[NoteKey]]:
    """Return the keys that are trusted for each origin: the logs of a *policy*, whatever quorum it asks for."""
    found: dict[str, list[NoteKey]] = {}
    for log in policy.logs:
        found.setdefault(log.key.name, []).append(log.key)
    return found


class WitnessApp:
    """The ASGI application."""

    def __init__(
        self,
        store: WitnessStore,
        logs: Mapping[str, Sequence[NoteKey]],
        clock: Clock,
        tell: Callable[[Submitted, NoteSignature | Conflict | Refused], None],
    ) -> None:
        """Cosign what follows in *store*, of these *logs*; *tell* hears of each checkpoint that a known log signed."""
        self._store = store
        self._logs = logs
        self._clock = clock
        self._tell = tell
        self._shown = {f"/{origin_hash(origin)}/checkpoint": origin for origin in logs}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        answer = await self._answer(scope["method"], scope["path"], receive)
        body = answer.body.encode()
        headers = [(b"content-type", answer.content.encode()), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(self, method: str, path: str, receive: Receive) -> Answer:
        if path == ADD_CHECKPOINT:
            if method != "POST":
                return Answer(_NOT_ALLOWED, "a checkpoint is posted\n")
            return await asyncio.to_thread(self.add_checkpoint, await _body(receive))
        origin = self._shown.get(path)
        if origin is None:
            return Answer(NOT_FOUND, "nothing is here\n")
        if method not in {"GET", "HEAD"}:
            return Answer(_NOT_ALLOWED, "a checkpoint is read\n")
        seen = await asyncio.to_thread(self._store.last, origin)
        return Answer(NOT_FOUND, "nothing was cosigned yet\n") if seen is None else Answer(OK, seen.note.decode())

    def add_checkpoint(self, body: bytes) -> Answer:
        """Return what is answered to *body*; what it says is on the disk by then."""
        found = read_request(body, self._logs)
        if isinstance(found, Refused):
            return _refusal(found)
        try:
            outcome = self._store.consider(found, self._clock.now_ms() // 1000)
        except ReferralBusError as error:
            return Answer(_UNAVAILABLE, f"{error.code.value}: nothing was cosigned\n")
        self._tell(found, outcome)
        match outcome:
            case NoteSignature():
                return Answer(OK, f"{outcome.line}\n")
            case Conflict():
                return Answer(CONFLICT, f"{outcome.size}\n", SIZE_TYPE)
            case Refused():
                return _refusal(outcome)


def _refusal(refused: Refused) -> Answer:
    return Answer(refused.status, f"{refused.code.value}: {refused.detail}\n")


async def _body(receive: Receive) -> bytes:
    """Return what is posted; of what is over the limit only so much that it is seen to be."""
    parts, size, more = [], 0, True
    while more and size <= MAX_REQUEST:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
    return b"".join(parts)

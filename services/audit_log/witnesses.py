"""
The log's side of its witnesses: it asks them over HTTP (c2sp.org/tlog-witness), and heeds what they object.

Each is asked for one thing at a time, and none holds up a checkpoint. A witness that is away, slow or wrong costs its
own cosignature. One that has seen another log than this one, and can show it by this log's own signature, stops it:
then the store was put back, or somebody else signs with the key.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

import httpx

from audit_log.core.gathering import Gathering
from audit_log.folder import Folder
from audit_log.metrics import WitnessMetrics
from referral_contracts.codes import Code
from referral_contracts.errors import Fatal, LocalError, ReferralBusError, RemoteError
from referral_contracts.log.checkpoint import Checkpoint, open_checkpoint, parse_size, verify_cosignature
from referral_contracts.log.note import MAX_NOTE, NoteKey, NoteSignature, parse_signatures
from referral_contracts.log.policy import Policy, Witness
from referral_contracts.log.witnessing import ADD_CHECKPOINT, CONFLICT, OK, UNPROCESSABLE, origin_hash, request
from service_chassis.logs import Log as LogLines

WITNESSED_PATH: Final = "checkpoint.witnessed"
"""Beside ``checkpoint``: the newest one that enough witnesses have cosigned."""

_TIMEOUT_S: Final = 5.0
_PLAIN: Final = {"accept-encoding": "identity"}
"""What is packed grows a millionfold in one step, before anybody counts its bytes."""
_ROUND_S: Final = 1.0
_BACKOFF_S: Final = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)
_TRIES: Final = 3
"""A conflict tells the size to ask from; a second one, that somebody else asked meanwhile."""
ResultT = TypeVar("ResultT")


class Tree(Protocol):
    """What has to be known of the log."""

    @property
    def size(self) -> int: ...

    @property
    def newest(self) -> tuple[Checkpoint, bytes] | None:
        """The published checkpoint and its note."""

    def root(self, size: int) -> bytes:
        """Return the root of the first *size* leaves."""

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Return what proves that the tree of *new* leaves begins with that of *old*."""


@dataclass(slots=True)
class _Asked:
    """One witness."""

    witness: Witness
    url: str
    old: int = 0
    """The size that it cosigned last, as far as is known."""
    failures: int = 0
    again_s: float = 0.0
    task: "asyncio.Task[None] | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the witnesses' side of a log works with."""

    key: NoteKey
    folder: Folder
    metrics: WitnessMetrics
    log: LogLines
    clock: Callable[[], int]
    threaded: Callable[..., Awaitable[object]]
    """Does blocking work in a thread."""
    client: Callable[[], httpx.AsyncClient] = field(
        default=lambda: httpx.AsyncClient(timeout=_TIMEOUT_S, headers=_PLAIN)
    )


class Witnesses:
    """All witnesses of a log that have an address."""

    def __init__(self, policy: Policy, tree: Tree, around: Surroundings, beat_s: float) -> None:
        """
        Ask the witnesses of *policy* on each beat for the newest checkpoint of *tree*.

        Raises:
            LocalError: BAD_LOG_POLICY: the policy is another log's.
            Fatal: LOG_ROLLBACK, LOG_FORK: this log is another one than it was when it was witnessed last.
        """
        if around.key not in [log.key for log in policy.logs]:
            raise LocalError(Code.BAD_LOG_POLICY, "the log's own key is not in its policy")
        self._policy, self._tree, self._around, self._beat_s = policy, tree, around, beat_s
        self._gathering = Gathering(policy, _ROUND_S, self._witnessed())
        named = [witness for witness in policy.witnesses if witness.url is not None]
        self._asked = {one.name: _Asked(one, (one.url or "").rstrip("/")) for one in named}
        self._writing = asyncio.Lock()
        around.metrics.named(len(self._asked))
        if self._gathering.witnessed:
            around.metrics.witnessed(self._gathering.witnessed, around.clock())

    async def run(self) -> None:
        """
        Ask until cancelled.

        Raises:
            Fatal: LOG_ROLLBACK, LOG_FORK: a witness has this log's signature on another history.
        """
        loop = asyncio.get_running_loop()
        async with self._around.client() as client:
            try:
                while True:
                    self._ask_who_is_free(client, loop.time())
                    await asyncio.sleep(self._beat_s)
                    for asked in self._asked.values():
                        if (task := asked.task) is not None and task.done():
                            asked.task = None
                            task.result()
            finally:
                running = [asked.task for asked in self._asked.values() if asked.task is not None]
                for task in running:
                    task.cancel()
                await asyncio.gather(*running, return_exceptions=True)

    def _witnessed(self) -> int:
        """Return the size of the witnessed checkpoint that is published; what the policy does not take is made anew."""
        note = self._around.folder.read(WITNESSED_PATH)
        if note is None:
            return 0
        try:
            checked = self._policy.check(note)
        except RemoteError:
            return 0
        found = checked.checkpoint
        _heed(found, None if found.size > self._tree.size else self._tree.root(found.size))
        return found.size if checked.quorum else 0

    def _ask_who_is_free(self, client: httpx.AsyncClient, now_s: float) -> None:
        newest = self._tree.newest
        if newest is None:
            return
        free = [name for name, asked in self._asked.items() if asked.task is None and asked.again_s <= now_s]
        target, note, names = self._gathering.due(*newest, free, now_s)
        for name in names:
            self._asked[name].task = asyncio.create_task(self._ask(client, self._asked[name], target, note))

    async def _ask(self, client: httpx.AsyncClient, asked: _Asked, target: Checkpoint, note: bytes) -> None:
        """Ask one witness, and take its cosignature; what it fails in is its own affair, but for what it can show."""
        name = asked.witness.name
        try:
            signature = await self._cosignature(client, asked, target, note)
        except Fatal:
            raise
        except (ReferralBusError, httpx.HTTPError, httpx.InvalidURL) as error:
            code = error.code if isinstance(error, ReferralBusError) else Code.TIMED_OUT
            asked.again_s = asyncio.get_running_loop().time() + _BACKOFF_S[min(asked.failures, len(_BACKOFF_S) - 1)]
            asked.failures += 1
            self._gathering.failed(name)
            self._around.metrics.failed(code)
            self._around.log.warning("witness-failed", where=name, code=code)
            return
        asked.failures, asked.old = 0, target.size
        async with self._writing:
            witnessed = self._gathering.cosigned(name, target.size, signature)
            if witnessed is not None:
                # A crash here leaves the witnessed checkpoint of before: the witnesses are asked anew.
                await self._around.threaded(self._around.folder.write, [(WITNESSED_PATH, witnessed)])
                self._around.metrics.witnessed(target.size, self._around.clock())

    async def _cosignature(
        self, client: httpx.AsyncClient, asked: _Asked, target: Checkpoint, note: bytes
    ) -> NoteSignature:
        for _ in range(_TRIES):
            proof = await self._threaded(lambda: self._tree.consistency(min(asked.old, target.size), target.size))
            body = request(min(asked.old, target.size), proof, note)
            status, answer = await _told(client, "POST", asked.url + ADD_CHECKPOINT, body)
            if status == OK:
                return self._verified(asked.witness, target, answer)
            if status == CONFLICT:
                size = parse_size(answer.decode("utf-8", "replace").removesuffix("\n"))
                if size is not None and size <= target.size:
                    asked.old = size
                    continue
            if status in {CONFLICT, UNPROCESSABLE}:
                await self._compare(client, asked)
            raise RemoteError(Code.BAD_CHECKPOINT, "the witness does not cosign the checkpoint")
        raise RemoteError(Code.BAD_CHECKPOINT, "the witness tells another size each time")

    def _verified(self, witness: Witness, target: Checkpoint, answer: bytes) -> NoteSignature:
        found = [one for one in parse_signatures(answer.decode("utf-8", "replace")) if one.is_by(witness.key)]
        if not found:
            raise RemoteError(Code.BAD_SIGNATURE, "the witness answers with nothing of its own")
        verify_cosignature(target.text(), found[0], witness.key)
        return found[0]

    async def _compare(self, client: httpx.AsyncClient, asked: _Asked) -> None:
        """
        Look at what the witness cosigned last, where it shows it: is it what this log is, or was?

        Raises:
            Fatal: LOG_ROLLBACK, LOG_FORK: it has this log's own signature, and is not.
            RemoteError: It shows nothing that this log signed.
        """
        key = self._around.key
        status, note = await _told(client, "GET", f"{asked.url}/{origin_hash(key.name)}/checkpoint")
        if status != OK:
            raise RemoteError(Code.BAD_CHECKPOINT, "the witness does not show what it cosigned")
        seen = open_checkpoint(note, key)
        larger = seen.size > self._tree.size
        _heed(seen, None if larger else await self._threaded(lambda: self._tree.root(seen.size)))

    async def _threaded(self, work: Callable[[], ResultT]) -> ResultT:
        found: list[ResultT] = []
        await self._around.threaded(lambda: found.append(work()))
        return found[0]


def _heed(seen: Checkpoint, root: bytes | None) -> None:
    """Stop if the log that signed *seen* is another one now: *root* is its own at that size, None if it is smaller."""
    if root is None:
        raise Fatal(Code.LOG_ROLLBACK, "a witness has seen a larger log, by this log's signature")
    if root != seen.root:
        raise Fatal(Code.LOG_FORK, "a witness has seen another log, by this log's signature")


async def _told(client: httpx.AsyncClient, method: str, url: str, body: bytes | None = None) -> tuple[int, bytes]:
    """Return the status and at most so much of an answer as a note may have."""
    async with client.stream(method, url, content=body) as response:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise RemoteError(Code.OVERSIZE, "the witness answers with what is packed, and was not asked to")
        answer = b""
        async for part in response.aiter_bytes():
            answer += part
            if len(answer) > MAX_NOTE:
                raise RemoteError(Code.OVERSIZE, "the witness answers without an end")
        return response.status_code, answer

"""
A record of the ledger as the watcher reads it: a tick, an event that was judged, or nothing that the router wrote.

The router's word is checked (its signature over the batch, once; the path of each leaf), and not the sender's: that the
router did. Of an envelope only what is asked for is read: the router has judged its form.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic_core import from_json

from referral_contracts import topics
from referral_contracts.batch_check import BatchCheck
from referral_contracts.codes import Code
from referral_contracts.decisions import read_decision
from referral_contracts.directory import ROLE_WATCHER, Directory
from referral_contracts.encoding import event_hash, parse_time, unb64
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.merkle import leaf_hash
from referral_contracts.records import Record
from referral_contracts.signing import Typ, parse_signature, verify
from referral_contracts.ticks import check_tick
from referral_contracts.verbs import Verb, verb_of

_KNOWN_BATCHES: Final = 1024


@dataclass(frozen=True, slots=True)
class Tick:
    """Everything submitted before *admitted_ms* has been judged, and stands before this."""

    admitted_ms: int


@dataclass(frozen=True, slots=True)
class Event:
    """An event in the clear."""

    id: str
    sha256: str
    source: str
    subject: str
    verb: Verb
    exercise: bool
    recipients: tuple[str, ...]
    scope: str
    """The hand-off that it is about, as ``opening id/recipient``, or nothing."""
    supersedes: str | None
    """The hash of the event that it corrects."""
    sections: tuple[Mapping[str, Any], ...] = field(repr=False)
    handoff: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision of the router, and the event where it can be read."""

    counter: int
    previous: bytes
    hash: bytes
    code: Code
    admitted_ms: int
    event: Event | None


class Reader:
    """Reads the records of one partition."""

    def __init__(self, bus: str, partition: int) -> None:
        """Read what is *bus*'s, in *partition* of the ledger."""
        self._bus = bus
        self._partition = partition
        self._batches = BatchCheck(bus, _KNOWN_BATCHES)

    def read(self, record: Record, directory: Directory) -> Tick | Judged | None:
        """
        Return what *record* is; None: the router did not write it.

        Raises:
            LocalError: DIRECTORY_BEHIND: it was decided by a directory that is newer than this one.
        """
        if record.fault not in {None, Code.UNDELIVERABLE}:
            # It says that it is elsewhere than it is: the router writes none such.
            return None
        headers = {name: value or b"" for name, value in record.headers}
        kind = headers.get(topics.H_KIND)
        try:
            if kind == topics.KIND_TICK:
                return self._tick(record.value or b"", headers, directory)
            if kind == topics.KIND_EVENT:
                return self._judged(record.value or b"", headers, directory)
        except RemoteError:
            return None
        return None

    def _tick(self, value: bytes, headers: Mapping[str, bytes], directory: Directory) -> Tick:
        check_tick(value, self._bus, self._partition)
        signature = parse_signature(headers.get(topics.H_SIGNATURE, b""), Typ.TICK)
        watcher = directory.service(ROLE_WATCHER)
        key = None if watcher is None else directory.event_key(watcher, signature.kid)
        if key is None:
            raise RemoteError(Code.UNKNOWN_KEY)
        verify(key.key, signature, value)
        return Tick(parse_time(headers.get(topics.H_ADMITTED, b"").decode("ascii", "replace")))

    def _judged(self, value: bytes, headers: Mapping[str, bytes], directory: Directory) -> Judged:
        leaf = headers.get(topics.H_DECISION, b"")
        decision = read_decision(leaf)
        if decision.bus != self._bus or decision.partition != self._partition:
            raise RemoteError(Code.BAD_DECISION, "another partition's decision")
        if decision.directory > directory.version:
            raise LocalError(Code.DIRECTORY_BEHIND)
        admitted_ms = parse_time(decision.admitted)
        hashed = leaf_hash(leaf)
        self._batches.check(
            leaf,
            hashed,
            headers.get(topics.H_PATH, b""),
            headers.get(topics.H_ROOT, b""),
            partition=self._partition,
            directory=directory,
            at_ms=admitted_ms,
        )
        readable = bool(value) and event_hash(value) == decision.event
        return Judged(
            counter=decision.counter,
            previous=unb64(decision.previous, 32),
            hash=hashed,
            code=decision.code,
            admitted_ms=admitted_ms,
            event=_event(value, decision.event) if readable else None,
        )


def _event(value: bytes, sha256: str) -> Event | None:
    try:
        told = from_json(value)
        data = told["data"]
        handoff, supersedes = data.get("handoff"), data.get("supersedes")
        return Event(
            id=told["id"],
            sha256=sha256,
            source=told["source"],
            subject=told["subject"],
            verb=verb_of(told["type"]),
            exercise=told["exercise"] is True,
            recipients=tuple(data["recipients"]),
            scope="" if handoff is None else f"{handoff['opening']}/{handoff['recipient']}",
            supersedes=None if supersedes is None else supersedes["sha256"],
            sections=tuple(data["sections"]),
            handoff=handoff,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RemoteError):
        # A verified refusal keeps its bytes, whatever they are.
        return None

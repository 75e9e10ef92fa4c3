"""
A record of the ledger as the log takes it: a decision that the router signed, next in its partition's chain.

The router's word is checked (its signature over the batch, once; the path of each leaf), number and chain of the
decisions too. What the senders signed the router has checked, and whoever audits the log checks again. Of an envelope
only what can be searched for is read.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from pydantic_core import from_json

from audit_log.core.places import Place
from referral_contracts import topics
from referral_contracts.batch_check import BatchCheck
from referral_contracts.codes import Code
from referral_contracts.decisions import Decision, read_decision
from referral_contracts.directory import Directory
from referral_contracts.directory_model import CHANGED_TYPE
from referral_contracts.encoding import parse_time, sha256, unb64
from referral_contracts.errors import Fatal, LocalError, RemoteError
from referral_contracts.merkle import leaf_hash
from referral_contracts.records import Record
from referral_contracts.topics import agency_of
from referral_contracts.verbs import verb_of

DIRECTORY_CHANGED: Final = "directory.changed"
"""What a change of the directory is found by, beside the verbs."""
NO_PARTITION: Final = -1
"""Where the log's own statements stand: on no ledger."""


class About(NamedTuple):
    """What an event can be found by."""

    subject: str | None
    referral: str | None
    """The event that opened its hand-off: the one it names, or itself."""
    verb: str
    source: str
    parties: tuple[str, ...]
    """Source and recipients, each agency once."""


class Taken(NamedTuple):
    """One decision, verified, with everything that goes into its leaf; or a statement, which has no decision."""

    partition: int
    offset: int
    counter: int
    chain: bytes
    """The decision's own hash."""
    signature: bytes
    value: bytes
    decision: bytes
    path: bytes
    root: bytes
    admitted_ms: int
    code: str
    event: bytes
    """SHA-256 of what was submitted."""
    about: About | None
    """None where the bytes cannot be read, or are not kept."""


class LedgerReader:
    """Reads the records of one partition."""

    def __init__(self, bus: str, partition: int) -> None:
        """Read what is *bus*'s, in *partition* of the ledger."""
        self._bus = bus
        self._partition = partition
        self._batches = BatchCheck(bus)
        self._admitted = ("", 0)

    def read(self, record: Record, place: Place, directory: Directory) -> Taken | None:
        """
        Return the decision in *record*, which is read at *place*; None: a tick, of which nothing is logged.

        Raises:
            Fatal: BAD_DECISION: the router did not write it. LOG_GAP, LEDGER_ROLLED_BACK: it is not the next one.
            LocalError: DIRECTORY_BEHIND: it was decided by a directory that is newer than this one.
        """
        headers = {name: value or b"" for name, value in record.headers}
        if headers.get(topics.H_KIND) == topics.KIND_TICK:
            return None
        leaf = headers.get(topics.H_DECISION, b"")
        try:
            decision = read_decision(leaf)
            if decision.bus != self._bus or decision.partition != self._partition:
                raise RemoteError(Code.BAD_DECISION, "another partition's decision")
            previous = unb64(decision.previous)
            chain = leaf_hash(leaf)
            admitted_ms = self._time(decision.admitted)
            if decision.directory > directory.version:
                raise LocalError(Code.DIRECTORY_BEHIND)
            self._batches.check(
                leaf,
                chain,
                headers.get(topics.H_PATH, b""),
                headers.get(topics.H_ROOT, b""),
                partition=self._partition,
                directory=directory,
                at_ms=admitted_ms,
            )
        except RemoteError as error:
            raise Fatal(Code.BAD_DECISION, "a record of the ledger that the router did not write") from error
        place.check_follows(decision.counter, previous)
        return self._taken(record, headers, decision, chain, admitted_ms)

    def _taken(
        self, record: Record, headers: Mapping[str, bytes], decision: Decision, chain: bytes, admitted_ms: int
    ) -> Taken:
        value, event = record.value or b"", unb64(decision.event)
        if value and sha256(value) != event:
            raise Fatal(Code.BAD_DECISION, "a record of the ledger with other bytes than were decided on")
        return Taken(
            partition=self._partition,
            offset=record.offset,
            counter=decision.counter,
            chain=chain,
            signature=headers.get(topics.H_SIGNATURE, b""),
            value=value,
            decision=headers[topics.H_DECISION],
            path=headers[topics.H_PATH],
            root=headers[topics.H_ROOT],
            admitted_ms=admitted_ms,
            code=decision.code.value,
            event=event,
            about=about(value) if value else None,
        )

    def _time(self, text: str) -> int:
        # A batch was admitted at few moments, one after the other.
        if text != self._admitted[0]:
            self._admitted = (text, parse_time(text))
        return self._admitted[1]


def about(value: bytes) -> About | None:
    """Return what the event *value* can be found by; None: a refusal keeps its bytes, whatever they are."""
    try:
        told = from_json(value, cache_strings="keys")
        source, data = told["source"], told["data"]
        if told["type"] == CHANGED_TYPE:
            return About(None, None, DIRECTORY_CHANGED, source, (source,))
        handoff = data.get("handoff")
        verb = verb_of(told["type"])
        opening = None if verb.of_case else told["id"]
        referral = opening if handoff is None else handoff["opening"]
        named = (source, *data["recipients"])
        if not all(isinstance(text, str) for text in (told["subject"], referral or "", *named)):
            return None
        parties = tuple(dict.fromkeys(map(agency_of, named)))
        return About(told["subject"], referral, verb.value, source, parties)
    except (ValueError, KeyError, TypeError, AttributeError, RemoteError):
        return None

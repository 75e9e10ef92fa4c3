"""
What was decided, judged once more, one record at a time: the same rules have to come to the same bytes.

From the submissions (`EventReplay`, `ChangeReplay`) all that follows can be compared; from what was logged (`Rejudge`)
the decisions alone. A decision tells what the rules cannot know of that day: the salt, the time, and which topics the
broker did not have.
"""

from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.decisions import Decision, read_decision
from referral_contracts.directory import Directory, TrustRoot
from referral_contracts.encoding import parse_time, unb64
from referral_contracts.errors import RemoteError
from referral_contracts.keys import SigningKey
from referral_contracts.log.leaf import LedgerEntry
from referral_contracts.merkle import leaf_hash
from referral_contracts.records import Headers, Record, Write
from referral_router.core.examine import Examined, examine, verify_signature
from referral_router.core.fold import Router, RouterStep
from referral_router.core.ledger import Lane
from referral_router.core.position import Position
from referral_router.core.registrar import Registrar, RegistrarStep

_ANY_KEY: Final = SigningKey.from_seed(bytes(32))
"""A root's signature is over a batch, and batches fall otherwise here."""


@dataclass(slots=True)
class Drawn:
    """Gives the salts that were drawn for one submission; the rest of what is asked for is never used."""

    salts: Sequence[bytes] = ()

    def __call__(self, count: int, size: int) -> Sequence[bytes]:
        return [*self.salts, *([bytes(size)] * (count - len(self.salts)))]


@dataclass(slots=True)
class EventReplay:
    """One partition of submissions, judged again from nothing."""

    bus: str
    partition: int
    partitions: int
    drawn: Drawn = field(default_factory=Drawn)
    fold: Router = field(init=False)

    def __post_init__(self) -> None:
        self.fold = Router(_lane(self.bus, self.partition, self.drawn), self.partitions)

    def step(
        self, record: Record, decision: Decision | None, directory: Directory, inboxes: Container[str]
    ) -> RouterStep:
        """Judge *record*, on which this *decision* was made."""
        found = examine(as_judged(record, decision), directory, self.bus)
        verify_signature(found)
        return self.take(found, directory, inboxes)

    def take(self, found: Examined, directory: Directory, inboxes: Container[str]) -> RouterStep:
        """Judge what is examined already."""
        step = self.fold.step([found], directory, inboxes)
        self.fold.merge(step)
        return step


@dataclass(slots=True)
class ChangeReplay:
    """The changes of the directory, judged again from nothing."""

    trust: TrustRoot
    partition: int
    drawn: Drawn = field(default_factory=Drawn)
    fold: Registrar = field(init=False)
    directories: dict[int, Directory] = field(default_factory=dict)
    """Each version that there was."""

    def __post_init__(self) -> None:
        self.fold = Registrar(_lane(self.trust.bus, self.partition, self.drawn), self.trust)

    def step(self, record: Record, decision: Decision | None, inboxes: Container[str]) -> RegistrarStep:
        """Judge *record*, on which this *decision* was made."""
        step = self.fold.step([as_judged(record, decision)], inboxes)
        self.fold.merge(step)
        directory = self.fold.directory()
        if directory is not None:
            self.directories[directory.version] = directory
        return step


def as_judged(record: Record, decision: Decision | None) -> Record:
    """Return *record* as it was judged: that its outputs could not be written is no rule, the broker said so then."""
    undeliverable = decision is not None and decision.code is Code.UNDELIVERABLE
    return replace(record, fault=Code.UNDELIVERABLE) if undeliverable else record


class Rejudge:
    """
    The decisions of a log, judged again from what was logged.

    Of what nobody is known to have said only hash and code were kept: that much is believed. So is that a submission
    had the key that it was refused for, which was not kept either, and that the broker did not have a topic.
    """

    def __init__(self, trust: TrustRoot, partitions: int) -> None:
        """Judge by the directory that *trust* vouches for; *partitions* is how many the submissions have."""
        self._trust, self._partitions = trust, partitions
        self._changes = ChangeReplay(trust, partitions)
        self._events: dict[int, EventReplay] = {}
        self._lost: set[int] = set()

    def directory(self) -> Directory | None:
        """Return the newest directory that the changes made."""
        return self._changes.fold.directory()

    def lost(self, partition: int) -> None:
        """Take note that a record of *partition* is gone: of the cases that it opened nothing can be said any more."""
        self._lost.add(partition)

    def change(self, logged: LedgerEntry) -> bool:
        """Judge a change of the directory again; return whether it comes to the decision that was logged."""
        with suppress(RemoteError):
            decision = read_decision(logged.decision)
            self._changes.drawn.salts = [unb64(decision.salt)]
            before = self._changes.fold.after or Position()
            if not _follows(decision, before):
                return False
            self._changes.fold.after = _before(before, decision)
            if not logged.value:
                self._changes.fold.after = _behind(self._changes.fold.after, decision, logged.decision)
                return decision.code is not Code.ACCEPTED
            step = self._changes.step(_submitted(logged, decision), decision, _Then(decision, None))
            self._changes.fold.after = _behind(step.after, decision, logged.decision)
            return _decided(step.writes) == logged.decision
        return False

    def event(self, logged: LedgerEntry) -> bool:
        """Judge an event again; return whether it comes to the decision that was logged."""
        with suppress(RemoteError):
            decision = read_decision(logged.decision)
            directory = self._changes.directories.get(decision.directory)
            if directory is None or decision.partition >= self._partitions:
                return False
            return self._event(logged, decision, directory)
        return False

    def _event(self, logged: LedgerEntry, decision: Decision, directory: Directory) -> bool:
        replay = self._replay(decision.partition)
        before = replay.fold.after or Position()
        if not _follows(decision, before):
            return False
        replay.fold.after = _before(before, decision)
        replay.drawn.salts = [unb64(decision.salt)]
        record = _submitted(logged, decision)
        if logged.value:
            found = examine(as_judged(record, decision), directory, self._trust.bus)
            verify_signature(found)
        else:
            found = Examined(record=record, event=decision.event, code=decision.code)
        envelope = found.envelope
        known = envelope is not None and replay.fold.value(envelope.subject.encode("ascii")) is not None
        if envelope is not None and decision.code is not Code.WRONG_PARTITION:
            # It was submitted with its case's key, or it would have been refused for that.
            found.record = replace(found.record, key=envelope.subject.encode("ascii"))
        source = None if found.sender is None else found.sender.source
        step = replay.take(found, directory, _Then(decision, source))
        replay.fold.after = _behind(step.after, decision, logged.decision)
        if not logged.value:
            return decision.code is not Code.ACCEPTED and decision.case is None
        return _decided(step.writes) == logged.decision or (decision.partition in self._lost and not known)

    def _replay(self, partition: int) -> EventReplay:
        found = self._events.get(partition)
        if found is None:
            found = self._events[partition] = EventReplay(self._trust.bus, partition, self._partitions)
        return found


@dataclass(frozen=True, slots=True)
class _Then(Container[str]):
    """Which inboxes there were, as far as the decision tells: its sender's, and all others unless one was missing."""

    decision: Decision
    source: str | None

    def __contains__(self, name: object) -> bool:
        return name == self.source or self.decision.code is not Code.TOPIC_MISSING


def _lane(bus: str, partition: int, drawn: Drawn) -> Lane:
    return Lane(bus=bus, partition=partition, key=_ANY_KEY, salts=drawn)


def _submitted(logged: LedgerEntry, decision: Decision) -> Record:
    """Return what was submitted, all but its key."""
    headers: Headers = ((topics.H_SIGNATURE, logged.signature),) if logged.signature else ()
    return Record(decision.partition, decision.offset, parse_time(decision.stamp), None, logged.value, headers)


def _follows(decision: Decision, before: Position) -> bool:
    """Whether time and place go on: ticks between two decisions move the time, and are not logged."""
    admitted_ms, stamp_ms = parse_time(decision.admitted), parse_time(decision.stamp)
    return admitted_ms >= max(before.admitted_ms, stamp_ms) and decision.offset >= before.position


def _before(before: Position, decision: Decision) -> Position:
    return replace(
        before,
        admitted_ms=parse_time(decision.admitted),
        chain=unb64(decision.previous),
        counter=decision.counter - 1,
    )


def _behind(after: Position, decision: Decision, leaf: bytes) -> Position:
    return replace(after, chain=leaf_hash(leaf), counter=decision.counter, position=decision.offset + 1)


def _decided(writes: Sequence[Write]) -> bytes | None:
    return next((dict(write.headers).get(topics.H_DECISION) for write in writes if write.topic == topics.LEDGER), None)

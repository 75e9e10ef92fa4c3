"""
One partition of referrals, folded: `Router` holds the state, `RouterStep` what some records make of it.

The state is kept as the bytes of its records, and a case is read when an event names it: a million open hand-offs are
mostly asleep. A step's changes lie in its own overlay until the transaction that carries them is committed.
"""

from collections import Counter, deque
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.decisions import NOTHING_TOLD, First, Standing
from referral_contracts.directory import Directory
from referral_contracts.directory_model import CLAIM_WINDOWS
from referral_contracts.encoding import b64, parse_time
from referral_contracts.envelope import Envelope
from referral_contracts.lifecycle import CaseState
from referral_contracts.records import Write
from referral_contracts.topics import POSITION_KEY, partition_for
from referral_contracts.verbs import WIRE_VERSION
from referral_router.core.addressing import Ask
from referral_router.core.case import CLOSED, GHOST, Case, Claim, kind_and_touched
from referral_router.core.examine import Examined
from referral_router.core.ledger import Lane, Ledger
from referral_router.core.position import Position
from referral_router.core.referee import Accepted, rule

MAX_CLAIMS: Final = 512
"""Ids that one sender may use on one case within the window: keeps a flood out of the case's record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterStep:
    """What some records make of a partition; true once its transaction is committed."""

    position: int
    writes: Sequence[Write]
    after: Position
    changes: dict[bytes, bytes | None]
    due: int
    """How many entries of the eviction queue are dealt with."""
    codes: Counter[Code]


class Router:
    """The state of one partition of ``referral.submissions``."""

    def __init__(self, lane: Lane, partitions: int) -> None:
        """Start empty; *partitions* is how many partitions submissions have."""
        self._lane = lane
        self._partitions = partitions
        self._cases: dict[bytes, bytes] = {}
        self._queue: deque[tuple[int, bytes]] = deque()
        self._size = 0
        self.after: Position | None = None

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Take one record of the state topic, oldest first."""
        if key == POSITION_KEY:
            self.after = None if value is None else Position.decode(value)
        else:
            self._put(key, value)

    def _put(self, key: bytes, value: bytes | None) -> None:
        old = self._cases.pop(key, None)
        if old is not None:
            self._size -= len(old)
        if value is not None:
            self._cases[key] = value
            self._size += len(value)
            kind, touched_ms = kind_and_touched(value)
            if kind in (CLOSED, GHOST):
                # Records are written in the order of their times, so the queue is sorted as it grows.
                self._queue.append((touched_ms, key))

    def position(self) -> int | None:
        """Return the next input offset; None says that the state is empty."""
        return None if self.after is None else self.after.position

    def position_in(self, value: bytes) -> int:
        """Return the next input offset that a reserved record names."""
        return Position.decode(value).position

    def size(self) -> int:
        """Return how many bytes of records the state holds."""
        return self._size

    def __len__(self) -> int:
        """Return how many cases the state holds."""
        return len(self._cases)

    def value(self, key: bytes) -> bytes | None:
        """Return the record of a case."""
        return self._cases.get(key)

    def due(self) -> Iterator[tuple[int, bytes]]:
        """Go through what may have to be evicted, oldest first."""
        return iter(self._queue)

    def step(self, found: Sequence[Examined], directory: Directory, inboxes: Container[str]) -> RouterStep:
        """Judge *found* in order by *directory*. The state is as before until `merge`."""
        batch = _Batch(self, Ledger(self._lane, self.after or Position(), directory.version), directory, inboxes)
        for item in found:
            batch.take(item, self._partitions)
        return batch.finish()

    def merge(self, step: RouterStep) -> None:
        """Make what *step* changed the state."""
        for _ in range(step.due):
            self._queue.popleft()
        for key, value in step.changes.items():
            self._put(key, value)
        self.after = step.after


class _Batch:
    """A step in the making."""

    def __init__(self, router: Router, ledger: Ledger, directory: Directory, inboxes: Container[str]) -> None:
        self._router = router
        self._ledger = ledger
        self._directory = directory
        self._inboxes = inboxes
        self._cases: dict[bytes, tuple[Case | None, int]] = {}
        self._read: dict[bytes, Case] = {}
        self._queue = router.due()
        self._next = next(self._queue, None)
        self._due = 0

    def take(self, found: Examined, partitions: int) -> None:
        ledger = self._ledger
        ledger.admit(found)
        if found.key is not None and found.sender is not None and not found.key.valid(ledger.admitted_ms):
            found.disown(Code.KEY_NOT_VALID)
        if found.tick:
            ledger.tick(found)
            return
        self._evict()
        if found.sender is not None and found.sender.source not in self._inboxes:
            # A sender that cannot be answered is not heard: it could not learn what became of its event.
            found.disown(Code.TOPIC_MISSING)
        code = found.code or self._misplaced(found, partitions)
        if code is not None or found.envelope is None:
            code = code or Code.INTERNAL
            ledger.answer(found, code, ledger.decide(found, code, None), NOTHING_TOLD)
        else:
            self._judge(found, found.envelope)

    def _misplaced(self, found: Examined, partitions: int) -> Code | None:
        envelope, record = found.envelope, found.record
        if envelope is None:
            return None
        if not self._directory.wire_accepted(WIRE_VERSION, self._ledger.admitted_ms):
            return Code.UNKNOWN_VERSION
        if abs(parse_time(envelope.time) - record.stamp_ms) > self._directory.policy.window_ms:
            return Code.OUTSIDE_WINDOW
        if record.key != envelope.subject.encode("ascii"):
            return Code.WRONG_PARTITION
        if record.key not in self._read and self._router.value(record.key) is None:
            # A key that is known here was found to belong here.
            return None if partition_for(envelope.subject, partitions) == record.partition else Code.WRONG_PARTITION
        return None

    def _judge(self, found: Examined, envelope: Envelope) -> None:
        ledger, key = self._ledger, envelope.subject.encode("ascii")
        case = self._case(key)
        if case.archived:
            code = Code.ARCHIVED if envelope.source == case.owner else Code.NOT_FOUND
            ledger.answer(found, code, ledger.decide(found, code, None), NOTHING_TOLD)
            return
        claims = case.claims.get(envelope.source, {})
        claim = claims.get(envelope.id)
        if claim is not None:
            code = Code.DUPLICATE if claim.event == found.event else Code.ID_REUSED
            ledger.answer(found, code, ledger.decide(found, code, None), Standing(first=_first(claim)))
            return
        if len(claims) >= MAX_CLAIMS:
            ledger.answer(found, Code.TOO_MANY, ledger.decide(found, Code.TOO_MANY, None), NOTHING_TOLD)
            return
        self._settle(found, envelope, case, key)

    def _settle(self, found: Examined, envelope: Envelope, case: Case, key: bytes) -> None:
        ledger = self._ledger
        ask = Ask(
            envelope=envelope,
            event=found.event,
            directory=self._directory,
            inboxes=self._inboxes,
            admitted_ms=ledger.admitted_ms,
        )
        ruling = rule(case, ask)
        if isinstance(ruling, Accepted):
            code = Code.ACCEPTED
            decision = ledger.decide(found, code, case.sequence)
            for recipient in envelope.data.recipients:
                ledger.deliver(found, recipient, envelope.subject, case.deliveries[recipient])
        else:
            code = ruling.code
            decision = ledger.decide(found, code, None)
        ledger.answer(found, code, decision, ruling.standing)
        case.prune(ledger.admitted_ms - CLAIM_WINDOWS * self._directory.policy.window_ms)
        claim = Claim(found.event, code.value, ledger.counter, b64(decision), ledger.admitted_ms)
        case.claims.setdefault(envelope.source, {})[envelope.id] = claim
        self._cases[key] = (case, ledger.admitted_ms)

    def _case(self, key: bytes) -> Case:
        case = self._read.get(key)
        if case is None:
            value = self._router.value(key)
            case = Case() if value is None else Case.decode(value)
            self._read[key] = case
        return case

    def _evict(self) -> None:
        # By the time of the decision at hand, never by a clock: a replay evicts alike.
        before_ms = self._ledger.admitted_ms - self._directory.policy.keep_closed_ms
        while self._next is not None and self._next[0] <= before_ms:
            touched_ms, key = self._next
            value = self._router.value(key)
            if key not in self._cases and value is not None and kind_and_touched(value)[1] == touched_ms:
                self._let_go(key, touched_ms, value)
            self._due += 1
            self._next = next(self._queue, None)

    def _let_go(self, key: bytes, touched_ms: int, value: bytes) -> None:
        if kind_and_touched(value)[0] == GHOST:
            self._cases[key] = (None, touched_ms)
            self._read[key] = Case()
            return
        case = Case.decode(value)
        if case.state is CaseState.CLOSED:
            case.archived = True
            case.claims = {}
            self._cases[key] = (case, touched_ms)
            self._read[key] = case

    def finish(self) -> RouterStep:
        changes = {key: None if case is None else case.encode(touched) for key, (case, touched) in self._cases.items()}
        partition = self._ledger.lane.partition
        state = [Write(topics.STATE, partition, key, value) for key, value in changes.items()]
        after, writes = self._ledger.finish(state)
        return RouterStep(
            position=after.position,
            writes=writes,
            after=after,
            changes=changes,
            due=self._due,
            codes=self._ledger.codes,
        )


def _first(claim: Claim) -> First:
    return First(code=Code(claim.code), counter=claim.counter, decision=claim.decision, event=claim.event)

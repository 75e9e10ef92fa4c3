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
from referral_contracts.directory import ROLE_WATCHER, Directory
from referral_contracts.directory_model import CLAIM_WINDOWS
from referral_contracts.encoding import b64
from referral_contracts.envelope import Envelope
from referral_contracts.lifecycle import ENDED_CASES
from referral_contracts.records import Write
from referral_contracts.succession import has_ended
from referral_contracts.topics import POSITION_KEY, partition_for
from referral_contracts.verbs import WIRE_VERSION, Verb
from referral_router.core.addressing import Ask
from referral_router.core.case import CLOSED, GHOST, Case, ghost_key, ghost_of, kind_and_touched
from referral_router.core.claims import Claim
from referral_router.core.examine import Examined
from referral_router.core.ledger import Lane, Ledger
from referral_router.core.position import Position
from referral_router.core.referee import Accepted, rule

MAX_CLAIMS: Final = 128
"""Ids that one sender may use on one case within the window: keeps a flood out of the case's record."""
MAX_CASE_CLAIMS: Final = 1024
"""The same for all senders of a case together, some 100 KB: its record has to fit into the state topic."""
MAX_GHOST_CLAIMS: Final = 32
"""The same where the sender is no party: there its events can only be refused."""
MAX_GHOSTS: Final = 4096
"""Subjects of one partition on which one sender is no party and has spoken all the same: 14 MB at the very worst."""
MAX_EVICTED: Final = 8
"""What one decision puts away at most: two decisions make a case, so it keeps up. Whoever closes a hundred thousand
cases in a quiet night would else have the first decision of the next put all of them into one transaction."""

_RECEIPTS: Final = frozenset({Verb.RECEIVED, Verb.UNREADABLE})


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
    """What became of how many, exercises left out."""
    exercises: Counter[Code]
    """The same of exercises alone."""


class Router:
    """The state of one partition of ``referral.submissions``."""

    def __init__(self, lane: Lane, partitions: int) -> None:
        """Start empty; *partitions* is how many partitions submissions have."""
        self._lane = lane
        self._partitions = partitions
        self._cases: dict[bytes, bytes] = {}
        self._queue: deque[tuple[int, bytes]] = deque()
        self._ghosts: Counter[str] = Counter()
        self._size = 0
        self.after: Position | None = None

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Take one record of the state topic, oldest first."""
        if key == POSITION_KEY:
            self.after = None if value is None else Position.decode(value)
        else:
            self._put(key, value)

    def _put(self, key: bytes, value: bytes | None) -> None:
        old = self._cases.get(key)
        source = ghost_of(key)
        if source is not None:
            self._ghosts[source] += (value is not None) - (old is not None)
        if old is not None:
            self._size -= len(old)
        if value is None:
            self._cases.pop(key, None)
        else:
            # Not taken out first: that takes 1 µs more, and the table grows to twice its size.
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

    def ghosts(self, source: str) -> int:
        """Return on how many cases *source* has spoken without being a party."""
        return self._ghosts[source]

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
        self._changed: dict[bytes, tuple[Case | None, int]] = {}
        """What the batch changed, with the time of the last change and in that order."""
        self._read: dict[bytes, Case] = {}
        self._queue = router.due()
        self._next = next(self._queue, None)
        self._due = 0
        self._queued: deque[tuple[int, bytes]] = deque()
        self._ghosts: Counter[str] = Counter()

    def take(self, found: Examined, partitions: int) -> None:
        ledger = self._ledger
        ledger.admit(found)
        if found.key is not None and found.sender is not None and not found.key.valid(ledger.admitted_ms):
            found.disown(Code.KEY_NOT_VALID)
        if found.tick:
            ledger.tick(found)
            return
        # By the directory that the decision names. A tick has no decision: it moves the time and nothing else.
        window_ms = self._directory.policy.window_ms
        ledger.floor_ms = max(ledger.floor_ms, ledger.admitted_ms - CLAIM_WINDOWS * window_ms)
        self._evict()
        if found.sender is not None and not self._answerable(found.sender.source):
            # A sender that cannot be answered is not heard: it could not learn what became of its event.
            found.disown(Code.TOPIC_MISSING)
        code = found.code or self._ended(found) or self._misplaced(found, partitions)
        if code is not None or found.envelope is None:
            self._refuse(found, code or Code.INTERNAL)
        else:
            self._judge(found, found.envelope)

    def _answerable(self, source: str) -> bool:
        # Who has left the bus may still have a topic and keys; nobody could be given an event that answers it.
        member = self._directory.member(source)
        return member is not None and member.on_bus and source in self._inboxes

    def _ended(self, found: Examined) -> Code | None:
        # Whatever it names, so that it tells nothing of what there is.
        ended = found.envelope is not None and has_ended(
            self._directory, found.envelope.source, self._ledger.admitted_ms
        )
        return Code.AGENCY_ENDED if ended else None

    def _refuse(self, found: Examined, code: Code, told: Standing = NOTHING_TOLD) -> bytes:
        decision = self._ledger.decide(found, code, None)
        self._ledger.answer(found, code, decision, told)
        return decision

    def _misplaced(self, found: Examined, partitions: int) -> Code | None:
        envelope, record, ledger = found.envelope, found.record, self._ledger
        if envelope is None:
            return None
        if not self._directory.wire_accepted(WIRE_VERSION, ledger.admitted_ms):
            return Code.UNKNOWN_VERSION
        # Ids below the floor are forgotten. Only a longer window or a broker's clock that falls back come near it.
        late_ms = abs(envelope.time_ms - record.stamp_ms)
        if late_ms > self._directory.policy.window_ms or envelope.time_ms < ledger.floor_ms:
            return Code.OUTSIDE_WINDOW
        if record.key != envelope.subject.encode("ascii"):
            return Code.WRONG_PARTITION
        if record.key not in self._read and self._router.value(record.key) is None:
            # A key that is known here was found to belong here.
            return None if partition_for(envelope.subject, partitions) == record.partition else Code.WRONG_PARTITION
        return None

    def _judge(self, found: Examined, envelope: Envelope) -> None:
        ledger, source = self._ledger, envelope.source
        key, beside = envelope.subject.encode("ascii"), ghost_key(envelope.subject, source)
        case = self._case(key)
        floor_ms = ledger.floor_ms
        claim = case.claim(source, envelope.id, floor_ms)
        if claim is None and self._exists(beside):
            claim = self._case(beside).claim(source, envelope.id, floor_ms)
        if claim is not None:
            code = Code.DUPLICATE if claim.event == found.event else Code.ID_REUSED
            self._refuse(found, code, Standing(first=_first(claim)))
            return
        # Only a party meets its case's limits: what is full must not tell a stranger that there is a case. The watcher
        # has its own share of each case: it speaks in more cases than anybody may haunt.
        watches = source == self._directory.service(ROLE_WATCHER) and case.state is not None and not case.archived
        inside = watches or source in case.parties
        if self._crowded(case, envelope, floor_ms) if inside else self._haunted(beside, source, floor_ms):
            self._refuse(found, Code.TOO_MANY)
            return
        code, decision = self._settle(found, envelope, case)
        # What was accepted has changed the case, though its sender may have left it by that very event.
        inside = watches or source in case.parties or code is Code.ACCEPTED
        at, holder = (key, case) if inside else (beside, self._case(beside))
        holder.prune(floor_ms)
        last_ms = max(envelope.time_ms, ledger.admitted_ms)
        holder.use_up(source, envelope.id, Claim(found.event, code.value, ledger.counter, decision, last_ms))
        self._touch(at, holder)

    def _crowded(self, case: Case, envelope: Envelope, floor_ms: int) -> bool:
        # A receipt is said by itself, as often as others open hand-offs: that must leave room for answers.
        most = MAX_CLAIMS // 2 if envelope.verb in _RECEIPTS else MAX_CLAIMS
        # Nearly always there are not even so many with those that are too old to count.
        if sum(map(len, case.claims.values())) < min(most, MAX_CASE_CLAIMS):
            return False
        own = case.claimed(floor_ms, envelope.source)
        watcher = self._directory.service(ROLE_WATCHER)
        # What the watcher says is beside what the parties say: neither keeps the other from being heard.
        noticed = 0 if watcher is None else case.claimed(floor_ms, watcher)
        others = 0 if envelope.source == watcher else case.claimed(floor_ms) - noticed
        return own >= most or others >= MAX_CASE_CLAIMS

    def _haunted(self, key: bytes, source: str, floor_ms: int) -> bool:
        if self._exists(key):
            return self._case(key).claimed(floor_ms) >= MAX_GHOST_CLAIMS
        return self._router.ghosts(source) + self._ghosts[source] >= MAX_GHOSTS

    def _settle(self, found: Examined, envelope: Envelope, case: Case) -> tuple[Code, bytes]:
        ledger = self._ledger
        ask = Ask(
            envelope=envelope,
            event=found.event,
            directory=self._directory,
            inboxes=self._inboxes,
            admitted_ms=ledger.admitted_ms,
        )
        ruling = rule(case, ask)
        if not isinstance(ruling, Accepted):
            return ruling.code, self._refuse(found, ruling.code, ruling.standing)
        decision = ledger.decide(found, Code.ACCEPTED, case.sequence)
        for recipient in envelope.data.recipients:
            ledger.deliver(found, recipient, envelope.subject, case.deliveries[recipient], case.restored)
        ledger.answer(found, Code.ACCEPTED, decision, ruling.standing)
        return Code.ACCEPTED, decision

    def _case(self, key: bytes) -> Case:
        case = self._read.get(key)
        if case is None:
            value = self._router.value(key)
            case = Case() if value is None else Case.decode(value)
            self._read[key] = case
        return case

    def _exists(self, key: bytes) -> bool:
        if key in self._changed:
            return self._changed[key][0] is not None
        return self._router.value(key) is not None

    def _touch(self, key: bytes, case: Case) -> None:
        source = ghost_of(key)
        if source is not None and not self._exists(key):
            self._ghosts[source] += 1
        self._changed.pop(key, None)
        self._changed[key] = (case, self._ledger.admitted_ms)
        if source is not None or case.state in ENDED_CASES:
            self._queued.append((self._ledger.admitted_ms, key))

    def _evict(self) -> None:
        # By the time of the decision at hand, never by a clock or by where a batch ends: a replay evicts alike.
        before_ms = self._ledger.admitted_ms - self._directory.policy.keep_closed_ms
        left, begun_ms = MAX_EVICTED, -1
        # What was touched in one millisecond goes together: a restart may have it in another order.
        while (first := self._first()) is not None and first[0] <= before_ms and (left > 0 or first[0] == begun_ms):
            begun_ms = first[0]
            left -= self._let_go(*first)
            if first is self._next:
                self._due += 1
                self._next = next(self._queue, None)
            else:
                self._queued.popleft()

    def _first(self) -> tuple[int, bytes] | None:
        if self._next is not None:
            return self._next
        return self._queued[0] if self._queued else None

    def _let_go(self, queued_ms: int, key: bytes) -> bool:
        """Evict *key*, unless it is gone or was touched after it was queued: then it is as if it were not queued."""
        if key in self._changed:
            changed, touched_ms = self._changed[key]
            if changed is None or touched_ms != queued_ms:
                return False
        else:
            value = self._router.value(key)
            if value is None or kind_and_touched(value)[1] != queued_ms:
                return False
        return self._put_away(key, queued_ms)

    def _put_away(self, key: bytes, queued_ms: int) -> bool:
        source, case = ghost_of(key), self._case(key)
        if source is not None:
            if case.claimed(self._ledger.floor_ms):
                # The window was longer once: what was signed ahead of its time can still come again.
                self._touch(key, case)
                return True
            self._ghosts[source] -= 1
            self._changed[key] = (None, queued_ms)
            self._read[key] = Case()
            return True
        # What was sent by mistake may be asked back after the end: the answer comes to a case that is still there.
        if case.state not in ENDED_CASES or case.archived or case.open_handoffs():
            return False
        self._read[key] = archived = case.archive()
        self._changed[key] = (archived, queued_ms)
        return True

    def finish(self) -> RouterStep:
        changes = {key: None if case is None else case.encode(at) for key, (case, at) in self._changed.items()}
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
            exercises=self._ledger.exercises,
        )


def _first(claim: Claim) -> First:
    return First(code=Code(claim.code), counter=claim.counter, decision=b64(claim.decision), event=claim.event)

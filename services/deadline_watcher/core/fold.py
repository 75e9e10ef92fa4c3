"""
One partition of the ledger, folded: `Watcher` holds the state, `WatcherStep` what some records make of it.

The state is kept as the bytes of its records. A case is read when an event names it or when something is due in it: a
million clocks are mostly asleep. Nothing is written because time passes: what is due follows from the state and from
the last tick.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from typing import Final

from deadline_watcher.core.case import GIVEN_UP, SAID, Case, Kept, Shown, Told, decode, encode, summary_in
from deadline_watcher.core.hearing import Surroundings, hear
from deadline_watcher.core.opening import Opened, Opener
from deadline_watcher.core.position import Position
from deadline_watcher.core.reading import Event, Judged, Reader, Tick
from deadline_watcher.core.saying import UNREADABLE, VERBS, named, summary
from deadline_watcher.core.tally import Tally, label_of
from deadline_watcher.core.vault import Vault
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.directory import ROLE_WATCHER, Directory
from referral_contracts.encoding import b64, jcs, sha256
from referral_contracts.errors import Fatal
from referral_contracts.keys import SealingKey
from referral_contracts.notices import notice_id
from referral_contracts.records import Record, Write
from referral_contracts.rules.book import RuleBook, RuleInForce
from referral_contracts.rules.calendar import Calendar, Interval
from referral_contracts.rules.clock import MISSED, Step
from referral_contracts.rules.docket import Docket
from referral_contracts.rules.heard import Happening, World
from referral_contracts.rules.owners import Owners
from referral_contracts.rules.spans import DAY
from referral_contracts.topics import POSITION_KEY
from referral_contracts.verbs import DEADLINES, Verb

MAX_FORGOTTEN: Final = 8
"""Cases that one step puts away at most; the rest has its turn with the next."""
_SENT_BEFORE = frozenset({Code.DUPLICATE, Code.ID_REUSED})
_AGAIN = frozenset({Code.OUTSIDE_WINDOW, Code.DIRECTORY_EXPIRED, Code.DIRECTORY_BEHIND, Code.TOO_MANY})
"""Refusals that do not last: the notice is signed anew and sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the folds of one process share."""

    bus: str
    state_key: bytes = field(repr=False)
    opening_keys: tuple[SealingKey, ...] = field(repr=False)
    book: RuleBook = field(repr=False)
    calendar: Calendar = field(repr=False)
    nonces: Callable[[int, int], Sequence[bytes]]
    keep_ended_ms: int = 400 * DAY
    """How long a closed case is kept: a record that comes late is still explained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatcherStep:
    """What some records make of a partition; true once its transaction is committed."""

    position: int
    writes: Sequence[Write]
    after: Position
    changes: Mapping[bytes, Kept | None]
    heard: frozenset[str]
    """The watcher's own events among the records, judged one way or the other."""
    ticks: int
    tally: Tally


class Watcher:
    """The state of one partition of ``referral.ledger``."""

    def __init__(self, desk: Desk, partition: int) -> None:
        """Start empty."""
        self.desk = desk
        self.partition = partition
        self.opener = Opener(desk.bus, desk.opening_keys)
        self.reader = Reader(desk.bus, partition)
        self.after: Position | None = None
        self.shown: Counter[Shown] = Counter()
        """The clocks that run, of cases that are no exercise."""
        self.vault = Vault(desk.state_key, bus=desk.bus, partition=partition, nonces=desk.nonces)
        self.ticks = 0
        """How many were read."""
        self._cases: dict[bytes, bytes] = {}
        self._size = 0
        self._due: list[tuple[int, bytes]] = []
        self._ended: list[tuple[int, bytes]] = []
        self._accused: set[bytes] = set()
        """Cases in which a clock was called missed."""
        self._around: tuple[Directory, Surroundings] | None = None

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Take one record of the state topic, oldest first."""
        if key == POSITION_KEY:
            self.after = None if value is None else Position.decode(self.vault.open(key, value))
        else:
            record = None if value is None else self.vault.open(key, value)
            self._put(key, None if record is None else Kept(record, summary_in(record)))

    def _put(self, key: bytes, kept: Kept | None) -> None:
        old = self._cases.get(key)
        before = None if old is None else summary_in(old)
        if before is not None and old is not None:
            self._size -= len(old)
            self.shown.subtract(before.shown)
        if kept is None:
            self._cases.pop(key, None)
            self._accused.discard(key)
            return
        self._cases[key], after = kept
        self._size += len(kept.record)
        self.shown.update(after.shown)
        if after.missed:
            self._accused.add(key)
        if after.ended_ms is not None and (before is None or before.ended_ms != after.ended_ms):
            heappush(self._ended, (after.ended_ms, key))
        ticked_ms = 0 if self.after is None else self.after.ticked_ms
        waits = before is not None and before.next_ms == after.next_ms and (after.next_ms or 0) > ticked_ms
        if after.next_ms is not None and not waits:
            heappush(self._due, (after.next_ms, key))

    def position(self) -> int | None:
        """Return the next offset; None says that the state is empty."""
        return None if self.after is None else self.after.position

    def position_in(self, value: bytes) -> int:
        """Return the next offset that a reserved record names."""
        return Position.decode(self.vault.open(POSITION_KEY, value)).position

    def size(self) -> int:
        """Return how many bytes of records the state holds."""
        return self._size

    def __len__(self) -> int:
        """Return how many cases the state holds."""
        return len(self._cases)

    @property
    def ticked_ms(self) -> int:
        """Up to when everything has been judged and read."""
        return 0 if self.after is None else self.after.ticked_ms

    def case(self, key: bytes) -> Case | None:
        """Return the case of a record key."""
        value = self._cases.get(key)
        return None if value is None else decode(value, key.decode("ascii"), self.desk.book)

    def cases(self) -> Iterator[Case]:
        """Yield every case, each read when it is asked for."""
        return (decode(value, key.decode("ascii"), self.desk.book) for key, value in self._cases.items())

    def first_due_ms(self) -> int | None:
        """Return the moment that has to be seen on the ledger before the next case has something to say."""
        return self._due[0][0] if self._due else None

    def take_due(self) -> bytes | None:
        """Return the next case that may have something to say by now, once."""
        if not self._due or self._due[0][0] > self.ticked_ms:
            return None
        return heappop(self._due)[1]

    def put_due(self, at_ms: int, key: bytes) -> None:
        """Note that *key* may have something to say at *at_ms* on the ledger."""
        heappush(self._due, (at_ms, key))

    def over(self, before_ms: int) -> Iterator[bytes]:
        """Yield some cases that ended before *before_ms*, once each: what a lost step let go, a restart finds."""
        for _ in range(MAX_FORGOTTEN):
            if not self._ended or self._ended[0][0] > before_ms:
                return
            ended_ms, key = heappop(self._ended)
            value = self._cases.get(key)
            if value is not None and summary_in(value).ended_ms == ended_ms:
                yield key

    def around(self, directory: Directory) -> Surroundings:
        """Return what events are heard by under *directory*."""
        if self._around is None or self._around[0] is not directory:
            owners, outages = Owners(directory), _outages(directory)
            known = () if self._around is None else self._around[1].world.outages
            by = b64(sha256(jcs([self.desk.calendar.version, *outages])))[:8]
            self._around = (directory, Surroundings(world=_world(self.desk, owners, outages), owners=owners, by=by))
            if outages != known:
                # Whoever was called late in one of them is owed a word.
                for key in self._accused:
                    self.put_due(0, key)
        return self._around[1]

    def step(self, records: Sequence[Record], directory: Directory, now_ms: int) -> WatcherStep:
        """
        Hear *records* in order, by *directory*. The state is as before until `merge`.

        Raises:
            LocalError: DIRECTORY_BEHIND: some of them were decided by a newer directory.
            Fatal: COUNTER_GAP: decisions are missing.
        """
        batch = _Batch(self, directory, now_ms)
        # All are opened before the first is heard: each loop has the processor's cache for itself.
        read = [self.reader.read(record, directory) for record in records]
        opened = [batch.open(found) for found in read]
        for told in zip(records, read, opened, strict=True):
            batch.take(*told)
        return batch.finish()

    def merge(self, step: WatcherStep) -> None:
        """Make what *step* changed the state."""
        self.after = step.after
        self.ticks += step.ticks
        for key, kept in step.changes.items():
            self._put(key, kept)


def _outages(directory: Directory) -> tuple[Interval, ...]:
    told = directory.policy.outages or ()
    return tuple((outage.since_ms, outage.until_ms) for outage in told)


def _world(desk: Desk, owners: Owners, outages: tuple[Interval, ...]) -> World:
    def owner(rule: RuleInForce, start: Happening) -> str | None:
        return owners.owner(rule, start, start.admitted_ms)

    return World(desk.bus, desk.book, desk.calendar, owner, outages)


class _Batch:
    """A step in the making."""

    def __init__(self, watcher: Watcher, directory: Directory, now_ms: int) -> None:
        self._watcher = watcher
        self._directory = directory
        self._now_ms = now_ms
        self._address = directory.service(ROLE_WATCHER)
        self._around = watcher.around(directory)
        self._after = watcher.after or Position()
        self._position = self._after.position
        self._cases: dict[bytes, Case] = {}
        self._changed: dict[bytes, None] = {}
        self._heard: set[str] = set()
        self._tally = Tally()
        self._ticks = 0

    def open(self, found: Tick | Judged | None) -> Opened | None:
        """Return what is sealed to the watcher in an accepted event that is not its own."""
        event = found.event if isinstance(found, Judged) and found.code is Code.ACCEPTED else None
        if event is None or self._address is None or event.source == self._address:
            return None
        return self._watcher.opener.open(event, self._address)

    def take(self, record: Record, found: Tick | Judged | None, opened: Opened | None) -> None:
        self._position = record.offset + 1
        match found:
            case None:
                self._tally.strange += 1
            case Tick(admitted_ms):
                self._ticks += 1
                # A tick counts as far as this process's own clock has come: nobody is late by somebody else's.
                ticked_ms = max(self._after.ticked_ms, min(admitted_ms, self._now_ms))
                self._after = replace(self._after, ticked_ms=ticked_ms)
            case Judged():
                # What follows from it cannot be stored: a case's record is full. It is passed over, and counted.
                full = record.fault is Code.UNDELIVERABLE
                self._tally.strange += full
                self._judged(replace(found, event=None) if full else found, opened)

    def _judged(self, found: Judged, opened: Opened | None) -> None:
        after = self._after
        if found.counter <= after.counter:
            # A copy of a decision, put in again by whoever can write here.
            self._tally.strange += 1
            return
        if found.counter != after.counter + 1 or found.previous != after.chain:
            raise Fatal(Code.COUNTER_GAP, "decisions are missing in the ledger")
        self._after = replace(
            after,
            counter=found.counter,
            chain=found.hash,
            admitted_ms=max(after.admitted_ms, found.admitted_ms),
            directory=self._directory.version,
        )
        event = found.event
        if event is None:
            return
        if event.source == self._address:
            self._own(event, found)
        elif found.code is Code.ACCEPTED and self._address is not None:
            self._accepted(event, opened, found.admitted_ms)

    def _accepted(self, event: Event, opened: Opened | None, admitted_ms: int) -> None:
        key = event.subject.encode("ascii")
        before = self._case(key)
        if before is None:
            before = Case(Docket(event.subject), exercise=event.exercise, by=self._around.by)
        if opened is not None:
            self._tally.sections[opened.result.value] += 1
        after = hear(before, event, opened, admitted_ms, self._around)
        if after is not before:
            self._tally.compare(before, after)
            self._touch(key, after)

    def _own(self, event: Event, found: Judged) -> None:
        """Note what became of one of our own events: it is known by its id, and not opened."""
        key = event.subject.encode("ascii")
        self._heard.add(event.id)
        case = self._case(key)
        if case is None or event.verb not in DEADLINES or len(event.recipients) != 1 or found.code in _AGAIN:
            return
        said = found.code is Code.ACCEPTED or found.code in _SENT_BEFORE
        about, name = self._meant(case, event)
        if about is None or name in case.notices_of(about):
            return
        became = Told(event.recipients[0], SAID if said else GIVEN_UP, found.admitted_ms)
        told = {**case.told, about: {**case.notices_of(about), name: became}}
        settled_ms = found.admitted_ms + self._watcher.desk.book.settle_ms
        self._touch(key, replace(case.heard_by(about, settled_ms) if name == case.owed(about) else case, told=told))
        self._tally.notices[event.verb.value.removeprefix("deadline."), became.became] += 1
        clock = case.docket.clock(about)
        if name == MISSED and said and clock is not None and not case.exercise:
            self._tally.missed[label_of(clock)] += 1
            self._tally.fired_ms.append(found.admitted_ms - clock.late_ms)

    def _meant(self, case: Case, event: Event) -> tuple[str | None, str]:
        bus, (recipient,) = self._watcher.desk.bus, event.recipients

        def is_it(about: str, level: int, step: int) -> bool:
            found = notice_id(
                bus=bus,
                subject=event.subject,
                about=about,
                verb=event.verb,
                recipient=recipient,
                level=level,
                step=step,
            )
            return found == event.id

        if event.verb is Verb.DEADLINE_UNREADABLE:
            found = next((one.sha256 for one in case.unread if is_it(one.sha256, 0, 0)), None)
            return found, UNREADABLE
        for clock in case.docket.clocks:
            for notice in named(case, clock):
                up = 0 if notice.level is None else notice.level.up or 0
                if VERBS[notice.step] is event.verb and is_it(clock.id, up, notice.number):
                    shared = notice.step is Step.EXPLAINED
                    return clock.id, f"{notice.key}@{recipient}" if shared else notice.key
        return None, ""

    def _case(self, key: bytes) -> Case | None:
        if key not in self._cases:
            case = self._watcher.case(key)
            if case is None:
                return None
            self._cases[key] = self._around.current(case)
        return self._cases[key]

    def _touch(self, key: bytes, case: Case) -> None:
        self._cases[key] = case
        self._changed[key] = None

    def finish(self) -> WatcherStep:
        vault, partition = self._watcher.vault, self._watcher.partition
        after = replace(self._after, position=self._position)
        changes = {**dict(self._forgotten()), **dict(self._encoded())}
        writes = [
            Write(topics.WATCHER_STATE, partition, key, None if kept is None else vault.close(key, kept.record))
            for key, kept in changes.items()
        ]
        reserved = vault.close(POSITION_KEY, after.encode())
        writes.append(Write(topics.WATCHER_STATE, partition, POSITION_KEY, reserved))
        return WatcherStep(
            position=after.position,
            writes=writes,
            after=after,
            changes=changes,
            heard=frozenset(self._heard),
            ticks=self._ticks,
            tally=self._tally,
        )

    def _forgotten(self) -> Iterator[tuple[bytes, None]]:
        before_ms = self._after.admitted_ms - self._watcher.desk.keep_ended_ms
        return ((key, None) for key in self._watcher.over(before_ms))

    def _encoded(self) -> Iterator[tuple[bytes, Kept]]:
        for key in self._changed:
            case = self._cases[key]
            told = summary(case, self._after.ticked_ms)
            yield key, Kept(encode(case, told), told)

"""
The sender: the one coroutine that hands events to Kafka, in order.

(1) An entry is sealed in the outbox. A crash from here on loses nothing.
(2) It is signed, with the time of now, and its bytes are stored before Kafka sees them. A crash from here on hands over
    the same bytes again; the router takes them once.
(3) The broker has it. The verdict comes over the inbox, and settles it in the transaction that reads it (`_settle`).
(4) Without a verdict for a whole window the same bytes go out once more: the answer tells what became of the first.
"""

import sqlite3
from collections.abc import Sequence
from typing import Final

from referral_bus._compose import Composer
from referral_bus._directory import DirectoryFollower
from referral_bus._home import Home
from referral_bus._link import Link
from referral_bus._receipts import make_receipt
from referral_bus._reseal import resealed
from referral_bus._store import StoreFailed, alarms, outbox
from referral_bus._store.outbox import Attempt, Row
from referral_bus._waiting import within
from referral_bus.sent import EntryState
from referral_bus.transport import Submission, Transport
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.directory import Directory
from referral_contracts.encoding import event_hash, format_time
from referral_contracts.envelope import Envelope, EventRef
from referral_contracts.errors import Fatal, LocalError, ReferralBusError
from referral_contracts.signing import Typ
from referral_contracts.topics import H_SIGNATURE, partition_for

AT_ONCE: Final = 16
"""How many entries are signed in one transaction of the store; receipts are sealed there, at a millisecond each."""
REST_S: Final = 60.0
"""How long to rest when nothing rings: a key may become valid by the mere passing of time."""
PAUSE_MS: Final = 60_000
"""How long an entry waits whose reader has no valid key."""


class Sender:
    """Sends what is in the outbox."""

    def __init__(self, home: Home, link: Link, follower: DirectoryFollower) -> None:
        self._home = home
        self._link = link
        self._follower = follower
        self._unfit: Code | None = None
        self._partitions: tuple[Transport, int] | None = None
        self._quiet: tuple[int, int, int] | None = None
        """From when to when nothing can have been without a verdict for too long, by which window."""

    @property
    def trouble(self) -> Code | None:
        """What keeps the outbox from being sent."""
        return self._follower.cause() or self._unfit or self._link.trouble

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            due = self._due()
            if not due:
                await self._rest()
                continue
            try:
                await self._hand_over(due)
            except StoreFailed:
                raise
            except ReferralBusError as error:
                await self._link.broke(error)

    async def _rest(self) -> None:
        times = [outbox.next_due(self._home.store.db), None if self._quiet is None else self._quiet[1]]
        now_ms = self._home.clock.now_ms()
        waits = [(time - now_ms) / 1000 for time in times if time is not None and time > now_ms]
        try:
            await within(self._home.clock, min([REST_S, *waits]), self._home.outbox.wait())
        except TimeoutError:
            return

    def _due(self) -> list[Attempt]:
        """Return what to hand over now, its bytes stored."""
        home, now_ms = self._home, self._home.clock.now_ms()
        try:
            directory = self._usable()
        except LocalError as error:
            self._set_unfit(error.code)
            return []
        self._set_unfit(None)
        rows = outbox.ready(home.store.db, now_ms, AT_ONCE)
        silent = self._silent(now_ms, directory.policy.window_ms)
        if not rows and not silent:
            return []
        with home.store.write() as db:
            again = [self._repeat(db, row, directory, now_ms) for row in silent]
            ready = [self._prepare(db, row, directory, now_ms) for row in rows]
        return [attempt for attempt in (*again, *ready) if attempt is not None]

    def _silent(self, now_ms: int, window_ms: int) -> list[Row]:
        """Return what has had no verdict for a whole window. Before the oldest has waited so long, nobody looks."""
        if self._quiet is not None:
            since_ms, until_ms, window = self._quiet
            # Not by a clock that has gone back, and not by a window that was another.
            if window == window_ms and since_ms <= now_ms < until_ms:
                self._quiet = now_ms, until_ms, window_ms
                return []
        db = self._home.store.db
        found = outbox.overdue(db, now_ms - window_ms, now_ms, AT_ONCE)
        oldest_ms = outbox.oldest_submission(db)
        # Only when there is none: then every one of them was handed over within the last window.
        quiet = now_ms, (now_ms if oldest_ms is None else oldest_ms) + window_ms, window_ms
        self._quiet = None if found else quiet
        return found

    def _set_unfit(self, code: Code | None) -> None:
        if code is not self._unfit:
            self._unfit = code
            self._home.changed.ring()

    def _usable(self) -> Directory:
        # A reader's key may have changed while the broker was away: what goes out is held against a directory that was
        # read to its end since.
        home, trouble = self._home, self._follower.cause()
        if trouble is not None:
            raise LocalError(trouble, "nothing is sent by a directory that is not fresh")
        directory = self._follower.usable()
        # What is signed with a key that the router does not take gets no verdict: nobody is known to have said it.
        key = directory.event_key(home.agency, home.keys.signing.kid)
        if key is None:
            raise LocalError(Code.UNKNOWN_KEY, "the directory does not list our signing key")
        if not key.valid(home.now_ms()):
            raise LocalError(Code.KEY_NOT_VALID, "our signing key is not valid now")
        return directory

    def _repeat(self, db: sqlite3.Connection, row: Row, directory: Directory, now_ms: int) -> Attempt | None:
        home, attempt = self._home, outbox.in_force(db, row.id)
        if attempt is None:
            raise Fatal(Code.INTERNAL, "a submitted entry without its bytes")
        alarms.raise_alarm(db, Code.TIMED_OUT, home.now_ms(), detail="no verdict for a whole window; submitted again")
        key = directory.event_key(home.agency, attempt.kid)
        if key is None or not key.valid(home.now_ms()):
            # Bytes under a key that is no longer taken get no verdict any more. Afresh under the same id is safe: had
            # the old ones been accepted, the router says so by their hash.
            outbox.postpone(db, row.id, 0, Code.KEY_NOT_VALID)
            return None
        outbox.hand_again(db, row.id, attempt.hash, now_ms)
        return attempt

    def _prepare(self, db: sqlite3.Connection, row: Row, directory: Directory, now_ms: int) -> Attempt | None:
        if row.state is EntryState.SIGNED and row.attempt is not None:
            # Handed over before, perhaps; its bytes are fixed.
            outbox.hand_again(db, row.id, row.attempt, now_ms)
            return outbox.in_force(db, row.id)
        try:
            value = self._spell(db, row, directory)
        except LocalError as error:
            outbox.postpone(db, row.id, now_ms + PAUSE_MS, error.code)
            return None
        key = self._home.keys.signing
        attempt = Attempt(
            hash=event_hash(value),
            id=row.id,
            subject=row.subject,
            value=value,
            signature=key.sign(Typ.EVENT, value).encode("ascii"),
            kid=key.kid,
            first_ms=now_ms,
            last_ms=now_ms,
        )
        outbox.fix(db, attempt)
        return attempt

    def _spell(self, db: sqlite3.Connection, row: Row, directory: Directory) -> bytes:
        home, now_ms = self._home, self._home.now_ms()
        sealed = row.sealed
        if sealed is None:
            composer = Composer(agency=home.agency, keys=home.keys, directory=directory, now_ms=now_ms)
            sealed = make_receipt(db, row, composer, home.kept)
        envelope = resealed(Envelope.decode(sealed), directory, home.keys, now_ms)
        named = {"answers": _named(row.answers, row.answers_hash), "follows": _named(row.follows, row.follows_hash)}
        data = envelope.data.model_copy(update=named)
        return envelope.model_copy(update={"data": data, "time": format_time(now_ms)}).encode()

    async def _hand_over(self, attempts: Sequence[Attempt]) -> None:
        home, transport = self._home, await self._link.transport()
        if self._partitions is None or self._partitions[0] is not transport:
            self._partitions = transport, await transport.partitions(topics.SUBMISSIONS)
            home.set_partitions(self._partitions[1])
        count = self._partitions[1]
        try:
            await transport.submit(topics.SUBMISSIONS, [_submission(attempt, count) for attempt in attempts])
        except LocalError as error:
            if error.code is not Code.OVERSIZE:
                raise
            await self._without_oversize(attempts, error.code)
            return
        self._link.worked()
        # If this is forgotten, the same bytes are handed over again, and the router takes them once.
        with home.store.write(durable=False) as db:
            for attempt in attempts:
                outbox.handed(db, attempt.id, attempt.hash, home.clock.now_ms())
        home.told([attempt.id for attempt in attempts])

    async def _without_oversize(self, attempts: Sequence[Attempt], code: Code) -> None:
        if len(attempts) > 1:
            # Which of them it is, is seen one by one; what the broker has by now, the router takes once.
            for attempt in attempts:
                await self._hand_over([attempt])
            return
        # The broker takes no record of this size, now or later.
        with self._home.store.write() as db:
            failed = outbox.fail(db, attempts[0].id, code)
        self._home.told(failed)


def _named(event_id: str | None, sha256: str | None) -> EventRef | None:
    if event_id is None:
        return None
    if sha256 is None:
        raise Fatal(Code.INTERNAL, "an event that names one which has no hash yet")
    return EventRef(id=event_id, sha256=sha256)


def _submission(attempt: Attempt, partitions: int) -> Submission:
    partition, key = partition_for(attempt.subject, partitions), attempt.subject.encode("ascii")
    return Submission(partition, key, attempt.value, [(H_SIGNATURE, attempt.signature)])

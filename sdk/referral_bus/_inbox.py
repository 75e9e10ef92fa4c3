"""
The reader: takes our inbox topic record by record, from the position in the store.

What a record leads to (the event, the view of its hand-off, the receipt we owe, the settled entry, and the position
behind it) is one transaction of the store: a crash leaves all of it or nothing, and the record is read again.
Garbage is counted, kept as evidence, and passed.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final, TypeAlias

from referral_bus._clock_check import clock_differences
from referral_bus._directory import DirectoryFollower
from referral_bus._fold import Happened, fold
from referral_bus._home import Home
from referral_bus._kept import AtHand
from referral_bus._link import Link
from referral_bus._receipts import owed
from referral_bus._settle import settle
from referral_bus._store import StoreFailed, alarms, inbox, notes, outbox, views
from referral_bus._store.inbox import Stored
from referral_bus._verify import (
    Doubtful,
    NotTaken,
    TooNew,
    VerifiedDelivery,
    VerifiedVerdict,
    signed_afresh,
    verify_record,
)
from referral_contracts import decisions, topics
from referral_contracts.codes import Code
from referral_contracts.directory import Directory
from referral_contracts.errors import LocalError, ReferralBusError, RemoteError
from referral_contracts.payloads.handoff import Return, ReturnReason
from referral_contracts.payloads.moving import Moving
from referral_contracts.records import Record
from referral_contracts.verbs import Verb

POLL_S: Final = 1.0
"""How long one question to the broker may wait for news."""
NO_WAIT_S: Final = 0.0
"""The same, until the end of the topic is reached."""
AT_ONCE: Final = 16
"""Records in one transaction: some 10 ms of checking signatures, after which others get their turn."""

Judged: TypeAlias = VerifiedDelivery | VerifiedVerdict | RemoteError
"""A delivery, a verdict, or why it is neither."""


@dataclass(slots=True)
class _Told:
    """Whom to wake after a transaction."""

    entries: list[str]
    deliveries: int = 0
    receipts: bool = False


class Reader:
    """Reads our inbox."""

    def __init__(self, home: Home, link: Link, follower: DirectoryFollower) -> None:
        self._home = home
        self._link = link
        self._follower = follower
        self._topic = topics.inbox(home.agency)
        self._waits: Code | None = None
        self._at_end = False

    @property
    def trouble(self) -> Code | None:
        """What keeps the inbox from being read."""
        return self._waits or self._link.trouble

    async def run(self) -> None:
        """Read until cancelled."""
        await self._try_again()
        while True:
            try:
                records = await self._read()
                self._link.worked()
                await self._take(records)
            except StoreFailed:
                raise
            except ReferralBusError as error:
                await self._link.broke(error)
                continue
            self._at_end = not records
            self._home.changed.ring()

    async def _try_again(self) -> None:
        """Take what was delivered to an earlier version, which did not understand it."""
        kept = alarms.not_understood(self._home.store.db)
        while kept and self._follower.directory is None:
            await self._home.changed.wait()
        told = _Told([])
        for record in kept:
            with suppress(Doubtful, TooNew):
                found = self._judge(record, self._follower.directory)
                if isinstance(found, VerifiedDelivery):
                    with self._home.store.write() as db:
                        self._deliver(db, found, record.offset, told, again=True)
                        alarms.understood(db, record.offset)
        self._wake(told)

    async def caught_up(self) -> None:
        """
        Return when everything that the inbox holds now has been taken.

        Raises:
            LocalError: The broker does not answer.
        """
        while not await self._is_at_end():
            await self._home.changed.wait()
            self._home.check()

    async def _is_at_end(self) -> bool:
        # Asked anew, and without waiting: what the loop itself waits for may have been asked long ago.
        position = notes.position(self._home.store.db, self._topic)
        if position is None:
            return False
        transport = await self._link.transport()
        try:
            return not await transport.read(self._topic, 0, position, NO_WAIT_S)
        except LocalError as error:
            if error.code is Code.POSITION_LOST:
                return False
            raise

    async def _read(self) -> Sequence[Record]:
        transport, home = await self._link.transport(), self._home
        position = notes.position(home.store.db, self._topic)
        if position is not None:
            try:
                poll_s = POLL_S if self._at_end else NO_WAIT_S
                return await transport.read(self._topic, 0, position, poll_s)
            except LocalError as error:
                if error.code is not Code.POSITION_LOST:
                    raise
        start, _ = await transport.bounds(self._topic, 0)
        with home.store.write() as db:
            if start > 0 or position is not None:
                detail = "the inbox no longer holds what was to be read next; deliveries may be missing"
                alarms.raise_alarm(db, Code.POSITION_LOST, home.now_ms(), detail=detail, position=start)
            notes.move(db, self._topic, start)
        return await transport.read(self._topic, 0, start, NO_WAIT_S)

    async def _take(self, records: Sequence[Record]) -> None:
        judged: list[tuple[Record, Judged]] = []
        for record in records:
            try:
                found = self._judge(record, self._follower.directory)
            except (Doubtful, TooNew):
                # What was read so far does not wait with it.
                self._store(judged)
                judged = []
                found = await self._judge_later(record)
            judged.append((record, found))
            if len(judged) == AT_ONCE:
                self._store(judged)
                judged = []
                await asyncio.sleep(0)
        self._store(judged)

    def _judge(self, record: Record, directory: Directory | None) -> Judged:
        if directory is None:
            raise TooNew(Code.DIRECTORY_MISSING)
        try:
            return verify_record(record, directory, agency=self._home.agency)
        except Doubtful:
            raise
        except RemoteError as error:
            return error

    async def _judge_later(self, record: Record) -> Judged:
        """Judge what our directory may be too old for: wait for a newer one, or to know that there is none."""
        confirmed: Directory | None = None
        try:
            while True:
                directory = self._follower.directory
                try:
                    return self._judge(record, directory)
                except Doubtful as error:
                    if directory is confirmed:
                        return error
                    transport = await self._link.transport()
                    self._set_waits(Code.DIRECTORY_BEHIND)
                    await self._follower.confirm(transport)
                    confirmed = self._follower.directory
                except TooNew as error:
                    self._set_waits(error.code)
                    await self._home.changed.wait()
        finally:
            self._set_waits(None)

    def _set_waits(self, code: Code | None) -> None:
        if code is not self._waits:
            self._waits = code
            self._home.changed.ring()

    def _store(self, judged: Sequence[tuple[Record, Judged]]) -> None:
        if not judged:
            return
        told, home = _Told([]), self._home
        # What the power takes from us here, Kafka gives us again; an answer to it is on the disk only together with it.
        with home.store.write(durable=False) as db:
            for record, found in judged:
                match found:
                    case RemoteError():
                        self._set_aside(db, record, found)
                    case VerifiedVerdict():
                        told.entries += settle(db, home, found, record.offset)
                    case VerifiedDelivery():
                        self._deliver(db, found, record.offset, told)
            notes.move(db, self._topic, judged[-1][0].offset + 1)
        self._wake(told)

    def _wake(self, told: _Told) -> None:
        self._home.told(told.entries)
        if told.entries or told.receipts:
            self._home.outbox.ring()
        if told.deliveries:
            self._home.inbox.ring()

    def _set_aside(self, db: Connection, record: Record, error: RemoteError) -> None:
        subject, detail = None, "a record of the inbox that is no delivery and no verdict"
        if isinstance(error, NotTaken):
            told = error.delivery
            if alarms.is_kept(db, record, topics.H_DELIVERY) or inbox.get(db, told.event, told.recipient) is not None:
                return
            # Nothing is lost that was delivered: it stays until it is understood, or until its key is in order.
            subject, detail = told.subject, error.detail
            self._count(db, told, record.offset)
        alarms.keep_garbage(db, record, error.code, delivered=isinstance(error, NotTaken))
        alarms.raise_alarm(db, error.code, self._home.now_ms(), detail=detail, subject=subject, position=record.offset)

    def _count(self, db: Connection, delivery: decisions.Delivery, position: int) -> None:
        found = notes.Count(delivery.restored or 0, delivery.counter)
        before = notes.count(db, delivery.subject, delivery.recipient, found)
        if not found.follows(before):
            detail = f"delivery {_numbered(found)} came after delivery {_numbered(before)}"
            alarms.raise_alarm(
                db,
                Code.COUNTER_GAP,
                self._home.now_ms(),
                detail=detail,
                subject=delivery.subject,
                position=position,
            )

    def _deliver(
        self, db: Connection, verified: VerifiedDelivery, position: int, told: _Told, *, again: bool = False
    ) -> None:
        home, delivery = self._home, AtHand(lambda: verified, self._home.keys)
        envelope, subject = verified.envelope, verified.envelope.subject
        if inbox.get(db, verified.event, verified.recipient) is not None:
            return
        if not again:
            self._count(db, verified.delivery, position)
        before = inbox.under_id(db, envelope.source, envelope.id, verified.recipient)
        if any(signed_afresh(stored.value, verified) for stored in before):
            return
        if before:
            # The router tells a sender's ids apart within a case, and for a time. What it delivered is a delivery.
            detail = "another event under an id that was delivered before"
            alarms.raise_alarm(db, Code.ID_REUSED, home.now_ms(), detail=detail, subject=subject, position=position)
        seq = inbox.insert(db, Stored.of(verified, position))
        if envelope.data.supersedes is not None:
            inbox.note_correction(db, seq, envelope.data.supersedes.sha256)
        happened = Happened(
            envelope=envelope,
            event=verified.event,
            admitted_ms=verified.admitted_ms,
            agency=home.agency,
            moving=_moving(delivery) if envelope.verb is Verb.MOVED else None,
            recipient=verified.recipient,
        )
        fold(db, happened)
        receipt = owed(db, delivery, home.now_ms())
        if receipt is not None:
            outbox.insert(db, receipt)
            told.receipts = True
        if clock_differences(home, delivery):
            # Which happening it is, the store does not hold in the clear: whoever opens the delivery is told.
            detail = f"what {envelope.source} tells the deadline watcher is not what its form says: {envelope.id}"
            alarms.raise_alarm(db, Code.CLOCK_DIFFERS, home.now_ms(), detail=detail, subject=subject, position=position)
        if _refuses_duty(db, delivery):
            detail = f"{envelope.source} gave a duty back as not competent, and has to forward it: {envelope.id}"
            code = Code.ILLEGAL_TRANSITION
            alarms.raise_alarm(db, code, home.now_ms(), detail=detail, subject=subject, position=position)
        told.deliveries += 1
        # The application will ask, and so will whoever makes the receipt.
        home.kept.keep(seq, delivery, 1 if receipt is None else 2)


def _numbered(count: notes.Count) -> str:
    return f"{count.counter}{f' since restoration {count.restored}' if count.restored else ''}"


def _refuses_duty(db: Connection, delivery: AtHand) -> bool:
    """Whether a duty comes back to the one who assigned it for the reason that the law does not know."""
    envelope = delivery.verified.envelope
    if envelope.verb is not Verb.RETURNED or envelope.data.handoff is None:
        return False
    known = views.handoff(db, envelope.subject, envelope.data.handoff)
    assigned = known is not None and known.opened_with is Verb.ASSIGNED and known.sender == delivery.verified.recipient
    reasons = (payload.reason for payload in delivery.opened.payloads if isinstance(payload, Return))
    return assigned and ReturnReason.NOT_COMPETENT in reasons


def _moving(delivery: AtHand) -> Moving | None:
    return next((payload for payload in delivery.opened.payloads if isinstance(payload, Moving)), None)

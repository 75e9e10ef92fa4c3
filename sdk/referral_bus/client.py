"""
The bus, as an agency's system uses it.

    async with ReferralBus("ward-a", keys, trust, store="ward-a.db", transport=connect) as bus:
        async for delivery in bus.inbox():
            async with delivery:
                await delivery.accept(Acceptance(actor=...))
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from referral_bus._adopt import adopt
from referral_bus._drafts import Drafts
from referral_bus._engine import Engine
from referral_bus._links import links
from referral_bus._matters import open_matters
from referral_bus._righted import righted
from referral_bus._sayings import Sayings
from referral_bus._store import alarms, inbox, outbox, views
from referral_bus._times import clocks
from referral_bus.clock import Clock, SystemClock
from referral_bus.delivery import Delivery
from referral_bus.draft import Draft, Plan
from referral_bus.keys import AgencyKeys
from referral_bus.log import LogAccess, LogReceipt
from referral_bus.sent import Entry, EntryState, Sent
from referral_bus.statistics import Statistics
from referral_bus.transport import Connect
from referral_bus.views import Alarm, CaseView, ClockView, HandoffView, OpenMatters, Rules, Status
from referral_contracts.codes import Code
from referral_contracts.directory import Directory, TrustRoot
from referral_contracts.envelope import HandoffKey
from referral_contracts.errors import LocalError


class ReferralBus(Sayings):
    """An agency's way to the bus: what it says, what it hears, what it knows."""

    def __init__(
        self,
        agency: str,
        keys: AgencyKeys,
        trust: TrustRoot,
        *,
        store: str | Path,
        transport: Connect,
        clock: Clock | None = None,
        log: LogAccess | None = None,
    ) -> None:
        """
        Prepare; `async with` opens the store and connects.

        Args:
            agency: This agency's id.
            keys: Its private keys.
            trust: What it pinned.
            store: The one file that holds outbox, inbox, positions and views. One process at a time.
            transport: Makes a connection to the broker, again whenever one fails.
            clock: Where time comes from; the machine's own by default.
            log: Whom to ask for the receipts that verdicts promise; without it nobody is asked.
        """
        self._told = (agency, keys, trust)
        self._store = store
        self._connect = transport
        self._clock = clock or SystemClock()
        self._log = log
        self._running: Engine | None = None

    async def __aenter__(self) -> Self:
        """
        Open the store and go to work. Needs no broker: what is said before it answers waits in the outbox.

        Raises:
            LocalError: STORE_BUSY: another process has the store. STATE_FORMAT: the store is another agency's or bus's.
        """
        self._running = Engine.open(
            *self._told, store=self._store, connect=self._connect, clock=self._clock, log=self._log
        )
        self._running.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and give the store free. What is in the outbox goes out the next time."""
        engine, self._running = self._running, None
        if engine is not None:
            await engine.stop()

    @property
    def _engine(self) -> Engine:
        if self._running is None:
            raise LocalError(Code.INTERNAL, "the client works inside `async with` only")
        return self._running

    @property
    def _drafts(self) -> Drafts:
        """What makes drafts of what is known here."""
        return Drafts(self._engine.home)

    # Saying it.

    def plan(self, draft: Draft) -> Plan:
        """
        Return who will see which field, without sealing or sending anything.

        Raises:
            LocalError: What `send` would raise.
        """
        return self._engine.speaker.plan(draft)

    async def send(self, draft: Draft, *, wait: Literal["ack"] | bool = True, timeout_s: float = 30.0) -> Sent:
        """
        Seal the draft and put it into the outbox, from where it goes out in its turn, signed then.

        A refusal raises nothing: `Sent.accepted` is False then, and `Sent.code` tells why. Whoever goes on only with
        what stands writes ``(await bus.send(draft)).check()``, which raises `Refused`.

        Args:
            draft: What to say. Sent again, it is the same events: nothing goes out twice.
            wait: True: for the verdict. ``"ack"``: until the broker has it. False: until it is in the outbox.
            timeout_s: How long; what is in the outbox stays there whatever happens.

        Raises:
            TimedOut: The wait is over. What was said is in `TimedOut.sent`.
            LocalError: It cannot be said: the directory is missing or expired, a recipient has no key, a form may not
                be carried by this verb. Nothing was put into the outbox.
        """
        engine = self._engine
        deadline_ms = engine.deadline(timeout_s)
        sent = engine.speaker.known(draft)
        if sent is None:
            await engine.usable_directory(deadline_ms)
            # Whoever waits is told nothing before Kafka has it, or before it is flushed.
            sent = engine.speaker.say(draft, durable=wait is False)
        if wait is False:
            return sent
        return await engine.entered(sent, _has_verdict if wait is True else _has_left, deadline_ms)

    async def wait(self, sent: Sent, *, timeout_s: float = 30.0) -> Sent:
        """Return what became of *sent* once every event of it has its verdict, as `send` does, or raise TimedOut."""
        return await self._engine.entered(sent, _has_verdict, self._engine.deadline(timeout_s))

    def entry(self, event_id: str) -> Entry | None:
        """Return what became of one event of ours, and what we have said since to put it right."""
        db = self._engine.home.store.db
        found = outbox.entry(db, event_id)
        return None if found is None else next(righted(db, [found]))

    def outbox(self) -> tuple[Entry, ...]:
        """Return every event of ours, oldest first, each as `entry` does."""
        db = self._engine.home.store.db
        return tuple(righted(db, outbox.entries(db)))

    async def receipt(self, event_id: str, *, timeout_s: float = 30.0) -> LogReceipt:
        """
        Return the log's receipt of an event of ours or of one that we were delivered: it proves that the decision is
        in the log, offline and to anybody who has the log's key.

        Those that verdicts promise are asked for and kept without this; see `ReferralBus`.

        Raises:
            LocalError: NOT_FOUND: no such event here, or no verdict on it yet. LOG_AWAY: the log does not have it in
                time, does not answer, or is not known.
            RemoteError: What the log has of a delivery proves nothing.
        """
        return await self._engine.collector.receipt(event_id, self._engine.deadline(timeout_s))

    # Hearing.

    async def inbox(self) -> AsyncIterator[Delivery]:
        """
        Yield deliveries, oldest first, until the client is closed; first those that were never acknowledged.

        One iterator at a time: a delivery goes to one of them.
        """
        engine = self._engine
        engine.from_the_first()
        while (stored := await engine.next_stored(None)) is not None:
            yield Delivery(stored, engine.home, engine.speaker)

    async def next(self, *, timeout_s: float) -> Delivery:
        """Return the next delivery, or raise LocalError(TIMED_OUT)."""
        engine = self._engine
        stored = await engine.next_stored(engine.deadline(timeout_s))
        if stored is None:
            raise LocalError(Code.INTERNAL, "the client is closed")
        return Delivery(stored, engine.home, engine.speaker)

    def deliveries(self, *, acknowledged: bool | None = None) -> Iterator[Delivery]:
        """Yield what is in the store, oldest first, without handing it out: all, or as *acknowledged* says."""
        engine = self._engine
        for stored in inbox.listed(engine.home.store.db, acknowledged=acknowledged):
            yield Delivery(stored, engine.home, engine.speaker)

    async def caught_up(self, *, timeout_s: float = 30.0) -> None:
        """Return once the inbox has been read to its end, or raise LocalError with what is wrong."""
        await self._engine.caught_up(timeout_s)

    # Knowing.

    async def answers(self, *, timeout_s: float) -> bool:
        """Return whether the broker has answered anything since this client began, as soon as it has."""
        return await self._engine.answers(self._engine.deadline(timeout_s))

    async def ready(self, *, timeout_s: float = 30.0) -> None:
        """Return once the directory is fresh and lists our keys, or raise LocalError with what is wrong."""
        await self._engine.ready(self._engine.deadline(timeout_s))

    @property
    def directory(self) -> Directory | None:
        """The last good directory."""
        return self._engine.follower.directory

    def handoff(self, key: HandoffKey, *, subject: str | None = None) -> HandoffView | None:
        """
        Return a hand-off as known here, of the case *subject* if that is told.

        Raises:
            LocalError: ID_REUSED: somebody used another's id in another case; the case has to be told.
        """
        db = self._engine.home.store.db
        found = views.only_handoff(db, key, subject)
        return None if found is None else found.view(db)

    def case(self, subject: str) -> CaseView | None:
        """Return a case as known here."""
        found = views.case_view(self._engine.home.store.db, subject)
        return None if found is None else links(self._engine.home).of(found)

    def cases(self) -> tuple[CaseView, ...]:
        """Return every case known here."""
        db = self._engine.home.store.db
        found, known = (views.case_view(db, subject) for subject in views.subjects(db)), links(self._engine.home)
        return tuple(known.of(case) for case in found if case is not None)

    def clocks(self, subject: str | None = None, *, rules: Rules | None = None) -> tuple[ClockView, ...]:
        """
        Return the clocks that are known here, of the case *subject* or of all: first due first.

        With *rules* those of this agency are worked out as well, from what it said and heard; the deadline watcher's
        word goes before.
        """
        return clocks(self._engine.home, self._engine.follower.usable(), rules, subject)

    @property
    def statistics(self) -> Statistics:
        """What is told to the statistics agency, and what that one makes of it."""
        return Statistics(self._engine.home, self._drafts, self._engine.follower.usable())

    def open_matters(self) -> OpenMatters:
        """Return what is still open with us, as known here: what an agency that closes has to end or to move first."""
        return open_matters(self._engine.home, self.directory)

    def adopt(self, agency: str, store: str | Path) -> int:
        """
        Take up what *agency*, which has ended and which we speak for, has left open in its *store*.

        Returns:
            How many cases and hand-offs were new to us.

        Raises:
            LocalError: NOT_PERMITTED: by the directory we do not speak for it. STORE_BUSY, STATE_FORMAT, NO_SUCH_FILE:
                its store cannot be read.
        """
        return adopt(self._engine.home, self._engine.follower.usable(), agency, store)

    def alarms(self) -> tuple[Alarm, ...]:
        """Return what a person should be told, oldest first."""
        return alarms.alarms(self._engine.home.store.db)

    def clear_alarm(self, number: int) -> None:
        """Forget an alarm that was dealt with."""
        with self._engine.home.store.write() as db:
            alarms.clear(db, number)

    def status(self) -> Status:
        """Return how the client is doing."""
        return self._engine.status()


def _has_verdict(entry: Entry) -> bool:
    return entry.state.settled


def _has_left(entry: Entry) -> bool:
    return entry.state.settled or entry.state is EntryState.SUBMITTED

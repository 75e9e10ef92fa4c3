"""
The loops of a client, wired: directory, inbox, outbox, and the receipts that the log owes. Each has a connection of
its own, so that one that hangs holds up no other.

A loop ends only when the store fails or through a mistake of ours. Then everybody who waits is told: a client that
looks alive and hears nothing would be worse than none.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from referral_bus._collect import Collector
from referral_bus._directory import DirectoryFollower
from referral_bus._home import Home
from referral_bus._inbox import Reader
from referral_bus._kept import Kept
from referral_bus._link import Link
from referral_bus._outbox import Sender
from referral_bus._speaker import Speaker
from referral_bus._store import Store, alarms, inbox, outbox
from referral_bus._store.inbox import Stored
from referral_bus._waiting import until, within
from referral_bus.clock import Clock
from referral_bus.keys import AgencyKeys
from referral_bus.log import LogAccess
from referral_bus.sent import Entry, Sent, TimedOut
from referral_bus.transport import Connect
from referral_bus.views import Status
from referral_contracts.codes import Code
from referral_contracts.directory import Directory, TrustRoot
from referral_contracts.errors import Fatal, LocalError

T = TypeVar("T")


class Engine:
    """A client at work."""

    def __init__(self, home: Home, connect: Connect, log: LogAccess | None = None) -> None:
        """Wire the parts; `start` lets them run."""
        home.load()
        self.home = home
        self._links = tuple(Link(connect, home.clock, home.changed) for _ in range(3))
        self.follower = DirectoryFollower(home, self._links[0])
        self.follower.restore()
        self.reader = Reader(home, self._links[1], self.follower)
        self.sender = Sender(home, self._links[2], self.follower)
        self.speaker = Speaker(home, self.follower)
        self.collector = Collector(home, log)
        self._tasks: list[asyncio.Task[None]] = []
        self._cursor = 0

    @classmethod
    def open(
        cls,
        agency: str,
        keys: AgencyKeys,
        trust: TrustRoot,
        *,
        store: str | Path,
        connect: Connect,
        clock: Clock,
        log: LogAccess | None = None,
    ) -> "Engine":
        """Open the store and wire the parts."""
        if keys.agency != agency:
            raise LocalError(Code.UNKNOWN_KEY, "the key file of another agency")
        opened = Store.open(store, bus=trust.bus, agency=agency)
        try:
            home = Home(agency=agency, keys=keys, trust=trust, clock=clock, store=opened, kept=Kept(keys))
            return cls(home, connect, log)
        except BaseException:
            opened.close()
            raise

    def start(self) -> None:
        """Go to work."""
        works = (self.follower.run, self.reader.run, self.sender.run, self.collector.run)
        self._tasks = [asyncio.get_running_loop().create_task(self._guard(work)) for work in works]

    async def _guard(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        # Called here: a client that is closed before the loop turns has begun nothing.
        try:
            await work()
        except Fatal as error:
            self.home.break_down(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody may wait for a loop that has ended
            failure = Fatal(Code.INTERNAL, f"a fault of the client ({type(error).__name__})")
            failure.__cause__ = error
            self.home.break_down(failure)

    async def stop(self) -> None:
        """Stop working, let go of the broker and give the store free."""
        self.home.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(self.collector.close(), *(link.close() for link in self._links))
        self.home.store.close()

    async def entered(self, sent: Sent, done: Callable[[Entry], bool], deadline_ms: int) -> Sent:
        """Return what became of *sent* once all its entries are *done*, or raise TimedOut."""
        ids = [entry.id for entry in sent.entries]
        for event_id in ids:

            def look(event_id: str = event_id) -> Entry | None:
                self.home.check()
                entry = self.speaker.entry(event_id)
                return entry if done(entry) else None

            try:
                await until(self.home.clock, deadline_ms, self.home.entry(event_id), look)
            except TimeoutError:
                self.home.store.flush()
                left = self.speaker.sent(ids)
                code = next((entry.code for entry in left.entries if entry.code is not None), None)
                raise TimedOut(left, code or self.trouble()) from None
        return self.speaker.sent(ids)

    async def usable_directory(self, deadline_ms: int) -> None:
        """Return when there is a directory to seal by, or raise LocalError: why there is none."""

        def look() -> Directory | None:
            self.home.check()
            return None if self.follower.trouble() in _NO_SEALING else self.follower.directory

        try:
            await until(self.home.clock, deadline_ms, self.home.changed, look)
        except TimeoutError:
            self.follower.usable()

    async def answers(self, deadline_ms: int) -> bool:
        """Return whether the broker has answered anything since this client began."""

        def look() -> bool | None:
            self.home.check()
            return any(link.answered for link in self._links) or None

        try:
            return await until(self.home.clock, deadline_ms, self.home.changed, look)
        except TimeoutError:
            return False

    async def ready(self, deadline_ms: int) -> None:
        """Return when the directory is fresh and lists our keys, or raise LocalError with what is wrong."""

        def look() -> Directory | None:
            self.home.check()
            return None if self.follower.trouble() else self.follower.directory

        try:
            await until(self.home.clock, deadline_ms, self.home.changed, look)
        except TimeoutError:
            code = self._links[0].trouble or self.follower.trouble() or Code.TIMED_OUT
            raise LocalError(code, "the directory is not there, or not fresh") from None
        wrong = self._wrong_keys()
        if wrong is not None:
            raise wrong

    def _wrong_keys(self) -> LocalError | None:
        home, directory = self.home, self.follower.usable()
        if directory.member(home.agency) is None:
            return LocalError(Code.UNKNOWN_SENDER, "the directory does not list this agency")
        signing = directory.event_key(home.agency, home.keys.signing.kid)
        sealing = directory.reader(home.agency, home.now_ms())
        if signing is None:
            return LocalError(Code.UNKNOWN_KEY, "the directory does not list the signing key in the key file")
        if home.keys.opener(sealing.address, sealing.kid) is None:
            return LocalError(Code.UNKNOWN_KEY, "the key file lacks the sealing key that the directory has for us")
        if not signing.valid(home.now_ms()):
            return LocalError(Code.KEY_NOT_VALID, "by the directory the signing key in the key file is not valid now")
        return None

    async def caught_up(self, seconds: float) -> None:
        """Return when the inbox has been read to its end, or raise LocalError with what is wrong."""
        try:
            await within(self.home.clock, seconds, self.reader.caught_up())
        except TimeoutError:
            raise LocalError(self.trouble() or Code.TIMED_OUT, "the inbox was not read to its end") from None

    def from_the_first(self) -> None:
        """Hand out again what was not acknowledged."""
        self._cursor = 0

    async def next_stored(self, deadline_ms: int | None) -> Stored | None:
        """Return the next delivery, noted as handed out; None when the client was closed."""

        def look() -> Stored | None:
            self.home.check()
            return inbox.after(self.home.store.db, self._cursor)

        while not self.home.closed:
            found = look()
            if found is None and deadline_ms is None:
                await self.home.inbox.wait()
                continue
            if found is None and deadline_ms is not None:
                found = await self._before(deadline_ms, look)
            if found is not None:
                with self.home.store.write(durable=False) as db:
                    inbox.hand(db, found.seq)
                self._cursor = found.seq
                return found
        return None

    async def _before(self, deadline_ms: int, look: Callable[[], T | None]) -> T:
        try:
            return await until(self.home.clock, deadline_ms, self.home.inbox, look)
        except TimeoutError:
            raise LocalError(Code.TIMED_OUT, "no delivery in time") from None

    def trouble(self) -> Code | None:
        """Return what is wrong, the first thing first."""
        troubles = (*(link.trouble for link in self._links), self.follower.trouble(), self.sender.trouble)
        return next((code for code in (*troubles, self.reader.trouble) if code is not None), None)

    def status(self) -> Status:
        """Return how it goes."""
        db, directory = self.home.store.db, self.follower.directory
        return Status(
            sending=self.sender.trouble,
            receiving=self.reader.trouble,
            directory=self.follower.trouble(),
            directory_version=0 if directory is None else directory.version,
            waiting=outbox.waiting(db),
            unacknowledged=inbox.unacknowledged(db),
            alarms=alarms.count(db),
            clock_offset_ms=self.home.clock_offset_ms,
        )

    def deadline(self, seconds: float) -> int:
        """Return when *seconds* will have passed."""
        return self.home.clock.now_ms() + round(seconds * 1000)


_NO_SEALING: Final[Sequence[Code | None]] = (Code.DIRECTORY_MISSING, Code.DIRECTORY_EXPIRED)

"""
What the parts of one client share: who it is, its store, its clock, and the bells by which they wake each other.

The clock is this machine's, corrected by what verdicts tell of the broker's. Nothing in the store depends on it but
times that are compared with each other.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakValueDictionary

from referral_bus._kept import Kept
from referral_bus._store import Store, alarms, notes
from referral_bus._waiting import Bell
from referral_bus.clock import Clock
from referral_bus.keys import AgencyKeys
from referral_contracts.codes import Code
from referral_contracts.directory import TrustRoot
from referral_contracts.errors import Fatal, LocalError

CLOCK_OFFSET: Final = "clock_offset_ms"
PARTITIONS: Final = "partitions"


@dataclass(slots=True, kw_only=True)
class Home:
    """One agency, at work."""

    agency: str
    keys: AgencyKeys
    trust: TrustRoot
    clock: Clock
    store: Store
    kept: Kept
    """Deliveries that somebody is about to ask for."""
    clock_offset_ms: int = 0
    """This machine's clock less the broker's."""
    partitions: int = 0
    """How many partitions submissions have; 0 while nothing was ever submitted."""
    closed: bool = False
    failure: Fatal | None = None
    """What ended the work: a disk that is full, or a mistake of ours. Who waits is told."""
    outbox: Bell = field(default_factory=Bell)
    """Rings for the sender, when there may be something to send."""
    inbox: Bell = field(default_factory=Bell)
    """Rings for the application, when there may be a delivery."""
    receipts: Bell = field(default_factory=Bell)
    """Rings for the collector, when the log may owe us another receipt."""
    changed: Bell = field(default_factory=Bell)
    """Rings for whoever asks how it goes: directory, connection."""
    _entries: WeakValueDictionary[str, Bell] = field(default_factory=WeakValueDictionary)

    @property
    def bus(self) -> str:
        """Which bus."""
        return self.trust.bus

    def now_ms(self) -> int:
        """Return the time as the broker sees it, as far as we know."""
        return self.clock.now_ms() - self.clock_offset_ms

    def load(self) -> None:
        """Take up what the store remembers."""
        self.clock_offset_ms = notes.number(self.store.db, CLOCK_OFFSET)
        self.partitions = notes.number(self.store.db, PARTITIONS)

    def set_partitions(self, count: int) -> None:
        """Remember how many partitions submissions have: verdicts are held against it."""
        if count != self.partitions:
            with self.store.write() as db:
                notes.remember(db, PARTITIONS, count)
            self.partitions = count

    def set_clock(self, offset_ms: int) -> None:
        """Correct the clock."""
        with self.store.write() as db:
            notes.remember(db, CLOCK_OFFSET, offset_ms)
        self.clock_offset_ms = offset_ms

    def not_before(self, known_ms: int) -> None:
        """Take it that it is *known_ms* at least: a signature of that moment lies before us."""
        behind_ms = known_ms - self.now_ms()
        if behind_ms > 0:
            self.set_clock(self.clock_offset_ms - behind_ms)

    def alarm(self, code: Code, *, detail: str = "", position: int | None = None) -> None:
        """Note something a person should be told, in a transaction of its own."""
        with self.store.write() as db:
            alarms.raise_alarm(db, code, self.now_ms(), detail=detail, position=position)
        self.changed.ring()

    def entry(self, event_id: str) -> Bell:
        """Return what rings when something becomes of an entry of the outbox; it is there while somebody holds it."""
        return self._entries.setdefault(event_id, Bell())

    def told(self, entries: Iterable[str]) -> None:
        """Wake whoever waits for one of *entries*."""
        self.receipts.ring()
        for event_id in entries:
            bell = self._entries.get(event_id)
            if bell is not None:
                bell.ring()

    def break_down(self, failure: Fatal) -> None:
        """End the work; everybody who waits is told why."""
        self.failure = failure
        self._ring_all()

    def close(self) -> None:
        """End the work on purpose."""
        self.closed = True
        self._ring_all()

    def _ring_all(self) -> None:
        for bell in (self.outbox, self.inbox, self.receipts, self.changed, *self._entries.values()):
            bell.ring()

    def check(self) -> None:
        """Raise what ended the work, if something did."""
        if self.failure is not None:
            raise Fatal(self.failure.code, self.failure.detail) from self.failure
        if self.closed:
            raise LocalError(Code.INTERNAL, "the client is closed")

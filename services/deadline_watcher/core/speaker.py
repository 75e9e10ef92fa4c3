"""
What is to be said about a partition now: due notices, at most so many at a time, and ticks.

Nothing here is kept over a restart. A notice is sent again until it is read on the ledger, which the router lets in
once. A tick asks the ledger how late it is there; none is sent while nothing is due.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import islice
from typing import Final

from pydantic import ValidationError

from deadline_watcher.core.case import Case
from deadline_watcher.core.fold import Watcher
from deadline_watcher.core.saying import Pending, pending, recipient_of, spoken
from referral_contracts.directory import Directory
from referral_contracts.notices import Notice

MAX_ON_THE_WAY: Final = 2_000
"""Notices of a partition that were sent and not read back: beyond them it waits, and input goes on."""
_TICK_AGAIN_MS: Final = (200, 400, 1_000, 2_000, 5_000)
"""How long to wait for a tick before the next is sent: a router that is away finds a few, and not one for each second
of a night."""
_NOTICE_AGAIN_MS: Final = (10_000, 30_000, 60_000, 300_000)
IDLE_MS: Final = 1_000
"""How long nothing needs to be looked at when nothing is known to come."""


@dataclass(frozen=True, slots=True)
class Round:
    """What to submit now, in this order, and when to ask again."""

    notices: tuple[Notice, ...]
    unsayable: int
    """Notices that no event can carry: a mistake of this program, or of a pack. They hold up nothing else."""
    tick: bool
    wait_ms: int
    """0: there is more."""


@dataclass(frozen=True, slots=True)
class _Sent:
    key: bytes
    attempts: int
    again_ms: int


class Speaker:
    """Speaks for one partition."""

    def __init__(self, watcher: Watcher) -> None:
        """Speak for *watcher*."""
        self._watcher = watcher
        self._sent: dict[str, _Sent] = {}
        self._again: list[tuple[int, bytes]] = []
        self._asked_ms: int | None = None
        self._asks = 0
        self._back_ms: int | None = None
        """When a tick was read back last, by the own clock."""
        self._unsayable = 0
        self._ticks = watcher.ticks
        self._fresh = False
        """Whether one of its own ticks has been read back: what was said before it began has been read as well."""

    def heard(self, events: frozenset[str]) -> None:
        """Note that these of our events have been judged."""
        for event in events:
            self._sent.pop(event, None)

    def round(self, directory: Directory, now_ms: int, most: int) -> Round:
        """Return what to submit at *now_ms*: at most *most* notices. It counts as sent."""
        self._listen(now_ms)
        # An outage that was told makes words due, though the ledger has nothing new.
        self._watcher.around(directory)
        found: list[Notice] = []
        for key in self._cases(now_ms):
            found += islice(self._notices(key, directory, now_ms), most - len(found))
            if len(found) >= most:
                # It may have more to say: after those that have waited longer.
                self._watcher.put_due(self._watcher.ticked_ms, key)
                break
        more = len(found) >= most
        tick, unsayable = self._tick(now_ms), self._unsayable
        self._unsayable = 0
        return Round(tuple(found), unsayable, tick, 0 if more else self._wait_ms(now_ms))

    def _cases(self, now_ms: int) -> Iterator[bytes]:
        """Yield the cases that may have something to say: first those that were not heard, then by what is due."""
        if not self._fresh:
            return
        while self._again and self._again[0][0] <= now_ms:
            yield heappop(self._again)[1]
        while len(self._sent) < MAX_ON_THE_WAY and (key := self._watcher.take_due()) is not None:
            yield key

    def _notices(self, key: bytes, directory: Directory, now_ms: int) -> Iterator[Notice]:
        case = self._watcher.case(key)
        if case is None:
            return
        around, ledger_ms = self._watcher.around(directory), self._watcher.ticked_ms
        case = around.current(case)
        calendar = around.world.calendar.version
        wake_ms: int | None = None
        for one in pending(case, ledger_ms):
            notice = self._addressed(case, one, directory, now_ms, calendar)
            if notice is None:
                continue
            name = notice.event_id(self._watcher.desk.bus)
            sent = self._sent.get(name)
            if sent is None or sent.again_ms <= now_ms:
                attempts = 0 if sent is None else sent.attempts + 1
                again_ms = now_ms + _NOTICE_AGAIN_MS[min(attempts, len(_NOTICE_AGAIN_MS) - 1)]
                sent = self._sent[name] = _Sent(key, attempts, again_ms)
                yield notice
            wake_ms = sent.again_ms if wake_ms is None else min(wake_ms, sent.again_ms)
        if wake_ms is not None:
            heappush(self._again, (wake_ms, key))
        self._later(case, key, ledger_ms)

    def _later(self, case: Case, key: bytes, ledger_ms: int) -> None:
        """Note when the case has something more to say, beside what is to be said now."""
        later = [one for clock in case.docket.clocks if (one := clock.next_ms(ledger_ms)) is not None]
        if later:
            self._watcher.put_due(min(later) + 1, key)

    def _addressed(self, case: Case, one: Pending, directory: Directory, now_ms: int, calendar: str) -> Notice | None:
        recipient = recipient_of(one, self._watcher.around(directory).owners, now_ms)
        if recipient is None:
            return None
        try:
            return spoken(case, one, recipient, calendar=calendar, ledger_ms=self._watcher.ticked_ms)
        except ValidationError:
            self._unsayable += 1
            return None

    def _tick(self, now_ms: int) -> bool:
        due_ms, ticked_ms = self._watcher.first_due_ms(), self._watcher.ticked_ms
        if due_ms is None or due_ms > now_ms or (self._fresh and due_ms <= ticked_ms):
            return False
        wait_ms = _TICK_AGAIN_MS[min(self._asks, len(_TICK_AGAIN_MS) - 1)]
        if self._asked_ms is not None and self._asked_ms <= now_ms < self._asked_ms + wait_ms:
            return False
        back_ms = self._back_ms
        if self._fresh and back_ms is not None and back_ms <= now_ms < back_ms + min(due_ms - ticked_ms, IDLE_MS):
            # It is not that late on the ledger yet: the own clock is ahead, and to ask at once makes nothing later.
            return False
        self._asks += self._asked_ms is not None
        self._asked_ms = now_ms
        return True

    def _listen(self, now_ms: int) -> None:
        """Look whether a tick has come back."""
        if self._watcher.ticks != self._ticks:
            self._back_ms = now_ms
            self._fresh = self._fresh or self._asked_ms is not None
            self._ticks, self._asked_ms, self._asks = self._watcher.ticks, None, 0

    def _wait_ms(self, now_ms: int) -> int:
        due_ms = self._watcher.first_due_ms()
        waits = [IDLE_MS]
        if due_ms is not None and due_ms > now_ms:
            waits.append(due_ms - now_ms)
        elif due_ms is not None:
            waits.append(_TICK_AGAIN_MS[0])
        if self._again:
            waits.append(self._again[0][0] - now_ms)
        return max(1, min(waits))

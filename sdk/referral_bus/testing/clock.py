"""
A clock that stands still until it is wound: a test says when time passes, and how much.

Not for threads: it belongs to one event loop.
"""

import asyncio
from typing import Final

START_MS: Final = 1_790_000_000_000
"""Where a new clock stands: 2026-09-21T14:13:20.000Z. Any fixed instant would do."""


class Clock:
    """Time by hand."""

    def __init__(self, now_ms: int = START_MS) -> None:
        """Stand at *now_ms*, milliseconds since the epoch."""
        self._now_ms = now_ms
        self._sleepers: list[tuple[int, asyncio.Future[None]]] = []

    def now_ms(self) -> int:
        """Return what the clock shows."""
        return self._now_ms

    def wind(self, seconds: float) -> None:
        """Let *seconds* pass: whoever slept for less wakes, as soon as the event loop turns."""
        self._now_ms += round(seconds * 1000)
        due = [future for until_ms, future in self._sleepers if until_ms <= self._now_ms]
        self._sleepers = [(until_ms, future) for until_ms, future in self._sleepers if until_ms > self._now_ms]
        for future in due:
            wake(future)

    def wind_to_next(self) -> bool:
        """Let time pass until the next sleeper wakes; return whether anybody slept."""
        if not self._sleepers:
            return False
        self.wind((min(until_ms for until_ms, _ in self._sleepers) - self._now_ms) / 1000)
        return True

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been wound by *seconds*; the event loop turns at least once."""
        await asyncio.sleep(0)
        until_ms = self._now_ms + round(seconds * 1000)
        while self._now_ms < until_ms:
            await self.until(until_ms, asyncio.get_running_loop().create_future())

    async def until(self, until_ms: int, future: "asyncio.Future[None]") -> None:
        """Wait for *future*, which the clock ends too when it shows *until_ms*."""
        if self._now_ms >= until_ms:
            return
        self._sleepers.append((until_ms, future))
        try:
            await future
        finally:
            self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[1] is not future]

    @property
    def sleepers(self) -> int:
        """How many are waiting for time to pass."""
        return len(self._sleepers)


def wake(future: "asyncio.Future[None]") -> None:
    """End the wait for *future*, unless it has ended."""
    if not future.done():
        future.set_result(None)

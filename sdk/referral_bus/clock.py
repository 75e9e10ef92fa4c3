"""
What time it is for the SDK: two questions to one object, so that a test can wind it by hand.

Nothing else in the SDK asks the machine for the time. How far this clock is from the broker's is the outbox's business.
"""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Where the SDK's time comes from. `referral_bus.testing.Clock` is one that stands still until it is wound."""

    def now_ms(self) -> int:
        """Return the milliseconds since the epoch."""

    async def sleep(self, seconds: float) -> None:
        """Return when *seconds* have passed by this clock."""


class SystemClock:
    """The machine's own."""

    def now_ms(self) -> int:
        """Return the milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Return when *seconds* have passed."""
        await asyncio.sleep(seconds)

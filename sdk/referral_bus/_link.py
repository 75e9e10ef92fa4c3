"""
One loop's connection to the broker: made when it is needed, thrown away when it fails, made again after a pause.

The loop that uses it says what failed; the code of that is what the user is shown until something works again.
"""

import inspect
from contextlib import suppress
from typing import Final

from referral_bus._waiting import Bell, within
from referral_bus.clock import Clock
from referral_bus.transport import Connect, Transport
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError, ReferralBusError

CONNECT_S: Final = 15.0
"""How long a connection may take to be made, and to be closed."""
PAUSES_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
"""How long to wait after a failure, then after the next. Five seconds is soon enough, and no storm on a sick broker."""


class Link:
    """A way to the broker that is made again when it breaks."""

    def __init__(self, connect: Connect, clock: Clock, changed: Bell) -> None:
        self._connect = connect
        self._clock = clock
        self._changed = changed
        self._transport: Transport | None = None
        self._failures = 0
        self.trouble: Code | None = None
        self.answered = False
        """Whether the broker was ever there, if only to say what is wrong."""

    async def transport(self) -> Transport:
        """
        Return a connection, made now if there is none.

        Raises:
            ReferralBusError: None can be made.
        """
        if self._transport is None:
            made = self._connect()
            if inspect.isawaitable(made):
                try:
                    made = await within(self._clock, CONNECT_S, made)
                except TimeoutError:
                    raise LocalError(Code.BROKER_AWAY, "no connection in time") from None
            self._transport = made
        return self._transport

    def worked(self) -> None:
        """Say that the broker answered."""
        self._failures = 0
        if self.trouble is not None or not self.answered:
            self.trouble, self.answered = None, True
            self._changed.ring()

    async def broke(self, error: ReferralBusError) -> None:
        """Say what failed; return when it is time to try again."""
        self.trouble = error.code
        self.answered = self.answered or error.code is not Code.BROKER_AWAY
        self._changed.ring()
        await self.close()
        pause = PAUSES_S[min(self._failures, len(PAUSES_S) - 1)]
        self._failures += 1
        await self._clock.sleep(pause)

    async def close(self) -> None:
        """Let go of the connection."""
        transport, self._transport = self._transport, None
        if transport is not None:
            # What it still has to say does not matter: it is thrown away for a reason.
            with suppress(ReferralBusError, OSError, TimeoutError):
                await within(self._clock, CONNECT_S, transport.close())

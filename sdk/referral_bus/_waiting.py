"""Waiting with a deadline, by the injected clock; and bells that say when it is worth looking again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from referral_bus.clock import Clock

T = TypeVar("T")


class Bell:
    """
    Wakes whoever waits. It remembers nothing: look first, then wait.

    That no ring is missed in between needs no lock, only that there is no `await` in between.
    """

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Wake all who wait."""
        for future in tuple(self._waiting):
            if not future.done():
                future.set_result(None)

    def wait(self) -> "asyncio.Future[None]":
        """Return what is done at the next ring; it listens from now on, and not only once it is awaited."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        future.add_done_callback(self._waiting.discard)
        return future


async def within(clock: Clock, seconds: float, work: Awaitable[T]) -> T:
    """
    Return what *work* gives, if it does so before *seconds* have passed by *clock*; else cancel it.

    Raises:
        TimeoutError: It did not.
    """
    task = asyncio.ensure_future(work)
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait((task, timer), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise TimeoutError
    finally:
        # Both have ended when this returns: nothing goes on behind the caller's back.
        for unfinished in (task, timer):
            if not unfinished.done():
                unfinished.cancel()
        await asyncio.wait((task, timer))


async def until(clock: Clock, deadline_ms: int, bell: Bell, look: Callable[[], T | None]) -> T:
    """
    Return what *look* finds, looking again whenever *bell* rings.

    Raises:
        TimeoutError: Nothing was found by *deadline_ms*.
    """
    while True:
        found = look()
        if found is not None:
            return found
        left_ms = deadline_ms - clock.now_ms()
        if left_ms <= 0:
            raise TimeoutError
        await within(clock, left_ms / 1000, bell.wait())

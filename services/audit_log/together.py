"""Work that goes on together, and ends together; and when one part of it waits for another."""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterable
from typing import Any


async def until_one_fails(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run all *works* until one of them fails; then end the others, and raise what it raised, as it is."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in done:
        task.result()


class Beat:
    """When to go on: as soon as there is news, and at most once a beat. For one event loop, and one who waits."""

    def __init__(self, beat_s: float) -> None:
        self._beat_s = beat_s
        self._news = asyncio.Event()
        self._not_before = 0.0

    def tell(self) -> None:
        """Say that there is news."""
        self._news.set()

    async def wait(self) -> None:
        """Return once there is news, or after a beat without any; a beat after the last time at the earliest."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._not_before - loop.time()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._beat_s):
                await self._news.wait()
        self._news.clear()
        self._not_before = loop.time() + self._beat_s

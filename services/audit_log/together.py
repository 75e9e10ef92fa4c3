"""Work that goes on together, and ends together."""

import asyncio
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

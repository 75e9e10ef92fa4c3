import asyncio

import pytest

from audit_log.together import Beat

pytestmark = pytest.mark.asyncio

LONG_S = 60.0


async def test_the_first_news_is_not_waited_with() -> None:
    beat = Beat(LONG_S)
    beat.tell()

    await asyncio.wait_for(beat.wait(), 5)


async def test_news_wakes_who_waits_already() -> None:
    beat = Beat(LONG_S)
    waiting = asyncio.create_task(beat.wait())
    await asyncio.sleep(0)
    beat.tell()

    await asyncio.wait_for(waiting, 5)


async def test_between_two_times_lies_a_beat() -> None:
    beat = Beat(0.2)
    loop = asyncio.get_running_loop()
    beat.tell()
    await beat.wait()
    began = loop.time()
    # Whenever in between it is told, and however often.
    beat.tell()
    beat.tell()

    await beat.wait()

    assert loop.time() - began >= 0.19


async def test_what_was_told_once_counts_once() -> None:
    beat = Beat(0.05)
    beat.tell()
    await beat.wait()
    waiting = asyncio.create_task(beat.wait())

    # The beat before the next time, and one without news.
    await asyncio.sleep(0.07)
    assert not waiting.done()
    await asyncio.wait_for(waiting, 5)


async def test_without_news_it_goes_on_after_a_beat() -> None:
    await asyncio.wait_for(Beat(0.01).wait(), 5)

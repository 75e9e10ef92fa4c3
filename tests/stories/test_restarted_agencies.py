"""An agency's system that lives for one step at a time: what it said and heard lies in its store."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from referral_bus import CaseView, Code, Delivery, ReferralBus
from referral_contracts.verbs import Verb
from tests.contracts.payloads.forms import example
from tests.stories.agencies import Agencies, hears, play, settled
from tests.stories.world import HOTLINE, WARD, World


@asynccontextmanager
async def at(agencies: Agencies, name: str) -> AsyncIterator[ReferralBus]:
    """Give *name*'s system, started for this step alone."""
    bus = await agencies.join(name)
    await bus.ready()
    try:
        yield bus
    finally:
        await agencies.leave(name)


async def _opened(agencies: Agencies) -> str:
    async with at(agencies, HOTLINE) as hotline:
        opened = await hotline.send(hotline.open_case(example("case-opening"), example("mau01")))
    async with at(agencies, HOTLINE) as hotline:
        sent = await hotline.send(hotline.assign(opened.subject, {WARD: [example("mau01"), example("commune")]}))

        assert sent.accepted
    return opened.subject


def test_a_duty_is_done_by_systems_that_never_run_at_the_same_time(tmp_path: Path) -> None:
    world = World()

    async def story(agencies: Agencies) -> None:
        case = await _opened(agencies)
        async with at(agencies, WARD) as ward, await hears(ward, Verb.ASSIGNED) as duty:
            await duty.accept(example("commune-accepted"))
        async with at(agencies, WARD) as ward:
            await settled(ward)
            (handoff,) = _case(ward, case).handoffs
            await ward.send(ward.complete(handoff.key, example("commune-completed")))
        async with at(agencies, HOTLINE) as hotline:
            await (await hears(hotline, Verb.ACCEPTED)).ack()
        async with at(agencies, HOTLINE) as hotline, await hears(hotline, Verb.COMPLETED) as done:
            await done.close(example("closed"))
        async with at(agencies, HOTLINE) as hotline:
            await settled(hotline)
            closed = await hotline.send(hotline.close_case(case, example("case-closing")))

            assert closed.accepted
            assert hotline.alarms() == ()

    _told(world, tmp_path, story)


def test_a_delivery_whose_handling_failed_comes_again_and_nothing_of_the_first_try_was_said(tmp_path: Path) -> None:
    world = World()

    async def story(agencies: Agencies) -> None:
        await _opened(agencies)
        async with at(agencies, WARD) as ward:
            with pytest.raises(ZeroDivisionError):
                await _fails(await hears(ward, Verb.ASSIGNED))
        async with at(agencies, WARD) as ward, await hears(ward, Verb.ASSIGNED) as again:
            assert again.redelivered
            await again.accept(example("commune-accepted"))
        async with at(agencies, WARD) as ward:
            await settled(ward)

    _told(world, tmp_path, story)

    # One receipt, one acceptance: the receipt was given when the event was stored, not when it was dealt with.
    assert [copy.verb for copy in world.inbox(HOTLINE)] == [Verb.RECEIVED, Verb.ACCEPTED]


def test_what_was_said_while_the_bus_was_away_goes_out_after_a_restart_once(tmp_path: Path) -> None:
    world = World()

    async def story(agencies: Agencies) -> None:
        case = await _opened(agencies)
        async with at(agencies, HOTLINE) as hotline:
            world.broker.away = True
            sent = await hotline.send(hotline.notify(case, {WARD: [example("mau01")]}), wait=False)

            assert not sent.settled
        world.broker.away = False
        world.simulator.faults[HOTLINE].lost_acks = 1
        async with at(agencies, HOTLINE) as hotline:
            told = await hotline.wait(sent)

            assert told.code is Code.ACCEPTED

    _told(world, tmp_path, story)

    assert [copy.verb for copy in world.inbox(WARD)] == [Verb.ASSIGNED, Verb.NOTIFIED]


async def _fails(duty: Delivery) -> None:
    async with duty:
        await duty.accept(example("commune-accepted"))
        raise ZeroDivisionError


def _case(bus: ReferralBus, subject: str) -> CaseView:
    case = bus.case(subject)
    assert case is not None
    return case


def _told(world: World, folder: Path, story: Callable[[Agencies], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        async with Agencies(world, folder) as agencies, asyncio.timeout(60):
            await story(agencies)

    play(world, whole())
    world.audit()

"""Agencies with their own systems: each has the SDK, a store in a folder of its own, and a way to the simulated bus."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from referral_bus import Delivery, ReferralBus
from referral_contracts.verbs import Verb
from tests.stories.world import World, keys

_T = TypeVar("_T")
_TURNS: Final = 50
"""How often the loop turns before everybody is taken to be waiting."""
SOON_S: Final = 60.0


class Agencies:
    """The agencies of one story."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self._folder = folder
        self._stacks: dict[str, AsyncExitStack] = {}

    async def join(self, name: str) -> ReferralBus:
        """Start an agency's system, as it is after a restart too: it knows what its store holds."""
        stack = AsyncExitStack()
        simulator = self.world.simulator
        bus = await stack.enter_async_context(
            ReferralBus(
                name,
                keys()[name],
                simulator.root,
                store=self._folder / f"{name}.db",
                transport=simulator.connect(name),
                clock=self.world.clock,
            )
        )
        self._stacks[name] = stack
        return bus

    async def leave(self, name: str) -> None:
        """Stop an agency's system."""
        await self._stacks.pop(name).aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self._stacks):
            await self.leave(name)


async def hears(bus: ReferralBus, verb: Verb) -> Delivery:
    """Return the next delivery that is no receipt, which must be a *verb*; it is not yet acknowledged."""
    while True:
        delivery = await bus.next(timeout_s=SOON_S)
        if delivery.verb is not Verb.RECEIVED:
            assert delivery.verb is verb
            return delivery
        await delivery.ack()


async def settled(bus: ReferralBus) -> None:
    """Return when nothing that *bus* said is without a verdict."""
    for _ in range(_TURNS * 10):
        if not bus.status().waiting:
            return
        await asyncio.sleep(0)
    raise AssertionError(bus.status())


def play(world: World, work: Coroutine[Any, Any, _T]) -> _T:
    """Return what *work* returns; the clock is wound whenever everybody waits for time to pass."""

    async def winding() -> _T:
        task = asyncio.ensure_future(work)
        while not task.done():
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            if not task.done():
                world.clock.wind_to_next()
        return await task

    return asyncio.run(winding())

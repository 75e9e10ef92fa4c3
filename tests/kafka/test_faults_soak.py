"""Everything that `test_faults` does, at random and at the same time, for minutes. ``make test-long``."""

import asyncio
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from referral_contracts import topics
from running import RunningBus
from service_process import ServiceProcess
from tests.kafka import strange
from tests.kafka.town import Town, talking

pytestmark = [pytest.mark.kafka, pytest.mark.long, pytest.mark.asyncio]

MINUTES = 4
ROUTERS = 3
CALM_S = 60.0
"""After so long without an act every router has to be ready: what they lost meanwhile they have taken up again."""


@dataclass(slots=True)
class Trouble:
    """Somebody who breaks things, one at a time."""

    bus: RunningBus
    town: Town
    frozen: list[ServiceProcess] = field(default_factory=list)
    dead: list[ServiceProcess] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    async def make(self) -> None:
        """Do one thing; never leave nobody who works."""
        acts: list[Callable[[], Awaitable[None]]] = [self.wake, self.revive, self.restart_broker, self.write_nonsense]
        awake = [router for router in self.bus.routers if router not in self.frozen and router not in self.dead]
        if len(awake) > 1:
            acts += [self.kill, self.end, self.freeze] * 2
        act = random.choice(acts)
        self.done.append(act.__name__)
        await act()

    def _one(self) -> ServiceProcess:
        return random.choice([one for one in self.bus.routers if one not in self.frozen and one not in self.dead])

    async def kill(self) -> None:
        router = self._one()
        router.kill()
        self.dead.append(router)

    async def end(self) -> None:
        router = self._one()
        self.dead.append(router)
        await asyncio.to_thread(router.stop)

    async def freeze(self) -> None:
        router = self._one()
        assert router.process is not None
        router.process.send_signal(signal.SIGSTOP)
        self.frozen.append(router)

    async def wake(self) -> None:
        while self.frozen:
            process = self.frozen.pop().process
            assert process is not None
            process.send_signal(signal.SIGCONT)

    async def revive(self) -> None:
        while self.dead:
            self.dead.pop().start()

    async def restart_broker(self) -> None:
        assert self.bus.node is not None
        if random.random() < 0.5:
            await asyncio.to_thread(self.bus.node.kill)
        await asyncio.to_thread(self.bus.node.restart)

    async def write_nonsense(self) -> None:
        await strange.submit_with_broken_header_key(self.bus.bootstrap, topics.SUBMISSIONS)
        await strange.submit_and_abort(self.bus.bootstrap, topics.SUBMISSIONS, 2)


async def test_for_minutes_everything_breaks_and_everything_is_judged_once(
    bus: RunningBus, capsys: pytest.CaptureFixture[str]
) -> None:
    while len(bus.routers) < ROUTERS:
        bus.start_router()
    async with talking(bus) as town:
        trouble = Trouble(bus, town)
        until = time.monotonic() + MINUTES * 60
        try:
            while time.monotonic() < until:
                await trouble.make()
                await asyncio.sleep(random.uniform(0, 6))
                if random.random() < 0.3:
                    await town.judged(20)
        finally:
            await trouble.wake()
            await trouble.revive()
        for router in bus.routers:
            await asyncio.to_thread(router.wait_ready, CALM_S)
    with capsys.disabled():
        sys.stdout.write(f"\n{len(town.expected)} events through {dict(Counter(trouble.done))}\n")

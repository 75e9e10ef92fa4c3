"""
A client is killed before and after every transaction of its store, and opened again.

Afterwards each event was routed once, each delivery is there once, and nothing is left waiting.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from sqlite3 import Connection
from typing import Literal

import pytest

from referral_bus import Code, Draft, ReferralBus
from referral_bus._store import Store
from referral_contracts.verbs import Verb
from tests.sdk.town import ACCEPTANCE, OPENING, REQUEST, Town

pytestmark = pytest.mark.asyncio

When = Literal["before", "after"]
App = Callable[[ReferralBus], Awaitable[None]]
STEPS_AT_MOST = 60


class Killed(BaseException):
    """The process ended here."""


class Power:
    """Fails at one transaction, counted over all lives of a client, and for good until the next life."""

    def __init__(self, town: Town, agency: str, at: int, when: When) -> None:
        self._faults = town.sim.faults.setdefault(agency, type(town.sim.faults["hotline-111"])())
        self._at = at
        self._when = when
        self._count = 0
        self.dead = False
        self.failed = False

    def feed(self, store: Store) -> None:
        """Let the transactions of *store* count."""
        write = store.write

        @contextmanager
        def counted(*, durable: bool = True) -> Iterator[Connection]:
            self._count += 1
            self._die(self._count == self._at and self._when == "before")
            with write(durable=durable) as db:
                yield db
            self._die(self._count == self._at)

        store.write = counted  # type: ignore[method-assign]

    def _die(self, now: bool) -> None:
        if now:
            self.dead = self.failed = self._faults.away = True
        if self.dead:
            raise Killed

    def restore(self) -> None:
        self.dead = self._faults.away = False


async def live(town: Town, agency: str, power: Power, app: App, done: Callable[[ReferralBus], bool]) -> None:
    """Run *app* until *done*, in as many lives as it takes."""
    while True:
        power.restore()
        bus = town.bus(agency)
        async with bus:
            power.feed(bus._engine.home.store)
            work = asyncio.ensure_future(app(bus))
            try:
                ended = await town.until(over(power, done, bus))
            finally:
                work.cancel()
                with suppress(asyncio.CancelledError, Killed):
                    await work
                await reap(bus)
        if ended and not power.dead:
            return


def over(power: Power, done: Callable[[ReferralBus], bool], bus: ReferralBus) -> Callable[[], bool]:
    return lambda: power.dead or done(bus)


async def reap(bus: ReferralBus) -> None:
    """Let the loops of a killed client end with what killed them."""
    for task in bus._engine._tasks:
        task.cancel()
        with suppress(asyncio.CancelledError, Killed):
            await task


async def play(town: Town, killed: str, power: Power) -> None:
    """Play one case between hotline and ward, one of whom is killed."""
    nobody = Power(town, "hotline-111" if killed == "ward-a" else "ward-a", -1, "before")
    drafts: list[Draft] = []

    async def hotline(bus: ReferralBus) -> None:
        if not drafts:
            opened = bus.open_case(OPENING)
            drafts.extend((opened, bus.assign(opened.subject, {"ward-a": [REQUEST]})))
        for draft in drafts:
            await bus.send(draft)
        while True:
            await (await bus.next(timeout_s=30)).ack()

    async def ward(bus: ReferralBus) -> None:
        while True:
            delivery = await bus.next(timeout_s=30)
            async with delivery:
                if delivery.verb is Verb.ASSIGNED:
                    await delivery.accept(ACCEPTANCE)

    def ended(bus: ReferralBus, deliveries: int) -> bool:
        status = bus.status()
        there = sum(1 for _ in bus.deliveries(acknowledged=True))
        return status.waiting == 0 and status.unacknowledged == 0 and there == deliveries

    await asyncio.gather(
        live(town, "hotline-111", power if killed == "hotline-111" else nobody, hotline, lambda bus: ended(bus, 2)),
        live(town, "ward-a", power if killed == "ward-a" else nobody, ward, lambda bus: ended(bus, 1)),
    )


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("killed", ["hotline-111", "ward-a"])
async def test_a_crash_at_any_step_loses_nothing_and_doubles_nothing(tmp_path: Path, killed: str, when: When) -> None:
    for at in count(1):
        assert at < STEPS_AT_MOST
        town = Town(tmp_path / str(at))
        town.folder.mkdir()
        town.sim.connect("hotline-111")
        power = Power(town, killed, at, when)
        await play(town, killed, power)
        verbs = sorted(event.verb.value for event in town.routed())

        assert verbs == ["case.opened", "handoff.accepted", "handoff.assigned", "handoff.received"], at
        assert set(town.codes()) <= {Code.ACCEPTED, Code.DUPLICATE}, at
        if not power.failed:
            break
    assert at > 10

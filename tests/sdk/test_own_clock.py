"""A machine's clock that is wrong is corrected by what the bus says."""

import pytest

from referral_bus import Code, ReferralBus
from referral_bus.testing import Clock
from referral_contracts.encoding import format_time, parse_time
from tests.sdk.town import CRIME, HOUR_S, KEYS, OPENING, Town

pytestmark = pytest.mark.asyncio


class Shifted:
    """A clock that goes wrong by a fixed amount."""

    def __init__(self, clock: Clock, by_ms: int) -> None:
        self._clock = clock
        self.by_ms = by_ms

    def now_ms(self) -> int:
        return self._clock.now_ms() + self.by_ms

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


class TestClock:
    @pytest.mark.parametrize("hours", [-5, 5])
    async def test_a_clock_that_is_hours_wrong_is_corrected_by_the_verdict(self, town: Town, hours: int) -> None:
        town.sim.clock.wind(24 * HOUR_S)
        async with shifted(town, hours * HOUR_S) as bus:
            opened = bus.open_case(OPENING)
            assert (await bus.send(opened)).accepted
            assert (await bus.send(bus.offer(opened.subject, {"police-b": [CRIME]}))).accepted

            assert town.codes() == [Code.OUTSIDE_WINDOW, Code.ACCEPTED, Code.ACCEPTED]
            assert bus.status().clock_offset_ms == hours * HOUR_S * 1000
            assert town.submitted()[-1].time == format_time(town.sim.clock.now_ms())

    async def test_a_clock_that_is_behind_the_directory_is_corrected_by_it(self, town: Town) -> None:
        # By such a clock no key would be valid yet, and no verdict would ever come to correct it.
        async with shifted(town, -5 * HOUR_S) as bus:
            assert (await bus.send(bus.open_case(OPENING))).accepted
            assert town.codes() == [Code.ACCEPTED]
            assert bus.status().clock_offset_ms == -5 * HOUR_S * 1000

    async def test_the_correction_outlives_a_restart(self, town: Town) -> None:
        for _ in range(2):
            async with shifted(town, 300) as bus:
                await bus.send(bus.open_case(OPENING))

                assert bus.status().clock_offset_ms == 300_000
        now_ms = town.sim.clock.now_ms()

        assert {parse_time(event.time) for event in town.submitted()} == {now_ms, now_ms + 300_000}


@pytest.mark.parametrize("count", [1, 20])
async def test_a_clock_that_goes_back_by_days_leaves_nothing_waiting_for_them(town: Town, count: int) -> None:
    town.sim.clock.wind(24 * HOUR_S)
    clock = Shifted(town.sim.clock, 0)
    bus = ReferralBus(
        "hotline-111",
        KEYS["hotline-111"],
        town.sim.root,
        store=town.folder / "hotline.db",
        transport=town.sim.connect("hotline-111"),
        clock=clock,
    )
    async with bus:
        await bus.ready()
        town.sim.automatic = False
        clock.by_ms = 3 * 24 * HOUR_S * 1000
        sent = [await bus.send(bus.open_case(OPENING), wait=False) for _ in range(count)]
        await town.wind(5)
        assert len(town.submitted()) == count
        clock.by_ms = 0
        await town.wind(60)
        # By the right clock it was handed over in three days: that is no reason to wait for them.
        assert len(town.submitted()) == 2 * count
        town.sim.automatic = True

        assert all([(await bus.wait(one)).accepted for one in sent])


def shifted(town: Town, seconds: float) -> ReferralBus:
    """Return the hotline's client, its clock wrong by *seconds*."""
    return ReferralBus(
        "hotline-111",
        KEYS["hotline-111"],
        town.sim.root,
        store=town.folder / "hotline.db",
        transport=town.sim.connect("hotline-111"),
        clock=Shifted(town.sim.clock, round(seconds * 1000)),
    )

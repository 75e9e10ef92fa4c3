"""Connections that fail, hang or never come: each is thrown away and made again, and its trouble has a code."""

import asyncio

import pytest

from referral_bus import Code, Connect, LocalError, ReferralBus
from referral_bus.testing import Faults, MemoryTransport
from tests.sdk.town import KEYS, OPENING, Town

pytestmark = pytest.mark.asyncio


def over(town: Town, connect: Connect) -> ReferralBus:
    return ReferralBus(
        "hotline-111",
        KEYS["hotline-111"],
        town.sim.root,
        store=town.folder / "hotline.db",
        transport=connect,
        clock=town.sim.clock,
    )


class Fragile:
    """Connections of which each works for a while and then never again."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self.made: list[tuple[MemoryTransport, Faults]] = []
        self.closed = 0

    def connect(self) -> MemoryTransport:
        faults = Faults()
        transport = _Closing(self, self._town, faults)
        self.made.append((transport, faults))
        return transport

    def break_all(self) -> None:
        for _, faults in self.made:
            faults.away = True


class _Closing(MemoryTransport):
    def __init__(self, owner: Fragile, town: Town, faults: Faults) -> None:
        super().__init__(town.sim.broker, faults)
        self._owner = owner

    async def close(self) -> None:
        self._owner.closed += 1
        await super().close()


async def test_a_connection_that_broke_is_closed_and_another_one_is_made(town: Town) -> None:
    fragile = Fragile(town)
    async with over(town, fragile.connect) as bus:
        for _ in range(3):
            sending = asyncio.ensure_future(bus.send(bus.open_case(OPENING)))
            await town.wind(10)
            assert (await sending).accepted
            fragile.break_all()
            await town.wind(15)

        assert len(fragile.made) > 3 * 3
        assert bus.status().receiving is None
    assert fragile.closed == len(fragile.made)


async def test_no_connection_at_all_is_told_and_tried_again(town: Town) -> None:
    ready = False

    async def connect() -> MemoryTransport:
        await asyncio.sleep(0)
        if not ready:
            raise LocalError(Code.BROKER_AWAY, "refused")
        return MemoryTransport(town.sim.broker)

    async with over(town, connect) as bus:
        await town.wind(30)
        assert bus.status().receiving is bus.status().sending is Code.BROKER_AWAY
        waiting = asyncio.ensure_future(bus.ready(timeout_s=5))
        await town.wind(10)
        with pytest.raises(LocalError) as refusal:
            await waiting
        assert refusal.value.code is Code.BROKER_AWAY
        ready = True
        await town.wind(10)

        assert (await bus.send(bus.open_case(OPENING))).accepted


async def test_a_connection_that_never_comes_is_given_up(town: Town) -> None:
    hanging = True

    async def connect() -> MemoryTransport:
        if hanging:
            await asyncio.get_running_loop().create_future()
        return MemoryTransport(town.sim.broker)

    async with over(town, connect) as bus:
        await town.wind(20)
        assert bus.status().receiving is Code.BROKER_AWAY
        hanging = False
        await town.wind(40)

        assert (await bus.send(bus.open_case(OPENING))).accepted


async def test_a_fault_of_the_client_is_told_to_everybody_who_waits(town: Town) -> None:
    class Broken(MemoryTransport):
        async def bounds(self, topic: str, partition: int) -> tuple[int, int]:
            raise ZeroDivisionError

    async with over(town, lambda: Broken(town.sim.broker)) as bus:
        with pytest.raises(Exception, match="internal") as failure:
            await bus.ready()

        assert "ZeroDivisionError" in str(failure.value)
        with pytest.raises(Exception, match="internal"):
            await bus.next(timeout_s=5)


async def test_whether_the_broker_answers_is_known_as_soon_as_it_does(town: Town) -> None:
    town.sim.broker.away = True
    fragile = Fragile(town)
    async with over(town, fragile.connect) as bus:
        asking = asyncio.ensure_future(bus.answers(timeout_s=4))
        await town.wind(5)
        assert await asking is False

        asking = asyncio.ensure_future(bus.answers(timeout_s=3600))
        town.sim.broker.away = False
        await town.wind(10)
        assert await asking is True

        # Only whether it ever did: what is wrong now, `status` tells.
        fragile.break_all()
        await town.wind(5)
        assert await bus.answers(timeout_s=1) is True

"""What needs a newer directory than the one that is here waits for it."""

from collections.abc import Sequence

import pytest

from referral_bus import Code, LocalError, ReferralBus, Transport
from referral_bus.testing import MemoryTransport
from referral_bus.transport import Submission
from referral_contracts import topics
from referral_contracts.records import Record
from tests.sdk.town import REQUEST, Town, case_with

pytestmark = pytest.mark.asyncio


class Blocked:
    """A transport that cannot reach the directory's topic while `blocked`."""

    blocked = False

    def __init__(self, inner: MemoryTransport) -> None:
        self._inner = inner

    async def submit(self, topic: str, submissions: Sequence[Submission]) -> None:
        await self._inner.submit(topic, submissions)

    async def read(self, topic: str, partition: int, offset: int, timeout_s: float) -> Sequence[Record]:
        records = await self._inner.read(topic, partition, offset, timeout_s)
        if Blocked.blocked and topic == topics.DIRECTORY:
            raise LocalError(Code.BROKER_AWAY)
        return records

    async def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        return await self._inner.bounds(topic, partition)

    async def partitions(self, topic: str) -> int:
        return await self._inner.partitions(topic)

    async def close(self) -> None:
        await self._inner.close()


def blocked_bus(town: Town, agency: str) -> ReferralBus:
    connect = town.sim.connect(agency)

    async def connected() -> Transport:
        return Blocked(connect())

    return ReferralBus(
        agency,
        town.sim.keys[agency],
        town.sim.root,
        store=town.folder / f"{agency}.db",
        transport=connected,
        clock=town.sim.clock,
    )


class TestDirectoryBehind:
    async def test_what_a_new_agency_says_waits_until_the_directory_has_it(self, town: Town) -> None:
        async with blocked_bus(town, "ward-a") as ward:
            await ward.ready()
            Blocked.blocked = True
            town.sim.change_directory(agencies=[town.sim.entry("hotline-112", ["hotline"])])
            async with town.bus("hotline-112") as new:
                await case_with(town, new, {"ward-a": [REQUEST]})
            await town.wind(10)
            assert ward.status().receiving in {Code.DIRECTORY_BEHIND, Code.BROKER_AWAY}
            assert list(ward.deliveries()) == []
            assert ward.alarms() == ()
            Blocked.blocked = False
            await town.wind(10)

            assert (await ward.next(timeout_s=30)).source == "hotline-112"
            assert ward.alarms() == ()
            assert ward.status().receiving is None

    async def test_what_was_decided_by_a_newer_directory_than_ours_waits_for_it(self, town: Town) -> None:
        async with blocked_bus(town, "ward-a") as ward:
            await ward.ready()
            Blocked.blocked = True
            town.sim.clock.wind(8 * 24 * 3600)
            town.sim.change_directory()
            async with town.bus("hotline-111") as hotline:
                await case_with(town, hotline, {"ward-a": [REQUEST]})
            await town.wind(10)
            assert ward.status().directory is Code.DIRECTORY_EXPIRED
            assert ward.status().receiving is Code.DIRECTORY_EXPIRED
            assert list(ward.deliveries()) == []
            Blocked.blocked = False
            await town.wind(10)

            assert (await ward.next(timeout_s=30)).payloads == (REQUEST,)
            assert ward.alarms() == ()

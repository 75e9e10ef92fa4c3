"""What the router brings to its core: who has an inbox, and whether its directory may be decided by."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from referral_contracts.codes import Code
from referral_contracts.directory import Directory
from referral_contracts.errors import LocalError
from referral_contracts.verbs import Verb
from referral_router.app import Desk, ReferralFold, Topology
from service_chassis.metrics import Metrics
from tests.services.referral_router import founding
from tests.services.referral_router.founding import BUS, HOTLINE, KEYS, NOW
from tests.services.referral_router.world import World

WHOLE = {
    "referral.submissions": 2,
    "directory.submissions": 1,
    "referral.ledger": 3,
    "referral.state": 3,
    "directory": 1,
}


class Broker:
    """A broker that has topics and counts how often it is asked for them."""

    def __init__(self, *inboxes: str) -> None:
        self.topics = {**WHOLE, **{f"inbox.{name}": 1 for name in inboxes}}
        self.asked = 0

    async def ask(self) -> dict[str, int]:
        self.asked += 1
        return dict(self.topics)


class TestTopology:
    @pytest.mark.asyncio
    async def test_an_inbox_that_was_just_made_is_found(self) -> None:
        broker = Broker("ward-a")
        topology = Topology(broker.ask)
        await topology.refresh()
        broker.topics["inbox.police-b"] = 1
        await topology.look_for(["ward-a", "police-b"])

        assert {"ward-a", "police-b"} == topology.inboxes

    @pytest.mark.asyncio
    async def test_whoever_names_what_is_not_there_does_not_make_us_ask_for_ever(self) -> None:
        broker = Broker("ward-a")
        topology = Topology(broker.ask)
        for _ in range(50):
            await topology.look_for(["nobody"])

        assert broker.asked == 1

    @pytest.mark.asyncio
    @pytest.mark.parametrize(
        ("changed", "code"),
        [({"referral.ledger": 2}, Code.TOPIC_MISCONFIGURED), ({"referral.state": 2}, Code.TOPIC_MISCONFIGURED)],
    )
    async def test_partitions_that_do_not_belong_to_each_other(self, changed: dict[str, int], code: Code) -> None:
        broker = Broker()
        broker.topics |= changed
        topology = Topology(broker.ask)
        await topology.refresh()

        with pytest.raises(LocalError) as caught:
            topology.partitions()

        assert code == caught.value.code

    def test_a_broker_without_the_topics_of_a_bus(self) -> None:
        with pytest.raises(LocalError) as caught:
            Topology(Broker().ask).partitions()

        assert caught.value.code == Code.TOPIC_MISSING


class TestWaiting:
    def fold(self, directory: Directory | None) -> ReferralFold:
        desk = Desk(
            bus=BUS,
            key=KEYS["router"].signing,
            root=founding.ROOT,
            partitions=1,
            directory=lambda: directory,
            unusable=lambda _: None if directory else Code.DIRECTORY_MISSING,
            topology=Topology(Broker().ask),
            threads=ThreadPoolExecutor(1),
            metrics=Metrics(),
        )
        return ReferralFold(desk, 0)

    def test_a_partition_that_was_judged_by_a_newer_directory_waits_for_it(self) -> None:
        world = World()
        world.accepted(world.say(HOTLINE, Verb.CASE_OPENED))
        after = world.router.after
        assert after is not None
        fold = self.fold(world.directory)
        fold.restore(b"@position", replace(after, directory=after.directory + 1).encode())

        assert fold.waits(NOW) == Code.DIRECTORY_BEHIND

    def test_a_partition_goes_on_by_the_directory_it_was_judged_by(self) -> None:
        world = World()
        world.accepted(world.say(HOTLINE, Verb.CASE_OPENED))
        after = world.router.after
        assert after is not None
        fold = self.fold(world.directory)
        fold.restore(b"@position", after.encode())

        assert fold.waits(NOW) is None

    def test_a_partition_without_a_directory_waits(self) -> None:
        assert self.fold(None).waits(NOW) == Code.DIRECTORY_MISSING

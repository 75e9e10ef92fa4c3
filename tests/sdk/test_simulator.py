"""The testing aid itself: time by hand, faults on demand."""

import asyncio

import pytest

import referral_router.core
from referral_bus import AgencyKeys, Code, LocalError
from referral_bus.testing import SERVICES, Clock, Loss, MemoryBroker, Simulator
from referral_bus.transport import Submission
from referral_contracts import topics
from referral_contracts.records import Write
from referral_contracts.topics import TopicSpec, inbox


async def turn() -> None:
    """Let everybody who can go on go on."""
    for _ in range(5):
        await asyncio.sleep(0)


class TestClock:
    @pytest.mark.asyncio
    async def test_a_sleep_ends_when_the_clock_was_wound_that_far_and_not_before(self) -> None:
        clock = Clock()
        short, long = asyncio.create_task(clock.sleep(10)), asyncio.create_task(clock.sleep(20))
        await turn()
        clock.wind(9.999)
        await turn()

        assert not short.done()
        assert clock.sleepers == 2

        clock.wind(0.001)
        await turn()

        assert short.done()
        assert not long.done()

        clock.wind(3600)
        await long

        assert clock.sleepers == 0

    @pytest.mark.asyncio
    async def test_a_sleep_of_nothing_lets_others_go_on_and_ends(self) -> None:
        other = asyncio.create_task(asyncio.sleep(0))
        await Clock().sleep(0)
        await Clock().sleep(0)

        assert other.done()

    @pytest.mark.asyncio
    async def test_who_gives_up_sleeping_is_forgotten(self) -> None:
        clock = Clock()
        sleeper = asyncio.create_task(clock.sleep(1))
        await turn()
        sleeper.cancel()
        await turn()

        assert clock.sleepers == 0

    @pytest.mark.asyncio
    async def test_it_can_be_wound_from_one_waking_to_the_next(self) -> None:
        clock, woken = Clock(0), []

        async def sleep(seconds: float) -> None:
            await clock.sleep(seconds)
            woken.append(clock.now_ms())

        sleepers = [asyncio.create_task(sleep(seconds)) for seconds in (3, 1, 2)]
        await turn()
        while clock.wind_to_next():
            await turn()
        await asyncio.gather(*sleepers)

        assert woken == [1_000, 2_000, 3_000]
        assert not clock.wind_to_next()


class TestFaults:
    @pytest.fixture
    def simulator(self) -> Simulator:
        return Simulator(core=referral_router.core, agencies={"ward-a": ["commune"]}, automatic=False)

    @pytest.mark.asyncio
    async def test_a_submission_is_lost_or_only_its_answer_or_it_comes_twice(self, simulator: Simulator) -> None:
        transport, faults = simulator.connect("ward-a")(), simulator.faults["ward-a"]
        for fault in ("lost_submits", "lost_acks"):
            setattr(faults, fault, 1)
            with pytest.raises(LocalError) as error:
                await transport.submit(topics.SUBMISSIONS, [Submission(0, None, fault.encode())])
            assert error.value.code is Code.BROKER_AWAY
        faults.doubled = 1
        await transport.submit(topics.SUBMISSIONS, [Submission(0, None, b"doubled")])
        await transport.submit(topics.SUBMISSIONS, [Submission(0, None, b"plain")])
        values = [record.value for record in simulator.broker.records(topics.SUBMISSIONS, 0)]

        assert values == [b"lost_acks", b"doubled", b"doubled", b"plain"]

    @pytest.mark.asyncio
    async def test_a_router_that_stands_still_does_what_was_left_once_it_goes_on(self, simulator: Simulator) -> None:
        transport = simulator.connect("ward-a")()
        await transport.submit(topics.SUBMISSIONS, [Submission(0, None, b"waits")])

        assert simulator.broker.records(topics.LEDGER, 0) == []

        simulator.automatic = True

        assert len(simulator.broker.records(topics.LEDGER, 0)) == 1

    @pytest.mark.asyncio
    async def test_one_agency_can_be_cut_off_alone(self, simulator: Simulator) -> None:
        ward, other = simulator.connect("ward-a")(), simulator.connect("other")()
        simulator.faults["ward-a"].away = True

        assert await other.partitions(topics.SUBMISSIONS) == 2
        with pytest.raises(LocalError):
            await ward.partitions(topics.SUBMISSIONS)

    @pytest.mark.asyncio
    async def test_a_wait_ends_when_the_broker_goes_or_the_time_is_over(self, simulator: Simulator) -> None:
        transport = simulator.connect("ward-a")()
        waiting = asyncio.create_task(transport.read(inbox("ward-a"), 0, 0, 5))
        await turn()
        simulator.clock.wind(5)

        assert list(await waiting) == []

        waiting = asyncio.create_task(transport.read(inbox("ward-a"), 0, 0, 5))
        await turn()
        simulator.broker.away = True
        with pytest.raises(LocalError):
            await waiting


def test_a_transaction_that_cannot_be_stored_whole_is_not_stored() -> None:
    broker = MemoryBroker(Clock())
    broker.create([TopicSpec(name="small", partitions=1, config={"max.message.bytes": "200"})])
    with pytest.raises(LocalError):
        broker.transact([Write("small", 0, None, b"fits"), Write("small", 0, None, b"x" * 200)])

    assert broker.bounds("small", 0) == (0, 0)


def test_a_bus_is_founded_with_its_services_and_agencies() -> None:
    desks = AgencyKeys.generate("ward-a", desks=["night"])
    simulator = Simulator(core=referral_router.core, agencies={"ward-a": ["commune"]}, keys={"ward-a": desks})
    directory = simulator.directory
    member = directory.member("ward-a")

    assert directory.version == 1
    assert {*SERVICES, "ward-a"} == {name for name in directory.entries if directory.member(name) is not None}
    assert member is not None
    assert {"ward-a", "ward-a/night"} == member.addresses
    assert {"ward-a", "ward-a/night"} == set(member.seal_keys)


def test_an_agency_can_join_later_even_when_transactions_are_lost() -> None:
    simulator = Simulator(core=referral_router.core, agencies={})
    simulator.losses += [Loss.BEFORE, Loss.AFTER]
    simulator.change_directory(agencies=[simulator.entry("ward-a", ["commune"])])
    simulator.change_directory(agencies=[simulator.entry("ward-b", ["commune"])])

    assert simulator.directory.version == 3
    assert simulator.directory.member("ward-a") is not None
    assert inbox("ward-b") in simulator.broker.topics()

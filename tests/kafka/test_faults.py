"""
The real router on a real broker while things go wrong: afterwards everything that was said has been judged once.

What has to hold is the same after each: see `tests.kafka.ledger_check`. For minutes: `test_faults_soak`.
"""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from referral_bus import ReferralBus
from referral_contracts.codes import Code
from referral_contracts.lifecycle import State
from referral_contracts.payloads.case import CaseOpening
from referral_contracts.payloads.request import HandoffRequest, Service, Urgency
from referral_contracts.verbs import Verb
from running import RunningBus
from service_process import ServiceProcess
from tests.contracts.payloads.forms import ACTOR
from tests.kafka.answering import answering
from tests.kafka.ledger_check import ledger_holds
from tests.kafka.town import OTHER_COMMUNE, OTHER_POLICE, talking

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio]

OFFERS = 24
PAST_THE_SESSION_S = 12.0
"""Longer than `Limits.session_timeout_ms`: by then the group has given the partitions to somebody else."""


@contextmanager
def stopped(router: ServiceProcess) -> Iterator[None]:
    """Let the process stand still for as long as the block lasts."""
    assert router.process is not None
    router.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        router.process.send_signal(signal.SIGCONT)


async def test_a_router_is_killed_at_a_random_moment(bus: RunningBus) -> None:
    async with talking(bus) as town:
        for router in random.sample(bus.routers, 2):
            await asyncio.sleep(random.uniform(0, 0.5))
            router.kill()
            await town.judged(40)
            router.start()
            await asyncio.to_thread(router.wait_ready)


async def test_routers_come_and_go_and_the_partitions_with_them(bus: RunningBus) -> None:
    async with talking(bus) as town:
        for _ in range(2):
            router = random.choice(bus.routers)
            await asyncio.to_thread(router.stop)
            await town.judged(20)
            router.start()
            await asyncio.to_thread(router.wait_ready)


async def test_a_router_stands_still_past_its_session_and_comes_back(bus: RunningBus) -> None:
    async with talking(bus) as town:
        with stopped(bus.routers[0]):
            await asyncio.sleep(PAST_THE_SESSION_S)
            await town.judged(20)
        await town.judged(20)
        await asyncio.to_thread(bus.routers[0].wait_ready)


async def test_the_broker_restarts(bus: RunningBus) -> None:
    assert bus.node is not None
    async with talking(bus) as town:
        await asyncio.to_thread(bus.node.restart)
        await town.judged(20)
        for router in bus.routers:
            await asyncio.to_thread(router.wait_ready)


async def test_the_broker_is_killed_and_started_again(bus: RunningBus) -> None:
    assert bus.node is not None
    async with talking(bus) as town:
        await asyncio.to_thread(bus.node.kill)
        await asyncio.to_thread(bus.node.restart)
        await town.judged(20)


async def test_an_agency_that_is_killed_again_and_again_answers_everything_once(bus: RunningBus) -> None:
    keys = bus.founding.keys(OTHER_COMMUNE)
    folder = bus.founding.folder(OTHER_POLICE)
    store = bus.founding.folder(OTHER_COMMUNE) / "store.db"
    heard: Counter[tuple[Verb, str]] = Counter()
    async with ReferralBus(
        OTHER_COMMUNE,
        keys,
        bus.founding.trust,
        store=store,
        transport=lambda: bus.founding.transport(bus.bootstrap, OTHER_COMMUNE),
    ) as commune:
        await commune.ready()
        for _ in range(OFFERS):
            opened = await commune.send(commune.open_case(opening()), wait=False)
            await commune.send(commune.offer(opened.subject, {OTHER_POLICE: [request()]}), wait=False)
        moments = sorted(random.sample(range(2 * OFFERS), 3))
        for until in (*moments, 2 * OFFERS):
            with answering(folder, bus.bootstrap):
                while heard.total() < until:
                    delivery = await commune.next(timeout_s=60)
                    async with delivery:
                        heard[delivery.verb, delivery.subject] += 1

        assert Counter(verb for verb, _ in heard) == {Verb.RECEIVED: OFFERS, Verb.ACCEPTED: OFFERS}
        assert set(heard.values()) == {1}
        assert {view.state for case in commune.cases() for view in case.handoffs} == {State.ACCEPTED}
        assert commune.alarms() == ()
    found = await ledger_holds(bus.bootstrap, bus.founding.trust)
    subjects = {subject for _, subject in heard}
    spoken = {delivery.event for delivery in found.deliveries if delivery.subject in subjects}

    # Handed over again after a kill, perhaps; refused, never.
    assert {one.code for one in found.decisions if one.event in spoken} <= {Code.ACCEPTED, Code.DUPLICATE}


def opening() -> CaseOpening:
    return CaseOpening(actor=ACTOR, reason="thử nghiệm")


def request() -> HandoffRequest:
    return HandoffRequest(actor=ACTOR, service=Service.CRIME_REPORT, urgency=Urgency.URGENT, reason="thử nghiệm")

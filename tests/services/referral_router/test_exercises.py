"""An exercise is one from its first event to its last, also out of the archive, and no count has it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client import generate_latest

from referral_contracts.codes import Code
from referral_contracts.lifecycle import CaseState
from referral_contracts.verbs import Verb
from referral_router.app import Desk, ReferralFold, Topology
from referral_router.core.case import Case
from service_chassis.metrics import Metrics
from tests.services.referral_router import founding
from tests.services.referral_router.founding import BUS, DAY, HOTLINE, INBOXES, KEYS, POLICE, SCHOOL, WARD, WATCHER
from tests.services.referral_router.world import Said, World


@pytest.fixture
def world() -> World:
    return World()


def opened(world: World, *, exercise: bool) -> Said:
    return world.accepted(world.say(HOTLINE, Verb.CASE_OPENED, exercise=exercise))


@pytest.mark.parametrize("exercise", [True, False])
class TestOneCaseIsOneOrTheOther:
    def test_whatever_a_party_says_of_it(self, world: World, *, exercise: bool) -> None:
        case = opened(world, exercise=exercise)
        offer = world.accepted(world.say(HOTLINE, Verb.OFFERED, WARD, case=case, exercise=exercise))
        key = offer.to(WARD)
        for said in (
            world.say(HOTLINE, Verb.OFFERED, POLICE, case=case, exercise=not exercise),
            world.say(HOTLINE, Verb.CASE_NOTED, POLICE, case=case, exercise=not exercise),
            world.say(WARD, Verb.RECEIVED, HOTLINE, case=case, about=key, answers=offer, exercise=not exercise),
            world.say(WARD, Verb.ACCEPTED, HOTLINE, case=case, about=key, answers=offer, exercise=not exercise),
            world.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=case, exercise=not exercise),
        ):
            judged = world.judge(said)

            assert judged.code is Code.WRONG_EXERCISE
            assert judged.copies == []
        world.accepted(world.say(WARD, Verb.ACCEPTED, HOTLINE, case=case, about=key, answers=offer, exercise=exercise))

    def test_the_watcher_too(self, world: World, *, exercise: bool) -> None:
        case = opened(world, exercise=exercise)
        offer = world.accepted(world.say(HOTLINE, Verb.OFFERED, WARD, case=case, exercise=exercise))
        for flag, code in ((not exercise, Code.WRONG_EXERCISE), (exercise, Code.ACCEPTED)):
            expired = world.say(
                WATCHER, Verb.EXPIRED, HOTLINE, WARD, case=case, about=offer.to(WARD), answers=offer, exercise=flag
            )

            assert world.code(expired) is code

    def test_a_stranger_learns_nothing_of_it(self, world: World, *, exercise: bool) -> None:
        case = opened(world, exercise=exercise)
        for flag in (True, False):
            assert world.code(world.say(SCHOOL, Verb.CASE_NOTED, HOTLINE, case=case, exercise=flag)) is Code.NOT_FOUND

    @pytest.mark.parametrize(("verb", "state"), [(Verb.CASE_CLOSED, "closed"), (Verb.CASE_VOIDED, "voided")])
    def test_also_when_it_lies_in_the_archive(self, world: World, verb: Verb, state: str, *, exercise: bool) -> None:
        case = opened(world, exercise=exercise)
        ended = world.accepted(world.say(HOTLINE, verb, case=case, answers=case, exercise=exercise))
        world.now += DAY
        world.open_case()
        world = world.restored()
        kept = Case.decode(world.state[case.case.encode()])
        again = world.say(HOTLINE, Verb.CASE_REOPENED, case=case, answers=ended, exercise=not exercise)

        assert (kept.archived, kept.state, kept.exercise) == (True, CaseState(state), exercise)
        assert world.code(again) is Code.WRONG_EXERCISE
        right = world.say(HOTLINE, Verb.CASE_REOPENED, case=case, answers=ended, exercise=exercise)
        assert world.code(right) is (Code.ACCEPTED if state == "closed" else Code.ILLEGAL_TRANSITION)
        assert Case.decode(world.state[case.case.encode()]).exercise is exercise


async def inboxes() -> dict[str, int]:
    return {f"inbox.{agency}": 1 for agency in INBOXES}


@pytest.mark.asyncio
async def test_no_count_of_referrals_has_an_exercise_in_it(world: World) -> None:
    metrics = Metrics()
    desk = Desk(
        bus=BUS,
        key=KEYS["router"].signing,
        root=founding.ROOT,
        partitions=1,
        directory=lambda: world.directory,
        unusable=lambda _: None,
        topology=Topology(inboxes),
        threads=ThreadPoolExecutor(1),
        metrics=metrics,
    )
    fold = ReferralFold(desk, 0)
    practised = world.say(HOTLINE, Verb.CASE_OPENED, exercise=True)
    said = [
        practised,
        world.say(HOTLINE, Verb.CASE_OPENED, exercise=True),
        world.say(HOTLINE, Verb.OFFERED, WARD, case=practised, exercise=False),
        world.say(HOTLINE, Verb.CASE_OPENED),
    ]
    fold.merge(await fold.step(world.take(said), world.now))
    shown = generate_latest(metrics.registry).decode()

    assert 'referral_bus_records_total{outcome="accepted"} 1.0' in shown
    assert 'referral_bus_records_total{outcome="wrong-exercise"} 1.0' in shown
    assert 'referral_bus_exercises_total{outcome="accepted"} 2.0' in shown

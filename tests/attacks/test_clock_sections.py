"""An agency with good keys, a party of a case: what it may tell the deadline watcher, it tells, to do others harm."""

from collections.abc import Sequence

import pytest

from referral_contracts.directory_model import Jurisdiction
from referral_contracts.envelope import EventRef
from referral_contracts.payloads.clock import Trigger
from referral_contracts.topics import OUTPUT_MAX
from referral_contracts.verbs import Verb
from tests.contracts.rules.packs import rule
from tests.stories.deadlines import COMMUNE, EMERGENCY, PROVINCE, Watched, clock, moment, trigger
from tests.stories.world import HOSPITAL, HOTLINE, NEXT_WARD, POLICE, WARD, Said, altered, keys

ANSWERED = rule(
    id='"handoff-answered"',
    trigger='["handoff.offered"]',
    required='["handoff.accepted"]',
    role='"*"',
    whose='"named"',
    scope='"handoff"',
)
BREACH = rule(
    id='"breach-notice-72h"',
    trigger='["data-misdirected"]',
    required='["breach-notified"]',
    role='"*"',
    whose='"named"',
)
PLAN = rule(
    id='"draft-plan-5wd"',
    trigger='["detailed-risk-assessed"]',
    required='["plan-drafted"]',
    whose='"sender"',
    repeats="true",
)
UNLIMITED = rule(id='"record-intake"', trigger='["breach-detected"]', kind='"immediate"', limit=None)
NOWHERE = {"province": None, "commune": None}


def with_hospital(world: Watched) -> tuple[Said, Said]:
    """Open a case and offer a hand-off of it to the hospital, which is a party then; return both."""
    case = world.opened()
    return case, world.say(HOTLINE, Verb.OFFERED, case=case.case, to=[HOSPITAL])


def tell(world: Watched, case: Said, *triggers: Trigger | str, by: str = HOSPITAL) -> Said:
    """Let *by* tell the watcher, and nobody else."""
    return world.say(by, Verb.CLOCK_DISPUTED, case=case.case, clock=clock(*triggers))


def correct(world: Watched, wrong: EventRef, case: Said, *triggers: Trigger | str, by: str = HOSPITAL) -> None:
    """Let *by* say that it was wrong in the event *wrong*, to nobody."""
    said = world.write(by, Verb.CASE_CORRECTED, case=case.case, clock=clock(*triggers))
    data = said.envelope.data.model_copy(update={"supersedes": wrong})
    world.submit(altered(said, keys()[by].signing, data=data))


def outcomes(world: Watched, case: Said) -> Sequence[str | None]:
    return [None if one.outcome is None else one.outcome.value for one in world.clocks(case)]


def test_a_clock_of_nobody_without_a_limit_does_not_stop_the_watcher() -> None:
    world = Watched(EMERGENCY, UNLIMITED)
    case, _ = with_hospital(world)
    tell(world, case, trigger("breach-detected", **NOWHERE))
    world.watching.restart()
    world.wind(13)

    assert world.clock_of(case, "record-intake").responsible is None
    assert world.verbs(WARD)[-1] == "missed"


@pytest.mark.parametrize("at_hand", [True, False])
def test_nobody_takes_back_what_another_has_told(*, at_hand: bool) -> None:
    world = Watched(EMERGENCY, ANSWERED)
    case, offered = with_hospital(world)
    world.clock.wind(60)
    opened = case.ref if at_hand else EventRef(id=case.ref.id, sha256=offered.ref.sha256)
    for wrong in (opened, offered.ref):
        correct(world, wrong, case)
        correct(world, wrong, case, "information-received")

    assert world.clock_of(case).started.event == case.ref.id
    assert outcomes(world, case) == [None, None]


def test_who_corrects_its_own_event_ends_no_clock_that_it_started() -> None:
    world = Watched(EMERGENCY, ANSWERED)
    case, offered = with_hospital(world)
    correct(world, case.ref, case, by=HOTLINE)
    correct(world, offered.ref, case, by=HOTLINE)

    assert outcomes(world, case) == [None, None]


def test_nobody_moves_a_clock_to_another_place_by_an_earlier_moment() -> None:
    world = Watched()
    world.change(NEXT_WARD, jurisdiction=(Jurisdiction(province="02", commune="00202"),))
    case, _ = with_hospital(world)
    day_before = moment(world.clock.now_ms() - 86_400_000)
    tell(world, case, trigger("information-received", occurred_at=day_before, province="02", commune="00202"))
    world.wind(2)
    found = world.clock_of(case)

    assert (found.responsible, found.province, found.commune) == (WARD, PROVINCE, COMMUNE)
    assert world.inbox(NEXT_WARD) == []


@pytest.mark.parametrize("name", ["data-misdirected", "information-received"])
def test_nobody_starts_a_clock_of_one_who_is_not_told(name: str) -> None:
    world = Watched(EMERGENCY, BREACH)
    case, _ = with_hospital(world)
    tell(world, case, trigger(name, whose=NEXT_WARD, occurred_at=moment(world.clock.now_ms() - 864_000_000), **NOWHERE))
    world.wind(2)

    assert NEXT_WARD not in {one.responsible for one in world.clocks(case)}
    assert world.inbox(NEXT_WARD) == []


def test_one_event_that_starts_many_clocks_starts_each_of_them_once() -> None:
    world = Watched(EMERGENCY, PLAN)
    case, _ = with_hospital(world)
    world.say(HOTLINE, Verb.CASE_NOTED, case=case.case, to=[WARD])
    begun = world.clock.now_ms() - 864_000_000
    names = ["detailed-risk-assessed", "plan-drafted"] * 3
    tell(world, case, *[trigger(name, occurred_at=moment(begun + at)) for at, name in enumerate(names)], by=WARD)
    first = {one.id: one.started for one in world.clocks(case)}
    tell(world, case, trigger("plan-drafted", occurred_at=moment(begun - 1)), by=WARD)

    assert {one.id: one.started for one in world.clocks(case)} == first
    assert len(world.clocks(case)) == 4


def test_what_one_cannot_spell_leaves_room_to_tell_others_of_theirs() -> None:
    world = Watched()
    case, _ = with_hospital(world)
    world.say(HOTLINE, Verb.CASE_NOTED, case=case.case, to=[POLICE])
    for _ in range(40):
        world.say(HOSPITAL, Verb.CLOCK_DISPUTED, case=case.case, clock=b"{}")
    world.say(POLICE, Verb.CLOCK_DISPUTED, case=case.case, clock=b"{}")
    world.look()

    assert world.verbs(POLICE) == ["unreadable"]
    assert world.verbs(HOSPITAL) == ["unreadable"] * 16


def test_what_one_tells_fills_nobodys_record() -> None:
    world = Watched()
    case, _ = with_hospital(world)
    begun = world.clock.now_ms() - 864_000_000
    for number in range(6):
        at = [moment(begun + 1000 * number + one) for one in range(500 if number else 200)]
        tell(world, case, *[trigger("commune-informed", occurred_at=one) for one in at])
    world.look()
    found = world.watching.case(case.case)

    assert [one.sender for one in found.docket.heard].count(HOSPITAL) == 200
    assert world.verbs(HOSPITAL) == ["unreadable"] * 5

    world.wind(13)

    assert world.verbs(WARD)[-1] == "missed"
    assert sum(fold.size() for fold in world.watching.folds) < OUTPUT_MAX // 8

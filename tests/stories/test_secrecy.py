"""Who may not know must not be able to find out: not by asking, not by guessing, not by being refused."""

import pytest

from referral_contracts.codes import Code
from referral_contracts.decisions import Verdict
from referral_contracts.envelope import HandoffKey
from referral_contracts.sealing import new_event_id
from referral_contracts.verbs import Verb
from tests.stories.world import (
    HOSPITAL,
    HOTLINE,
    LEGAL_AID,
    POLICE,
    ROLES,
    SCHOOL,
    STRANGER,
    WARD,
    Said,
    World,
    altered,
    keys,
)

NO_CASE = "0" * 32
TOLD = {"case_head", "case_state", "first", "handoff", "head", "open", "state"}
"""What a verdict may tell of a case or hand-off."""


@pytest.fixture
def world() -> World:
    return World(partitions=1)


@pytest.fixture
def opened(world: World) -> Said:
    return world.say(HOTLINE, Verb.CASE_OPENED)


def learns(verdict: Verdict) -> set[str]:
    return TOLD & set(verdict.model_dump(exclude_none=True))


def stranger_says(world: World, case: str, about: HandoffKey, opening: Said) -> list[Said]:
    """Return one event of each kind that a stranger might try on *case*."""
    return [
        world.write(STRANGER, Verb.OFFERED, case=case, to=[POLICE]),
        world.write(STRANGER, Verb.CASE_NOTED, case=case, to=[WARD]),
        world.write(STRANGER, Verb.CASE_CLOSED, case=case, answers=opening),
        world.write(STRANGER, Verb.CASE_TRANSFER_ACCEPTED, case=case, to=[HOTLINE], answers=opening),
        world.write(STRANGER, Verb.ACCEPTED, case=case, to=[HOTLINE], about=about, answers=opening),
        world.write(STRANGER, Verb.RECEIVED, case=case, to=[HOTLINE], about=about, answers=opening),
    ]


def test_a_stranger_cannot_tell_a_case_that_is_from_one_that_is_not(world: World, opened: Said) -> None:
    assigned = world.say(HOTLINE, Verb.ASSIGNED, case=opened.case, to=[WARD])
    before = {name: len(world.inbox(name)) for name in ROLES}
    known = [world.answer(said) for said in stranger_says(world, opened.case, assigned.to(WARD), assigned)]
    unknown = [world.answer(said) for said in stranger_says(world, NO_CASE, assigned.to(WARD), assigned)]

    assert {Code.NOT_FOUND} == {verdict.code for verdict in (*known, *unknown)}
    assert set() == set().union(*(learns(verdict) for verdict in (*known, *unknown)))
    assert before == {name: len(world.inbox(name)) for name in ROLES}
    world.audit()


def test_a_party_cannot_tell_a_hand_off_of_others_from_none(world: World, opened: Said) -> None:
    team = world.say(HOTLINE, Verb.OFFERED, case=opened.case, parts={POLICE: b"a", HOSPITAL: b"b"})
    world.say(HOTLINE, Verb.OFFERED, case=opened.case, to=[SCHOOL])
    nothing = HandoffKey(opening=new_event_id(world.clock.now_ms()), recipient=POLICE)
    verdicts = [
        world.answer(world.write(SCHOOL, verb, case=opened.case, to=[HOTLINE], about=about, answers=team))
        for verb in (Verb.ACCEPTED, Verb.RECEIVED, Verb.WITHDRAWN)
        for about in (team.to(POLICE), team.to(SCHOOL), nothing)
    ]

    assert {Code.NOT_FOUND} == {verdict.code for verdict in verdicts}
    assert set() == set().union(*map(learns, verdicts))


def test_only_the_owner_is_told_of_the_case_and_only_the_parties_of_the_hand_off(world: World, opened: Said) -> None:
    team = world.say(HOTLINE, Verb.OFFERED, case=opened.case, parts={POLICE: b"a", HOSPITAL: b"b"})
    world.reply(POLICE, Verb.ACCEPTED, team)
    late = world.write(POLICE, Verb.DECLINED, case=opened.case, to=[HOTLINE], about=team.to(POLICE), answers=team)

    assert {"case_head", "case_state"} == learns(world.verdicts(opened)[0])
    assert {"handoff", "head", "state"} == learns(world.answer(late))


def test_those_who_may_not_know_of_each_other_are_not_put_into_one_event(world: World, opened: Said) -> None:
    together = world.write(HOTLINE, Verb.OFFERED, case=opened.case, parts={POLICE: b"a", SCHOOL: b"b"})

    assert world.answer(together).code is Code.RECIPIENTS_APART
    assert world.inbox(POLICE) == []
    assert world.inbox(SCHOOL) == []


def test_an_answer_goes_to_the_opener_and_not_to_the_team(world: World, opened: Said) -> None:
    team = world.say(HOTLINE, Verb.OFFERED, case=opened.case, parts={POLICE: b"a", HOSPITAL: b"b"})
    loud = world.write(
        POLICE, Verb.ACCEPTED, case=opened.case, to=[HOTLINE, HOSPITAL], about=team.to(POLICE), answers=team
    )

    assert world.answer(loud).code is Code.WRONG_RECIPIENTS
    assert [copy.verb for copy in world.inbox(HOSPITAL)] == [Verb.OFFERED]


def test_a_section_is_sealed_to_recipients_or_it_is_refused(world: World, opened: Said) -> None:
    offered = world.write(HOTLINE, Verb.OFFERED, case=opened.case, parts={POLICE: b"a", HOSPITAL: b"b"})
    fewer = offered.envelope.data.model_copy(update={"recipients": (POLICE,)})
    more = offered.envelope.data.model_copy(update={"recipients": (POLICE, HOSPITAL, LEGAL_AID)})

    assert world.answer(altered(offered, keys()[HOTLINE].signing, data=fewer)).code is Code.WRONG_READERS
    assert world.answer(altered(_again(world, opened), keys()[HOTLINE].signing, data=more)).code is Code.WRONG_READERS


def _again(world: World, opened: Said) -> Said:
    # Another id: a refused event has used its own up.
    return world.write(HOTLINE, Verb.OFFERED, case=opened.case, parts={POLICE: b"a", HOSPITAL: b"b"})


def test_a_case_cannot_be_opened_in_the_name_of_another_ones_event(world: World, opened: Said) -> None:
    stolen = world.write(WARD, Verb.CASE_OPENED, case=opened.case, event_id=opened.envelope.id)
    chosen = world.write(WARD, Verb.CASE_OPENED, case=NO_CASE)

    assert world.answer(stolen).code is Code.WRONG_SUBJECT
    assert world.answer(chosen).code is Code.WRONG_SUBJECT


def test_who_may_not_open_cases_opens_none(world: World) -> None:
    assert world.answer(world.write(SCHOOL, Verb.CASE_OPENED)).code is Code.NOT_PERMITTED

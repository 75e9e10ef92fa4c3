"""
The whole story of one child, told once: from the hotline to four agencies and a school, until the case is closed.

Every word in it is invented. Other stories look at parts of it; this one is told with a pause after each step, so that
a test can do something there: kill the router, lose a transaction.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from referral_contracts.codes import Code
from referral_contracts.verbs import Verb
from tests.stories.world import (
    HOSPITAL,
    HOTLINE,
    LEGAL_AID,
    POLICE,
    SCHOOL,
    SECOND_LEGAL_AID,
    SOCIAL_WORK,
    WARD,
    Said,
    World,
    altered,
    keys,
)

INTAKE: Final = "Mẫu 01: Lê Thị Bưởi, 9 tuổi, thôn Tưởng Tượng".encode()
"""Invented, as all of it."""
PARTS: Final = {
    POLICE: "nghi phạm: người quen trong thôn".encode(),
    HOSPITAL: "vết bầm ở tay, khám trong ngày".encode(),
    SOCIAL_WORK: "cần người ở cùng cháu tối nay".encode(),
    LEGAL_AID: "cần luật sư khi lấy lời khai".encode(),
}
TO_SCHOOL: Final = "xin cho biết số ngày nghỉ học".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The events of the story that tests look at."""

    opened: Said
    assigned: Said
    team: Said
    asked_school: Said
    second: Said
    forged: Said
    late: Said
    closed: Said


def tell(world: World, pause: Callable[[], None] = lambda: None) -> Told:
    """Let it happen; *pause* is called after each step."""
    opened, assigned = _reach_the_ward(world, pause)
    case = opened.case
    team = world.say(WARD, Verb.OFFERED, case=case, parts=PARTS)
    pause()
    asked_school = world.say(WARD, Verb.OFFERED, case=case, parts={SCHOOL: TO_SCHOOL})
    pause()
    for member in PARTS:
        world.reply(member, Verb.RECEIVED, team)
        pause()
    world.reply(SCHOOL, Verb.RECEIVED, asked_school)
    pause()
    second = _decline_and_ask_another(world, team, pause)
    late = _withdraw_against_accept(world, team, pause)
    forged = _forge_and_replay(world, team, pause)
    _do_the_work(world, team, asked_school, second, pause)
    transfer = _last_moved_case(world, case)
    early = world.answer(world.write(WARD, Verb.CASE_CLOSED, case=case, answers=transfer))

    assert early.code is Code.OPEN_HANDOFFS
    assert [one.key for one in early.open or ()] == [assigned.to(WARD)]
    pause()
    accepted = next(copy for copy in world.inbox(HOTLINE) if copy.verb is Verb.ACCEPTED)
    done = world.reply(
        WARD, Verb.COMPLETED, assigned, Said(envelope=accepted.envelope, value=accepted.value, signature=b"")
    )
    pause()
    world.say(HOTLINE, Verb.CLOSED, case=case, to=[WARD], about=assigned.to(WARD), answers=done)
    pause()
    closed = world.say(WARD, Verb.CASE_CLOSED, case=case, answers=transfer)
    pause()
    return Told(
        opened=opened,
        assigned=assigned,
        team=team,
        asked_school=asked_school,
        second=second,
        forged=forged,
        late=late,
        closed=closed,
    )


def _reach_the_ward(world: World, pause: Callable[[], None]) -> tuple[Said, Said]:
    opened = world.say(HOTLINE, Verb.CASE_OPENED, parts={})
    pause()
    assigned = world.say(HOTLINE, Verb.ASSIGNED, case=opened.case, parts={WARD: INTAKE})
    pause()
    offered = world.say(HOTLINE, Verb.CASE_TRANSFER_OFFERED, case=opened.case, to=[WARD], answers=opened)
    pause()
    world.reply(WARD, Verb.RECEIVED, assigned)
    pause()
    world.reply(WARD, Verb.ACCEPTED, assigned)
    pause()
    world.say(WARD, Verb.CASE_TRANSFER_ACCEPTED, case=opened.case, to=[HOTLINE], answers=offered)
    pause()
    return opened, assigned


def _last_moved_case(world: World, case: str) -> Said:
    copy = next(copy for copy in world.inbox(HOTLINE) if copy.verb is Verb.CASE_TRANSFER_ACCEPTED)

    assert copy.envelope.subject == case
    return Said(envelope=copy.envelope, value=copy.value, signature=b"")


def _decline_and_ask_another(world: World, team: Said, pause: Callable[[], None]) -> Said:
    world.reply(LEGAL_AID, Verb.DECLINED, team)
    pause()
    second = world.say(WARD, Verb.OFFERED, case=team.case, parts={SECOND_LEGAL_AID: PARTS[LEGAL_AID]})
    pause()
    world.reply(SECOND_LEGAL_AID, Verb.RECEIVED, second)
    pause()
    return second


def _withdraw_against_accept(world: World, team: Said, pause: Callable[[], None]) -> Said:
    """Social work accepts while the ward withdraws: both are signed before either is heard."""
    accepts = world.write(
        SOCIAL_WORK, Verb.ACCEPTED, case=team.case, to=[WARD], about=team.to(SOCIAL_WORK), answers=team
    )
    withdraws = world.write(
        WARD, Verb.WITHDRAWN, case=team.case, to=[SOCIAL_WORK], about=team.to(SOCIAL_WORK), answers=team
    )
    assert world.answer(withdraws).code is Code.ACCEPTED
    pause()
    verdict = world.answer(accepts)

    assert verdict.code is Code.STALE_HEAD
    assert verdict.head == withdraws.ref
    pause()
    return accepts


def _forge_and_replay(world: World, team: Said, pause: Callable[[], None]) -> Said:
    mine = keys()[SCHOOL].signing
    forged = world.write(
        POLICE, Verb.ACCEPTED, case=team.case, to=[WARD], about=team.to(POLICE), answers=team, signer=mine
    )
    world.submit(forged)
    pause()

    assert world.answer(team).code is Code.DUPLICATE
    pause()
    changed = altered(team, keys()[WARD].signing, exercise=True)

    assert world.answer(changed).code is Code.ID_REUSED
    pause()
    return forged


def _do_the_work(world: World, team: Said, asked: Said, second: Said, pause: Callable[[], None]) -> None:
    for member, opening in ((POLICE, team), (HOSPITAL, team), (SECOND_LEGAL_AID, second), (SCHOOL, asked)):
        accepted = world.reply(member, Verb.ACCEPTED, opening)
        pause()
        world.reply(member, Verb.PROGRESSED, opening, accepted)
        pause()
        completed = world.reply(member, Verb.COMPLETED, opening, accepted)
        pause()
        world.say(WARD, Verb.CLOSED, case=team.case, to=[member], about=opening.to(member), answers=completed)
        pause()

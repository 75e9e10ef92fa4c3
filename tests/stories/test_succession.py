"""Communes merge and are split, and the router is killed before each word: nothing is lost, nobody learns more."""

import pytest

from referral_contracts.codes import Code
from referral_contracts.encoding import format_time
from referral_contracts.envelope import HandoffKey
from referral_contracts.lifecycle import State
from referral_contracts.verbs import Verb
from tests.stories.world import HOTLINE, NEXT_WARD, POLICE, SCHOOL, STRANGER, WARD, Said, World

HOUR_S = 3600
SECRET = b'{"injury":"bruises"}'


@pytest.fixture
def world() -> World:
    return World(partitions=1)


def end(world: World, agency: str, *successors: str) -> None:
    """Let the registrar write down that *agency* ends in an hour, and who follows."""
    found = world.simulator.directory.member(agency)
    assert found is not None
    ends_at = format_time(world.clock.now_ms() + HOUR_S * 1000)
    world.simulator.change_directory(
        agencies=[found.entry.model_copy(update={"ends_at": ends_at, "successors": successors})]
    )


def accepted(world: World) -> tuple[Said, Said]:
    """Return a duty of the ward, and the event with which it accepted."""
    case = world.say(HOTLINE, Verb.CASE_OPENED)
    duty = world.say(HOTLINE, Verb.ASSIGNED, case=case.case, parts={WARD: SECRET})
    return duty, world.reply(WARD, Verb.ACCEPTED, duty)


def told(world: World, source: str, key: HandoffKey, case: str, head: Said) -> Code:
    return world.answer(world.write(source, Verb.PROGRESSED, case=case, to=[HOTLINE], about=key, answers=head)).code


def test_a_merge_and_the_work_goes_on_to_its_end(world: World) -> None:
    duty, head = accepted(world)
    key, case = duty.to(WARD), duty.case
    end(world, WARD, NEXT_WARD)
    assert told(world, NEXT_WARD, key, case, head) is Code.NOT_FOUND
    world.clock.wind(HOUR_S)

    assert told(world, WARD, key, case, head) is Code.AGENCY_ENDED
    done = world.say(NEXT_WARD, Verb.COMPLETED, case=case, to=[HOTLINE], about=key, answers=head)
    closed = world.answer(world.write(HOTLINE, Verb.CLOSED, case=case, to=[NEXT_WARD], about=key, answers=done))
    assert (closed.code, closed.state) == (Code.ACCEPTED, State.CLOSED)
    assert [copy.verb for copy in world.inbox(NEXT_WARD)] == [Verb.CLOSED]
    # By succeeding alone it was given nothing of what the ward was told.
    assert SECRET not in [text for copy in world.inbox(NEXT_WARD) for text in copy.read]
    world.audit()


def test_a_split_and_each_has_what_was_moved_to_it(world: World) -> None:
    duty, head = accepted(world)
    key, case = duty.to(WARD), duty.case
    end(world, WARD, NEXT_WARD, SCHOOL)
    moved = world.say(WARD, Verb.MOVED, case=case, to=[HOTLINE], parts={SCHOOL: SECRET}, about=key, answers=head)
    world.clock.wind(HOUR_S)

    assert [copy.read for copy in world.inbox(SCHOOL)] == [(SECRET,)]
    (copy,) = [copy for copy in world.inbox(HOTLINE) if copy.verb is Verb.MOVED]
    assert SECRET not in copy.read
    # The first-named successor, a stranger, and one who was asked something else: one answer for all.
    other = world.say(HOTLINE, Verb.OFFERED, case=case, to=[POLICE])
    assert {told(world, source, key, case, moved) for source in (NEXT_WARD, STRANGER, POLICE)} == {Code.NOT_FOUND}
    assert told(world, SCHOOL, other.to(POLICE), case, other) is Code.NOT_FOUND
    assert told(world, SCHOOL, key, case, moved) is Code.ACCEPTED
    assert world.inbox(NEXT_WARD) == []
    world.audit()


def test_whoever_was_late_is_told_and_the_other_side_is_told_once(world: World) -> None:
    duty, head = accepted(world)
    key, case = duty.to(WARD), duty.case
    end(world, WARD, NEXT_WARD)
    cancelled = world.write(HOTLINE, Verb.CANCELLED, case=case, to=[WARD], about=key, answers=head)
    moved = world.write(WARD, Verb.MOVED, case=case, to=[HOTLINE, NEXT_WARD], about=key, answers=head)
    codes = [world.answer(said).code for said in (moved, cancelled, moved)]

    assert codes == [Code.ACCEPTED, Code.STALE_HEAD, Code.DUPLICATE]
    assert [copy.verb for copy in world.inbox(NEXT_WARD)] == [Verb.MOVED]
    world.audit()

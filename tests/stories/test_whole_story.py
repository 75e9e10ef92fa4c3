import pytest

from referral_contracts.codes import Code
from referral_contracts.lifecycle import CaseState
from referral_contracts.verbs import Verb
from tests.stories.story import INTAKE, PARTS, TO_SCHOOL, Told, tell
from tests.stories.world import (
    LEGAL_AID,
    ROLES,
    SCHOOL,
    SECOND_LEGAL_AID,
    SOCIAL_WORK,
    STRANGER,
    WARD,
    World,
)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def told(world: World) -> Told:
    return tell(world)


def test_it_ends_with_a_closed_case_and_nothing_lost_doubled_or_forged(world: World, told: Told) -> None:
    found = world.audit()

    assert world.verdicts(told.closed)[-1].case_state is CaseState.CLOSED
    assert found.codes == {
        Code.ACCEPTED: sum(decision.case is not None for decision in found.decisions),
        Code.STALE_HEAD: 1,
        Code.UNKNOWN_KEY: 1,
        Code.DUPLICATE: 1,
        Code.ID_REUSED: 1,
        Code.OPEN_HANDOFFS: 1,
    }


def test_each_of_the_team_reads_its_own_part_and_no_other(world: World, told: Told) -> None:
    for member, part in PARTS.items():
        (copy,) = (copy for copy in world.inbox(member) if copy.value == told.team.value)

        assert (part,) == copy.read
        # Three parts of the others, and the watcher's.
        assert copy.closed == len(PARTS)


def test_the_intake_form_is_read_by_the_ward_alone(world: World, told: Told) -> None:
    readers = {name for name in ROLES for copy in world.inbox(name) if INTAKE in copy.read}

    assert {WARD} == readers


def test_the_school_cannot_tell_that_anybody_else_was_asked(world: World, told: Told) -> None:
    copies = world.inbox(SCHOOL)
    clear = b"".join(copy.value for copy in copies)

    assert [copy.verb for copy in copies] == [Verb.OFFERED, Verb.CLOSED]
    assert copies[0].read == (TO_SCHOOL,)
    assert [copy.counter for copy in copies] == [1, 2]
    assert {WARD} == {copy.source for copy in copies}
    assert not [name for name in ROLES if name not in {WARD, SCHOOL} and name.encode() in clear]


def test_who_declined_hears_nothing_more_and_the_other_centre_does_the_work(world: World, told: Told) -> None:
    assert [copy.verb for copy in world.inbox(LEGAL_AID)] == [Verb.OFFERED]
    assert [copy.verb for copy in world.inbox(SECOND_LEGAL_AID)] == [Verb.OFFERED, Verb.CLOSED]


def test_who_accepted_too_late_is_told_by_its_verdict_and_by_the_withdrawal(world: World, told: Told) -> None:
    assert world.told(told.late) is Code.STALE_HEAD
    assert Verb.WITHDRAWN in [copy.verb for copy in world.inbox(SOCIAL_WORK)]
    assert told.late.value not in [copy.value for copy in world.inbox(WARD)]


def test_what_was_forged_reaches_nobody_and_nobody_is_answered(world: World, told: Told) -> None:
    assert world.verdicts(told.forged) == []
    assert [name for name in ROLES if told.forged.value in [copy.value for copy in world.inbox(name)]] == []


def test_a_stranger_hears_nothing(world: World, told: Told) -> None:
    assert world.inbox(STRANGER) == []


def test_nothing_that_was_sealed_lies_anywhere_in_the_clear(world: World, told: Told) -> None:
    stored = [
        part
        for topic in world.broker.topics()
        for partition in range(world.broker.partitions(topic))
        for record in world.broker.records(topic, partition)
        for part in (record.key, record.value, *(content for _, content in record.headers))
    ]

    assert stored
    for secret in (INTAKE, TO_SCHOOL, *PARTS.values()):
        assert not [part for part in stored if part is not None and secret in part]

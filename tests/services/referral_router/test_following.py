"""One hand-off after another: who may take up what, and what is learned by trying."""

from collections.abc import Callable

import pytest

from referral_contracts.codes import Code
from referral_contracts.lifecycle import ENDED_STATES, OPENINGS, State
from referral_contracts.verbs import Verb
from tests.services.referral_router.founding import HOTLINE, HOUR, LEGAL_AID, NEXT_WARD, NOW, POLICE, WARD, WATCHER
from tests.services.referral_router.test_succession import ending
from tests.services.referral_router.world import Said, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def case(world: World) -> Said:
    return world.open_case()


BY_WARD = {Verb.ACCEPTED, Verb.DECLINED, Verb.FAILED, Verb.RETURNED, Verb.MISDIRECTED}


class Handoff:
    """A hand-off of the hotline to the ward, moved along by what is said of it."""

    def __init__(self, world: World, case: Said, verb: Verb = Verb.OFFERED) -> None:
        self.world, self.case = world, case
        self.opening = self.head = world.accepted(world.say(HOTLINE, verb, WARD, case=case))

    def moved(self, *verbs: Verb) -> Said:
        for verb in verbs:
            source = WARD if verb in BY_WARD else HOTLINE
            source = WATCHER if verb is Verb.EXPIRED else source
            to = tuple(one for one in (HOTLINE, WARD) if one != source)
            about = self.opening.to(WARD)
            said = self.world.say(source, verb, *to, case=self.case, about=about, answers=self.head)
            self.head = self.world.accepted(said)
        return self.head


ENDS = {
    State.DECLINED: (Verb.DECLINED,),
    State.EXPIRED: (Verb.EXPIRED,),
    State.WITHDRAWN: (Verb.WITHDRAWN,),
    State.FAILED: (Verb.ACCEPTED, Verb.FAILED),
    State.RETURNED: (Verb.ACCEPTED, Verb.RETURNED),
    State.STOPPED: (Verb.ACCEPTED, Verb.CANCELLED),
    State.CLOSED: (Verb.ACCEPTED, Verb.RETURNED, Verb.CLOSED),
    State.VOIDED: (Verb.VOIDED,),
    State.RECALLED: (Verb.RECALLED,),
    State.MISDIRECTED: (Verb.RECALLED, Verb.MISDIRECTED),
}


def test_every_end_is_tried() -> None:
    assert set(ENDS) == ENDED_STATES


@pytest.mark.parametrize("ended", ENDS)
@pytest.mark.parametrize("verb", OPENINGS)
def test_a_new_handoff_follows_one_that_ended(world: World, case: Said, ended: State, verb: Verb) -> None:
    end = Handoff(world, case).moved(*ENDS[ended])

    assert world.code(world.say(HOTLINE, verb, POLICE, case=case, follows=end)) is Code.ACCEPTED
    # Several may take up the same.
    assert world.code(world.say(HOTLINE, verb, NEXT_WARD, case=case, follows=end)) is Code.ACCEPTED


@pytest.mark.parametrize("moves", [(), (Verb.ACCEPTED,), (Verb.ACCEPTED, Verb.RETURNED)])
def test_what_is_still_on_is_not_followed(world: World, case: Said, moves: tuple[Verb, ...]) -> None:
    handoff = Handoff(world, case)
    heads = [handoff.opening, *(handoff.moved(verb) for verb in moves)]
    now = heads.pop() if Verb.RETURNED in moves else None

    for before in heads:
        expected = Code.ILLEGAL_TRANSITION if before is handoff.head else Code.NOT_FOUND
        assert world.code(world.say(HOTLINE, Verb.OFFERED, POLICE, case=case, follows=before)) is expected
    assert now is None or world.code(world.say(HOTLINE, Verb.OFFERED, POLICE, case=case, follows=now)) is Code.ACCEPTED


def test_a_notice_that_has_arrived_is_not_followed(world: World, case: Said) -> None:
    notice = Handoff(world, case, Verb.NOTIFIED).opening
    arrived = world.say(WARD, Verb.RECEIVED, HOTLINE, case=case, about=notice.to(WARD), answers=notice)
    world.accepted(arrived)

    followed = world.say(HOTLINE, Verb.NOTIFIED, POLICE, case=case, follows=notice)
    assert world.code(followed) is Code.ILLEGAL_TRANSITION


class TestWhose:
    def test_the_owner_takes_up_what_another_asked_for(self, world: World, case: Said) -> None:
        world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case))
        asked = world.accepted(world.say(WARD, Verb.OFFERED, POLICE, case=case))
        declined = world.say(POLICE, Verb.DECLINED, WARD, case=case, about=asked.to(POLICE), answers=asked)
        world.accepted(declined)

        assert world.code(world.say(HOTLINE, Verb.OFFERED, POLICE, case=case, follows=declined)) is Code.ACCEPTED
        assert world.code(world.say(WARD, Verb.OFFERED, LEGAL_AID, case=case, follows=declined)) is Code.ACCEPTED

    @pytest.mark.parametrize(
        "named",
        [
            pytest.param(lambda end, case, other: end, id="what it declined itself"),
            pytest.param(lambda end, case, other: case, id="what ended nothing"),
            pytest.param(lambda end, case, other: other, id="what is of another case"),
        ],
    )
    def test_others_learn_nothing_by_trying(
        self, world: World, case: Said, named: Callable[[Said, Said, Said], Said]
    ) -> None:
        end = Handoff(world, case).moved(Verb.DECLINED)
        other = Handoff(world, world.open_case()).moved(Verb.DECLINED)
        said = world.say(WARD, Verb.OFFERED, POLICE, case=case, follows=named(end, case, other))
        verdict = world.verdict(said)

        assert verdict.code is Code.NOT_FOUND
        assert (verdict.handoff, verdict.head, verdict.state, verdict.case_head) == (None, None, None, None)

    @pytest.mark.parametrize("owner", [True, False])
    def test_a_successor_takes_up_what_its_predecessor_asked_for(
        self, world: World, case: Said, *, owner: bool
    ) -> None:
        offer = world.accepted(world.say(HOTLINE, Verb.CASE_TRANSFER_OFFERED, WARD, case=case, answers=case))
        if owner:
            world.accepted(world.say(WARD, Verb.CASE_TRANSFER_ACCEPTED, HOTLINE, case=case, answers=offer))
        asker = HOTLINE if owner else WARD
        asked = world.accepted(world.say(asker, Verb.OFFERED, POLICE, case=case))
        declined = world.say(POLICE, Verb.DECLINED, asker, case=case, about=asked.to(POLICE), answers=asked)
        world.accepted(declined)
        world.directory, world.now = ending(ward_a=(NEXT_WARD,)), NOW + HOUR

        assert world.code(world.say(NEXT_WARD, Verb.OFFERED, POLICE, case=case, follows=declined)) is Code.ACCEPTED

    def test_the_owner_of_one_case_takes_up_nothing_of_another(self, world: World, case: Said) -> None:
        other = Handoff(world, world.open_case()).moved(Verb.DECLINED)

        assert world.code(world.say(HOTLINE, Verb.OFFERED, POLICE, case=case, follows=other)) is Code.NOT_FOUND

    def test_the_same_id_with_another_hash_is_another_event(self, world: World, case: Said) -> None:
        end = Handoff(world, case).moved(Verb.DECLINED)
        data = {"follows": {"id": end.id, "sha256": case.hash}, "recipients": [POLICE], "sections": []}

        assert world.code(world.say(HOTLINE, Verb.NOTIFIED, case=case, data=data)) is Code.NOT_FOUND


@pytest.mark.parametrize("verb", [Verb.CASE_NOTED, Verb.CASE_CLOSED, Verb.CASE_REOPENED, Verb.WITHDRAWN])
def test_only_what_opens_a_handoff_follows_one(world: World, case: Said, verb: Verb) -> None:
    handoff = Handoff(world, case)
    end = handoff.moved(Verb.DECLINED)
    said = world.say(HOTLINE, verb, WARD, case=case, answers=case, follows=end)

    assert world.code(said) is Code.MALFORMED_ENVELOPE

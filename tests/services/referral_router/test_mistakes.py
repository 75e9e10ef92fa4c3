"""What was entered or sent by mistake: voided, recalled, answered for; also after the end, and when passed on."""

import pytest

from referral_contracts.codes import Code
from referral_contracts.lifecycle import CaseState, State
from referral_contracts.verbs import Verb
from referral_router.core.case import Case
from tests.services.referral_router.founding import DAY, HOTLINE, NEXT_WARD, POLICE, WARD, WATCHER
from tests.services.referral_router.test_handoffs import Loop
from tests.services.referral_router.world import Said, World


def stands(world: World, case: Said, opening: Said, recipient: str) -> State:
    """Return how the router has a hand-off."""
    return Case.decode(world.state[case.case.encode()]).handoffs[f"{opening.id} {recipient}"].state


class TestVoided:
    @pytest.mark.parametrize("opening", [Verb.OFFERED, Verb.ASSIGNED, Verb.NOTIFIED])
    def test_its_sender_says_that_it_was_entered_in_error(self, opening: Verb) -> None:
        loop = Loop(opening)
        loop.move(HOTLINE, Verb.VOIDED)

        assert loop.state() is State.VOIDED
        assert loop.world.code(loop.world.say(HOTLINE, Verb.CASE_CLOSED, case=loop.case, answers=loop.case)) is (
            Code.ACCEPTED
        )

    def test_work_that_had_begun_too(self) -> None:
        loop = Loop()
        loop.move(WARD, Verb.ACCEPTED)
        assert loop.code(WARD, Verb.VOIDED) is Code.WRONG_PARTY
        loop.move(HOTLINE, Verb.VOIDED)

        assert loop.state() is State.VOIDED
        assert loop.code(WARD, Verb.COMPLETED) is Code.ILLEGAL_TRANSITION

    def test_what_has_ended_is_not(self) -> None:
        loop = Loop()
        loop.move(WARD, Verb.DECLINED)

        assert loop.code(HOTLINE, Verb.VOIDED) is Code.ILLEGAL_TRANSITION


class TestRecalled:
    def test_it_stays_open_until_its_recipient_has_answered(self) -> None:
        loop = Loop()
        loop.move(WARD, Verb.RECEIVED)
        loop.move(HOTLINE, Verb.RECALLED)
        closing = loop.world.say(HOTLINE, Verb.CASE_CLOSED, case=loop.case, answers=loop.case)

        verdict = loop.world.verdict(closing)
        assert verdict.code is Code.OPEN_HANDOFFS
        assert [one.state for one in verdict.open or ()] == [State.RECALLED]
        loop.move(WARD, Verb.MISDIRECTED)
        assert loop.state() is State.MISDIRECTED
        again = loop.world.say(HOTLINE, Verb.CASE_CLOSED, case=loop.case, answers=loop.case)
        assert loop.world.code(again) is Code.ACCEPTED

    def test_what_the_owner_has_ended_is_not_asked_back_again(self) -> None:
        loop = Loop(sender=POLICE)
        loop.move(WARD, Verb.RECEIVED)
        loop.move(POLICE, Verb.RECALLED)
        loop.head = loop.world.accepted(loop.say(HOTLINE, Verb.CANCELLED, POLICE, WARD))
        loop.world = loop.world.restored()

        assert loop.code(POLICE, Verb.RECALLED) is Code.ILLEGAL_TRANSITION
        closing = loop.world.say(HOTLINE, Verb.CASE_CLOSED, case=loop.case, answers=loop.case)
        assert loop.world.code(closing) is Code.ACCEPTED
        # Its recipient may still say what became of it.
        loop.move(WARD, Verb.MISDIRECTED)
        assert loop.state() is State.MISDIRECTED

    def test_recall_against_accept_has_one_winner_and_the_loser_is_told(self) -> None:
        for first, second in [
            ((HOTLINE, Verb.RECALLED), (WARD, Verb.ACCEPTED)),
            ((WARD, Verb.ACCEPTED), (HOTLINE, Verb.RECALLED)),
        ]:
            loop = Loop()
            won, lost = loop.say(*first), loop.say(*second)
            state = loop.world.verdict(won).state
            verdict = loop.world.verdict(lost)

            assert (verdict.code, verdict.state, verdict.head) == (Code.STALE_HEAD, state, won.ref)

    def test_a_recall_that_came_second_can_be_said_again_of_what_has_begun(self) -> None:
        loop = Loop()
        loop.move(WARD, Verb.ACCEPTED)
        loop.move(HOTLINE, Verb.RECALLED)

        assert loop.code(WARD, Verb.COMPLETED) is Code.ILLEGAL_TRANSITION
        assert loop.code(WARD, Verb.MISDIRECTED) is Code.ACCEPTED

    @pytest.mark.parametrize(
        "life",
        [
            [(WARD, Verb.DECLINED)],
            [(WARD, Verb.ACCEPTED), (WARD, Verb.COMPLETED), (HOTLINE, Verb.CLOSED)],
            [(WARD, Verb.RECEIVED), (HOTLINE, Verb.WITHDRAWN)],
            [(WARD, Verb.UNREADABLE), (HOTLINE, Verb.VOIDED)],
        ],
    )
    def test_what_has_ended_is_recalled_too_where_its_recipient_has_it(self, life: list[tuple[str, Verb]]) -> None:
        loop = Loop()
        for source, verb in life:
            loop.move(source, verb)
        loop.move(HOTLINE, Verb.RECALLED)

        assert loop.state() is State.RECALLED
        assert loop.code(HOTLINE, Verb.RECALLED) is Code.ILLEGAL_TRANSITION

    @pytest.mark.parametrize("verb", [Verb.WITHDRAWN, Verb.VOIDED])
    def test_what_nobody_is_known_to_hold_is_recalled_once_it_has_arrived(self, verb: Verb) -> None:
        loop = Loop()
        loop.move(HOTLINE, verb)
        assert loop.code(HOTLINE, Verb.RECALLED) is Code.ILLEGAL_TRANSITION

        loop.move(WARD, Verb.RECEIVED)
        assert loop.code(HOTLINE, Verb.RECALLED) is Code.ACCEPTED

    def test_nobody_else_recalls(self) -> None:
        loop = Loop(sender=POLICE)

        assert loop.code(HOTLINE, Verb.RECALLED, POLICE, WARD) is Code.WRONG_PARTY
        assert loop.code(WARD, Verb.RECALLED) is Code.WRONG_PARTY
        assert loop.code(WATCHER, Verb.RECALLED, POLICE, WARD) is Code.NOT_FOUND

    def test_the_owner_ends_a_recall_that_nobody_answers(self) -> None:
        loop = Loop(sender=POLICE)
        loop.move(POLICE, Verb.RECALLED)

        assert loop.code(HOTLINE, Verb.CANCELLED, POLICE, WARD) is Code.ACCEPTED


class TestMisdirected:
    @pytest.mark.parametrize("opening", [Verb.OFFERED, Verb.ASSIGNED, Verb.NOTIFIED])
    @pytest.mark.parametrize("received", [False, True])
    def test_its_recipient_says_so_unasked(self, opening: Verb, *, received: bool) -> None:
        loop = Loop(opening)
        if received:
            loop.move(WARD, Verb.RECEIVED)
        assert loop.code(HOTLINE, Verb.MISDIRECTED) is Code.WRONG_PARTY
        loop.move(WARD, Verb.MISDIRECTED)

        assert loop.state() is State.MISDIRECTED
        assert loop.code(WARD, Verb.ACCEPTED) is Code.ILLEGAL_TRANSITION
        assert loop.code(HOTLINE, Verb.RECALLED) is Code.ILLEGAL_TRANSITION


class TestPassedOn:
    """The hotline assigned a duty to the ward, which forwarded it to the next ward by mistake."""

    def forwarded(self) -> tuple[World, Said, Said, Said]:
        world = World()
        case = world.open_case()
        duty = world.accepted(world.say(HOTLINE, Verb.ASSIGNED, WARD, case=case))
        passed = world.say(WARD, Verb.FORWARDED, HOTLINE, NEXT_WARD, case=case, about=duty.to(WARD), answers=duty)
        world.accepted(passed)
        world.accepted(world.say(NEXT_WARD, Verb.RECEIVED, WARD, case=case, about=passed.to(NEXT_WARD), answers=passed))
        return world, case, duty, passed

    @pytest.mark.parametrize(
        ("source", "verb"), [(WARD, Verb.VOIDED), (WARD, Verb.RECALLED), (NEXT_WARD, Verb.MISDIRECTED)]
    )
    def test_the_duty_is_the_forwarders_again(self, source: str, verb: Verb) -> None:
        world, case, duty, passed = self.forwarded()
        other = NEXT_WARD if source == WARD else WARD
        world.accepted(world.say(source, verb, other, case=case, about=passed.to(NEXT_WARD), answers=passed))

        assert stands(world, case, duty, WARD) is State.ASSIGNED

    def test_the_answer_to_the_recall_leaves_what_the_forwarder_has_done_with_it_since(self) -> None:
        world, case, duty, passed = self.forwarded()
        about = passed.to(NEXT_WARD)
        recall = world.accepted(world.say(WARD, Verb.RECALLED, NEXT_WARD, case=case, about=about, answers=passed))
        right = world.say(WARD, Verb.FORWARDED, HOTLINE, POLICE, case=case, about=duty.to(WARD), answers=passed)
        # Its head is the forwarding that it was taken back from.
        world.accepted(right)
        world.accepted(world.say(POLICE, Verb.RECEIVED, WARD, case=case, about=right.to(POLICE), answers=right))
        world.accepted(world.say(NEXT_WARD, Verb.MISDIRECTED, WARD, case=case, about=about, answers=recall))

        assert stands(world, case, duty, WARD) is State.RELEASED
        assert stands(world, case, passed, NEXT_WARD) is State.MISDIRECTED

    def test_a_duty_that_was_done_stays_done(self) -> None:
        world, case, duty, passed = self.forwarded()
        about, head = passed.to(NEXT_WARD), passed
        for source, verb, to in [
            (NEXT_WARD, Verb.ACCEPTED, WARD),
            (NEXT_WARD, Verb.COMPLETED, WARD),
            (WARD, Verb.CLOSED, NEXT_WARD),
            (WARD, Verb.RECALLED, NEXT_WARD),
            (NEXT_WARD, Verb.MISDIRECTED, WARD),
        ]:
            head = world.accepted(world.say(source, verb, to, case=case, about=about, answers=head))

            assert stands(world, case, duty, WARD) is State.RELEASED


class TestCase:
    def void(self, world: World, case: Said, head: Said | None = None, source: str = HOTLINE) -> Said:
        return world.say(source, Verb.CASE_VOIDED, case=case, answers=head or case)

    def test_its_owner_says_that_the_whole_case_was_entered_in_error(self) -> None:
        world = World()
        case = world.open_case()
        verdict = world.verdict(self.void(world, case))

        assert (verdict.code, verdict.case_state) == (Code.ACCEPTED, CaseState.VOIDED)
        assert world.code(world.say(HOTLINE, Verb.OFFERED, WARD, case=case)) is Code.ILLEGAL_TRANSITION

    def test_not_while_a_handoff_is_open(self) -> None:
        loop = Loop()
        verdict = loop.world.verdict(self.void(loop.world, loop.case))

        assert verdict.code is Code.OPEN_HANDOFFS
        assert [one.opening for one in verdict.open or ()] == [loop.opening.id]
        loop.move(HOTLINE, Verb.VOIDED)
        assert loop.world.code(self.void(loop.world, loop.case)) is Code.ACCEPTED

    def test_nobody_else_says_so(self) -> None:
        loop = Loop()
        loop.move(HOTLINE, Verb.VOIDED)

        assert loop.world.code(self.void(loop.world, loop.case, source=WARD)) is Code.WRONG_PARTY

    def test_it_is_not_reopened_neither_soon_nor_when_it_is_archived(self) -> None:
        world = World()
        case = world.open_case()
        voided = world.accepted(self.void(world, case))
        again = world.say(HOTLINE, Verb.CASE_REOPENED, case=case, answers=voided)
        assert world.code(again) is Code.ILLEGAL_TRANSITION

        world.now += DAY
        world.open_case()
        kept = Case.decode(world.state[case.case.encode()])
        assert (kept.archived, kept.state, kept.owner) == (True, CaseState.VOIDED, HOTLINE)
        assert len(world.state[case.case.encode()]) <= 128
        late = world.say(HOTLINE, Verb.CASE_REOPENED, case=case, answers=voided)
        assert world.restored().code(late) is Code.ILLEGAL_TRANSITION

    def test_a_closed_case_may_turn_out_to_have_been_entered_in_error(self) -> None:
        world = World()
        case = world.open_case()
        closed = world.accepted(world.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=case))

        assert world.code(self.void(world, case, closed)) is Code.ACCEPTED

    def test_what_is_recalled_after_the_end_is_not_put_away_before_it_is_answered_for(self) -> None:
        loop = Loop()
        loop.move(WARD, Verb.DECLINED)
        world, case = loop.world, loop.case
        world.accepted(world.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=case))
        loop.move(HOTLINE, Verb.RECALLED)
        world.now += 2 * DAY
        world.open_case()
        assert not Case.decode(world.state[case.case.encode()]).archived

        loop.world = world = world.restored()
        loop.move(WARD, Verb.MISDIRECTED)
        world.now += DAY
        world.open_case()
        assert Case.decode(world.state[case.case.encode()]).archived

"""A hand-off from its opening to its end: parts, heads, receipts, races, and a duty that is passed on."""

from typing import Any

import pytest

from referral_contracts.codes import Code
from referral_contracts.lifecycle import State
from referral_contracts.verbs import Verb
from tests.services.referral_router.founding import (
    HOSPITAL,
    HOTLINE,
    LEGAL_AID,
    NEXT_WARD,
    POLICE,
    SCHOOL,
    WARD,
    YOUTH_POLICE,
)
from tests.services.referral_router.world import Said, World

ANSWERS = [
    Verb.RECEIVED,
    Verb.UNREADABLE,
    Verb.ACCEPTED,
    Verb.DECLINED,
    Verb.WITHDRAWN,
    Verb.PROGRESSED,
    Verb.COMPLETED,
    Verb.RETURNED,
    Verb.CLOSED,
]


class Loop:
    """One hand-off, spoken about by its two sides; each says what it says of the head that it last saw."""

    def __init__(self, verb: Verb = Verb.OFFERED, *, recipient: str = WARD, sender: str = HOTLINE) -> None:
        self.world = World()
        self.case = self.world.open_case()
        if sender != HOTLINE:
            self.world.accepted(self.world.say(HOTLINE, Verb.CASE_NOTED, sender, case=self.case))
        self.sender, self.recipient = sender, recipient
        self.opening = self.head = self.world.accepted(self.world.say(sender, verb, recipient, case=self.case))

    @property
    def other(self) -> str:
        return self.recipient.partition("/")[0]

    def say(self, source: str, verb: Verb, *to: str, head: Said | None = None, **over: Any) -> Said:
        default = (self.recipient,) if source == self.sender else (self.sender,)
        first = verb in (Verb.RECEIVED, Verb.UNREADABLE)
        answers = head or (self.opening if first else self.head)
        about = self.opening.to(self.recipient)
        return self.world.say(source, verb, *(to or default), case=self.case, about=about, answers=answers, **over)

    def code(self, source: str, verb: Verb, *to: str) -> Code:
        return self.world.code(self.say(source, verb, *to))

    def move(self, source: str, verb: Verb) -> Said:
        said = self.world.accepted(self.say(source, verb))
        self.head = said if verb not in (Verb.RECEIVED, Verb.UNREADABLE, Verb.PROGRESSED) else self.head
        return said

    def state(self) -> State | None:
        """Ask as anybody of the hand-off can: by saying what cannot be."""
        verdict = self.world.verdict(self.say(self.sender, Verb.CLOSED, head=self.case))
        assert verdict.code is Code.STALE_HEAD
        assert verdict.head == self.head.ref
        return verdict.state


class TestLife:
    def test_a_request_is_accepted_done_and_closed(self) -> None:
        loop = Loop()
        for source, verb in [
            (WARD, Verb.RECEIVED),
            (WARD, Verb.ACCEPTED),
            (WARD, Verb.PROGRESSED),
            (WARD, Verb.PROGRESSED),
            (WARD, Verb.COMPLETED),
            (HOTLINE, Verb.CLOSED),
        ]:
            loop.move(source, verb)

        assert loop.state() is State.CLOSED

    def test_a_verdict_tells_both_parties_its_state_and_head(self) -> None:
        loop = Loop()
        accepted = loop.say(WARD, Verb.ACCEPTED)

        verdict = loop.world.verdict(accepted)

        assert (verdict.handoff, verdict.state) == (loop.opening.to(WARD), State.ACCEPTED)
        assert verdict.head == accepted.ref
        assert (verdict.case_state, verdict.case_head) == (None, None)

    def test_a_desk_is_spoken_for_by_its_agency(self) -> None:
        loop = Loop(recipient=YOUTH_POLICE)

        assert loop.code(POLICE, Verb.RECEIVED) is Code.ACCEPTED
        assert loop.code(POLICE, Verb.ACCEPTED) is Code.ACCEPTED

    @pytest.mark.parametrize(
        ("opening", "verb", "code"),
        [
            (Verb.OFFERED, Verb.DECLINED, Code.ACCEPTED),
            (Verb.ASSIGNED, Verb.DECLINED, Code.ILLEGAL_TRANSITION),
            (Verb.NOTIFIED, Verb.DECLINED, Code.ILLEGAL_TRANSITION),
            (Verb.ASSIGNED, Verb.ACCEPTED, Code.ACCEPTED),
            (Verb.NOTIFIED, Verb.ACCEPTED, Code.ILLEGAL_TRANSITION),
            (Verb.OFFERED, Verb.COMPLETED, Code.ILLEGAL_TRANSITION),
            (Verb.OFFERED, Verb.PROGRESSED, Code.ILLEGAL_TRANSITION),
            (Verb.OFFERED, Verb.FORWARDED, Code.ILLEGAL_TRANSITION),
            (Verb.NOTIFIED, Verb.FORWARDED, Code.ILLEGAL_TRANSITION),
        ],
    )
    def test_the_law_made_three_things_of_it(self, opening: Verb, verb: Verb, code: Code) -> None:
        loop = Loop(opening)

        assert loop.code(WARD, verb) is code

    @pytest.mark.parametrize("rests", [False, True])
    @pytest.mark.parametrize(
        ("opening", "code"), [(Verb.ASSIGNED, Code.ACCEPTED), (Verb.OFFERED, Code.ILLEGAL_TRANSITION)]
    )
    def test_what_was_accepted_is_passed_on_if_it_is_a_duty(self, opening: Verb, code: Code, *, rests: bool) -> None:
        loop = Loop(opening)
        loop.move(WARD, Verb.ACCEPTED)
        if rests:
            loop.move(WARD, Verb.SUSPENDED)

        assert loop.code(WARD, Verb.FORWARDED, HOTLINE, NEXT_WARD) is code

    @pytest.mark.parametrize("verb", ANSWERS)
    def test_a_part_that_may_never_say_it_is_told_so(self, verb: Verb) -> None:
        senders = {Verb.WITHDRAWN, Verb.CLOSED}
        loop = Loop()

        told = loop.world.verdict(loop.say(WARD if verb in senders else HOTLINE, verb))
        assert (told.code, told.state) == (Code.WRONG_PARTY, State.OFFERED)

    @pytest.mark.parametrize("over", ["about", "answers"])
    def test_it_names_its_handoff_and_its_head(self, over: str) -> None:
        loop = Loop()
        named: dict[str, Any] = {"about": loop.opening.to(WARD), "answers": loop.opening}
        del named[over]

        said = loop.world.say(WARD, Verb.ACCEPTED, HOTLINE, case=loop.case, **named)

        assert loop.world.code(said) is Code.MALFORMED_ENVELOPE

    def test_a_handoff_that_is_none_is_not_found(self) -> None:
        loop = Loop()
        world = loop.world
        others = [loop.opening.to(POLICE), loop.case.to(WARD), loop.opening.to(f"{WARD}/desk")]

        for about in others:
            said = world.say(WARD, Verb.ACCEPTED, HOTLINE, case=loop.case, about=about, answers=loop.opening)
            assert world.code(said) is Code.NOT_FOUND


class TestHeads:
    def test_accept_and_withdraw_have_one_winner_and_the_loser_is_told(self) -> None:
        loop = Loop()
        accept, withdraw = loop.say(WARD, Verb.ACCEPTED), loop.say(HOTLINE, Verb.WITHDRAWN)
        won, lost = loop.world.submit(accept, withdraw)

        assert (won.code, lost.code) == (Code.ACCEPTED, Code.STALE_HEAD)
        assert lost.verdict is not None
        assert (lost.verdict.state, lost.verdict.head) == (State.ACCEPTED, accept.ref)
        assert lost.copies == []

    def test_the_other_way_round_the_other_wins(self) -> None:
        loop = Loop()
        codes = [
            judged.code
            for judged in loop.world.submit(loop.say(HOTLINE, Verb.WITHDRAWN), loop.say(WARD, Verb.ACCEPTED))
        ]

        assert codes == [Code.ACCEPTED, Code.STALE_HEAD]

    def test_a_receipt_and_progress_leave_the_head_alone(self) -> None:
        loop = Loop()
        loop.move(WARD, Verb.RECEIVED)
        assert loop.code(HOTLINE, Verb.CLOSED) is Code.ILLEGAL_TRANSITION
        loop.move(WARD, Verb.ACCEPTED)
        loop.move(WARD, Verb.PROGRESSED)

        assert loop.code(WARD, Verb.COMPLETED) is Code.ACCEPTED

    def test_progress_names_the_head_too(self) -> None:
        loop = Loop()
        loop.move(WARD, Verb.ACCEPTED)

        assert loop.world.code(loop.say(WARD, Verb.PROGRESSED, head=loop.opening)) is Code.STALE_HEAD


class TestReceipts:
    @pytest.mark.parametrize("verb", [Verb.RECEIVED, Verb.UNREADABLE])
    def test_one_is_given_for_the_opening_event_and_no_other(self, verb: Verb) -> None:
        loop = Loop()
        accepted = loop.move(WARD, Verb.ACCEPTED)

        assert loop.world.code(loop.say(WARD, verb, head=accepted)) is Code.STALE_HEAD
        assert loop.code(WARD, verb) is Code.ACCEPTED
        assert loop.code(WARD, verb) is Code.ILLEGAL_TRANSITION

    def test_a_repaired_key_reads_what_was_unreadable(self) -> None:
        loop = Loop()
        codes = [loop.code(WARD, verb) for verb in (Verb.UNREADABLE, Verb.RECEIVED, Verb.UNREADABLE)]

        assert codes == [Code.ACCEPTED, Code.ACCEPTED, Code.ILLEGAL_TRANSITION]

    def test_it_ends_what_was_only_to_be_known(self) -> None:
        loop = Loop(Verb.NOTIFIED)
        assert loop.state() is State.NOTIFIED
        loop.move(WARD, Verb.RECEIVED)

        assert loop.state() is State.RECEIVED
        closing = loop.world.say(HOTLINE, Verb.CASE_CLOSED, case=loop.case, answers=loop.case)
        assert loop.world.code(closing) is Code.ACCEPTED

    def test_what_is_unreadable_is_not_known(self) -> None:
        loop = Loop(Verb.NOTIFIED)
        loop.move(WARD, Verb.UNREADABLE)

        assert loop.state() is State.NOTIFIED

    def test_it_may_come_after_anything(self) -> None:
        loop = Loop()
        loop.move(HOTLINE, Verb.WITHDRAWN)

        assert loop.code(WARD, Verb.RECEIVED) is Code.ACCEPTED
        assert loop.state() is State.WITHDRAWN

    def test_it_needs_no_section_and_nothing_else_goes_without(self) -> None:
        loop = Loop()

        assert loop.world.code(loop.say(WARD, Verb.UNREADABLE, sections=())) is Code.WRONG_READERS
        assert loop.world.code(loop.say(WARD, Verb.RECEIVED, sections=())) is Code.ACCEPTED


class TestRecipients:
    @pytest.mark.parametrize("to", [(POLICE,), (HOTLINE, POLICE), (HOTLINE, NEXT_WARD)])
    def test_an_answer_goes_to_the_opener_only(self, to: tuple[str, ...]) -> None:
        loop = Loop()

        assert loop.code(WARD, Verb.ACCEPTED, *to) is Code.WRONG_RECIPIENTS
        assert loop.code(WARD, Verb.RECEIVED, *to) is Code.WRONG_RECIPIENTS

    def test_nobody_answers_itself(self) -> None:
        loop = Loop()

        assert loop.code(WARD, Verb.ACCEPTED, HOTLINE, WARD) is Code.WRONG_RECIPIENTS

    def test_a_team_may_be_told_where_policy_says_so(self) -> None:
        world = World()
        case = world.open_case()
        team = world.accepted(world.say(HOTLINE, Verb.OFFERED, POLICE, HOSPITAL, case=case))
        answer = world.say(POLICE, Verb.ACCEPTED, HOTLINE, HOSPITAL, case=case, about=team.to(POLICE), answers=team)

        assert world.judge(answer).copies == [HOTLINE, HOSPITAL]

    @pytest.mark.parametrize("to", [(HOTLINE, SCHOOL), (HOSPITAL,), (HOTLINE, POLICE)])
    def test_a_team_is_those_of_the_opening_event(self, to: tuple[str, ...]) -> None:
        world = World()
        case = world.open_case()
        team = world.accepted(world.say(HOTLINE, Verb.OFFERED, POLICE, HOSPITAL, case=case))
        world.accepted(world.say(HOTLINE, Verb.OFFERED, SCHOOL, case=case))
        answer = world.say(POLICE, Verb.ACCEPTED, *to, case=case, about=team.to(POLICE), answers=team)

        assert world.code(answer) is Code.WRONG_RECIPIENTS

    def test_where_policy_does_not_they_are_not_told(self) -> None:
        world = World()
        case = world.open_case()
        both = world.accepted(world.say(HOTLINE, Verb.OFFERED, POLICE, LEGAL_AID, case=case))
        answer = world.say(POLICE, Verb.ACCEPTED, HOTLINE, LEGAL_AID, case=case, about=both.to(POLICE), answers=both)

        assert world.code(answer) is Code.WRONG_RECIPIENTS

    def test_an_owner_who_closes_tells_both_sides(self) -> None:
        loop = Loop(sender=WARD, recipient=YOUTH_POLICE)
        loop.sender = WARD
        for verb in (Verb.ACCEPTED, Verb.COMPLETED):
            loop.head = loop.world.accepted(loop.say(POLICE, verb, WARD))

        assert loop.code(HOTLINE, Verb.CLOSED, WARD) is Code.WRONG_RECIPIENTS
        assert loop.code(HOTLINE, Verb.CLOSED, WARD, YOUTH_POLICE) is Code.ACCEPTED

    def test_an_owner_who_closes_its_own_desks_handoff_tells_the_other_side(self) -> None:
        world = World()
        case = world.accepted(world.say(WARD, Verb.CASE_OPENED))
        offer = world.accepted(world.say(WARD, Verb.CASE_TRANSFER_OFFERED, POLICE, case=case, answers=case))
        world.accepted(world.say(POLICE, Verb.CASE_TRANSFER_ACCEPTED, WARD, case=case, answers=offer))
        asked = head = world.accepted(world.say(WARD, Verb.OFFERED, YOUTH_POLICE, case=case))
        about = asked.to(YOUTH_POLICE)
        for verb in (Verb.ACCEPTED, Verb.COMPLETED, Verb.CLOSED):
            head = world.accepted(world.say(POLICE, verb, WARD, case=case, about=about, answers=head))


def test_a_duty_that_was_assigned_directly_may_be_taken_back_after_it_arrived() -> None:
    loop = Loop(Verb.ASSIGNED)
    loop.move(WARD, Verb.RECEIVED)

    assert loop.code(HOTLINE, Verb.WITHDRAWN) is Code.ACCEPTED

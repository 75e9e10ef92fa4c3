"""Whose a duty is that was passed on."""

import pytest

from referral_contracts.codes import Code
from referral_contracts.lifecycle import CaseState, State
from referral_contracts.verbs import Verb
from referral_router.core.case import NO_EVENT, Case, Handoff
from referral_router.core.duties import done, settle
from referral_router.core.room import MAX_HANDOFFS
from tests.services.referral_router.founding import (
    HOTLINE,
    NEXT_WARD,
    POLICE,
    WARD,
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


class Chain:
    """The hotline assigned a duty to the ward, which passed it on to the next ward, and that one to the police."""

    def __init__(self) -> None:
        self.world = World()
        self.case = self.world.open_case()
        self.openings = [self.world.accepted(self.world.say(HOTLINE, Verb.ASSIGNED, WARD, case=self.case))]
        self.heads = list(self.openings)
        for number in (0, 1):
            sender, recipient, following = CHAIN[number : number + 3]
            self.openings.append(self.say(number, recipient, Verb.FORWARDED, sender, following))
            self.heads.append(self.openings[-1])

    def say(self, number: int, source: str, verb: Verb, *to: str) -> Said:
        """Say *verb* of a hand-off of the chain."""
        opening = self.openings[number]
        answers = opening if verb is Verb.RECEIVED else self.heads[number]
        about = opening.to(CHAIN[number + 1])
        said = self.world.accepted(self.world.say(source, verb, *to, case=self.case, about=about, answers=answers))
        self.heads[number] = self.heads[number] if verb is Verb.RECEIVED else said
        return said

    def do(self) -> None:
        """Let the police do it, and the next ward close it."""
        for source, to, verb in [
            (POLICE, NEXT_WARD, Verb.ACCEPTED),
            (POLICE, NEXT_WARD, Verb.COMPLETED),
            (NEXT_WARD, POLICE, Verb.CLOSED),
        ]:
            self.say(2, source, verb, to)

    @property
    def states(self) -> list[State]:
        kept = Case.decode(self.world.state[self.case.case.encode()])
        return [kept.handoffs[str(one.to(to))].state for one, to in zip(self.openings, CHAIN[1:], strict=True)]


CHAIN = [HOTLINE, WARD, NEXT_WARD, POLICE]


class TestChains:
    @pytest.mark.parametrize(
        ("source", "to", "verb"), [(WARD, NEXT_WARD, Verb.RECALLED), (NEXT_WARD, WARD, Verb.MISDIRECTED)]
    )
    def test_what_was_done_further_down_comes_back_to_nobody(self, source: str, to: str, verb: Verb) -> None:
        chain = Chain()
        chain.say(1, NEXT_WARD, Verb.RECEIVED, WARD)
        chain.do()
        chain.say(1, source, verb, to)

        assert chain.states == [State.RELEASED, State(verb.value.removeprefix("handoff.")), State.CLOSED]
        # Not for what is said of its papers afterwards, either.
        chain.say(2, POLICE, Verb.MISDIRECTED, NEXT_WARD)
        assert chain.states[0] is State.RELEASED

    def test_what_was_done_relieves_everybody_above_though_nobody_said_received(self) -> None:
        chain = Chain()
        assert chain.states == [State.FORWARDED, State.FORWARDED, State.ASSIGNED]

        chain.do()
        assert chain.states == [State.RELEASED, State.RELEASED, State.CLOSED]

    def test_what_is_still_to_be_done_further_down_comes_back(self) -> None:
        chain = Chain()
        chain.say(2, POLICE, Verb.RECEIVED, NEXT_WARD)
        chain.say(1, NEXT_WARD, Verb.MISDIRECTED, WARD)
        assert chain.states == [State.ASSIGNED, State.MISDIRECTED, State.ASSIGNED]

        # Given back is given back: the ward may have passed it on to somebody else since.
        chain.do()
        assert chain.states == [State.ASSIGNED, State.MISDIRECTED, State.CLOSED]

    def test_a_chain_as_long_as_a_case_allows_is_settled(self) -> None:
        sides = [WARD, NEXT_WARD]
        case = Case(state=CaseState.OPEN)
        for number in range(MAX_HANDOFFS):
            key, before = f"{number} {sides[number % 2]}", f"{number - 1} {sides[(number + 1) % 2]}"
            one = Handoff(State.FORWARDED, sides[(number + 1) % 2], NO_EVENT, b"", forwarded_from=before)
            case.handoffs[key] = one
        one.state = State.CLOSED
        settle(case, one.forwarded_from)

        assert {one.state for one in case.handoffs.values()} == {State.RELEASED, State.CLOSED}
        assert done(case) == set(case.handoffs)


class TestForwarding:
    def forwarded(self, *, world: World | None = None) -> tuple[World, Said, Said, Said]:
        """The hotline assigned a duty to the ward, which forwarded it to the next ward."""
        world = world or World()
        case = world.open_case()
        duty = world.accepted(world.say(HOTLINE, Verb.ASSIGNED, WARD, case=case))
        passed = world.say(WARD, Verb.FORWARDED, HOTLINE, NEXT_WARD, case=case, about=duty.to(WARD), answers=duty)
        world.accepted(passed)
        return world, case, duty, passed

    def state(self, world: World, case: Said, opening: Said, recipient: str, source: str) -> State | None:
        said = world.say(source, Verb.CLOSED, recipient, case=case, about=opening.to(recipient), answers=case)
        return world.verdict(said).state

    def test_the_forwarder_stays_responsible_until_the_next_has_received(self) -> None:
        world, case, duty, passed = self.forwarded()
        assert self.state(world, case, duty, WARD, HOTLINE) is State.FORWARDED
        assert self.state(world, case, passed, NEXT_WARD, WARD) is State.ASSIGNED

        received = world.say(NEXT_WARD, Verb.RECEIVED, WARD, case=case, about=passed.to(NEXT_WARD), answers=passed)
        world.accepted(received)

        assert self.state(world, case, duty, WARD, HOTLINE) is State.RELEASED
        assert self.state(world, case, passed, NEXT_WARD, WARD) is State.ASSIGNED

    @pytest.mark.parametrize(
        ("to", "code"),
        [
            ((HOTLINE,), Code.WRONG_RECIPIENTS),
            ((NEXT_WARD,), Code.WRONG_RECIPIENTS),
            ((HOTLINE, NEXT_WARD, POLICE), Code.WRONG_RECIPIENTS),
            ((HOTLINE, WARD), Code.WRONG_RECIPIENTS),
            ((HOTLINE, "nobody-z"), Code.UNKNOWN_RECIPIENT),
            ((NEXT_WARD, HOTLINE), Code.WRONG_RECIPIENTS),
            ((HOTLINE, NEXT_WARD), Code.ACCEPTED),
        ],
    )
    def test_it_goes_to_the_one_who_assigned_and_to_one_other(self, to: tuple[str, ...], code: Code) -> None:
        world = World()
        case = world.open_case()
        duty = world.accepted(world.say(HOTLINE, Verb.ASSIGNED, WARD, case=case))
        said = world.say(
            WARD,
            Verb.FORWARDED,
            *to,
            case=case,
            about=duty.to(WARD),
            answers=duty,
            sections=[] if "nobody-z" in to else None,
        )

        assert world.code(said) is code

    def test_it_may_be_forwarded_to_another_when_the_first_does_not_answer(self) -> None:
        world, case, duty, passed = self.forwarded()
        again = world.say(WARD, Verb.FORWARDED, HOTLINE, POLICE, case=case, about=duty.to(WARD), answers=passed)

        assert world.code(again) is Code.ACCEPTED
        assert self.state(world, case, again, POLICE, WARD) is State.ASSIGNED

    def test_a_duty_that_was_taken_back_before_it_arrived_relieves_nobody(self) -> None:
        world, case, duty, passed = self.forwarded()
        about = passed.to(NEXT_WARD)
        world.accepted(world.say(WARD, Verb.WITHDRAWN, NEXT_WARD, case=case, about=about, answers=passed))
        # Its client says so by itself, and cannot know.
        world.accepted(world.say(NEXT_WARD, Verb.RECEIVED, WARD, case=case, about=about, answers=passed))

        assert self.state(world, case, duty, WARD, HOTLINE) is State.ASSIGNED

    def test_a_duty_that_is_taken_back_after_it_arrived_is_the_forwarders_again(self) -> None:
        world, case, duty, passed = self.forwarded()
        about = passed.to(NEXT_WARD)
        world.accepted(world.say(NEXT_WARD, Verb.RECEIVED, WARD, case=case, about=about, answers=passed))

        back = world.say(WARD, Verb.WITHDRAWN, NEXT_WARD, case=case, about=about, answers=passed)

        assert world.code(back) is Code.ACCEPTED
        assert self.state(world, case, passed, NEXT_WARD, WARD) is State.WITHDRAWN
        assert self.state(world, case, duty, WARD, HOTLINE) is State.ASSIGNED

    def test_a_duty_that_another_has_received_stays_with_that_one(self) -> None:
        world, case, duty, passed = self.forwarded()
        again = world.say(WARD, Verb.FORWARDED, HOTLINE, POLICE, case=case, about=duty.to(WARD), answers=passed)
        world.accepted(again)
        world.accepted(world.say(POLICE, Verb.RECEIVED, WARD, case=case, about=again.to(POLICE), answers=again))
        about = passed.to(NEXT_WARD)
        world.accepted(world.say(WARD, Verb.WITHDRAWN, NEXT_WARD, case=case, about=about, answers=passed))
        assert self.state(world, case, duty, WARD, HOTLINE) is State.RELEASED

        about = again.to(POLICE)
        world.accepted(world.say(WARD, Verb.WITHDRAWN, POLICE, case=case, about=about, answers=again))
        assert self.state(world, case, duty, WARD, HOTLINE) is State.ASSIGNED

    def test_the_next_may_forward_it_as_well(self) -> None:
        world, case, _, passed = self.forwarded()
        about = passed.to(NEXT_WARD)
        third = world.say(NEXT_WARD, Verb.FORWARDED, WARD, POLICE, case=case, about=about, answers=passed)

        assert world.code(third) is Code.ACCEPTED

    def test_it_takes_no_id_that_opened_something(self) -> None:
        world = World()
        case = world.open_case()
        duty = world.accepted(world.say(HOTLINE, Verb.ASSIGNED, WARD, case=case))
        said = world.say(
            WARD,
            Verb.FORWARDED,
            HOTLINE,
            NEXT_WARD,
            case=case,
            about=duty.to(WARD),
            answers=duty,
            event_id=duty.id,
        )

        assert world.code(said) is Code.ID_REUSED

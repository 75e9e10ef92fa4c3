"""Whose a duty is that was passed on."""

import pytest

from referral_contracts.codes import Code
from referral_contracts.lifecycle import State
from referral_contracts.verbs import Verb
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
            ((NEXT_WARD, HOTLINE), Code.ACCEPTED),
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

"""Agencies that end: their successors speak for them, what was moved to one is its alone, and nobody learns more."""

from dataclasses import dataclass, field

import pytest

from referral_contracts.codes import Code
from referral_contracts.directory import Directory, apply
from referral_contracts.directory_model import Change, Delivery
from referral_contracts.encoding import format_time
from referral_contracts.lifecycle import CaseState, State
from referral_contracts.verbs import Verb
from referral_router.core.case import Case
from tests.services.referral_router import founding
from tests.services.referral_router.founding import (
    CLINIC,
    HOSPITAL,
    HOTLINE,
    HOUR,
    NEXT_WARD,
    NOW,
    POLICE,
    REGISTRAR,
    ROOT,
    SCHOOL,
    WARD,
    WATCHER,
    YEAR,
    YOUTH_POLICE,
)
from tests.services.referral_router.world import Said, World

END = NOW + HOUR


def ending(**agencies: tuple[str, ...]) -> Directory:
    """Return a directory in which these agencies end, each with its successors."""
    names = {name.replace("_", "-"): followed for name, followed in agencies.items()}
    entries = [
        founding.entry(name).model_copy(update={"ends_at": format_time(END), "successors": followed})
        for name, followed in names.items()
    ]
    value, _ = REGISTRAR.change(founding.directory(), NOW, YEAR, agencies=entries)
    return apply(founding.directory(), Change.decode(value), ROOT, {})


@dataclass
class Scene:
    """The hotline asked the ward for something, and the ward accepted."""

    world: World = field(default_factory=World)
    verb: Verb = Verb.OFFERED

    def __post_init__(self) -> None:
        self.case = self.world.open_case()
        self.offer = self.world.accepted(self.world.say(HOTLINE, self.verb, WARD, case=self.case))
        self.key = self.offer.to(WARD)
        self.head = self.accept(WARD)

    def accept(self, source: str) -> Said:
        return self.world.accepted(self.say(source, Verb.ACCEPTED, HOTLINE, answers=self.offer))

    def say(self, source: str, verb: Verb, *to: str, answers: Said | None = None) -> Said:
        return self.world.say(source, verb, *to, case=self.case, about=self.key, answers=answers or self.head)

    def code(self, source: str, verb: Verb, *to: str) -> Code:
        return self.world.code(self.say(source, verb, *to))

    def moved(self, source: str, verb: Verb, *to: str) -> None:
        self.head = self.world.accepted(self.say(source, verb, *to))

    @property
    def stored(self) -> Case:
        return Case.decode(self.world.state[self.case.case.encode()])


def scene(*, at: int = NOW, **agencies: tuple[str, ...]) -> Scene:
    found = Scene()
    found.world.directory, found.world.now = ending(**agencies), at
    return found


class TestMerging:
    """The ward merges into the next ward."""

    def test_the_successor_goes_on_with_its_own_key_and_the_predecessor_is_silent(self) -> None:
        merged = scene(ward_a=(NEXT_WARD,), at=END)

        assert merged.code(WARD, Verb.COMPLETED, HOTLINE) is Code.AGENCY_ENDED
        merged.moved(NEXT_WARD, Verb.SUSPENDED, HOTLINE)
        merged.moved(NEXT_WARD, Verb.RESUMED, HOTLINE)
        merged.moved(NEXT_WARD, Verb.COMPLETED, HOTLINE)
        merged.moved(HOTLINE, Verb.CLOSED, NEXT_WARD)
        assert merged.stored.handoffs[str(merged.key)].state is State.CLOSED

    def test_until_the_moment_it_is_the_other_way_round(self) -> None:
        merged = scene(ward_a=(NEXT_WARD,), at=END - 1)

        assert merged.code(NEXT_WARD, Verb.COMPLETED, HOTLINE) is Code.NOT_FOUND
        merged.moved(WARD, Verb.COMPLETED, HOTLINE)

    def test_what_is_meant_for_the_predecessor_goes_to_the_successor_alone(self) -> None:
        merged = scene(ward_a=(NEXT_WARD,), at=END)

        for other in (WARD, SCHOOL):
            assert merged.code(HOTLINE, Verb.CANCELLED, other) is Code.WRONG_RECIPIENTS
        new = merged.world.say(HOTLINE, Verb.OFFERED, WARD, case=merged.case)
        assert merged.world.code(new) is Code.UNKNOWN_RECIPIENT
        merged.moved(HOTLINE, Verb.CANCELLED, NEXT_WARD)

    def test_it_says_received_for_what_came_too_late_for_the_predecessor(self) -> None:
        world = World()
        case = world.open_case()
        notice = world.accepted(world.say(HOTLINE, Verb.NOTIFIED, WARD, case=case))
        world.directory, world.now = ending(ward_a=(NEXT_WARD,)), END
        received = world.say(NEXT_WARD, Verb.RECEIVED, HOTLINE, case=case, about=notice.to(WARD), answers=notice)

        assert world.verdict(received).state is State.RECEIVED

    def test_the_owner_may_be_succeeded_and_both_sides_may_be(self) -> None:
        merged = scene(hotline_111=(NEXT_WARD,), ward_a=(NEXT_WARD,), at=END)
        merged.moved(NEXT_WARD, Verb.COMPLETED)
        merged.moved(NEXT_WARD, Verb.CLOSED)
        closing = merged.world.say(NEXT_WARD, Verb.CASE_CLOSED, case=merged.case, answers=merged.case)

        assert merged.world.verdict(closing).case_state is CaseState.CLOSED

    def test_a_case_is_offered_to_another_by_the_owners_successor(self) -> None:
        merged = scene(hotline_111=(NEXT_WARD,), at=END)
        offered = merged.world.say(NEXT_WARD, Verb.CASE_TRANSFER_OFFERED, SCHOOL, case=merged.case, answers=merged.case)
        merged.world.accepted(offered)
        taken = merged.world.say(SCHOOL, Verb.CASE_TRANSFER_ACCEPTED, NEXT_WARD, case=merged.case, answers=offered)
        merged.world.accepted(taken)

        assert merged.stored.owner == SCHOOL

    def test_a_forwarded_duty_goes_on(self) -> None:
        duty = Scene(verb=Verb.ASSIGNED)
        world = duty.world
        other = world.accepted(world.say(HOTLINE, Verb.ASSIGNED, WARD, case=duty.case))
        world.directory, world.now = ending(ward_a=(NEXT_WARD,), hotline_111=(SCHOOL,)), END
        key = other.to(WARD)
        forwarded = world.say(NEXT_WARD, Verb.FORWARDED, SCHOOL, POLICE, case=duty.case, about=key, answers=other)

        # The ward's roles would have let it; policy asks who says it now.
        world.accepted(forwarded)
        received = world.say(
            POLICE, Verb.RECEIVED, NEXT_WARD, case=duty.case, about=forwarded.to(POLICE), answers=forwarded
        )
        world.accepted(received)
        assert duty.stored.handoffs[str(key)].state is State.RELEASED

    def test_a_restart_and_a_replay_know_the_same(self) -> None:
        merged = scene(ward_a=(NEXT_WARD, SCHOOL))
        merged.moved(WARD, Verb.MOVED, HOTLINE, SCHOOL)
        again = merged.world.restored()

        assert again.router._cases == merged.world.router._cases
        assert merged.stored.handoffs[str(merged.key)].holder == SCHOOL


class TestSplitting:
    """The ward splits into the next ward, named first, and the school."""

    def test_what_nobody_moved_is_the_first_named_ones(self) -> None:
        split = scene(ward_a=(NEXT_WARD, SCHOOL), at=END)

        assert split.code(SCHOOL, Verb.COMPLETED, HOTLINE) is Code.NOT_FOUND
        split.moved(NEXT_WARD, Verb.COMPLETED, HOTLINE)

    @pytest.mark.parametrize(("source", "at"), [(WARD, NOW), (NEXT_WARD, END)])
    def test_what_was_moved_is_the_others_alone(self, source: str, at: int) -> None:
        split = scene(ward_a=(NEXT_WARD, SCHOOL), at=at)
        split.moved(source, Verb.MOVED, HOTLINE, SCHOOL)

        assert split.code(source, Verb.COMPLETED, HOTLINE) is Code.NOT_FOUND
        split.world.now = END
        assert split.code(NEXT_WARD, Verb.COMPLETED, HOTLINE) is Code.NOT_FOUND
        assert split.code(HOTLINE, Verb.CANCELLED, NEXT_WARD) is Code.WRONG_RECIPIENTS
        split.moved(SCHOOL, Verb.COMPLETED, HOTLINE)
        split.moved(HOTLINE, Verb.CLOSED, SCHOOL)

    def test_it_moves_to_named_successors_only_and_the_other_side_is_told(self) -> None:
        split = scene(ward_a=(NEXT_WARD, SCHOOL))

        for to in [(HOTLINE, CLINIC), (HOTLINE,), (SCHOOL,), (HOTLINE, SCHOOL, NEXT_WARD), ()]:
            assert split.code(WARD, Verb.MOVED, *to) is Code.WRONG_RECIPIENTS
        assert split.code(HOTLINE, Verb.MOVED, WARD, SCHOOL) is Code.WRONG_RECIPIENTS
        assert split.code(SCHOOL, Verb.MOVED, HOTLINE, SCHOOL) is Code.NOT_FOUND
        before = Scene()
        assert before.code(WARD, Verb.MOVED, HOTLINE, SCHOOL) is Code.WRONG_RECIPIENTS

    def test_it_moves_from_its_head_and_has_one_winner(self) -> None:
        split = scene(ward_a=(NEXT_WARD, SCHOOL))
        old = split.head
        split.moved(WARD, Verb.MOVED, HOTLINE, SCHOOL)

        cancelled = split.say(HOTLINE, Verb.CANCELLED, WARD, answers=old)
        assert split.world.code(cancelled) is Code.STALE_HEAD

    def test_the_senders_side_is_moved_as_well(self) -> None:
        split = scene(hotline_111=(POLICE, NEXT_WARD))
        split.moved(HOTLINE, Verb.MOVED, WARD, NEXT_WARD)

        assert split.code(WARD, Verb.COMPLETED, HOTLINE) is Code.WRONG_RECIPIENTS
        split.moved(WARD, Verb.COMPLETED, NEXT_WARD)
        split.moved(NEXT_WARD, Verb.CLOSED, WARD)

    def test_a_side_goes_to_a_desk_of_the_recipients_only(self) -> None:
        split = scene(ward_a=(POLICE,), hotline_111=(POLICE,))

        assert split.code(HOTLINE, Verb.MOVED, WARD, YOUTH_POLICE) is Code.WRONG_RECIPIENTS
        split.moved(WARD, Verb.MOVED, HOTLINE, YOUTH_POLICE)
        split.moved(POLICE, Verb.COMPLETED, HOTLINE)
        split.moved(HOTLINE, Verb.CLOSED, YOUTH_POLICE)

    def test_the_owner_that_closes_is_told_who_stands_there_now(self) -> None:
        split = scene(ward_a=(NEXT_WARD, SCHOOL))
        split.moved(WARD, Verb.MOVED, HOTLINE, SCHOOL)
        closing = split.world.say(HOTLINE, Verb.CASE_CLOSED, case=split.case, answers=split.case)
        (told,) = split.world.verdict(closing).open or ()

        assert (told.recipient, told.holder, told.sender) == (WARD, SCHOOL, HOTLINE)


class TestLeaving:
    """Whoever has left leaves nothing that nobody can end."""

    def left(self, agency: str) -> Scene:
        found = Scene()
        gone = founding.entry(agency).model_copy(update={"delivery": Delivery(kind="off-bus")})
        found.world.directory = founding.with_entry(gone)
        return found

    def test_a_recipient_that_left_the_bus_is_told_nothing_and_holds_up_nobody(self) -> None:
        gone = self.left(WARD)
        gone.moved(HOTLINE, Verb.CANCELLED)

        assert gone.stored.handoffs[str(gone.key)].state is State.STOPPED

    def test_a_recipient_goes_on_when_the_sender_left_and_time_closes(self) -> None:
        gone = self.left(HOTLINE)
        gone.moved(WARD, Verb.COMPLETED)
        gone.moved(WATCHER, Verb.CLOSED, WARD)

        assert gone.stored.handoffs[str(gone.key)].state is State.CLOSED

    def test_an_agency_without_successors_leaves_it_to_the_owner(self) -> None:
        gone = scene(ward_a=(), at=END)
        gone.moved(HOTLINE, Verb.CANCELLED)

        assert gone.code(NEXT_WARD, Verb.PROGRESSED, HOTLINE) is Code.NOT_FOUND

    def test_a_desk_that_is_no_more_is_answered_for_by_its_agency(self) -> None:
        found = Scene()
        world = found.world
        offer = world.accepted(world.say(HOTLINE, Verb.OFFERED, YOUTH_POLICE, case=found.case))
        police = founding.entry(POLICE).model_copy(update={"desks": ()})
        world.directory = founding.with_entry(police)
        withdrawn = world.say(
            HOTLINE, Verb.WITHDRAWN, POLICE, case=found.case, about=offer.to(YOUTH_POLICE), answers=offer
        )

        assert world.code(withdrawn) is Code.ACCEPTED


class TestProbing:
    """Nobody learns by asking."""

    @pytest.mark.parametrize("prober", [CLINIC, SCHOOL, NEXT_WARD, WARD])
    def test_what_was_moved_away_is_as_if_it_never_was(self, prober: str) -> None:
        split = scene(ward_a=(NEXT_WARD, SCHOOL, HOSPITAL))
        split.moved(WARD, Verb.MOVED, HOTLINE, HOSPITAL)
        split.world.now = END - (prober == WARD)

        def told(said: Said) -> object:
            verdict = split.world.verdict(said)
            return verdict.code, verdict.state, verdict.head, verdict.handoff, verdict.case_state, verdict.open

        absent = "f" * 32
        for verb in (Verb.ACCEPTED, Verb.MOVED, Verb.CANCELLED, Verb.ASKED, Verb.RECEIVED, Verb.CASE_NOTED):
            case = [split.case.case, absent]
            about = None if verb.of_case else split.key
            answers = None if verb.of_case else split.head
            found = {
                told(split.world.say(prober, verb, HOTLINE, case=one, about=about, answers=answers)) for one in case
            }
            assert found == {(Code.NOT_FOUND, None, None, None, None, None)}

    def test_one_that_has_ended_is_told_the_same_of_everything(self) -> None:
        merged = scene(ward_a=(NEXT_WARD,), at=END)
        codes = {
            merged.world.code(merged.world.say(WARD, verb, HOTLINE, case=case, about=merged.key, answers=merged.head))
            for verb in (Verb.COMPLETED, Verb.CASE_NOTED, Verb.OFFERED)
            for case in (merged.case.case, "f" * 32)
        }

        assert codes == {Code.AGENCY_ENDED}
        assert merged.world.code(merged.world.say(WARD, Verb.CASE_OPENED)) is Code.AGENCY_ENDED

    def test_a_co_recipient_and_a_past_party_have_no_part_in_it(self) -> None:
        split = scene(ward_a=(NEXT_WARD, SCHOOL))
        split.world.accepted(split.world.say(HOTLINE, Verb.OFFERED, POLICE, case=split.case))

        assert split.code(POLICE, Verb.MOVED, HOTLINE, SCHOOL) is Code.NOT_FOUND
        assert split.code(POLICE, Verb.COMPLETED, HOTLINE) is Code.NOT_FOUND

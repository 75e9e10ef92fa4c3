"""A case as a whole: opened, handed over, noted, closed; and what its owner alone is told."""

import pytest

from referral_contracts.codes import Code
from referral_contracts.lifecycle import CaseState, State
from referral_contracts.verbs import Verb
from tests.services.referral_router.founding import HOTLINE, HOUR, NEXT_WARD, POLICE, SCHOOL, WARD, WATCHER
from tests.services.referral_router.world import Said, World, new_id


class TestOpening:
    def test_its_opener_owns_it_and_is_told_its_head(self) -> None:
        world = World()
        opening = world.say(HOTLINE, Verb.CASE_OPENED)

        verdict = world.verdict(opening)

        assert (verdict.code, verdict.case_state, verdict.case_head) == (Code.ACCEPTED, CaseState.OPEN, opening.ref)

    def test_a_name_that_was_chosen_is_refused(self) -> None:
        world = World()

        assert world.code(world.say(HOTLINE, Verb.CASE_OPENED, case="f" * 32)) is Code.WRONG_SUBJECT

    def test_a_name_that_another_would_have_is_refused(self) -> None:
        world = World()
        event_id = new_id()
        other = world.say(WARD, Verb.CASE_OPENED, event_id=event_id)

        taken = world.say(HOTLINE, Verb.CASE_OPENED, event_id=event_id, case=other.case)

        assert world.code(taken) is Code.WRONG_SUBJECT
        # Nor can anybody be kept from opening it by those who spoke there before.
        assert world.code(other) is Code.ACCEPTED

    @pytest.mark.parametrize("over", ["answers", "follows", "handoff", "supersedes"])
    def test_it_answers_nothing(self, over: str) -> None:
        world = World()
        before = world.open_case()
        told = {
            "answers": before.ref.model_dump(),
            "follows": before.ref.model_dump(),
            "handoff": before.to(WARD).model_dump(),
            "supersedes": before.ref.model_dump(),
        }
        data = {"recipients": [], "sections": [], over: told[over]}

        assert world.code(world.say(HOTLINE, Verb.CASE_OPENED, data=data)) is Code.MALFORMED_ENVELOPE


class TestHeads:
    @pytest.mark.parametrize("verb", [Verb.CASE_CLOSED, Verb.CASE_TRANSFER_OFFERED])
    def test_a_case_moves_by_naming_what_moved_it_last(self, verb: Verb) -> None:
        world = World()
        case = world.open_case()
        other = world.open_case()
        to = (WARD,) if verb is Verb.CASE_TRANSFER_OFFERED else ()

        assert world.code(world.say(HOTLINE, verb, *to, case=case)) is Code.MALFORMED_ENVELOPE
        stale = world.verdict(world.say(HOTLINE, verb, *to, case=case, answers=other))
        assert (stale.code, stale.case_head) == (Code.STALE_HEAD, case.ref)
        assert world.code(world.say(HOTLINE, verb, *to, case=case, answers=case)) is Code.ACCEPTED

    def test_a_note_names_nothing_and_moves_no_head(self) -> None:
        world = World()
        case = world.open_case()

        named = world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case, answers=case)
        assert world.code(named) is Code.MALFORMED_ENVELOPE
        world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case))
        world.accepted(world.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=case))

    def test_the_same_id_with_other_bytes_is_not_the_head(self) -> None:
        world = World()
        case = world.open_case()
        other = world.say(HOTLINE, Verb.CASE_OPENED, event_id=case.id, exercise=True)

        assert world.code(world.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=other)) is Code.STALE_HEAD

    @pytest.mark.parametrize("verb", [Verb.CASE_CLOSED, Verb.CASE_NOTED, Verb.CASE_TRANSFER_OFFERED])
    def test_a_case_verb_is_about_no_handoff(self, verb: Verb) -> None:
        world = World()
        case = world.open_case()
        said = world.say(HOTLINE, verb, WARD, case=case, answers=case, about=case.to(WARD))

        assert world.code(said) is Code.MALFORMED_ENVELOPE

    def test_only_a_correction_supersedes_anything(self) -> None:
        world = World()
        case = world.open_case()
        note = world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case))
        again = world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case, supersedes=note)
        nothing = world.say(HOTLINE, Verb.CASE_CORRECTED, WARD, case=case)
        corrected = world.say(HOTLINE, Verb.CASE_CORRECTED, WARD, case=case, supersedes=note)

        assert world.code(again) is Code.MALFORMED_ENVELOPE
        assert world.code(nothing) is Code.MALFORMED_ENVELOPE
        assert world.code(corrected) is Code.ACCEPTED

    def test_a_correction_may_be_for_the_watcher_alone(self) -> None:
        world = World()
        case = world.open_case()

        assert world.code(world.say(HOTLINE, Verb.CASE_CORRECTED, case=case, supersedes=case)) is Code.ACCEPTED

    def test_a_correction_goes_where_a_note_may_go(self) -> None:
        world = World()
        case = world.open_case()
        note = world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case))
        apart = world.say(HOTLINE, Verb.CASE_CORRECTED, WARD, SCHOOL, case=case, supersedes=note)

        assert world.code(apart) is Code.RECIPIENTS_APART


class TestTransfer:
    def offered(self, world: World) -> tuple[Said, Said]:
        case = world.open_case()
        world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, POLICE, case=case))
        return case, world.accepted(world.say(HOTLINE, Verb.CASE_TRANSFER_OFFERED, WARD, case=case, answers=case))

    def test_ownership_moves_when_it_is_accepted(self) -> None:
        world = World()
        case, offer = self.offered(world)
        taken = world.say(WARD, Verb.CASE_TRANSFER_ACCEPTED, HOTLINE, case=case, answers=offer)

        verdict = world.verdict(taken)

        assert (verdict.case_state, verdict.case_head) == (CaseState.OPEN, taken.ref)
        old = world.verdict(world.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=taken))
        assert (old.code, old.case_state, old.case_head) == (Code.WRONG_PARTY, None, None)
        assert world.code(world.say(WARD, Verb.CASE_CLOSED, case=case, answers=taken)) is Code.ACCEPTED

    def test_the_old_owner_stays_responsible_until_then(self) -> None:
        world = World()
        case, offer = self.offered(world)

        early = world.say(WARD, Verb.CASE_CLOSED, case=case, answers=offer)
        assert world.code(early) is Code.WRONG_PARTY
        # Neither does it close what it is just giving away.
        assert world.code(world.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=offer)) is Code.ILLEGAL_TRANSITION
        declined = world.accepted(world.say(WARD, Verb.CASE_TRANSFER_DECLINED, HOTLINE, case=case, answers=offer))
        assert world.code(world.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=declined)) is Code.ACCEPTED

    @pytest.mark.parametrize("verb", [Verb.CASE_TRANSFER_ACCEPTED, Verb.CASE_TRANSFER_DECLINED])
    def test_only_the_one_it_was_offered_to_answers(self, verb: Verb) -> None:
        world = World()
        case, offer = self.offered(world)

        assert world.code(world.say(POLICE, verb, HOTLINE, case=case, answers=offer)) is Code.WRONG_PARTY
        assert world.code(world.say(HOTLINE, verb, WARD, case=case, answers=offer)) is Code.WRONG_PARTY
        assert world.code(world.say(NEXT_WARD, verb, HOTLINE, case=case, answers=offer)) is Code.NOT_FOUND
        assert world.code(world.say(WARD, verb, HOTLINE, case=case, answers=case)) is Code.STALE_HEAD
        assert world.code(world.say(WARD, verb, POLICE, case=case, answers=offer)) is Code.WRONG_RECIPIENTS
        assert world.code(world.say(WARD, verb, HOTLINE, case=case, answers=offer)) is Code.ACCEPTED
        assert world.code(world.say(WARD, verb, HOTLINE, case=case, answers=offer)) is Code.WRONG_PARTY

    def test_a_second_offer_takes_the_first_back(self) -> None:
        world = World()
        case, offer = self.offered(world)
        second = world.say(HOTLINE, Verb.CASE_TRANSFER_OFFERED, NEXT_WARD, case=case, answers=offer)
        world.accepted(second)

        late = world.say(WARD, Verb.CASE_TRANSFER_ACCEPTED, HOTLINE, case=case, answers=second)
        assert world.code(late) is Code.WRONG_PARTY
        assert world.code(world.say(NEXT_WARD, Verb.CASE_TRANSFER_ACCEPTED, HOTLINE, case=case, answers=second)) is (
            Code.ACCEPTED
        )


class TestClosing:
    def test_it_waits_for_open_handoffs_and_names_them(self) -> None:
        world = World()
        case = world.open_case()
        offer = world.accepted(world.say(HOTLINE, Verb.OFFERED, WARD, POLICE, case=case))

        verdict = world.verdict(world.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=case))

        assert verdict.code is Code.OPEN_HANDOFFS
        assert verdict.open is not None
        assert [one.key for one in verdict.open] == [offer.to(POLICE), offer.to(WARD)]
        assert {(one.sender, one.state, one.head) for one in verdict.open} == {(HOTLINE, State.OFFERED, offer.ref)}
        assert (verdict.case_state, verdict.case_head) == (CaseState.OPEN, case.ref)

    def test_nobody_but_the_owner_is_told_what_is_open(self) -> None:
        world = World()
        case = world.open_case()
        offer = world.accepted(world.say(HOTLINE, Verb.CASE_TRANSFER_OFFERED, WARD, case=case, answers=case))
        taken = world.accepted(world.say(WARD, Verb.CASE_TRANSFER_ACCEPTED, HOTLINE, case=case, answers=offer))
        world.accepted(world.say(WARD, Verb.OFFERED, POLICE, case=case))
        pending = world.say(WARD, Verb.CASE_TRANSFER_OFFERED, NEXT_WARD, case=case, answers=taken)
        world.accepted(pending)

        for source, answers in ((HOTLINE, taken), (POLICE, taken), (NEXT_WARD, pending), (WATCHER, pending)):
            refused = world.verdict(world.say(source, Verb.CASE_CLOSED, case=case, answers=answers))
            assert refused.code in {Code.WRONG_PARTY, Code.NOT_FOUND}
            assert refused.open is None

    def test_it_names_no_more_than_a_verdict_holds(self) -> None:
        world = World()
        case = world.open_case()
        for _ in range(40):
            world.accepted(world.say(HOTLINE, Verb.OFFERED, WARD, case=case))

        verdict = world.verdict(world.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=case))

        assert verdict.open is not None
        assert len(verdict.open) == 32

    def test_nothing_is_opened_in_it_any_more(self) -> None:
        world = World()
        case = world.open_case()
        closed = world.accepted(world.say(HOTLINE, Verb.CASE_CLOSED, WARD, case=case, answers=case))

        for verb in (Verb.OFFERED, Verb.ASSIGNED, Verb.NOTIFIED):
            assert world.code(world.say(HOTLINE, verb, POLICE, case=case)) is Code.ILLEGAL_TRANSITION
        again = world.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=closed)
        assert world.code(again) is Code.ILLEGAL_TRANSITION

    def test_its_parties_may_still_file_something(self) -> None:
        world = World()
        case = world.open_case()
        world.accepted(world.say(HOTLINE, Verb.CASE_CLOSED, WARD, case=case, answers=case))

        assert world.code(world.say(WARD, Verb.CASE_NOTED, HOTLINE, case=case)) is Code.ACCEPTED


def test_a_party_is_told_nothing_of_the_case_but_its_owner_is() -> None:
    world = World()
    case = world.open_case()
    world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, POLICE, case=case))

    for verb in (Verb.CASE_CLOSED, Verb.CASE_TRANSFER_OFFERED, Verb.CASE_NOTED, Verb.OFFERED):
        theirs = world.verdict(world.say(WARD, verb, POLICE, case=case, answers=case))
        assert not theirs.accepted
        assert (theirs.case_state, theirs.case_head, theirs.open) == (None, None, None)
    mine = world.verdict(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case))
    assert (mine.case_state, mine.case_head) == (CaseState.OPEN, case.ref)


class TestOrderOfFaults:
    """SPEC section 12: the first fault decides."""

    def test_what_a_verb_cannot_have_comes_before_who_may_not_say_it(self) -> None:
        world = World()
        case = world.open_case()
        world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case))

        assert world.code(world.say(WARD, Verb.CASE_CLOSED, case=case)) is Code.MALFORMED_ENVELOPE
        assert world.code(world.say(WARD, Verb.CASE_CLOSED, case=case, answers=case)) is Code.WRONG_PARTY

    def test_an_id_that_opened_a_handoff_comes_before_whom_it_is_told(self) -> None:
        world = World()
        case = world.open_case()
        opened = world.accepted(world.say(HOTLINE, Verb.OFFERED, WARD, case=case))
        world.now += 7 * HOUR
        again = world.say(HOTLINE, Verb.OFFERED, "nobody-z", case=case, event_id=opened.id, sections=[])

        assert world.code(again) is Code.ID_REUSED

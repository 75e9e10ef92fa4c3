"""The same event again, another event under its id, and what is forgotten when."""

from dataclasses import replace

import pytest

from referral_contracts.codes import Code
from referral_contracts.decisions import First, read_decision
from referral_contracts.encoding import b64, format_time
from referral_contracts.merkle import leaf_hash
from referral_contracts.topics import H_DECISION
from referral_contracts.verbs import Verb
from referral_router.core.case import Case
from referral_router.core.fold import MAX_CASE_CLAIMS, MAX_CLAIMS, MAX_GHOST_CLAIMS, MAX_GHOSTS
from tests.services.referral_router import founding
from tests.services.referral_router.founding import DAY, HOTLINE, HOUR, NOW, POLICE, POLICY, SCHOOL, WARD
from tests.services.referral_router.world import Said, World

WINDOW = 2 * HOUR
FORGOTTEN = 3 * WINDOW


def decided(world: World, at: int) -> First:
    """What the ledger says of the last batch's submission number *at*, as a later verdict has to quote it."""
    leaves = [dict(write.headers).get(H_DECISION) for write in world.steps[-1].writes]
    leaf = [leaf for leaf in leaves if leaf is not None][at]
    told = read_decision(leaf)
    return First(code=told.code, counter=told.counter, decision=b64(leaf_hash(leaf)), event=told.event)


class TestTheSameAgain:
    def test_it_is_told_what_became_of_the_first(self) -> None:
        world = World()
        opening = world.open_case()
        first = decided(world, 0)
        world.now += HOUR

        verdict = world.verdict(opening)

        assert (verdict.code, verdict.first) == (Code.DUPLICATE, first)
        assert verdict.accepted

    def test_it_reaches_nobody_a_second_time(self) -> None:
        world = World()
        case = world.open_case()
        offer = world.accepted(world.say(HOTLINE, Verb.OFFERED, WARD, case=case))

        judged = world.judge(offer)

        assert (judged.code, judged.copies) == (Code.DUPLICATE, [])

    def test_what_was_refused_stays_refused_though_it_would_be_taken_now(self) -> None:
        world = World()
        case = world.open_case()
        note = world.say(WARD, Verb.CASE_NOTED, POLICE, case=case)
        assert world.code(note) is Code.NOT_FOUND

        # The stranger becomes a party: what it said before is not taken now.
        world.accepted(world.say(HOTLINE, Verb.NOTIFIED, WARD, case=case))
        verdict = world.verdict(note)

        assert (verdict.code, verdict.first and verdict.first.code) == (Code.DUPLICATE, Code.NOT_FOUND)
        assert not verdict.accepted

    def test_it_may_come_in_the_same_batch_or_after_a_restart(self) -> None:
        world = World()
        opening = world.say(HOTLINE, Verb.CASE_OPENED)
        one, same = world.submit(opening, opening)
        again = world.restored().judge(opening)

        assert [judged.code for judged in (one, same, again)] == [Code.ACCEPTED, Code.DUPLICATE, Code.DUPLICATE]

    def test_its_signature_may_be_another_of_the_same_bytes(self) -> None:
        # Ed25519 signs the same way each time, but an agency may have two valid keys.
        world = World()
        opening = world.open_case()

        assert world.code(replace(opening.record(), key=opening.case.encode())) is Code.DUPLICATE

    def test_it_tells_nothing_of_the_case_as_it_is_now(self) -> None:
        world = World()
        opening = world.open_case()
        verdict = world.verdict(opening)

        assert (verdict.case_state, verdict.case_head, verdict.head, verdict.state) == (None, None, None, None)


class TestAnotherUnderItsId:
    def test_it_is_refused_and_told_of_the_first(self) -> None:
        world = World()
        opening = world.open_case()
        first = decided(world, 0)
        other = world.say(HOTLINE, Verb.CASE_OPENED, event_id=opening.id, exercise=True)

        verdict = world.verdict(other)

        assert (verdict.code, verdict.first) == (Code.ID_REUSED, first)

    def test_a_refused_event_has_used_its_id_too(self) -> None:
        world = World()
        case = world.open_case()
        bad = world.say(HOTLINE, Verb.OFFERED, case=case)
        assert world.code(bad) is Code.WRONG_RECIPIENTS

        assert world.code(world.say(HOTLINE, Verb.OFFERED, WARD, case=case, event_id=bad.id)) is Code.ID_REUSED

    def test_what_came_too_late_has_not_used_its_id(self) -> None:
        world = World()
        opening = world.say(HOTLINE, Verb.CASE_OPENED)
        world.now += WINDOW + 1
        assert world.code(opening) is Code.OUTSIDE_WINDOW

        afresh = world.say(HOTLINE, Verb.CASE_OPENED, event_id=opening.id)

        assert world.code(afresh) is Code.ACCEPTED

    def test_another_sender_may_have_the_same_id(self) -> None:
        world = World()
        case = world.open_case()
        notice = world.accepted(world.say(HOTLINE, Verb.NOTIFIED, WARD, case=case))

        assert world.code(world.say(WARD, Verb.CASE_NOTED, HOTLINE, case=case, event_id=notice.id)) is Code.ACCEPTED

    def test_another_sender_does_not_take_over_a_handoff_by_its_id(self) -> None:
        world = World()
        case = world.open_case()
        offer = world.accepted(world.say(HOTLINE, Verb.OFFERED, WARD, case=case))
        stolen = world.say(WARD, Verb.OFFERED, POLICE, case=case, event_id=offer.id)

        assert world.code(stolen) is Code.ID_REUSED
        withdrawn = world.say(HOTLINE, Verb.WITHDRAWN, WARD, case=case, about=offer.to(WARD), answers=offer)
        assert world.code(withdrawn) is Code.ACCEPTED

    @pytest.mark.parametrize("recipient", [WARD, POLICE])
    def test_a_sender_does_not_open_a_handoff_again_when_its_id_is_forgotten(self, recipient: str) -> None:
        world = World()
        case = world.open_case()
        offer = world.accepted(world.say(HOTLINE, Verb.OFFERED, WARD, case=case))
        world.accepted(world.say(HOTLINE, Verb.WITHDRAWN, WARD, case=case, about=offer.to(WARD), answers=offer))
        world.now += 2 * FORGOTTEN

        again = world.say(HOTLINE, Verb.OFFERED, recipient, case=case, event_id=offer.id)

        assert world.code(again) is Code.ID_REUSED


class TestForgetting:
    def test_an_id_is_kept_for_as_long_as_its_event_can_come_back(self) -> None:
        world = World()
        # Signed by a clock two hours fast, it can come back for four.
        opening = World(now=NOW + WINDOW).say(HOTLINE, Verb.CASE_OPENED)
        world.accepted(opening)
        world.now += 2 * WINDOW
        assert world.code(opening) is Code.DUPLICATE

        world.now += 1
        assert world.code(opening) is Code.OUTSIDE_WINDOW

    def test_ids_are_pruned_when_the_case_is_written(self) -> None:
        world = World()
        case = world.open_case()
        world.accepted(world.say(HOTLINE, Verb.NOTIFIED, WARD, case=case))
        note = world.accepted(world.say(WARD, Verb.CASE_NOTED, HOTLINE, case=case))
        before = Case.decode(world.state[case.case.encode()]).claims
        world.now += FORGOTTEN + 1
        notice = world.accepted(world.say(HOTLINE, Verb.NOTIFIED, WARD, case=case))
        after = Case.decode(world.state[case.case.encode()]).claims

        assert case.id in before[HOTLINE]
        assert set(before[WARD]) == {note.id}
        assert {source: set(claims) for source, claims in after.items()} == {HOTLINE: {notice.id}}

    def test_a_claim_that_was_not_pruned_counts_no_longer_than_one_that_was(self) -> None:
        # Whether the record was written in between must not show: batches are cut differently in a replay.
        written, unwritten = World(), World()
        for world in (written, unwritten):
            case = world.open_case()
            note = world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case))
            world.now += FORGOTTEN + 1
            if world is written:
                world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case))
            again = world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case, event_id=note.id)
            assert world.code(again) is Code.ACCEPTED

    def test_a_window_that_is_made_longer_brings_nothing_back(self) -> None:
        world = World()
        case = world.open_case()
        note = world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case))
        world.now += FORGOTTEN + 1
        world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case))

        world.directory = founding.under(POLICY.model_copy(update={"window_ms": DAY, "keep_closed_ms": 3 * DAY}))
        assert world.code(note) is Code.OUTSIDE_WINDOW
        # And a restart knows it.
        other = world.restored()
        assert other.code(note) is Code.OUTSIDE_WINDOW
        assert other.code(other.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case)) is Code.ACCEPTED

    @pytest.mark.parametrize("source", [HOTLINE, SCHOOL])
    def test_a_window_that_is_made_shorter_brings_nothing_back(self, source: str) -> None:
        world = World(directory=founding.under(POLICY.model_copy(update={"window_ms": DAY, "keep_closed_ms": 3 * DAY})))
        case = world.open_case()
        # Signed nearly a day ahead.
        note = World(now=NOW + 20 * HOUR).say(source, Verb.CASE_NOTED, WARD, case=case)
        first = world.code(note)

        world.directory = founding.under(POLICY.model_copy(update={"keep_closed_ms": FORGOTTEN}))
        for hours in (7, 14, 20):
            world.now = NOW + hours * HOUR
            world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case))
        world.accepted(world.say(HOTLINE, Verb.NOTIFIED, SCHOOL, case=case))
        verdict = world.verdict(note)

        assert (verdict.code, verdict.first and verdict.first.code) == (Code.DUPLICATE, first)

    def test_a_brokers_clock_that_falls_back_brings_nothing_back(self) -> None:
        world = World()
        opening = world.open_case()
        note = world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=opening))
        world.now += FORGOTTEN + 1
        world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=opening))

        world.now = NOW
        judged = world.judge(note)

        assert judged.code is Code.OUTSIDE_WINDOW
        # The stamp is kept as it was; the time that counts does not go back.
        assert (judged.decision.stamp, judged.decision.admitted) == (
            format_time(NOW),
            format_time(NOW + FORGOTTEN + 1),
        )


class TestFloods:
    def flood(self, world: World, source: str, case: Said, count: int) -> list[Code]:
        # Refused, for it goes to nobody.
        return [
            judged.code for judged in world.submit(*(world.say(source, Verb.NOTIFIED, case=case) for _ in range(count)))
        ]

    def test_a_party_uses_so_many_ids_on_a_case_and_no_more(self) -> None:
        world = World()
        case = world.open_case()
        codes = self.flood(world, HOTLINE, case, MAX_CLAIMS)

        assert codes == [Code.WRONG_RECIPIENTS] * (MAX_CLAIMS - 1) + [Code.TOO_MANY]

    def test_it_is_heard_again_when_they_are_forgotten(self) -> None:
        world = World()
        case = world.open_case()
        self.flood(world, HOTLINE, case, MAX_CLAIMS)
        world.now += FORGOTTEN
        assert self.flood(world, HOTLINE, case, 1) == [Code.TOO_MANY]

        world.now += 1
        assert self.flood(world, HOTLINE, case, 1) == [Code.WRONG_RECIPIENTS]

    def test_a_flood_of_one_party_leaves_the_others_alone(self) -> None:
        world = World()
        case = world.open_case()
        world.accepted(world.say(HOTLINE, Verb.NOTIFIED, WARD, case=case))
        self.flood(world, WARD, case, MAX_CLAIMS)

        world.accepted(world.say(HOTLINE, Verb.NOTIFIED, POLICE, case=case))

    def test_a_flood_of_strangers_leaves_the_case_alone(self) -> None:
        world = World()
        case = world.open_case()
        before = world.state[case.case.encode()]
        for stranger in (WARD, POLICE, SCHOOL):
            codes = self.flood(world, stranger, case, MAX_GHOST_CLAIMS + 1)
            assert codes == [Code.NOT_FOUND] * MAX_GHOST_CLAIMS + [Code.TOO_MANY]

        assert world.state[case.case.encode()] == before
        world.accepted(world.say(HOTLINE, Verb.NOTIFIED, WARD, case=case))

    def test_a_stranger_speaks_of_so_many_cases_and_no_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("referral_router.core.fold.MAX_GHOSTS", 5)
        world = World()
        said = [world.say(SCHOOL, Verb.CASE_NOTED, WARD, case=f"{number:032x}") for number in range(7)]
        codes = [judged.code for judged in world.submit(*said[:6])] + [world.code(said[6])]
        assert codes == [Code.NOT_FOUND] * 5 + [Code.TOO_MANY] * 2

        # The count survives a restart, and shrinks with what is forgotten.
        other = world.restored()
        assert other.code(said[6]) is Code.TOO_MANY
        assert other.code(said[4]) is Code.DUPLICATE
        other.now += DAY + 1
        late = other.say(SCHOOL, Verb.CASE_NOTED, WARD, case="f" * 32)
        assert other.code(late) is Code.NOT_FOUND
        assert len([key for key in other.state if b" " in key]) == 1

    def test_the_limits_leave_room_for_a_long_case(self) -> None:
        assert MAX_CLAIMS < MAX_CASE_CLAIMS
        assert MAX_GHOST_CLAIMS < MAX_GHOSTS

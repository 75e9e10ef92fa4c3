"""What agencies say to each other through the SDK, over the router's real rules."""

import pytest

from referral_bus import Code, LocalError, ReferralBus
from referral_bus.testing import DEFAULT_POLICY
from referral_contracts.directory_model import MaySend
from referral_contracts.envelope import HandoffKey
from referral_contracts.lifecycle import CaseState, Receipt, State
from referral_contracts.payloads.handoff import Acceptance
from referral_contracts.payloads.request import HandoffRequest
from referral_contracts.verbs import Verb
from tests.sdk.town import (
    ACCEPTANCE,
    CASE_CLOSING,
    CLOSING,
    CRIME,
    DECLINE,
    FORWARDING,
    MEDICAL,
    NOTE,
    OPENING,
    OUTCOME,
    PROGRESS,
    REQUEST,
    RETURN,
    SCHOOLING,
    TAKEN,
    TRANSFER,
    WITHDRAWAL,
    Town,
    case_with,
    heard,
)

pytestmark = pytest.mark.asyncio


def state_of(bus: ReferralBus, key: HandoffKey | None) -> State | None:
    assert key is not None
    found = bus.handoff(key)
    return None if found is None else found.state


class TestWayOfACase:
    async def test_an_assignment_is_accepted_done_and_closed_and_so_is_the_case(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            assigned = await heard(ward, Verb.ASSIGNED)
            key = assigned.handoff
            assert key is not None
            for say, payload in (("accept", ACCEPTANCE), ("progress", PROGRESS), ("complete", OUTCOME)):
                sent = await getattr(assigned, say)(payload)
                assert (await ward.wait(sent)).accepted
            completed = await heard(hotline, Verb.COMPLETED)
            closed = await hotline.send(hotline.close(key, CLOSING))
            ended = await hotline.send(hotline.close_case(subject, CASE_CLOSING))
            await heard(ward, Verb.CLOSED)

            assert assigned.payloads == (REQUEST,)
            assert completed.payloads == (OUTCOME,)
            assert closed.accepted
            assert ended.accepted
            assert ended.verdict is not None
            assert ended.verdict.case_state is CaseState.CLOSED
            assert state_of(hotline, key) is state_of(ward, key) is State.CLOSED
            case = hotline.case(subject)
            assert case is not None
            assert (case.owned, case.state) == (True, CaseState.CLOSED)
            assert hotline.status().waiting == ward.status().waiting == 0
            assert not hotline.alarms()
            assert not ward.alarms()

    async def test_a_receipt_goes_out_by_itself_and_once(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            await case_with(town, hotline, {"ward-a": [REQUEST]})
            assigned = await heard(ward, Verb.ASSIGNED)
            received = await heard(hotline, Verb.RECEIVED)
            await ward.wait(await assigned.accept(ACCEPTANCE))
            await town.settle()

            assert received.handoff == assigned.handoff
            assert len(town.routed(Verb.RECEIVED)) == 1
            assert received.envelope.data.answers is not None
            assert received.envelope.data.answers.id == assigned.id
            view = hotline.handoff(assigned.handoff) if assigned.handoff is not None else None
            assert view is not None
            assert view.receipt is Receipt.RECEIVED

    async def test_a_notification_ends_with_its_receipt(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            opened = hotline.open_case(OPENING)
            await hotline.send(opened)
            (key,) = (await hotline.send(hotline.notify(opened.subject, {"ward-a": [NOTE]}))).handoffs
            await heard(hotline, Verb.RECEIVED)

            assert state_of(hotline, key) is State.RECEIVED
            assert (await hotline.send(hotline.close_case(opened.subject, CASE_CLOSING))).accepted
            assert state_of(ward, key) is State.RECEIVED

    async def test_a_case_moves_to_another_owner_who_then_closes_it(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            opened = hotline.open_case(OPENING, exercise=True)
            await hotline.send(opened)
            assert (await hotline.send(hotline.transfer(opened.subject, "ward-a", TRANSFER))).accepted
            offered = await heard(ward, Verb.CASE_TRANSFER_OFFERED)
            async with offered:
                taken = await offered.accept_transfer(TAKEN)
            assert (await ward.wait(taken)).accepted
            await heard(hotline, Verb.CASE_TRANSFER_ACCEPTED)
            ours, theirs = hotline.case(opened.subject), ward.case(opened.subject)
            assert ours is not None
            assert theirs is not None

            assert (ours.owned, ours.state) == (False, None)
            assert (theirs.owned, theirs.state) == (True, CaseState.OPEN)
            assert offered.exercise
            assert (await ward.send(ward.close_case(opened.subject, CASE_CLOSING))).accepted
            assert all(event.exercise for event in town.routed())

    async def test_a_case_that_is_not_taken_stays_and_can_be_offered_again(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            opened = hotline.open_case(OPENING)
            await hotline.send(opened)
            await hotline.send(hotline.transfer(opened.subject, "ward-a", TRANSFER))
            await ward.wait(await (await heard(ward, Verb.CASE_TRANSFER_OFFERED)).decline_transfer(TAKEN))
            await heard(hotline, Verb.CASE_TRANSFER_DECLINED)
            case = hotline.case(opened.subject)
            assert case is not None

            assert (case.owned, case.state) == (True, CaseState.OPEN)
            assert (await hotline.send(hotline.transfer(opened.subject, "ward-z", TRANSFER))).accepted
            with pytest.raises(LocalError) as refusal:
                ward.accept_transfer(opened.subject, TAKEN)
            assert refusal.value.code is Code.NOT_FOUND

    async def test_an_offered_case_is_taken_back_and_nobody_can_take_it_then(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            opened = hotline.open_case(OPENING)
            await hotline.send(opened)
            with pytest.raises(LocalError) as none:
                hotline.withdraw_transfer(opened.subject, WITHDRAWAL)
            await hotline.send(hotline.transfer(opened.subject, "ward-a", TRANSFER))
            offered = await heard(ward, Verb.CASE_TRANSFER_OFFERED)
            assert (await hotline.send(hotline.withdraw_transfer(opened.subject, WITHDRAWAL))).accepted
            await heard(ward, Verb.CASE_TRANSFER_WITHDRAWN)
            case = hotline.case(opened.subject)
            assert case is not None

            assert none.value.code is Code.NOT_FOUND
            assert (case.owned, case.state) == (True, CaseState.OPEN)
            with pytest.raises(LocalError) as refusal:
                await offered.accept_transfer(TAKEN)
            assert refusal.value.code is Code.NOT_FOUND
            assert (await hotline.send(hotline.close_case(opened.subject, CASE_CLOSING))).accepted

    async def test_a_duty_is_passed_on_and_the_forwarder_is_released_when_the_next_has_it(self, town: Town) -> None:
        async with (
            town.bus("hotline-111") as hotline,
            town.bus("ward-a") as ward,
            town.bus("ward-z") as following,
        ):
            await case_with(town, hotline, {"ward-a": [REQUEST]})
            assigned = await heard(ward, Verb.ASSIGNED)
            sent = await ward.wait(await assigned.forward("ward-z", FORWARDING, REQUEST))
            passed = await heard(following, Verb.FORWARDED)
            told = await heard(hotline, Verb.FORWARDED)
            await heard(ward, Verb.RECEIVED)

            assert sent.accepted
            assert (told.handoff, told.payloads) == (assigned.handoff, (FORWARDING, REQUEST))
            assert passed.handoff == HandoffKey(opening=sent.id, recipient="ward-z")
            assert passed.payloads == (FORWARDING, REQUEST)
            assert state_of(ward, assigned.handoff) is State.RELEASED
            assert state_of(hotline, assigned.handoff) is State.FORWARDED
            assert (await following.wait(await passed.accept(ACCEPTANCE))).accepted
            accepted = await heard(ward, Verb.ACCEPTED)
            assert state_of(ward, accepted.handoff) is State.ACCEPTED

    async def test_what_was_accepted_can_be_given_back(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            await case_with(town, hotline, {"ward-a": [REQUEST]})
            assigned = await heard(ward, Verb.ASSIGNED)
            async with assigned:
                await assigned.accept(ACCEPTANCE)
                await assigned.return_(RETURN)
            returned = await heard(hotline, Verb.RETURNED)
            closed = await hotline.wait(await returned.close(CLOSING))

            assert closed.accepted
            assert state_of(hotline, assigned.handoff) is State.CLOSED

    async def test_a_note_reaches_those_that_are_named(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            await heard(ward, Verb.ASSIGNED)
            assert (await ward.send(ward.note(subject, {"hotline-111": [NOTE]}))).accepted

            assert (await heard(hotline, Verb.CASE_NOTED)).payloads == (NOTE,)

    async def test_what_an_agency_did_itself_is_noted_for_itself_alone(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            await heard(ward, Verb.ASSIGNED)
            sent = await ward.send(ward.note(subject, {}, own=[PROGRESS]))
            assert (sent.accepted, sent.entries[0].recipients) == (True, ())
            (noted,) = town.routed(Verb.CASE_NOTED)

            assert [{reader.address for reader in section.readers} for section in noted.data.sections] == [
                {"ward-a"},
                {"ward-a", "watcher"},
            ]
            for parts, own in (({}, ()), ({"hotline-111": [NOTE]}, (NOTE,))):
                with pytest.raises(LocalError):
                    await ward.send(ward.note(subject, parts, own=own))


class TestTeam:
    async def test_each_reads_its_own_part_and_all_share_one_event(self, town: Town) -> None:
        async with (
            town.bus("hotline-111") as hotline,
            town.bus("police-b") as police,
            town.bus("hospital-c") as hospital,
        ):
            opened = hotline.open_case(OPENING)
            await hotline.send(opened)
            parts = {"police-b": [CRIME, NOTE_FOR_ALL], "hospital-c": [MEDICAL, NOTE_FOR_ALL]}
            sent = await hotline.send(hotline.offer(opened.subject, parts))
            asked, cared = await heard(police, Verb.OFFERED), await heard(hospital, Verb.OFFERED)

            assert len(sent.entries) == 1
            assert len(sent.handoffs) == 2
            assert asked.id == cared.id
            assert set(asked.payloads) == {CRIME, NOTE_FOR_ALL}
            assert set(cared.payloads) == {MEDICAL, NOTE_FOR_ALL}
            # Four bodies to two readers: what both read is sealed once, and the clock is for the watcher.
            assert len(asked.envelope.data.sections) == 4
            assert len(asked.sealed) == 1 + ("s3" not in {section.name for section in asked.sections})

    async def test_a_school_cannot_tell_that_the_others_exist(self, town: Town) -> None:
        async with (
            town.bus("hotline-111") as hotline,
            town.bus("police-b") as police,
            town.bus("school-d") as school,
        ):
            opened = hotline.open_case(OPENING)
            await hotline.send(opened)
            draft = hotline.offer(
                opened.subject, {"police-b": [CRIME], "school-d": [SCHOOLING], "hospital-c": [MEDICAL]}
            )
            plan = hotline.plan(draft)
            sent = await hotline.send(draft)
            theirs, ours = await heard(school, Verb.OFFERED), await heard(police, Verb.OFFERED)

            assert [event.recipients for event in plan.events] == [("police-b", "hospital-c"), ("school-d",)]
            assert sent.accepted
            assert len(sent.entries) == 2
            assert ours.envelope.data.recipients == ("police-b", "hospital-c")
            assert theirs.envelope.data.recipients == ("school-d",)
            readers = {reader.address for section in theirs.envelope.data.sections for reader in section.readers}
            assert readers <= {"school-d", "hotline-111", "watcher"}

    async def test_a_draft_that_became_two_events_is_found_again_as_both(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline:
            opened = hotline.open_case(OPENING)
            await hotline.send(opened)
            draft = hotline.offer(opened.subject, {"police-b": [CRIME], "school-d": [SCHOOLING]})
            first, second = await hotline.send(draft), await hotline.send(draft)

            assert first == second
            assert len(town.routed(Verb.OFFERED)) == 2

    async def test_of_accept_and_withdraw_one_wins_and_the_other_is_told(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("police-b") as police:
            opened = hotline.open_case(OPENING)
            await hotline.send(opened)
            (key,) = (await hotline.send(hotline.offer(opened.subject, {"police-b": [CRIME]}))).handoffs
            offered = await heard(police, Verb.OFFERED)
            await heard(hotline, Verb.RECEIVED)
            town.sim.automatic = False
            withdrawn = await hotline.send(hotline.withdraw(key, WITHDRAWAL), wait="ack")
            accepted = await offered.accept(ACCEPTANCE)
            await town.settle()
            town.sim.automatic = True
            won, lost = await hotline.wait(withdrawn), await police.wait(accepted)

            assert won.accepted
            assert lost.code is Code.STALE_HEAD
            assert lost.verdict is not None
            assert lost.verdict.state is State.WITHDRAWN
            # The loser's view is right before it has even looked at the withdrawal.
            assert state_of(police, key) is State.WITHDRAWN

    async def test_one_declines_and_the_next_is_asked(self, town: Town) -> None:
        async with (
            town.bus("hotline-111") as hotline,
            town.bus("police-b") as police,
            town.bus("hospital-c") as hospital,
        ):
            opened = hotline.open_case(OPENING)
            await hotline.send(opened)
            await hotline.send(hotline.offer(opened.subject, {"police-b": [CRIME]}))
            offered = await heard(police, Verb.OFFERED)
            async with offered:
                await offered.decline(DECLINE)
            declined = await heard(hotline, Verb.DECLINED)
            again = await hotline.send(hotline.offer(opened.subject, {"hospital-c": [MEDICAL]}))

            assert declined.payloads == (DECLINE,)
            assert state_of(hotline, offered.handoff) is State.DECLINED
            assert again.accepted
            assert (await heard(hospital, Verb.OFFERED)).payload(HandoffRequest) == MEDICAL
            assert offered.payload(Acceptance) is None


NOTE_FOR_ALL = HandoffRequest(actor=REQUEST.actor, service=REQUEST.service, reason="Gặp nhau lúc 8 giờ")


class TestPlan:
    async def test_a_plan_tells_who_would_see_which_field_and_sends_nothing(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline:
            opened = hotline.open_case(OPENING)
            await hotline.send(opened)
            before = len(town.decisions())
            plan = hotline.plan(hotline.offer(opened.subject, {"police-b": [CRIME], "hospital-c": [MEDICAL]}))
            (police,) = (section for section in plan.seen_by("police-b") if section.schema.startswith("handoff"))
            seen = {row.value for section in plan.seen_by("hospital-c") for row in section.rows}
            await town.settle()

            assert {row.path for row in police.rows} >= {"service", "suspect"}
            assert "Vết bầm ở tay trái" in seen
            assert "Cha dượng" not in seen
            assert police.readers == ("police-b", "hotline-111")
            assert len(town.decisions()) == before
            assert len(hotline.outbox()) == 1

    @pytest.mark.parametrize(
        ("recipient", "code"),
        [
            ("nobody-here", Code.UNKNOWN_RECIPIENT),
            ("police-b/night", Code.UNKNOWN_RECIPIENT),
            ("hotline-111", Code.WRONG_RECIPIENTS),
        ],
    )
    async def test_what_cannot_be_said_is_told_before_it_is_sent(self, town: Town, recipient: str, code: Code) -> None:
        async with town.bus("hotline-111") as hotline:
            opened = hotline.open_case(OPENING)
            await hotline.send(opened)
            draft = hotline.offer(opened.subject, {recipient: [CRIME]})
            with pytest.raises(LocalError) as planned:
                hotline.plan(draft)
            with pytest.raises(LocalError) as sent:
                await hotline.send(draft)

            assert (planned.value.code, sent.value.code) == (code, code)
            assert len(hotline.outbox()) == 1

    async def test_a_form_that_the_verb_does_not_carry_is_refused(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline:
            opened = hotline.open_case(OPENING)
            await hotline.send(opened)
            with pytest.raises(LocalError) as refusal:
                await hotline.send(hotline.offer(opened.subject, {"police-b": [ACCEPTANCE]}))

            assert refusal.value.code is Code.UNKNOWN_SCHEMA

    async def test_who_may_not_open_a_case_is_told_so(self, town: Town) -> None:
        async with town.bus("school-d") as school:
            with pytest.raises(LocalError) as refusal:
                await school.send(school.open_case(OPENING))

            assert refusal.value.code is Code.NOT_PERMITTED

    async def test_whom_policy_bars_is_told_by_name(self, town: Town) -> None:
        to_police = MaySend(recipients=("police",), senders=("*",), verbs=("*",))
        town.sim.change_directory(policy=DEFAULT_POLICY.model_copy(update={"may_send": (to_police,)}))
        async with town.bus("hotline-111") as hotline:
            opened = hotline.open_case(OPENING)
            await hotline.send(opened)
            with pytest.raises(LocalError) as refusal:
                await hotline.send(hotline.offer(opened.subject, {"police-b": [CRIME], "school-d": [MEDICAL]}))

            assert refusal.value.code is Code.NOT_PERMITTED
            assert refusal.value.detail.endswith("say handoff.offered to school-d")

    async def test_nothing_can_be_answered_that_is_not_known(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline:
            with pytest.raises(LocalError) as refusal:
                hotline.accept(HandoffKey(opening="019cea26-8940-7000-8000-000000000002", recipient="ward-a"), NOTE)
            assert refusal.value.code is Code.NOT_FOUND
            with pytest.raises(LocalError) as refusal:
                await hotline.send(hotline.offer("0" * 32, {"police-b": [CRIME]}))
            assert refusal.value.code is Code.NOT_FOUND

"""What was entered or sent by mistake, as two agencies' own systems live through it."""

import pytest

from referral_bus import Code, ReferralBus
from referral_contracts.envelope import Envelope
from referral_contracts.lifecycle import CaseState, State
from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.base import Answer
from referral_contracts.payloads.clock import ClockSection, Trigger
from referral_contracts.payloads.mistake import (
    Disposal,
    Misdirection,
    Recall,
    RecallReason,
    Voiding,
    VoidingReason,
    Wanted,
)
from referral_contracts.sealing import unseal
from referral_contracts.sections import read_section
from referral_contracts.verbs import Verb
from tests.sdk.test_succession import MERGED, end
from tests.sdk.test_turns import AGAIN, stands
from tests.sdk.town import (
    ACCEPTANCE,
    CASE_CLOSING,
    DECLINE,
    FORWARDING,
    KEYS,
    MEDICAL,
    OPENING,
    REQUEST,
    Town,
    case_with,
    heard,
)

pytestmark = pytest.mark.asyncio

WHO = Actor(role=Role.DUTY_OFFICER)
VOIDING = Voiding(actor=WHO, reason=VoidingReason.ENTERED_TWICE)
RECALL = Recall(actor=WHO, reason=RecallReason.WRONG_AGENCY, wanted=Wanted.DESTROY)
DESTROYED = Misdirection(actor=WHO, opened=Answer.YES, read_by=2, disposal=Disposal.DESTROYED)


def voided_by(bus: ReferralBus, event_id: str) -> tuple[str, ...]:
    said = bus.entry(event_id)
    assert said is not None
    return said.voided_by


class TestRecall:
    async def test_who_was_recalled_is_told_answers_and_the_case_can_be_closed(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("hospital-c") as hospital:
            subject = await case_with(town, hotline, {"hospital-c": [MEDICAL]})
            assigned = await heard(hospital, Verb.ASSIGNED)
            key = assigned.handoff
            assert key is not None
            assert (await hotline.send(hotline.recall(key, RECALL))).accepted
            early = await hotline.send(hotline.close_case(subject, CASE_CLOSING))
            asked = await heard(hospital, Verb.RECALLED)

            assert early.code is Code.OPEN_HANDOFFS
            assert asked.payloads == (RECALL,)
            assert stands(key, hotline, hospital) == [State.RECALLED] * 2
            assert (await hospital.wait(await asked.report_misdirected(DESTROYED))).accepted
            told = await heard(hotline, Verb.MISDIRECTED)

            assert told.payloads == (DESTROYED,)
            assert stands(key, hotline, hospital) == [State.MISDIRECTED] * 2
            assert (await hotline.send(hotline.close_case(subject, CASE_CLOSING))).accepted

    async def test_a_recall_against_an_acceptance_has_one_winner_and_the_loser_is_told(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            await case_with(town, hotline, {"ward-a": [REQUEST]})
            assigned = await heard(ward, Verb.ASSIGNED)
            assert assigned.handoff is not None
            town.sim.automatic = False
            recalled = await hotline.send(hotline.recall(assigned.handoff, RECALL), wait="ack")
            accepted = await assigned.accept(ACCEPTANCE)
            town.sim.automatic = True
            lost, won = await ward.wait(accepted), await hotline.wait(recalled)

            assert (won.code, lost.code) == (Code.ACCEPTED, Code.STALE_HEAD)
            await heard(ward, Verb.RECALLED)
            assert stands(assigned.handoff, hotline, ward) == [State.RECALLED] * 2

    async def test_what_was_declined_is_recalled_after_the_end(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("hospital-c") as hospital:
            opened = hotline.open_case(OPENING)
            await hotline.send(opened)
            (key,) = (await hotline.send(hotline.offer(opened.subject, {"hospital-c": [MEDICAL]}))).handoffs
            await hospital.wait(await (await heard(hospital, Verb.OFFERED)).decline(DECLINE))
            declined = await heard(hotline, Verb.DECLINED)
            await hotline.wait(await declined.recall(RECALL))
            await hospital.wait(await (await heard(hospital, Verb.RECALLED)).report_misdirected(DESTROYED))
            await heard(hotline, Verb.MISDIRECTED)

            assert stands(key, hotline, hospital) == [State.MISDIRECTED] * 2


def told_watcher(event: Envelope) -> tuple[Trigger, ...]:
    """Return what the watcher reads in *event*."""
    keys, told = KEYS["watcher"], []
    for index, section in enumerate(event.data.sections):
        for reader in section.readers:
            key = keys.opener(reader.address, reader.kid)
            if key is not None:
                told.append(read_section(unseal(section, event.seal_context(index), reader.address, key)).payload)
    (clock,) = told
    assert isinstance(clock, ClockSection)
    return clock.listed


class TestMisdirected:
    async def test_the_watcher_learns_of_the_breach_and_whoever_sent_it_what_the_watcher_is_told(
        self, town: Town
    ) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            await case_with(town, hotline, {"ward-a": [REQUEST]})
            assigned = await heard(ward, Verb.ASSIGNED)
            await ward.wait(await assigned.report_misdirected(DESTROYED))
            told = await heard(hotline, Verb.MISDIRECTED)
            (clock,) = (
                section.read.payload
                for section in told.sections
                if section.read is not None and isinstance(section.read.payload, ClockSection)
            )

            assert isinstance(clock, ClockSection)
            assert [(one.trigger, one.whose) for one in clock.listed] == [("data-misdirected", "hotline-111")]
            assert stands(assigned.handoff, hotline, ward) == [State.MISDIRECTED] * 2

    async def test_the_watcher_learns_who_sent_it_though_that_ones_side_was_moved(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward, town.bus("ward-z") as after:
            await case_with(town, hotline, {"ward-a": [REQUEST]})
            assigned = await heard(ward, Verb.ASSIGNED)
            assert assigned.handoff is not None
            end(town, "hotline-111", "ward-z")
            await town.settle()
            assert (await hotline.send(hotline.move(assigned.handoff, "ward-z", MERGED))).accepted
            await heard(ward, Verb.MOVED)
            await ward.wait(await assigned.report_misdirected(DESTROYED))
            await heard(after, Verb.MISDIRECTED)
            (event,) = town.routed(Verb.MISDIRECTED)

            assert event.data.recipients == ("ward-z",)
            assert [(one.trigger, one.whose) for one in told_watcher(event)] == [("data-misdirected", "hotline-111")]

    async def test_a_duty_that_was_passed_on_to_the_wrong_ward_is_the_forwarders_again(self, town: Town) -> None:
        async with (
            town.bus("hotline-111") as hotline,
            town.bus("ward-a") as ward,
            town.bus("ward-z") as following,
        ):
            await case_with(town, hotline, {"ward-a": [REQUEST]})
            assigned = await heard(ward, Verb.ASSIGNED)
            await ward.wait(await assigned.forward("ward-z", FORWARDING, REQUEST))
            passed = await heard(following, Verb.FORWARDED)
            await heard(ward, Verb.RECEIVED)
            await following.wait(await passed.report_misdirected(DESTROYED))
            await heard(ward, Verb.MISDIRECTED)

            assert stands(assigned.handoff, ward) == [State.ASSIGNED]
            assert (await ward.wait(await assigned.accept(ACCEPTANCE))).accepted


class TestVoided:
    async def test_a_case_that_was_entered_twice_is_voided_with_its_handoffs(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            assigned = await heard(ward, Verb.ASSIGNED)
            assert assigned.handoff is not None
            early = await hotline.send(hotline.void_case(subject, VOIDING))
            assert early.code is Code.OPEN_HANDOFFS
            voided = (await hotline.send(hotline.void(assigned.handoff, VOIDING))).check()
            told = await heard(ward, Verb.VOIDED)
            assert voided_by(hotline, assigned.id) == (voided.id,)
            assert voided_by(hotline, hotline.outbox()[0].id) == ()
            all_voided = (await hotline.send(hotline.void_case(subject, VOIDING))).check()
            case = hotline.case(subject)

            assert told.payloads == (VOIDING,)
            assert voided_by(hotline, assigned.id) == (voided.id, all_voided.id)
            # What was refused never stood, and what says so is not what was entered in error.
            said = {one.verb for one in hotline.outbox() if all_voided.id in one.voided_by}
            assert said == {Verb.CASE_OPENED, Verb.ASSIGNED}
            assert voided_by(hotline, early.id) == ()
            assert stands(assigned.handoff, hotline, ward) == [State.VOIDED] * 2
            assert case is not None
            assert case.state is CaseState.VOIDED
            reopened = await hotline.send(hotline.reopen_case(subject, AGAIN))
            assert reopened.code is Code.ILLEGAL_TRANSITION

    async def test_work_that_came_back_is_voided_by_whoever_asked_for_it(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            await case_with(town, hotline, {"ward-a": [REQUEST]})
            assigned = await heard(ward, Verb.ASSIGNED)
            await ward.wait(await assigned.accept(ACCEPTANCE))
            await hotline.wait(await (await heard(hotline, Verb.ACCEPTED)).void(VOIDING))
            await heard(ward, Verb.VOIDED)

            assert stands(assigned.handoff, hotline, ward) == [State.VOIDED] * 2

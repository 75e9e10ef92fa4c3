"""What turns a hand-off or a case once it is on its way: pauses, failures, endings, reopenings, talk, and time."""

import pytest

from referral_bus import Code, ReferralBus
from referral_contracts.decisions import Decision
from referral_contracts.encoding import jcs
from referral_contracts.envelope import EventData, EventRef, HandoffKey
from referral_contracts.lifecycle import CaseState, State
from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.case import Note
from referral_contracts.payloads.talk import Answer, Question
from referral_contracts.payloads.turn import (
    Cancellation,
    CancellationReason,
    Failure,
    FailureReason,
    Reopening,
    ReopeningReason,
    Resumption,
    Suspension,
    SuspensionReason,
)
from referral_contracts.verbs import Verb
from tests.sdk.forging import Event, submit
from tests.sdk.town import (
    ACCEPTANCE,
    CASE_CLOSING,
    CLOSING,
    CRIME,
    FORWARDING,
    OUTCOME,
    REQUEST,
    RETURN,
    WITHDRAWAL,
    Town,
    case_with,
    heard,
)

pytestmark = pytest.mark.asyncio

WHO = Actor(role=Role.DUTY_OFFICER)
PAUSE = Suspension(actor=WHO, reason=SuspensionReason.CHILD_IN_TREATMENT)
GOING_ON = Resumption(actor=WHO)
FAILED = Failure(actor=WHO, reason=FailureReason.CHILD_NOT_FOUND, explanation="Gia đình đã chuyển đi")
ENDED = Cancellation(actor=WHO, reason=CancellationReason.CASE_ENDS)
AGAIN = Reopening(actor=WHO, reason=ReopeningReason.NOT_ACHIEVED)
QUESTION = Question(actor=WHO, text="Trẻ hiện ở đâu?")


def stands(key: HandoffKey | None, *buses: ReferralBus) -> list[State | None]:
    """Return how a hand-off stands in the eyes of each."""
    assert key is not None
    found = [bus.handoff(key) for bus in buses]
    return [None if view is None else view.state for view in found]


def by_watcher(town: Town, verb: Verb, key: HandoffKey, subject: str, head: EventRef, *to: str) -> None:
    """Let the deadline watcher say *verb* of a hand-off."""
    said = Event(town=town, source="watcher", verb=verb, subject=subject, recipients=to, handoff=key).envelope()
    data = EventData(**{**dict(said.data), "answers": head})
    submit(town, said.model_copy(update={"data": data}))


def last(town: Town, source: str) -> Decision:
    """Return the last decision on what *source* said."""
    name = jcs(source)
    return [decision for decision, value in town.decisions() if b'"source":' + name in value][-1]


class TestWork:
    async def test_work_rests_goes_on_and_is_given_up(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            await case_with(town, hotline, {"ward-a": [REQUEST]})
            assigned = await heard(ward, Verb.ASSIGNED)
            key = assigned.handoff
            await ward.wait(await assigned.accept(ACCEPTANCE))
            await ward.wait(await assigned.suspend(PAUSE))
            paused = await heard(hotline, Verb.SUSPENDED)

            assert paused.payloads == (PAUSE,)
            assert stands(key, hotline, ward) == [State.SUSPENDED] * 2

            assert (await ward.wait(await assigned.complete(OUTCOME))).entries[0].code is Code.ILLEGAL_TRANSITION
            await ward.wait(await assigned.resume(GOING_ON))
            await ward.wait(await assigned.fail(FAILED))
            failed = await heard(hotline, Verb.FAILED)

            assert failed.payloads == (FAILED,)
            assert stands(key, hotline, ward) == [State.FAILED] * 2
            assert (await hotline.wait(await failed.close(CLOSING))).accepted

    async def test_who_asked_cancels_what_has_begun_and_withdraws_what_has_not(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("police-b") as police:
            opened = await case_with(town, hotline, {"ward-a": [REQUEST]})
            (key,) = (await hotline.send(hotline.offer(opened, {"police-b": [CRIME]}))).handoffs
            offered = await heard(police, Verb.OFFERED)
            await police.wait(await offered.accept(ACCEPTANCE))
            await heard(hotline, Verb.ACCEPTED)
            late = await hotline.send(hotline.withdraw(key, WITHDRAWAL))
            ended = await hotline.send(hotline.cancel(key, ENDED))

            assert late.entries[0].code is Code.ILLEGAL_TRANSITION
            assert ended.accepted
            assert (await heard(police, Verb.CANCELLED)).payloads == (ENDED,)
            assert stands(key, hotline, police) == [State.STOPPED] * 2

    async def test_completed_work_is_reopened_and_done_again(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            await case_with(town, hotline, {"ward-a": [REQUEST]})
            assigned = await heard(ward, Verb.ASSIGNED)
            await ward.wait(await assigned.accept(ACCEPTANCE))
            await ward.wait(await assigned.complete(OUTCOME))
            done = await heard(hotline, Verb.COMPLETED)
            assert (await hotline.wait(await done.reopen(AGAIN))).accepted
            await heard(ward, Verb.REOPENED)

            assert stands(assigned.handoff, hotline, ward) == [State.ACCEPTED] * 2
            assert (await ward.wait(await assigned.complete(OUTCOME))).accepted


class TestOwner:
    async def test_the_owner_ends_what_others_left_open_and_closes_and_reopens_the_case(self, town: Town) -> None:
        async with (
            town.bus("hotline-111") as hotline,
            town.bus("ward-a") as ward,
            town.bus("police-b") as police,
        ):
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            assigned = await heard(ward, Verb.ASSIGNED)
            (key,) = (await ward.send(ward.offer(subject, {"police-b": [CRIME]}))).handoffs
            await heard(police, Verb.OFFERED)
            assert assigned.handoff is not None
            assert (await hotline.send(hotline.cancel(assigned.handoff, ENDED))).accepted
            early = await hotline.send(hotline.close_case(subject, CASE_CLOSING))
            verdict = early.entries[0].verdict

            # The owner learns of the other one by the refusal: it was no party of it.
            assert early.entries[0].code is Code.OPEN_HANDOFFS
            assert verdict is not None
            assert verdict.open is not None
            assert [one.key for one in verdict.open] == [key]

            assert last(town, "hotline-111").code is Code.OPEN_HANDOFFS
            told = hotline.handoff(key)
            assert told is not None
            assert (told.state, told.opened_by, told.opened_with, told.receipt) == (State.OFFERED, "ward-a", None, None)

            assert (await hotline.send(hotline.cancel(key, ENDED))).accepted
            assert (await heard(police, Verb.CANCELLED)).payloads == (ENDED,)
            assert (await heard(ward, Verb.CANCELLED)).payloads == (ENDED,)
            assert stands(key, hotline, ward, police) == [State.STOPPED] * 3
            assert (await hotline.send(hotline.close_case(subject, CASE_CLOSING))).accepted
            assert (await hotline.send(hotline.reopen_case(subject, AGAIN))).accepted
            case = hotline.case(subject)

            assert case is not None
            assert case.state is CaseState.OPEN
            assert (await hotline.send(hotline.offer(subject, {"police-b": [CRIME]}))).accepted

    async def test_what_a_refusal_told_of_is_forgotten_when_it_has_ended_by_others(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            assigned = await heard(ward, Verb.ASSIGNED)
            (asked,) = (await ward.send(ward.offer(subject, {"police-b": [CRIME]}))).handoffs
            (again,) = (await ward.send(ward.offer(subject, {"police-b": [CRIME]}))).handoffs
            await hotline.send(hotline.close_case(subject, CASE_CLOSING))
            assert stands(asked, hotline) == stands(again, hotline) == [State.OFFERED]

            assert (await ward.send(ward.withdraw(asked, WITHDRAWAL))).accepted
            await hotline.send(hotline.close_case(subject, CASE_CLOSING))

            # How it ended nobody told the owner.
            assert stands(asked, hotline) == [None]
            assert stands(again, hotline) == [State.OFFERED]
            assert assigned.handoff is not None
            for key in (again, assigned.handoff):
                assert (await hotline.send(hotline.cancel(key, ENDED))).accepted
            assert (await hotline.send(hotline.close_case(subject, CASE_CLOSING))).accepted

    async def test_nobody_else_reopens_a_case(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            assigned = await heard(ward, Verb.ASSIGNED)
            assert assigned.handoff is not None
            await hotline.send(hotline.cancel(assigned.handoff, ENDED))
            await hotline.send(hotline.close_case(subject, CASE_CLOSING))
            known = hotline.case(subject)
            assert known is not None
            said = Event(
                town=town, source="ward-a", verb=Verb.CASE_REOPENED, subject=subject, recipients=("hotline-111",)
            ).envelope()
            data = said.data.model_copy(update={"answers": known.head})
            submit(town, said.model_copy(update={"data": data}))

            assert last(town, "ward-a").code is Code.WRONG_PARTY


class TestDuty:
    async def test_a_duty_that_the_next_gives_back_is_the_forwarders_again(self, town: Town) -> None:
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
            assert stands(assigned.handoff, ward) == [State.RELEASED]

            async with passed:
                await passed.accept(ACCEPTANCE)
                await passed.return_(RETURN)
            await heard(ward, Verb.RETURNED)

            assert stands(assigned.handoff, ward) == [State.ASSIGNED]
            assert (await ward.wait(await assigned.accept(ACCEPTANCE))).accepted
            await heard(hotline, Verb.ACCEPTED)
            assert stands(assigned.handoff, hotline, ward) == [State.ACCEPTED] * 2


class TestTalk:
    async def test_a_question_and_its_answer_move_nothing(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            await case_with(town, hotline, {"ward-a": [REQUEST]})
            assigned = await heard(ward, Verb.ASSIGNED)
            await ward.wait(await assigned.ask(QUESTION))
            asked = await heard(hotline, Verb.ASKED)
            answer = Answer(actor=WHO, question=asked.id, text="Ở nhà bà ngoại")
            await hotline.wait(await asked.answer(answer, Note(actor=WHO, text="Đã gọi lúc 9 giờ")))
            told = await heard(ward, Verb.ANSWERED)

            assert asked.payloads == (QUESTION,)
            assert told.payloads[0] == answer
            assert stands(assigned.handoff, hotline, ward) == [State.ASSIGNED] * 2
            # The head is still the assignment: what is said next answers that.
            assert (await ward.wait(await assigned.accept(ACCEPTANCE))).accepted


class TestTime:
    async def test_a_request_expires_by_the_watcher_alone_and_both_sides_are_told(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("police-b") as police:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            (key,) = (await hotline.send(hotline.offer(subject, {"police-b": [CRIME]}))).handoffs
            offered = await heard(police, Verb.OFFERED)
            view = police.handoff(key)
            assert view is not None
            by_watcher(town, Verb.EXPIRED, key, subject, view.head, "hotline-111", "police-b")
            assert last(town, "watcher").code is Code.ACCEPTED
            for bus in (hotline, police):
                await heard(bus, Verb.EXPIRED)

            assert stands(key, hotline, police) == [State.EXPIRED] * 2
            late = await police.wait(await offered.accept(ACCEPTANCE))
            assert late.entries[0].code in {Code.STALE_HEAD, Code.ILLEGAL_TRANSITION}

    async def test_a_duty_does_not_expire(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            assigned = await heard(ward, Verb.ASSIGNED)
            assert assigned.handoff is not None
            view = ward.handoff(assigned.handoff)
            assert view is not None
            by_watcher(town, Verb.EXPIRED, assigned.handoff, subject, view.head, "hotline-111", "ward-a")

            assert last(town, "watcher").code is Code.ILLEGAL_TRANSITION

    async def test_the_watcher_is_no_party_and_says_nothing_else(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            assigned = await heard(ward, Verb.ASSIGNED)
            assert assigned.handoff is not None
            view = ward.handoff(assigned.handoff)
            assert view is not None
            by_watcher(town, Verb.ACCEPTED, assigned.handoff, subject, view.head, "hotline-111", "ward-a")

            assert last(town, "watcher").code is Code.NOT_FOUND

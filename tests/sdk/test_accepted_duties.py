"""A duty that turns out to be another's: it is forwarded, and not given back."""

import pytest

from referral_bus import Code, LocalError, _drafts
from referral_contracts.lifecycle import State
from referral_contracts.payloads.handoff import ReturnReason
from referral_contracts.verbs import Verb
from tests.sdk.town import ACCEPTANCE, CRIME, FORWARDING, REQUEST, RETURN, Town, case_with, heard

pytestmark = pytest.mark.asyncio

NOT_OURS = RETURN.model_copy(update={"reason": ReturnReason.NOT_COMPETENT})


async def test_an_accepted_duty_is_forwarded_and_the_next_may_give_it_back(town: Town) -> None:
    async with (
        town.bus("hotline-111") as hotline,
        town.bus("police-b") as police,
        town.bus("ward-a") as ward,
    ):
        subject = await case_with(town, hotline, {"ward-z": [REQUEST]})
        (key,) = (await hotline.send(hotline.assign(subject, {"police-b": [CRIME]}))).handoffs
        assigned = await heard(police, Verb.ASSIGNED)
        await police.wait(await assigned.accept(ACCEPTANCE))
        with pytest.raises(LocalError, match="forward it to the competent body") as refused:
            await assigned.return_(NOT_OURS)
        forwarded = await police.wait(await assigned.forward("ward-a", FORWARDING))
        passed_on = await heard(ward, Verb.FORWARDED)
        await ward.wait(await passed_on.accept(ACCEPTANCE))
        back = await ward.wait(await passed_on.return_(NOT_OURS))
        await heard(police, Verb.RETURNED)
        ours = police.handoff(key)

        assert refused.value.code is Code.ILLEGAL_TRANSITION
        assert forwarded.accepted
        assert back.accepted
        assert ours is not None
        assert ours.state is State.ASSIGNED
        assert (hotline.alarms(), police.alarms(), ward.alarms()) == ((), (), ())


async def test_what_was_only_asked_for_is_given_back_for_any_reason(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("police-b") as police:
        subject = await case_with(town, hotline, {"ward-z": [REQUEST]})
        await hotline.send(hotline.offer(subject, {"police-b": [CRIME]}))
        offered = await heard(police, Verb.OFFERED)
        await police.wait(await offered.accept(ACCEPTANCE))

        assert (await police.wait(await offered.return_(NOT_OURS))).accepted


async def test_another_program_gives_a_duty_back_as_not_competent_and_who_assigned_it_is_told(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_drafts, "_check_duty", lambda *_: None)
    async with town.bus("hotline-111") as hotline, town.bus("police-b") as police:
        subject = await case_with(town, hotline, {"ward-z": [REQUEST]})
        for reason, alarms in ((RETURN, 0), (NOT_OURS, 1)):
            (key,) = (await hotline.send(hotline.assign(subject, {"police-b": [CRIME]}))).handoffs
            assigned = await heard(police, Verb.ASSIGNED)
            await police.wait(await assigned.accept(ACCEPTANCE))
            assert (await police.wait(await assigned.return_(reason))).accepted
            await heard(hotline, Verb.RETURNED)
            view = hotline.handoff(key)

            assert view is not None
            assert view.state is State.RETURNED
            assert len(hotline.alarms()) == alarms
        (alarm,) = hotline.alarms()
        assert (alarm.code, alarm.subject) == (Code.ILLEGAL_TRANSITION, subject)
        assert "police-b gave a duty back as not competent" in alarm.detail

"""One hand-off after another, through the SDK: the chain that its sender, its owner and its recipients see."""

import pytest

from referral_bus import Code, HandoffKey, LocalError, ReferralBus
from referral_contracts.lifecycle import State
from referral_contracts.verbs import Verb
from tests.sdk.town import (
    ACCEPTANCE,
    CLOSING,
    CRIME,
    DECLINE,
    MEDICAL,
    REQUEST,
    RETURN,
    SCHOOLING,
    WITHDRAWAL,
    Town,
    case_with,
    heard,
)

pytestmark = pytest.mark.asyncio


def followed(bus: ReferralBus, key: HandoffKey) -> HandoffKey | None:
    found = bus.handoff(key)
    assert found is not None
    assert found.follows is not None
    return found.followed


async def test_a_chain_of_requests_is_seen_by_who_asked_and_the_rest_see_that_there_was_one(town: Town) -> None:
    async with (
        town.bus("hotline-111") as hotline,
        town.bus("hospital-c") as hospital,
        town.bus("school-d") as school,
        town.bus("ward-a") as ward,
    ):
        subject = await case_with(town, hotline, {"ward-z": [REQUEST]})
        (first,) = (await hotline.send(hotline.offer(subject, {"hospital-c": [MEDICAL]}))).handoffs
        await hospital.wait(await (await heard(hospital, Verb.OFFERED)).decline(DECLINE))
        await heard(hotline, Verb.DECLINED)
        second_draft = hotline.offer(subject, {"school-d": [SCHOOLING], "ward-a": [REQUEST]}, follows=first)
        second = await hotline.send(second_draft)
        offered = await heard(school, Verb.OFFERED)

        assert len(second.entries) == 2
        assert second.accepted
        assert [followed(hotline, key) for key in second.handoffs] == [first, first]
        # Whose the earlier one was, the school is not told.
        assert offered.handoff is not None
        assert followed(school, offered.handoff) is None

        await school.wait(await offered.accept(ACCEPTANCE))
        await school.wait(await offered.return_(RETURN))
        returned = await heard(hotline, Verb.RETURNED)
        assert (await hotline.wait(await returned.close(CLOSING))).accepted
        (third,) = (
            await hotline.send(hotline.assign(subject, {"police-b": [CRIME]}, follows=offered.handoff))
        ).handoffs

        # What was closed before anybody else was asked is followed all the same.
        assert followed(hotline, third) == offered.handoff
        assert (hotline.alarms(), school.alarms(), ward.alarms()) == ((), (), ())


async def test_what_we_end_ourselves_is_followed_at_once_and_goes_out_after_it(town: Town) -> None:
    async with town.bus("hotline-111") as hotline:
        subject = await case_with(town, hotline, {"ward-z": [REQUEST]})
        (first,) = (await hotline.send(hotline.offer(subject, {"police-b": [CRIME]}))).handoffs
        town.sim.automatic = False
        await hotline.send(hotline.withdraw(first, WITHDRAWAL), wait=False)
        again = await hotline.send(hotline.offer(subject, {"hospital-c": [MEDICAL]}, follows=first), wait=False)
        town.sim.automatic = True
        sent = await hotline.wait(again)

        assert sent.accepted
        assert followed(hotline, sent.handoffs[0]) == first


async def test_what_was_to_follow_an_end_that_is_refused_never_goes_out(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("police-b") as police:
        subject = await case_with(town, hotline, {"ward-z": [REQUEST]})
        (first,) = (await hotline.send(hotline.offer(subject, {"police-b": [CRIME]}))).handoffs
        offered = await heard(police, Verb.OFFERED)
        town.sim.automatic = False
        await police.send(police.accept(first, ACCEPTANCE), wait="ack")
        await hotline.send(hotline.withdraw(first, WITHDRAWAL), wait=False)
        again = await hotline.send(hotline.offer(subject, {"hospital-c": [MEDICAL]}, follows=first), wait=False)
        town.sim.automatic = True
        sent = await hotline.wait(again)

        assert sent.entries[0].code is Code.STALE_HEAD
        assert offered.handoff == first
        assert [envelope.data.recipients for envelope in town.routed(Verb.OFFERED)] == [("police-b",)]


async def test_what_has_not_ended_or_is_not_known_is_refused_before_anything_is_sealed_in(town: Town) -> None:
    async with town.bus("hotline-111") as hotline:
        subject = await case_with(town, hotline, {"ward-z": [REQUEST]})
        (first,) = (await hotline.send(hotline.offer(subject, {"police-b": [CRIME]}))).handoffs
        other = await case_with(town, hotline, {"ward-z": [REQUEST]})
        entries = len(hotline.outbox())

        with pytest.raises(LocalError, match=Code.ILLEGAL_TRANSITION.value):
            await hotline.send(hotline.offer(subject, {"hospital-c": [MEDICAL]}, follows=first))
        view = hotline.handoff(first)
        assert view is not None
        with pytest.raises(LocalError, match=Code.NOT_FOUND.value):
            await hotline.send(hotline.offer(other, {"hospital-c": [MEDICAL]}, follows=view))
        assert view.state is State.OFFERED
        assert len(hotline.outbox()) == entries

"""A case that comes back from the archive, as its owner and another agency see it; and what was withheld since."""

import pytest

from referral_bus import Code, ReferralBus
from referral_bus.testing import DEFAULT_POLICY
from referral_contracts.lifecycle import CaseState
from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.turn import Reopening, ReopeningReason
from referral_contracts.topics import inbox
from referral_contracts.verbs import Verb
from tests.sdk.forging import Copy, Event
from tests.sdk.town import CASE_CLOSING, KEYS, NOTE, OPENING, REQUEST, Town, heard

pytestmark = pytest.mark.asyncio

AGAIN = Reopening(actor=Actor(role=Role.DUTY_OFFICER), reason=ReopeningReason.ABUSE_AGAIN)


async def put_away(town: Town, bus: ReferralBus, subject: str) -> None:
    """Close a case and let it be archived."""
    assert (await bus.send(bus.close_case(subject, CASE_CLOSING))).accepted
    await town.wind(DEFAULT_POLICY.keep_closed_ms / 1000 + 1)
    # The next decision of its partition puts it away; the directory was renewed meanwhile.
    await bus.ready()
    refused = await bus.send(bus.note(subject, {"ward-a": [NOTE]}))

    assert refused.entries[0].code is Code.ARCHIVED


async def test_its_owner_reopens_it_and_others_hear_of_it_by_what_is_new(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        opened = hotline.open_case(OPENING)
        await hotline.send(opened)
        for _ in range(2):
            assert (await hotline.send(hotline.note(opened.subject, {"ward-a": [NOTE]}))).accepted
        await put_away(town, hotline, opened.subject)
        restored = await hotline.send(hotline.reopen_case(opened.subject, AGAIN))
        case = hotline.case(opened.subject)

        assert restored.accepted
        assert restored.verdict is not None
        assert restored.verdict.case_restored == 1
        assert case is not None
        assert (case.owned, case.state) == (True, CaseState.OPEN)

        assert (await hotline.send(hotline.offer(opened.subject, {"ward-a": [REQUEST]}))).accepted
        offered = await heard(ward, Verb.OFFERED)

        assert offered.counter == 1
        assert (hotline.alarms(), ward.alarms()) == ((), ())


@pytest.mark.parametrize("withheld", [0, 1])
async def test_what_is_withheld_after_it_came_back_is_seen_all_the_same(town: Town, withheld: int) -> None:
    async with town.bus("hotline-111") as hotline:
        async with town.bus("ward-a") as ward:
            opened = hotline.open_case(OPENING)
            await hotline.send(opened)
            await hotline.send(hotline.note(opened.subject, {"ward-a": [NOTE]}))
            await ward.next(timeout_s=30)
        await put_away(town, hotline, opened.subject)
        assert (await hotline.send(hotline.reopen_case(opened.subject, AGAIN))).accepted
        before = len(town.sim.broker._partition(inbox("ward-a"), 0).records)
        for _ in range(3):
            assert (await hotline.send(hotline.note(opened.subject, {"ward-a": [NOTE]}))).accepted
        del town.sim.broker._partition(inbox("ward-a"), 0).records[before + withheld]
        async with town.bus("ward-a") as ward:
            await ward.caught_up()
            (alarm,) = ward.alarms()

            assert (alarm.code, alarm.subject) == (Code.COUNTER_GAP, opened.subject)
            came = "delivery 1" if withheld == 0 else "delivery 1 since restoration 1"
            after = "2" if withheld == 0 else "3"
            assert alarm.detail == f"delivery {after} since restoration 1 came after {came}"


async def test_a_copy_from_before_that_comes_afterwards_is_seen(town: Town) -> None:
    async with town.bus("ward-a") as ward:
        subject = "0" * 32
        for counter, restored in ((1, 2), (2, 0)):
            said = Event(town=town, source="hotline-111", verb=Verb.CASE_NOTED, subject=subject, recipients=("ward-a",))
            value = said.envelope().encode()
            signer = KEYS["hotline-111"]
            Copy(town=town, value=value, recipient="ward-a", counter=counter, restored=restored, signer=signer).write()
        await town.until(ward.alarms)
        (alarm,) = ward.alarms()

        assert alarm.detail == "delivery 2 came after delivery 1 since restoration 2"

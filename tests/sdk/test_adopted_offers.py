"""A case that was offered when an agency ended: its successor takes the offer back, or up."""

import pytest

from referral_bus import Code, LocalError, ReferralBus
from referral_contracts.lifecycle import CaseState
from referral_contracts.verbs import Verb
from tests.sdk.test_links import opened
from tests.sdk.test_succession import end
from tests.sdk.town import CASE_CLOSING, HOUR_S, TAKEN, TRANSFER, WITHDRAWAL, Town, heard

pytestmark = pytest.mark.asyncio


async def offered_to(hotline: ReferralBus, agency: str) -> str:
    """Return a case of the hotline's that is offered to *agency*."""
    subject = await opened(hotline)
    assert (await hotline.send(hotline.transfer(subject, agency, TRANSFER))).accepted
    return subject


def stands(bus: ReferralBus, subject: str) -> tuple[bool, CaseState | None]:
    case = bus.case(subject)
    assert case is not None
    return case.owned, case.state


async def test_the_owners_successor_takes_the_offer_back(town: Town) -> None:
    async with town.bus("hotline-111") as hotline:
        subject, answered = await offered_to(hotline, "ward-a"), await offered_to(hotline, "ward-a")
        async with town.bus("ward-a") as ward:
            await heard(ward, Verb.CASE_TRANSFER_OFFERED)
            assert (
                await ward.wait(await (await heard(ward, Verb.CASE_TRANSFER_OFFERED)).decline_transfer(TAKEN))
            ).accepted
        await heard(hotline, Verb.CASE_TRANSFER_DECLINED)
    end(town, "hotline-111", "ward-z")
    await town.wind(HOUR_S + 1)
    async with town.bus("ward-z") as after, town.bus("ward-a") as ward:
        await after.ready()
        assert after.adopt("hotline-111", town.folder / "hotline-111.db") == 2
        sent = await after.send(after.withdraw_transfer(subject, WITHDRAWAL))
        withdrawn = await heard(ward, Verb.CASE_TRANSFER_WITHDRAWN)

        assert (sent.accepted, sent.entries[0].recipients) == (True, ("ward-a",))
        assert (withdrawn.subject, withdrawn.payloads) == (subject, (WITHDRAWAL,))
        for case in (subject, answered):
            assert stands(after, case) == (True, CaseState.OPEN)
            with pytest.raises(LocalError) as nobody:
                after.withdraw_transfer(case, WITHDRAWAL)
            assert nobody.value.code is Code.NOT_FOUND
        assert (await after.send(after.close_case(subject, CASE_CLOSING))).accepted


async def test_the_successor_of_who_was_offered_it_takes_it_over(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        subject = await offered_to(hotline, "ward-a")
        await heard(ward, Verb.CASE_TRANSFER_OFFERED)
    end(town, "ward-a", "ward-z")
    await town.wind(HOUR_S + 1)
    async with town.bus("ward-z") as after, town.bus("hotline-111") as hotline:
        await after.ready()
        assert [after.adopt("ward-a", town.folder / "ward-a.db") for _ in range(2)] == [1, 0]
        assert (await after.send(after.accept_transfer(subject, TAKEN))).accepted
        await heard(hotline, Verb.CASE_TRANSFER_ACCEPTED)

        assert stands(after, subject) == (True, CaseState.OPEN)
        assert stands(hotline, subject) == (False, None)


async def test_who_was_offered_it_by_the_one_that_it_follows_has_it_either_way(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-z") as after:
        kept, taken = await offered_to(hotline, "ward-z"), await offered_to(hotline, "ward-z")
        for _ in range(2):
            await heard(after, Verb.CASE_TRANSFER_OFFERED)
    end(town, "hotline-111", "ward-z")
    await town.wind(HOUR_S + 1)
    async with town.bus("ward-z") as after:
        await after.ready()
        assert after.adopt("hotline-111", town.folder / "hotline-111.db") == 2
        for draft in (after.withdraw_transfer(kept, WITHDRAWAL), after.accept_transfer(taken, TAKEN)):
            assert (await after.send(draft)).accepted
        for case in (kept, taken):
            assert stands(after, case) == (True, CaseState.OPEN)
            assert (await after.send(after.close_case(case, CASE_CLOSING))).accepted

"""Mistakes, as agencies' own systems live through them: a wrong hospital, wrong words, a case entered twice."""

import json
from pathlib import Path

import pytest

from referral_bus import Code, Corrects, Delivery, ReferralBus
from referral_contracts.lifecycle import CaseState, State
from referral_contracts.payloads.mau01 import Mau01
from referral_contracts.payloads.mistake import Corrected, Correction, Misdirection
from referral_contracts.verbs import Verb
from tests.contracts.payloads.forms import example
from tests.stories.agencies import Agencies, hears, play, settled
from tests.stories.world import HOSPITAL, HOTLINE, STRANGER, WARD, World


async def opened(hotline: ReferralBus) -> str:
    """Open a case at the hotline and return it."""
    sent = await hotline.send(hotline.open_case(example("case-opening"), example("mau01")))
    assert sent.accepted
    return sent.subject


def test_what_went_to_the_wrong_hospital_is_recalled_destroyed_and_sent_to_the_right_one(tmp_path: Path) -> None:
    world = World()

    async def story() -> None:
        async with Agencies(world, tmp_path) as agencies:
            ward, wrong, right = [await agencies.join(name) for name in (WARD, STRANGER, HOSPITAL)]
            case = await opened(ward)
            sent = await ward.send(ward.offer(case, {STRANGER: [example("hospital")]}))
            (key,) = sent.handoffs
            async with await hears(wrong, Verb.OFFERED) as offer:
                await offer.decline(example("school-declined"))
            declined = await hears(ward, Verb.DECLINED)
            # It has ended, and the wrong one still has the papers.
            async with declined:
                await declined.recall(example("recalled"))
            await settled(ward)
            early = await ward.send(ward.close_case(case, example("case-closing")))
            async with await hears(wrong, Verb.RECALLED) as recalled:
                await recalled.report_misdirected(example("misdirected"))
            told = await hears(ward, Verb.MISDIRECTED)
            answer = told.payload(Misdirection)
            again = await ward.send(ward.offer(case, {HOSPITAL: [example("hospital")]}, follows=key))
            async with await hears(right, Verb.OFFERED) as offer:
                await offer.accept(example("hospital-accepted"))
            views = [bus.handoff(key) for bus in (ward, wrong)]

            assert early.code is Code.OPEN_HANDOFFS
            assert isinstance(answer, Misdirection)
            assert (answer.opened, answer.read_by, answer.disposal) == ("yes", 2, "destroyed")
            assert again.accepted
            assert [view.state for view in views if view is not None] == [State.MISDIRECTED] * 2

    play(world, story())
    found = world.audit()

    assert found.codes[Code.OPEN_HANDOFFS] == 1
    assert not set(found.codes) - {Code.ACCEPTED, Code.OPEN_HANDOFFS}


@pytest.mark.parametrize(
    ("what", "right"),
    [
        (Corrected.COMMUNE, {"incident_place": {"province": "99", "commune": "99002"}}),
        (Corrected.NAME, {"child_name": "Trần Thị Ví Dự"}),
        (Corrected.RECEIPT_TIME, {"received_at": "2026-03-14T09:05:00+07:00"}),
    ],
)
def test_what_was_heard_wrong_on_the_telephone_is_corrected_and_both_are_kept(
    tmp_path: Path, what: Corrected, right: dict[str, object]
) -> None:
    world = World()
    wrong = example("mau01")
    assert isinstance(wrong, Mau01)
    corrected = Mau01.model_validate_json(json.dumps({**wrong.model_dump(mode="json"), **right}))
    why = Correction(actor=wrong.actor, what=what, reason="Người báo tin gọi lại")

    async def story() -> None:
        async with Agencies(world, tmp_path) as agencies:
            hotline, ward = await agencies.join(HOTLINE), await agencies.join(WARD)
            case = await opened(hotline)
            sent = await hotline.send(hotline.assign(case, {WARD: [wrong, example("commune")]}))
            (key,) = sent.handoffs
            async with await hears(ward, Verb.ASSIGNED) as duty:
                await duty.accept(example("commune-accepted"))
            await settled(ward)
            await (await hears(hotline, Verb.ACCEPTED)).ack()
            # What the watcher was told when the case was opened, and what the commune was given.
            first = await hotline.send(hotline.correct_case(case, hotline.outbox()[0].id, why, corrected))
            second = await hotline.send(hotline.correct(key, sent.id, why, corrected))
            told = await hears(ward, Verb.CORRECTED)
            original = told.original
            view = ward.handoff(key)

            assert (first.accepted, second.accepted) == (True, True)
            assert told.corrects is Corrects.HELD
            assert told.payload(Mau01) == corrected
            assert isinstance(original, Delivery)
            assert original.payload(Mau01) == wrong
            assert [one.id for one in original.corrections] == [told.id]
            assert view is not None
            # The work goes on.
            assert view.state is State.ACCEPTED

    play(world, story())
    found = world.audit()

    assert set(found.codes) == {Code.ACCEPTED}


def test_a_case_that_two_operators_entered_is_voided_once_nothing_of_it_is_open(tmp_path: Path) -> None:
    world = World()

    async def story() -> None:
        async with Agencies(world, tmp_path) as agencies:
            hotline, ward = await agencies.join(HOTLINE), await agencies.join(WARD)
            case, twice = await opened(hotline), await opened(hotline)
            for subject in (case, twice):
                assert (await hotline.send(hotline.assign(subject, {WARD: [example("commune")]}))).accepted
            first, second = await hears(ward, Verb.ASSIGNED), await hears(ward, Verb.ASSIGNED)
            assert second.handoff is not None
            early = await hotline.send(hotline.void_case(twice, example("voided")))
            await hotline.send(hotline.void(second.handoff, example("voided")))
            voided = await hotline.send(hotline.void_case(twice, example("voided")))
            again = await hotline.send(hotline.assign(twice, {WARD: [example("commune")]}))
            await (await hears(ward, Verb.VOIDED)).ack()
            async with first:
                await first.accept(example("commune-accepted"))
            await settled(ward)
            views = [hotline.case(subject) for subject in (case, twice)]

            assert (early.code, voided.code) == (Code.OPEN_HANDOFFS, Code.ACCEPTED)
            assert again.code is Code.ILLEGAL_TRANSITION
            assert [view.state for view in views if view is not None] == [CaseState.OPEN, CaseState.VOIDED]

    play(world, story())
    world.audit()

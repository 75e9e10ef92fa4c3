"""The whole story again, told by the agencies' own systems: nobody looks past the SDK until it is over."""

import asyncio
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from referral_bus import Code, HandoffKey, ReferralBus
from referral_bus.testing import Loss
from referral_contracts.lifecycle import CaseState, State
from referral_contracts.payloads.mau01 import Mau01
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.request import HandoffRequest
from referral_contracts.payloads.shown import personal_strings
from referral_contracts.verbs import Verb
from tests.contracts.payloads.forms import example
from tests.stories.agencies import Agencies, hears, play, settled
from tests.stories.world import (
    HOSPITAL,
    HOTLINE,
    LEGAL_AID,
    POLICE,
    SCHOOL,
    SECOND_LEGAL_AID,
    SOCIAL_WORK,
    STRANGER,
    WARD,
    World,
)

TEAM: Final[Mapping[str, str]] = {
    POLICE: "police",
    HOSPITAL: "hospital",
    SOCIAL_WORK: "social-work",
    LEGAL_AID: "legal-aid",
}
"""Each of the team and its form."""


async def _tell(agencies: Agencies) -> tuple[str, dict[str, ReferralBus]]:
    buses = {name: await agencies.join(name) for name in (HOTLINE, WARD, SECOND_LEGAL_AID, SCHOOL, STRANGER, *TEAM)}
    for bus in buses.values():
        await bus.ready()
    case = await _reach_the_ward(buses[HOTLINE], buses[WARD])
    ward = buses[WARD]
    team = await ward.send(ward.offer(case, {name: [example(form)] for name, form in TEAM.items()}))
    asked = await ward.send(ward.offer(case, {SCHOOL: [example("school")]}))

    assert team.accepted
    assert asked.accepted
    await _decline(buses[LEGAL_AID])
    await (await hears(ward, Verb.DECLINED)).ack()
    second = await ward.send(ward.offer(case, {SECOND_LEGAL_AID: [example("legal-aid")]}))
    await _race(agencies, ward, buses[SOCIAL_WORK], team.handoffs)
    for name in (POLICE, HOSPITAL, SECOND_LEGAL_AID, SCHOOL):
        await _work(ward, buses[name], {**TEAM, SECOND_LEGAL_AID: "legal-aid", SCHOOL: "school"}[name])
    await _close(case, buses[HOTLINE], ward)

    assert second.accepted
    return case, buses


async def _reach_the_ward(hotline: ReferralBus, ward: ReferralBus) -> str:
    opened = await hotline.send(hotline.open_case(example("case-opening"), example("mau01")))
    assigned = hotline.assign(opened.subject, {WARD: [example("mau01"), example("commune")]})
    await hotline.send(assigned)
    await hotline.send(hotline.transfer(opened.subject, WARD, example("transfer-offer")))
    async with await hears(ward, Verb.ASSIGNED) as duty:
        assert isinstance(duty.payload(Mau01), Mau01)
        await duty.accept(example("commune-accepted"))
    async with await hears(ward, Verb.CASE_TRANSFER_OFFERED) as offer:
        await offer.accept_transfer(example("transfer-accepted"))
    for verb in (Verb.ACCEPTED, Verb.CASE_TRANSFER_ACCEPTED):
        await (await hears(hotline, verb)).ack()
    await settled(ward)
    case = ward.case(opened.subject)

    assert case is not None
    assert case.owned
    return opened.subject


async def _decline(centre: ReferralBus) -> None:
    async with await hears(centre, Verb.OFFERED) as offer:
        assert example("legal-aid") in offer.payloads
        await offer.decline(example("legal-aid-declined"))
    await settled(centre)


async def _race(agencies: Agencies, ward: ReferralBus, social: ReferralBus, opened: tuple[HandoffKey, ...]) -> None:
    """The ward withdraws what social work is just accepting; the ward is heard first."""
    simulator = agencies.world.simulator
    offer = await hears(social, Verb.OFFERED)
    (key,) = (key for key in opened if key.recipient == SOCIAL_WORK)
    simulator.automatic = False
    withdrawn = await ward.send(ward.withdraw(key, example("withdrawn")), wait="ack")
    async with offer:
        accepted = await offer.accept(example("social-work-accepted"))
    simulator.automatic = True
    lost, won = await social.wait(accepted), await ward.wait(withdrawn)

    assert (won.code, lost.code) == (Code.ACCEPTED, Code.STALE_HEAD)
    await (await hears(social, Verb.WITHDRAWN)).ack()
    view = social.handoff(key)

    assert view is not None
    assert view.state is State.WITHDRAWN


async def _work(ward: ReferralBus, other: ReferralBus, form: str) -> None:
    async with await hears(other, Verb.OFFERED) as offer:
        assert [example(form)] == list(offer.payloads)
        await offer.accept(example(f"{form}-accepted"))
        await offer.complete(example(f"{form}-completed"))
    await (await hears(ward, Verb.ACCEPTED)).ack()
    async with await hears(ward, Verb.COMPLETED) as done:
        await done.close(example("closed"))
    await settled(ward)
    await (await hears(other, Verb.CLOSED)).ack()


async def _close(case: str, hotline: ReferralBus, ward: ReferralBus) -> None:
    early = await ward.send(ward.close_case(case, example("case-closing")))

    assert early.code is Code.OPEN_HANDOFFS
    view = ward.case(case)
    assert view is not None
    (duty,) = (handoff for handoff in view.handoffs if handoff.opened_by == HOTLINE)
    await ward.send(ward.complete(duty.key, example("commune-completed")))
    async with await hears(hotline, Verb.COMPLETED) as done:
        await done.close(example("closed"))
    await (await hears(ward, Verb.CLOSED)).ack()
    closed = await ward.send(ward.close_case(case, example("case-closing")))

    assert closed.accepted
    assert closed.verdict is not None
    assert closed.verdict.case_state is CaseState.CLOSED


def test_the_case_goes_its_whole_way_through_the_agencies_own_systems(tmp_path: Path) -> None:
    world = World()

    async def story() -> None:
        async with Agencies(world, tmp_path) as agencies:
            _, buses = await _tell(agencies)

            assert dict.fromkeys(buses, ()) == {name: bus.alarms() for name, bus in buses.items()}
            assert all(bus.status().waiting == 0 for bus in buses.values())

    play(world, story())
    world.audit()

    assert world.inbox(STRANGER) == []
    assert {WARD} == {copy.source for copy in world.inbox(SCHOOL)}


async def _torment(world: World, chance: random.Random) -> None:
    """Let all sorts of things go wrong, one after the other, for as long as the story lasts."""
    simulator = world.simulator
    while True:
        for _ in range(chance.randrange(1, 20)):
            await asyncio.sleep(0)
        faults = simulator.faults[chance.choice(sorted(simulator.faults))]
        match chance.randrange(40):
            case 0:
                world.broker.away = True
                await world.clock.sleep(chance.random())
                world.broker.away = False
                # Nobody gives up while it is only now and then.
                await world.clock.sleep(10)
            case nth if nth < 8:
                faults.lost_submits = 1
            case nth if nth < 16:
                faults.lost_acks = 1
            case nth if nth < 24:
                faults.doubled = 1
            case nth if nth < 32:
                simulator.losses.append(chance.choice(list(Loss)))
            case _:
                simulator.restart()


@pytest.mark.parametrize("seed", range(3))
def test_whatever_goes_wrong_on_the_way_the_story_ends_the_same(tmp_path: Path, seed: int) -> None:
    world = World()

    async def story() -> None:
        async with Agencies(world, tmp_path) as agencies:
            for name in (HOTLINE, WARD, *TEAM):
                world.simulator.connect(name)
            torment = asyncio.create_task(_torment(world, random.Random(seed)))
            _, buses = await _tell(agencies)
            torment.cancel()
            world.broker.away = False

            assert dict.fromkeys(buses, ()) == {name: bus.alarms() for name, bus in buses.items()}

    play(world, story())
    found = world.audit()

    assert found.codes[Code.STALE_HEAD] == 1
    assert found.codes[Code.OPEN_HANDOFFS] == 1
    assert not set(found.codes) - {Code.ACCEPTED, Code.DUPLICATE, Code.STALE_HEAD, Code.OPEN_HANDOFFS}


def test_no_word_of_the_forms_lies_anywhere_on_the_bus(tmp_path: Path) -> None:
    world = World()

    async def story() -> None:
        async with Agencies(world, tmp_path) as agencies:
            await _tell(agencies)

    play(world, story())
    stored = b"\n".join(
        part
        for topic in world.broker.topics()
        for partition in range(world.broker.partitions(topic))
        for record in world.broker.records(topic, partition)
        for part in (record.key, record.value, *(content for _, content in record.headers))
        if part is not None
    )
    told: list[Payload] = [example("mau01"), *(example(form) for form in TEAM.values())]
    secrets = {text for payload in told for text in personal_strings(payload)}

    assert len(secrets) > 20
    assert not [text for text in secrets if text.encode() in stored]
    assert isinstance(example("police"), HandoffRequest)

"""Desks with keys of their own, and agencies that are reached through others or not at all: who reads, whose word."""

from dataclasses import replace
from pathlib import Path

import pytest

from referral_bus import AgencyKeys, Code, LocalError, ReferralBus
from referral_contracts.directory_model import Delivery as Reach
from referral_contracts.directory_model import Duty
from referral_contracts.lifecycle import State
from referral_contracts.payloads.actor import Actor, Channel, Happening, Role
from referral_contracts.payloads.handoff import Acceptance, Progress
from referral_contracts.payloads.relay import Claim, Relay, claim_of
from referral_contracts.verbs import Verb
from tests.sdk.town import (
    ACCEPTANCE,
    CLOSING,
    CRIME,
    FORWARDING,
    KEYS,
    OPENING,
    OUTCOME,
    REQUEST,
    Town,
    case_with,
    heard,
)

pytestmark = pytest.mark.asyncio

POLICE = AgencyKeys.generate("police-b", ["youth"])
BY_PHONE = Happening(channel=Channel.PHONE, person="Chị Hoa, trực ban", paper_number="15/CV")


@pytest.fixture
def desks(tmp_path: Path) -> Town:
    return Town(tmp_path, keys={**KEYS, "police-b": POLICE})


def reach(town: Town, agency: str, delivery: Reach, duty: Duty | None = None) -> None:
    """Let the registrar write down how *agency* is reached."""
    found = town.sim.directory.member(agency)
    assert found is not None
    town.sim.change_directory(agencies=[found.entry.model_copy(update={"delivery": delivery, "duty": duty})])
    town.sim.step()


async def open_case(hotline: ReferralBus) -> str:
    opened = hotline.open_case(OPENING)
    assert (await hotline.send(opened)).accepted
    return opened.subject


async def test_a_desk_reads_with_its_own_key_alone_and_is_in_the_agencys_inbox(desks: Town) -> None:
    async with desks.bus("hotline-111") as hotline, desks.bus("police-b") as police:
        subject = await open_case(hotline)
        plan = hotline.plan(hotline.offer(subject, {"police-b/youth": [CRIME]}))
        assert [section.readers for section in plan.seen_by("police-b/youth")] == [("police-b/youth", "hotline-111")]
        assert plan.seen_by("police-b") == ()

        assert (await hotline.send(hotline.offer(subject, {"police-b/youth": [CRIME]}))).accepted
        offered = await heard(police, Verb.OFFERED)
        assert (offered.recipient, offered.payloads) == ("police-b/youth", (CRIME,))
        key = offered.handoff
        assert key is not None
        assert key.recipient == "police-b/youth"
        readers = {reader.kid for section in offered.envelope.data.sections for reader in section.readers}
        assert readers & {one.kid for one in POLICE.sealing["police-b/youth"]}
        assert not readers & {one.kid for one in POLICE.sealing["police-b"]}

        assert (await police.wait(await offered.accept(ACCEPTANCE))).accepted
        assert (await police.wait(await offered.complete(OUTCOME))).accepted
        done = await heard(hotline, Verb.COMPLETED)
        assert (await hotline.wait(await done.close(CLOSING))).entries[0].recipients == ("police-b/youth",)
        closed = await heard(police, Verb.CLOSED)
        assert (closed.recipient, closed.payloads) == ("police-b/youth", (CLOSING,))
        view = police.handoff(key)
        assert view is not None
        assert view.state is State.CLOSED


async def test_the_agencys_own_key_does_not_open_what_is_for_a_desk(desks: Town) -> None:
    without = replace(POLICE, sealing={"police-b": POLICE.sealing["police-b"]})
    async with desks.bus("hotline-111") as hotline, desks.bus("police-b", keys=without) as police:
        subject = await open_case(hotline)
        assert (await hotline.send(hotline.offer(subject, {"police-b/youth": [CRIME]}))).accepted
        offered = await heard(police, Verb.OFFERED)

        assert offered.payloads == ()
        assert offered.unreadable is not None
        assert offered.unreadable.code is Code.NOT_A_READER
        await heard(hotline, Verb.UNREADABLE)


async def test_what_is_for_an_agency_without_a_system_goes_through_another_and_its_answer_is_a_claim(
    town: Town,
) -> None:
    reach(town, "ward-z", Reach(kind="via", agency="ward-a"))
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        subject = await open_case(hotline)
        sent = await hotline.send(hotline.assign(subject, {"ward-z": [REQUEST], "ward-a": [REQUEST]}))
        # What it is asked itself and what it passes on are two hand-offs.
        assert [entry.recipients for entry in sent.entries] == [("ward-a",), ("ward-a",)]
        own, passed_on = await heard(ward, Verb.ASSIGNED), await heard(ward, Verb.ASSIGNED)
        assert (own.for_agency, passed_on.for_agency) == (None, "ward-z")
        relay = passed_on.payload(Relay)
        assert relay is not None
        assert claim_of(relay, "hotline-111") is None

        heard_of = Acceptance(actor=Actor(role=Role.DUTY_OFFICER), happened=BY_PHONE)
        assert (await ward.wait(await passed_on.accept(heard_of))).accepted
        accepted = await heard(hotline, Verb.ACCEPTED)
        assert accepted.source == "ward-a"
        assert accepted.claims == (
            Claim(
                agency="ward-z",
                by="ward-a",
                channel=Channel.PHONE,
                person="Chị Hoa, trực ban",
                paper_number="15/CV",
            ),
        )
        # That it has arrived at the one in between, that one says for itself; and so what it was asked itself.
        assert (await ward.wait(await own.accept(ACCEPTANCE))).accepted
        assert (await heard(hotline, Verb.ACCEPTED)).claims == ()


async def test_what_one_heard_of_an_agency_off_the_bus_is_its_claim(town: Town) -> None:
    reach(town, "school-d", Reach(kind="off-bus"), Duty(phone="0900 000 011", hours="Mo-Fr 07:30-17:00"))
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
        with pytest.raises(LocalError, match="not on the bus: school-d; its phone: 0900 000 011"):
            hotline.plan(hotline.offer(subject, {"school-d": [REQUEST]}))
        assigned = await heard(ward, Verb.ASSIGNED)
        await ward.wait(await assigned.accept(ACCEPTANCE))
        told = Progress(actor=Actor(role=Role.DUTY_OFFICER, acting_for="school-d"), happened=BY_PHONE)
        await ward.wait(await assigned.progress(told))
        progressed = await heard(hotline, Verb.PROGRESSED)

        assert [(claim.agency, claim.by) for claim in progressed.claims] == [("school-d", "ward-a")]


async def test_a_duty_is_forwarded_through_the_one_that_is_reached(town: Town) -> None:
    reach(town, "school-d", Reach(kind="via", agency="ward-z"))
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward, town.bus("ward-z") as between:
        await case_with(town, hotline, {"ward-a": [REQUEST]})
        assigned = await heard(ward, Verb.ASSIGNED)
        sent = await ward.wait(await assigned.forward("school-d", FORWARDING))

        assert sent.entries[0].recipients == ("hotline-111", "ward-z")
        assert (await heard(between, Verb.FORWARDED)).for_agency == "school-d"


async def test_nobody_is_told_twice_in_one_event(town: Town) -> None:
    reach(town, "school-d", Reach(kind="via", agency="hotline-111"))
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        await case_with(town, hotline, {"ward-a": [REQUEST]})
        assigned = await heard(ward, Verb.ASSIGNED)

        with pytest.raises(LocalError) as refused:
            await assigned.forward("school-d", FORWARDING)
        assert refused.value.code is Code.REPEATED_RECIPIENT

"""Two reports of one child, ten children of one incident: cases that are tied together, and who learns of it."""

import pytest

from referral_bus import AgencyKeys, Code, LocalError, ReferralBus
from referral_contracts.envelope import Envelope
from referral_contracts.lifecycle import CaseState
from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.clock import ClockSection
from referral_contracts.payloads.link import Link, Relation, Unlinking, UnlinkingReason
from referral_contracts.sealing import unseal
from referral_contracts.sections import read_section
from referral_contracts.verbs import Verb
from tests.sdk.town import CASE_CLOSING, NOTE, OPENING, Town, heard

pytestmark = pytest.mark.asyncio

WHO = Actor(role=Role.CHILD_PROTECTION_WORKER)


def link(*others: str, relation: Relation = Relation.SAME_CHILD) -> Link:
    return Link(actor=WHO, relation=relation, others=others, explanation="Cùng tên, cùng địa chỉ")


def unlink(*others: str) -> Unlinking:
    return Unlinking(actor=WHO, reason=UnlinkingReason.NOT_THE_SAME, others=others)


async def opened(bus: ReferralBus) -> str:
    draft = bus.open_case(OPENING)
    assert (await bus.send(draft)).accepted
    return draft.subject


def ties(bus: ReferralBus, subject: str) -> list[tuple[str, str, Relation, str]]:
    found = bus.case(subject)
    assert found is not None
    return [(one.subject, one.other, one.relation, one.said_by) for one in found.links]


def watched(town: Town, envelope: Envelope) -> ClockSection:
    """Return what the deadline watcher reads of an event."""
    return watched_with(town.sim.keys["watcher"], envelope)


def watched_with(keys: AgencyKeys, envelope: Envelope) -> ClockSection:
    """Return what the deadline watcher, whose *keys* these are, reads of an event."""
    for index, section in enumerate(envelope.data.sections):
        for reader in section.readers:
            key = keys.opener(reader.address, reader.kid)
            if key is not None:
                body = read_section(unseal(section, envelope.seal_context(index), reader.address, key)).payload
                assert isinstance(body, ClockSection)
                return body
    raise AssertionError


class TestTwoReportsOfOneChild:
    async def test_both_cases_tell_of_it_to_their_owner_and_the_watcher_counts_one(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline:
            first, second = await opened(hotline), await opened(hotline)
            assert (await hotline.send(hotline.link_case(second, link(first)))).accepted
            assert (await hotline.send(hotline.close_case(second, CASE_CLOSING))).accepted
            told = [(second, first, Relation.SAME_CHILD, "hotline-111")]

            assert ties(hotline, first) == ties(hotline, second) == told
            (said,) = town.routed(Verb.CASE_LINKED)
            assert said.subject == second
            assert first.encode() not in said.encode()
            assert [(one.other, one.relation) for one in watched(town, said).links] == [(first, Relation.SAME_CHILD)]
        async with town.bus("hotline-111") as hotline:
            # The store keeps what says so, not what it says.
            assert ties(hotline, first) == told
            held = hotline.cases()
            assert {case.state for case in held} == {CaseState.OPEN, CaseState.CLOSED}
            assert [len(case.links) for case in held] == [1, 1]

    async def test_who_is_told_learns_of_the_other_case_and_others_do_not(self, town: Town) -> None:
        async with (
            town.bus("hotline-111") as hotline,
            town.bus("ward-a") as ward,
            town.bus("police-b") as police,
        ):
            first, second = await opened(hotline), await opened(hotline)
            for name in ("ward-a", "police-b"):
                await hotline.send(hotline.note(first, {name: [NOTE]}))
            assert (await hotline.send(hotline.link_case(first, link(second), to=["ward-a"]))).accepted
            told = await heard(ward, Verb.CASE_LINKED)
            await police.caught_up()

            assert told.payloads == (link(second),)
            assert ties(ward, first) == [(first, second, Relation.SAME_CHILD, "hotline-111")]
            assert ward.case(second) is None
            assert ties(police, first) == []

    async def test_it_is_taken_back_by_whose_case_it_is(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            mine, theirs = await opened(hotline), await opened(ward)
            await hotline.send(hotline.link_case(mine, link(theirs), to=["ward-a"]))
            await heard(ward, Verb.CASE_LINKED)
            await ward.send(ward.link_case(theirs, link(mine)))
            assert ties(ward, theirs) == [
                (mine, theirs, Relation.SAME_CHILD, "hotline-111"),
                (theirs, mine, Relation.SAME_CHILD, "ward-a"),
            ]
            assert (await hotline.send(hotline.unlink_case(mine, unlink(theirs), to=["ward-a"]))).accepted
            await heard(ward, Verb.CASE_UNLINKED)

            # What the ward said of its own case stands.
            assert ties(ward, theirs) == [(theirs, mine, Relation.SAME_CHILD, "ward-a")]
            assert ties(hotline, mine) == []
            (said,) = town.routed(Verb.CASE_UNLINKED)
            assert [(one.other, one.relation) for one in watched(town, said).links] == [(theirs, None)]


class TestTenChildrenOfOneIncident:
    async def test_one_event_ties_them_all(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline:
            first, *others = [await opened(hotline) for _ in range(10)]
            said = hotline.link_case(first, link(*others, relation=Relation.SAME_INCIDENT))
            assert (await hotline.send(said)).accepted

            assert len(town.routed(Verb.CASE_LINKED)) == 1
            assert [other for _, other, _, _ in ties(hotline, first)] == others
            for other in others:
                assert ties(hotline, other) == [(first, other, Relation.SAME_INCIDENT, "hotline-111")]
            assert len(watched(town, town.routed(Verb.CASE_LINKED)[0]).links) == 9

    async def test_a_plan_tells_who_will_learn_of_the_other_cases(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline:
            first, second = await opened(hotline), await opened(hotline)
            plan = hotline.plan(hotline.link_case(first, link(second), to=["ward-a"]))

            assert [section.schema for section in plan.seen_by("ward-a")] == ["link/1.0"]
            assert [section.schema for section in plan.seen_by("watcher")] == ["clock/1.0"]


async def test_what_ties_a_case_to_nothing_or_to_itself_is_not_said(town: Town) -> None:
    async with town.bus("hotline-111") as hotline:
        first = await opened(hotline)

        with pytest.raises(LocalError, match=Code.INCOMPLETE_INPUT.value):
            hotline.link_case(first, link())
        with pytest.raises(LocalError, match=Code.MALFORMED_VALUE.value):
            hotline.unlink_case(first, unlink("0" * 32, first))

"""
Whatever three agencies say to each other, in whatever order the router comes to it: each one's view of a hand-off it
is a party of, and of a case it owns, is where the router left it.
"""

import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from referral_bus import Draft, HandoffView, LocalError, ReferralBus
from referral_contracts.lifecycle import State
from referral_contracts.topics import agency_of, partition_for
from referral_router.core.case import Case
from tests.sdk.town import (
    ACCEPTANCE,
    CASE_CLOSING,
    CLOSING,
    CRIME,
    DECLINE,
    FORWARDING,
    NOTE,
    OPENING,
    OUTCOME,
    PROGRESS,
    RETURN,
    TAKEN,
    TRANSFER,
    WITHDRAWAL,
    Town,
)

pytestmark = pytest.mark.asyncio
SPEAKERS = ("hotline-111", "ward-a", "police-b")
STEPS = 60


def about_case(bus: ReferralBus, chance: random.Random, subject: str) -> Draft:
    other = chance.choice([name for name in SPEAKERS if name != bus._engine.home.agency])
    sayings: list[Callable[[], Draft]] = [
        lambda: bus.offer(subject, {other: [CRIME]}),
        lambda: bus.offer(subject, {other: [CRIME]}),
        lambda: bus.assign(subject, {other: [CRIME]}),
        lambda: bus.assign(subject, {other: [CRIME]}),
        lambda: bus.notify(subject, {other: [NOTE]}),
        lambda: bus.note(subject, {other: [NOTE]}),
        lambda: bus.transfer(subject, other, TRANSFER),
        lambda: bus.accept_transfer(subject, TAKEN),
        lambda: bus.decline_transfer(subject, TAKEN),
        lambda: bus.withdraw_transfer(subject, WITHDRAWAL),
        lambda: bus.close_case(subject, CASE_CLOSING),
    ]
    return chance.choice(sayings)()


def about_handoff(bus: ReferralBus, chance: random.Random, view: HandoffView) -> Draft:
    sayings: list[Callable[[], Draft]] = [
        lambda: bus.accept(view.key, ACCEPTANCE),
        lambda: bus.accept(view.key, ACCEPTANCE),
        lambda: bus.decline(view.key, DECLINE),
        lambda: bus.progress(view.key, PROGRESS),
        lambda: bus.complete(view.key, OUTCOME),
        lambda: bus.return_(view.key, RETURN),
        lambda: bus.withdraw(view.key, WITHDRAWAL),
        lambda: bus.close(view.key, CLOSING),
        lambda: bus.forward(view.key, "ward-z", FORWARDING),
    ]
    return chance.choice(sayings)()


async def say_something(bus: ReferralBus, chance: random.Random) -> None:
    case = chance.choice(bus.cases() or [None])
    if case is None:
        return
    # What cannot even be said is one of the answers.
    with suppress(LocalError):
        if case.handoffs and chance.random() < 0.7:
            draft = about_handoff(bus, chance, chance.choice(case.handoffs))
        else:
            draft = about_case(bus, chance, case.subject)
        await bus.send(draft, wait=False)


def at_the_router(town: Town, subject: str) -> Case:
    fold = town.sim._lanes[partition_for(subject, town.sim.partitions)].fold
    return Case.decode(fold.value(subject.encode()))


def differences(agency: str, bus: ReferralBus, case: Case, subject: str) -> list[object]:
    """Return where the view of *agency* is not where the router is."""
    seen = bus.case(subject)
    if seen is None:
        return [] if agency not in case.parties else ["unknown"]
    found: list[object] = []
    if seen.owned != (case.owner == agency):
        found.append(("owned", seen.owned, case.owner))
    if seen.owned and (seen.state, seen.head) != (case.state, case.head.wire):
        found.append(("case", seen.state, case.state))
    for view in seen.handoffs:
        theirs = case.handoffs[str(view.key)]
        if agency not in {view.opened_by, agency_of(view.key.recipient)}:
            continue
        states = {theirs.state}
        if theirs.state is State.RELEASED and agency == view.opened_by:
            # That the next has received it is told to the forwarder; to the one who assigned, when it asks.
            states.add(State.FORWARDED)
        if view.state not in states or (view.head.id, view.receipt) != (theirs.head.id, theirs.receipt):
            found.append((str(view.key), view.state, theirs.state, view.receipt, theirs.receipt))
    return found


@pytest.mark.parametrize("seed", range(6))
async def test_every_view_is_where_the_router_is(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    town = Town(tmp_path)
    async with (
        town.bus("hotline-111") as hotline,
        town.bus("ward-a") as ward,
        town.bus("police-b") as police,
        town.bus("ward-z") as following,
    ):
        clients = dict(zip((*SPEAKERS, "ward-z"), (hotline, ward, police, following), strict=True))
        for opener in (hotline, ward):
            await opener.send(opener.open_case(OPENING))
        for _ in range(STEPS):
            town.sim.automatic = chance.random() < 0.6
            await say_something(clients[chance.choice(SPEAKERS)], chance)
            if chance.random() < 0.8:
                await town.settle()
        town.sim.automatic = True
        await town.until(lambda: all(bus.status().waiting == 0 for bus in clients.values()))
        for bus in clients.values():
            await bus.caught_up()
        subjects = {case.subject for bus in clients.values() for case in bus.cases()}

        assert town.routed()
        assert {
            (agency, subject): found
            for agency, bus in clients.items()
            for subject in subjects
            if (found := differences(agency, bus, at_the_router(town, subject), subject))
        } == {}
        assert all(bus.alarms() == () for bus in clients.values())

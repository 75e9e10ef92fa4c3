"""A deadline from its beginning to its end, as agencies' own systems hear of it and speak of it."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from referral_bus import Code, ReferralBus
from referral_contracts import topics
from referral_contracts.decisions import read_decision
from referral_contracts.payloads.clock_answer import ClockConfirmation, ClockDispute, ConfirmationBasis, DisputeReason
from referral_contracts.payloads.deadline import DeadlineNotice, Found, Standing
from referral_contracts.verbs import DEADLINES, Verb
from tests.contracts.payloads.forms import example
from tests.sdk.watching import CLOCK, SYSTEM, Watcher
from tests.stories.agencies import Agencies, hears, play, settled
from tests.stories.world import HOTLINE, NEXT_WARD, POLICE, STRANGER, WARD, World

DISPUTE = ClockDispute(actor=SYSTEM, clock=CLOCK, reason=DisputeReason.DONE_IN_TIME, text="Đã đưa trẻ đi lúc 9 giờ")
CONFIRMATION = ClockConfirmation(actor=SYSTEM, clock=CLOCK, basis=ConfirmationBasis.PAPERS_SEEN)


async def _with(agencies: Agencies, story: Callable[[Agencies], Awaitable[None]]) -> None:
    async with agencies:
        await story(agencies)


def raised_above(world: World) -> None:
    """Put the next ward above the first in the directory."""
    found = world.simulator.directory.member(WARD)
    assert found is not None
    world.simulator.change_directory(agencies=[found.entry.model_copy(update={"parent": NEXT_WARD})])


def codes(world: World) -> list[Code]:
    """Return what the router decided, the last of each case last."""
    simulator = world.simulator
    records = [one for place in range(simulator.partitions) for one in simulator.broker.records(topics.LEDGER, place)]
    return [read_decision(dict(record.headers)["decision"] or b"").code for record in records]


async def opened(hotline: ReferralBus) -> str:
    sent = await hotline.send(hotline.open_case(example("case-opening"), example("mau01")))
    assert (await hotline.send(hotline.assign(sent.subject, {WARD: [example("commune")]}))).accepted
    return sent.subject


async def notice(bus: ReferralBus, verb: Verb) -> DeadlineNotice:
    async with await hears(bus, verb) as delivery:
        told = delivery.payload(DeadlineNotice)
        assert delivery.source == "watcher"
        assert told is not None
        return told


async def _from_armed_to_explained(agencies: Agencies) -> None:
    world = agencies.world
    raised_above(world)
    hotline, ward, above = [await agencies.join(name) for name in (HOTLINE, WARD, NEXT_WARD)]
    for bus in (hotline, ward, above):
        await bus.ready()
    case = await opened(hotline)
    await (await hears(ward, Verb.ASSIGNED)).ack()
    watcher = Watcher(world.simulator)

    watcher.say(Verb.DEADLINE_ARMED, case, WARD)
    armed = await notice(ward, Verb.DEADLINE_ARMED)
    watcher.say(Verb.DEADLINE_REMINDED, case, WARD, step=1)
    assert (await notice(ward, Verb.DEADLINE_REMINDED)).due_at == armed.due_at
    watcher.say(Verb.DEADLINE_MISSED, case, WARD, standing=Standing.MISSED)
    assert (await notice(ward, Verb.DEADLINE_MISSED)).standing is Standing.MISSED

    # Whoever is above was no party, and is one by being told.
    assert above.case(case) is None
    watcher.say(Verb.DEADLINE_ESCALATED, case, NEXT_WARD, standing=Standing.MISSED, level=1)
    assert (await notice(above, Verb.DEADLINE_ESCALATED)).responsible == WARD

    assert (await ward.send(ward.dispute_clock(case, DISPUTE, to=[NEXT_WARD]))).accepted
    async with await hears(above, Verb.CLOCK_DISPUTED) as disputed:
        assert disputed.payload(ClockDispute) == DISPUTE
    assert (await above.send(above.confirm_clock(case, CONFIRMATION, to=[WARD]))).accepted
    await (await hears(ward, Verb.CLOCK_CONFIRMED)).ack()

    for name, bus in ((WARD, ward), (NEXT_WARD, above)):
        watcher.say(
            Verb.DEADLINE_EXPLAINED, case, name, standing=Standing.MET_AS_CLAIMED, found=Found.CONFIRMED, step=1
        )
        told = await notice(bus, Verb.DEADLINE_EXPLAINED)
        assert (told.standing, told.found) == (Standing.MET_AS_CLAIMED, Found.CONFIRMED)
    for bus in (hotline, ward, above):
        await settled(bus)
        assert bus.alarms() == ()
    assert set(codes(world)) == {Code.ACCEPTED}


def test_from_armed_to_explained(tmp_path: Path) -> None:
    world = World(partitions=1)
    play(world, _with(Agencies(world, tmp_path), _from_armed_to_explained))
    world.audit()


async def _nobody_but_the_watcher(agencies: Agencies) -> None:
    world = agencies.world
    hotline, ward, stranger = [await agencies.join(name) for name in (HOTLINE, WARD, STRANGER)]
    for bus in (hotline, ward, stranger):
        await bus.ready()
    case = await opened(hotline)
    await (await hears(ward, Verb.ASSIGNED)).ack()
    await settled(ward)
    before = len(codes(world))
    for verb in sorted(DEADLINES - {Verb.DEADLINE_UNREADABLE}):
        for source, to in ((HOTLINE, WARD), (WARD, POLICE), (STRANGER, WARD)):
            Watcher(world.simulator, source=source).say(verb, case, to)
        for _ in range(50):
            await ward.caught_up()

    # A stranger learns no more than of a case that there is not.
    assert codes(world)[before:] == [Code.WRONG_PARTY, Code.WRONG_PARTY, Code.NOT_FOUND] * (len(DEADLINES) - 1)
    assert list(ward.deliveries(acknowledged=False)) == []


def test_nobody_but_the_watcher_says_it_and_a_stranger_learns_nothing(tmp_path: Path) -> None:
    world = World(partitions=1)
    play(world, _with(Agencies(world, tmp_path), _nobody_but_the_watcher))
    world.audit()

"""The outbox: what was said goes out once, whatever happens to the broker, the router, the clock and the keys."""

import asyncio

import pytest

from referral_bus import Code, EntryState, LocalError, ReferralBus, Refused, Sent, TimedOut
from referral_bus.testing import DEFAULT_POLICY
from referral_contracts import topics
from referral_contracts.decisions import Verdict
from referral_contracts.encoding import parse_time
from referral_contracts.lifecycle import State
from referral_contracts.verbs import Verb
from tests.sdk.forging import Event
from tests.sdk.town import (
    ACCEPTANCE,
    CRIME,
    HOUR_S,
    MEDICAL,
    NOTE,
    OPENING,
    REQUEST,
    TRANSFER,
    WINDOW_S,
    WITHDRAWAL,
    Town,
)

pytestmark = pytest.mark.asyncio


def verdict_of(sent: Sent) -> Verdict:
    assert sent.verdict is not None
    return sent.verdict


async def have_directory(town: Town, agency: str) -> None:
    """Let a client of *agency* come by once, so that its store has the directory."""
    async with town.bus(agency) as bus:
        await bus.ready()


class TestBrokerAway:
    async def test_what_is_said_while_the_broker_is_away_goes_out_later_and_is_signed_then(self, town: Town) -> None:
        await have_directory(town, "hotline-111")
        town.sim.faults["hotline-111"].away = True
        async with town.bus("hotline-111") as bus:
            opened = bus.open_case(OPENING)
            waiting = await bus.send(opened, wait=False)
            await bus.send(bus.offer(opened.subject, {"police-b": [CRIME]}), wait=False)
            await town.wind(HOUR_S)
            assert waiting.entries[0].state is EntryState.SEALED
            assert bus.status().sending is Code.BROKER_AWAY
            assert town.submitted() == []
            back_ms = town.sim.clock.now_ms()
            town.sim.faults["hotline-111"].away = False
            await town.wind(10)
            sent = await bus.wait(waiting)

            assert sent.accepted
            assert [event.verb for event in town.routed()] == [Verb.CASE_OPENED, Verb.OFFERED]
            assert parse_time(town.submitted()[1].time) >= back_ms
            assert bus.status().waiting == 0
            assert bus.status().sending is None

    async def test_it_goes_out_after_a_restart_too(self, town: Town) -> None:
        await have_directory(town, "hotline-111")
        town.sim.faults["hotline-111"].away = True
        async with town.bus("hotline-111") as bus:
            sent = await bus.send(bus.open_case(OPENING), wait=False)
        town.sim.faults["hotline-111"].away = False
        async with town.bus("hotline-111") as bus:
            assert (await bus.wait(sent)).accepted

    async def test_a_wait_ends_with_what_keeps_it_and_the_event_stays(self, town: Town) -> None:
        await have_directory(town, "hotline-111")
        town.sim.faults["hotline-111"].away = True
        async with town.bus("hotline-111") as bus:
            await town.settle()
            with pytest.raises(TimedOut) as over:
                await wound(town, bus, 5)
            assert over.value.code is Code.TIMED_OUT
            assert over.value.cause is Code.BROKER_AWAY
            town.sim.faults["hotline-111"].away = False
            await town.wind(10)

            assert (await bus.wait(over.value.sent)).accepted

    async def test_without_any_directory_nothing_can_be_sealed_and_it_is_said_why(self, town: Town) -> None:
        town.sim.connect("hotline-111")
        town.sim.faults["hotline-111"].away = True
        async with town.bus("hotline-111") as bus:
            with pytest.raises(LocalError) as refusal:
                await wound(town, bus, 5)

            assert refusal.value.code is Code.DIRECTORY_MISSING
            assert bus.outbox() == ()

    @pytest.mark.parametrize("fault", ["lost_submits", "lost_acks", "doubled"])
    async def test_an_uncertain_submission_ends_with_one_event(self, town: Town, fault: str) -> None:
        await have_directory(town, "hotline-111")
        setattr(town.sim.faults["hotline-111"], fault, 1)
        async with town.bus("hotline-111") as bus:
            sent = await bus.send(bus.open_case(OPENING), wait=False)
            await town.wind(5)
            sent = await bus.wait(sent)

            assert sent.accepted
            assert len(town.routed()) == 1
            assert len({event.encode() for event in town.submitted()}) == 1
            assert bus.alarms() == ()

    async def test_a_case_is_told_in_order_after_an_outage(self, town: Town) -> None:
        async with town.bus("hotline-111") as bus:
            opened = bus.open_case(OPENING)
            await bus.send(opened)
            town.sim.faults["hotline-111"].lost_submits = 3
            for _ in range(5):
                await bus.send(bus.offer(opened.subject, {"police-b": [CRIME]}), wait=False)
            await town.wind(30)
            said = [entry.id for entry in bus.outbox()]

            assert [event.id for event in town.routed()] == said

    async def test_a_broker_that_comes_and_goes_is_reached_again(self, town: Town) -> None:
        async with town.bus("hotline-111") as bus:
            for _ in range(3):
                sent = await bus.send(bus.open_case(OPENING))
                assert sent.accepted
                town.sim.broker.away = True
                await town.wind(60)
                assert bus.status().receiving is Code.BROKER_AWAY
                town.sim.broker.away = False
                await town.wind(20)
                assert bus.status().receiving is None


async def wound(town: Town, bus: ReferralBus, seconds: float) -> Sent:
    """Send something while time passes for longer than the wait."""
    sending = asyncio.ensure_future(bus.send(bus.open_case(OPENING), timeout_s=seconds))
    await town.wind(seconds * 2)
    return await sending


class TestWaiting:
    async def test_a_broker_that_has_it_is_enough_for_who_does_not_wait_for_the_verdict(self, town: Town) -> None:
        town.sim.automatic = False
        async with town.bus("hotline-111") as bus:
            sent = await bus.send(bus.open_case(OPENING), wait="ack")

            assert sent.entries[0].state is EntryState.SUBMITTED
            assert sent.verdict is None
            assert not sent.settled

            town.sim.automatic = True

            assert (await bus.wait(sent)).accepted

    async def test_a_silent_router_times_the_wait_out(self, town: Town) -> None:
        town.sim.automatic = False
        async with town.bus("hotline-111") as bus:
            await bus.ready()
            with pytest.raises(TimedOut) as over:
                await wound(town, bus, 5)

            assert over.value.cause is None
            assert over.value.sent.entries[0].state is EntryState.SUBMITTED

    async def test_a_draft_that_is_sent_again_goes_out_once(self, town: Town) -> None:
        async with town.bus("hotline-111") as bus:
            draft = bus.open_case(OPENING)
            first, again = await bus.send(draft), await bus.send(draft)

            assert first == again
            assert len(town.submitted()) == 1


class TestDependence:
    async def test_an_answer_to_an_own_event_waits_for_its_verdict_and_takes_its_hash(self, town: Town) -> None:
        town.sim.automatic = False
        async with town.bus("hotline-111") as bus:
            opened = bus.open_case(OPENING)
            first = await bus.send(opened, wait=False)
            moved = await bus.send(bus.transfer(opened.subject, "ward-a", TRANSFER), wait=False)
            asked = await bus.send(bus.offer(opened.subject, {"police-b": [CRIME]}), wait=False)
            (key,) = asked.handoffs
            taken_back = await bus.send(bus.withdraw(key, WITHDRAWAL), wait=False)
            await town.settle()
            assert [event.verb for event in town.submitted()] == [Verb.CASE_OPENED]
            town.sim.automatic = True
            for sent in (first, moved, asked, taken_back):
                assert (await bus.wait(sent)).accepted

            told = {event.id: event for event in town.routed()}
            answers = told[moved.id].data.answers
            assert answers is not None
            assert answers.id == first.id
            assert answers.sha256 == verdict_of(await bus.wait(first)).event

    async def test_what_belongs_to_a_case_that_was_refused_fails_with_its_code(self, town: Town) -> None:
        await have_directory(town, "hotline-111")
        town.sim.faults["hotline-111"].away = True
        async with town.bus("hotline-111") as bus:
            opened = bus.open_case(OPENING)
            first = await bus.send(opened, wait=False)
            asked = await bus.send(bus.offer(opened.subject, {"police-b": [CRIME], "school-d": [MEDICAL]}), wait=False)
            back = await bus.send(bus.withdraw(asked.handoffs[0], WITHDRAWAL), wait=False)
            # Meanwhile hotlines lost the right to open a case.
            town.sim.change_directory(policy=DEFAULT_POLICY.model_copy(update={"may_open": ("commune",)}))
            town.sim.faults["hotline-111"].away = False
            await town.wind(10)
            first, asked, back = await bus.wait(first), await bus.wait(asked), await bus.wait(back)

            assert first.entries[0].state is EntryState.REFUSED
            assert [sent.code for sent in (first, asked, back)] == [Code.NOT_PERMITTED] * 3
            for dead in (first, asked, back):
                with pytest.raises(Refused) as refused:
                    dead.check()
                assert (refused.value.code, refused.value.sent) == (Code.NOT_PERMITTED, dead)
            assert {entry.state for entry in (*asked.entries, *back.entries)} == {EntryState.FAILED}
            assert [event.verb for event in town.submitted()] == [Verb.CASE_OPENED]
            with pytest.raises(LocalError) as refusal:
                await bus.send(bus.offer(opened.subject, {"police-b": [CRIME]}))
            assert refusal.value.code is Code.NOT_PERMITTED
            assert bus.status().waiting == 0


class TestWindow:
    async def test_old_bytes_that_never_arrived_are_proven_so_and_signed_afresh_under_the_same_id(
        self, town: Town
    ) -> None:
        await have_directory(town, "hotline-111")
        town.sim.faults["hotline-111"].lost_submits = 1_000
        async with town.bus("hotline-111") as bus:
            sent = await bus.send(bus.open_case(OPENING), wait=False)
            await town.settle()
            fixed = bus.entry(sent.id)
            assert fixed is not None
            assert fixed.state is EntryState.SIGNED
        await town.wind(WINDOW_S + HOUR_S)
        town.sim.faults["hotline-111"].lost_submits = 0
        async with town.bus("hotline-111") as bus:
            sent = await bus.wait(sent)

            assert sent.accepted
            assert town.codes() == [Code.OUTSIDE_WINDOW, Code.ACCEPTED]
            old, new = town.submitted()
            assert old.id == new.id == sent.id
            assert parse_time(new.time) - parse_time(old.time) > WINDOW_S * 1000
            assert verdict_of(sent).event != town.decisions()[0][0].event

    async def test_without_a_verdict_for_a_window_the_same_bytes_go_out_once_more(self, town: Town) -> None:
        town.sim.automatic = False
        async with town.bus("hotline-111") as bus:
            sent = await bus.send(bus.open_case(OPENING), wait="ack")
            await town.wind(WINDOW_S - 60)
            assert len(town.submitted()) == 1
            await town.wind(120)
            assert len(town.submitted()) == 2
            assert len({event.encode() for event in town.submitted()}) == 1
            assert [alarm.code for alarm in bus.alarms()] == [Code.TIMED_OUT]
            town.sim.automatic = True
            sent = await bus.wait(sent)
            await town.settle()

            # The first copy lay in time, whenever the router came to it.
            assert sent.accepted
            assert town.codes()[0] is Code.ACCEPTED
            assert len(town.routed()) == 1
            assert len(town.submitted()) == 2

    async def test_a_lost_verdict_is_found_out_by_the_hash_that_the_router_remembers(self, town: Town) -> None:
        async with town.bus("hotline-111") as bus:
            await bus.ready()
            town.sim.automatic = False
            sent = await bus.send(bus.open_case(OPENING), wait="ack")
        town.sim.automatic = True
        # The inbox loses the verdict before anybody has read it.
        _, end = town.sim.broker.bounds(topics.inbox("hotline-111"), 0)
        town.sim.broker.trim(topics.inbox("hotline-111"), 0, end)
        async with town.bus("hotline-111") as bus:
            await town.wind(WINDOW_S + 600)
            sent = await bus.wait(sent)

            assert town.codes() == [Code.ACCEPTED, Code.OUTSIDE_WINDOW, Code.ID_REUSED]
            assert sent.accepted
            assert verdict_of(sent).code is Code.ID_REUSED
            assert len(town.routed()) == 1
            case = bus.case(sent.subject)
            assert case is not None
            assert case.owned
            assert case.head is not None
            assert case.head.sha256 == town.decisions()[0][0].event
            assert {alarm.code for alarm in bus.alarms()} == {Code.POSITION_LOST, Code.TIMED_OUT}


async def test_what_is_too_large_is_told_at_once(town: Town) -> None:
    async with town.bus("hotline-111") as bus:
        opened = bus.open_case(OPENING)
        await bus.send(opened)
        notes = [NOTE.model_copy(update={"text": f"{number} " + "ệ" * 7900}) for number in range(12)]
        with pytest.raises(LocalError) as refusal:
            await bus.send(bus.notify(opened.subject, {"ward-a": [REQUEST, *notes]}))

        assert refusal.value.code is Code.OVERSIZE


async def test_a_closed_client_says_so(town: Town) -> None:
    bus = town.bus("hotline-111")
    with pytest.raises(LocalError):
        bus.status()
    async with bus:
        draft = bus.open_case(OPENING)
    with pytest.raises(LocalError):
        await bus.send(draft)


class TestRefusals:
    async def test_too_many_at_once_wait_and_go_out_later(self, town: Town) -> None:
        async with town.bus("hotline-111") as bus:
            opened = bus.open_case(OPENING)
            await bus.send(opened)
            assert (await bus.send(bus.notify(opened.subject, {"ward-a": [NOTE]}))).accepted
            sent = [await bus.send(bus.note(opened.subject, {"ward-a": [NOTE]}), wait=False) for _ in range(130)]
            await town.until(lambda: Code.TOO_MANY in town.codes())
            assert bus.status().waiting > 0
            await town.until(lambda: any(entry.code is Code.TOO_MANY for entry in bus.outbox()))
            waiting = Sent(entries=tuple(entry for entry in bus.outbox() if entry.code is Code.TOO_MANY))
            # It still goes out: nothing was refused.
            assert {entry.state for entry in waiting.entries} == {EntryState.SEALED}
            assert (waiting.check(), waiting.code) == (waiting, None)
            await town.wind(4 * WINDOW_S, steps=100)
            last = await bus.wait(sent[-1])

            assert last.check() is last
            assert last.accepted
            assert bus.status().waiting == 0
            assert len(town.routed(Verb.CASE_NOTED)) == 130

    async def test_an_id_that_somebody_used_with_our_key_is_refused_for_good(self, town: Town) -> None:
        async with town.bus("hotline-111") as bus:
            opened = bus.open_case(OPENING)
            await bus.send(opened)
            draft = bus.notify(opened.subject, {"ward-a": [NOTE]})
            used = Event(
                town=town,
                source="hotline-111",
                verb=Verb.NOTIFIED,
                subject=opened.subject,
                recipients=("ward-a",),
                id=draft.id,
            )
            used.submit()
            sent = await bus.send(draft)

            assert sent.code is Code.ID_REUSED
            assert sent.entries[0].state is EntryState.REFUSED
            assert [alarm.code for alarm in bus.alarms()] == [Code.NOT_FOUND]

    async def test_what_the_router_says_of_a_stale_head_is_taken_into_the_view(self, town: Town) -> None:
        async with town.bus("hotline-111") as bus, town.bus("police-b") as police:
            opened = bus.open_case(OPENING)
            await bus.send(opened)
            (key,) = (await bus.send(bus.offer(opened.subject, {"police-b": [CRIME]}))).handoffs
            offered = await police.next(timeout_s=30)
            town.sim.automatic = False
            accepted = await offered.accept(ACCEPTANCE)
            withdrawn = await bus.send(bus.withdraw(key, WITHDRAWAL), wait=False)
            await town.settle()
            town.sim.automatic = True
            accepted, withdrawn = await police.wait(accepted), await bus.wait(withdrawn)

            assert {accepted.code, withdrawn.code} == {Code.ACCEPTED, Code.STALE_HEAD}
            for client in (bus, police):
                view = client.handoff(key)
                assert view is not None
                assert view.state is (State.ACCEPTED if accepted.accepted else State.WITHDRAWN)

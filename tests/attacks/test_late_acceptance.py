"""
Some refusals use up no id: the very bytes may be accepted afterwards, once whoever has a copy submits it again. What
stands, stands: its sender must not go on believing that it was refused, nor its recipients that it cheats.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from referral_bus import Code, EntryState, ReferralBus
from referral_contracts.lifecycle import State
from referral_contracts.records import Record
from referral_contracts.topics import SUBMISSIONS
from tests.sdk.town import ACCEPTANCE, HOUR_S, MEDICAL, NOTE, REQUEST, WITHDRAWAL, Town, case_with

pytestmark = pytest.mark.asyncio


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


def said(town: Town, event_id: str) -> Record:
    """Return the first submission of an event."""
    needle = f'"id":"{event_id}","source"'.encode()
    partitions = range(town.sim.partitions)
    records = [record for number in partitions for record in town.sim.broker.records(SUBMISSIONS, number)]
    return next(record for record in records if needle in (record.value or b""))


def submit_again(town: Town, record: Record) -> None:
    town.sim.broker.append(SUBMISSIONS, record.partition, record.key, record.value, record.headers)


async def offer_undeliverable(town: Town, hotline: ReferralBus, subject: str) -> str:
    """Let the hotline ask the hospital for help while what follows from it cannot be written; return the event's id."""
    town.sim.automatic = False
    sent = await hotline.send(hotline.offer(subject, {"hospital-c": [MEDICAL]}), wait="ack")
    record = said(town, sent.id)
    town.sim.broker._partition(SUBMISSIONS, record.partition).records[-1] = replace(record, fault=Code.UNDELIVERABLE)
    town.sim.automatic = True
    assert (await hotline.wait(sent)).code is Code.UNDELIVERABLE
    return sent.id


async def test_what_was_refused_and_stands_after_all_is_known_to_its_sender(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("hospital-c") as hospital:
        subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
        event_id = await offer_undeliverable(town, hotline, subject)
        await town.wind(HOUR_S)
        submit_again(town, replace(said(town, event_id), fault=None))
        await hotline.caught_up()
        entry, (alarm,) = hotline.entry(event_id), hotline.alarms()
        assert entry is not None

        assert (entry.state, entry.code) == (EntryState.ACCEPTED, None)
        assert (alarm.code, alarm.subject) == (Code.UNDELIVERABLE, subject)
        assert hotline.status().clock_offset_ms == 0

        delivery = await hospital.next(timeout_s=30)
        await hospital.wait(await delivery.accept(ACCEPTANCE))
        await hotline.caught_up()
        view = hotline.handoff(entry.handoffs[0])
        assert view is not None
        assert view.state is State.ACCEPTED


async def test_what_was_refused_for_good_stays_refused(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        await case_with(town, hotline, {"ward-a": [REQUEST]})
        delivery = await ward.next(timeout_s=30)
        assert delivery.handoff is not None
        await ward.wait(await delivery.accept(ACCEPTANCE))
        town.sim.automatic = False
        sent = await hotline.send(hotline.withdraw(delivery.handoff, WITHDRAWAL), wait=False)
        await town.settle()
        town.sim.automatic = True
        sent = await hotline.wait(sent)
        submit_again(town, said(town, sent.id))
        await hotline.caught_up()

        assert town.codes()[-1] is Code.DUPLICATE
        assert [entry.state for entry in hotline.outbox() if entry.id == sent.id] == [EntryState.REFUSED]
        assert hotline.alarms() == ()


async def test_what_a_clock_that_was_ahead_had_signed_is_the_same_event_and_no_other(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
        # So far ahead that its id is forgotten when that time comes.
        hotline._engine.home.set_clock(-12 * HOUR_S * 1000)
        sent = await hotline.send(hotline.note(subject, {"ward-a": [NOTE]}))
        await town.wind(12 * HOUR_S)
        submit_again(town, said(town, sent.id))
        await hotline.send(hotline.note(subject, {"ward-a": [NOTE]}))
        await ward.caught_up()
        notes = [delivery for delivery in ward.deliveries() if delivery.subject == subject][1:]

        assert town.codes().count(Code.OUTSIDE_WINDOW) == 1
        # The router has forgotten the id, and delivers it once more.
        assert [event.id for event in town.routed()].count(sent.id) == 2
        assert [delivery.counter for delivery in notes] == [2, 4]
        assert ward.alarms() == ()
        assert hotline.alarms() == ()

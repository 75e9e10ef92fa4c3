"""
The bytes of an event, said again by others. Whoever received it holds them, signature and all, and may submit them to
any partition, under any key, at any time; and whoever reaches an inbox may lay records of it there once more.
"""

import pytest

from referral_bus import Code, EntryState, ReferralBus, Sent
from referral_contracts import topics
from referral_contracts.records import Record
from referral_contracts.topics import SUBMISSIONS, inbox, partition_for
from referral_contracts.verbs import Verb
from referral_router.core import fold
from tests.sdk.forging import Copy, Event, with_headers
from tests.sdk.town import KEYS, MEDICAL, NOTE, OPENING, REQUEST, Town, case_with

pytestmark = pytest.mark.asyncio
DAY_S = 24 * 3600


def said(town: Town, event_id: str) -> Record:
    """Return the last submission of an event."""
    needle = f'"id":"{event_id}","source"'.encode()
    records = [
        record for number in range(town.sim.partitions) for record in town.sim.broker.records(SUBMISSIONS, number)
    ]
    return [record for record in records if needle in (record.value or b"")][-1]


def submit_again(town: Town, record: Record, *, partition: int | None = None, key: bytes | None = None) -> None:
    """Submit the very bytes once more, as whoever received them could."""
    at = record.partition if partition is None else partition
    town.sim.broker.append(SUBMISSIONS, at, record.key if key is None else key, record.value, record.headers)


def states(bus: ReferralBus, sent: Sent) -> list[EntryState]:
    return [entry.state for entry in bus.outbox() if entry.id in {told.id for told in sent.entries}]


class TestSubmittedAgain:
    async def test_a_copy_in_another_partition_settles_nothing(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline:
            await hotline.ready()
            town.sim.automatic = False
            sent = await hotline.send(hotline.open_case(OPENING), wait="ack")
            home = partition_for(sent.subject, 2)
            submit_again(town, said(town, sent.id), partition=1 - home)
            # Partitions are worked on side by side: the other one is faster today.
            town.sim._lanes[1 - home].step(None, [])
            await town.settle()

            assert town.codes() == [Code.WRONG_PARTITION]
            assert states(hotline, sent) == [EntryState.SUBMITTED]

            town.sim.automatic = True
            assert (await hotline.wait(sent)).accepted

    async def test_a_copy_under_another_key_does_not_end_what_is_postponed(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with town.bus("hotline-111") as hotline:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            monkeypatch.setattr(fold, "MAX_CLAIMS", 2)
            sent = await hotline.send(hotline.note(subject, {"ward-a": [NOTE]}), wait=False)
            await town.until(lambda: Code.TOO_MANY in town.codes())
            await town.settle()
            submit_again(town, said(town, sent.id), key=b"0" * 32)
            await town.settle()

            assert town.codes()[-1] is Code.WRONG_PARTITION
            assert states(hotline, sent) == [EntryState.SEALED]

            monkeypatch.setattr(fold, "MAX_CLAIMS", 128)
            await town.wind(1200)
            assert (await hotline.wait(sent)).accepted

    async def test_an_old_event_said_again_does_not_turn_its_senders_clock(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            delivery = await ward.next(timeout_s=30)
            await town.wind(DAY_S)
            town.sim.change_directory()
            # The ward has the very bytes, and the signature.
            submit_again(town, said(town, delivery.id))
            await town.settle()

            assert town.codes()[-1] is Code.OUTSIDE_WINDOW
            assert hotline.status().clock_offset_ms == 0

            await town.wind(6 * DAY_S)
            submit_again(town, said(town, delivery.id))
            await town.settle()
            assert (await hotline.send(hotline.offer(subject, {"hospital-c": [MEDICAL]}))).accepted
            assert hotline.alarms() == ()

    async def test_a_copy_of_what_waits_for_its_verdict_does_not_turn_its_senders_clock(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline:
            await hotline.ready()
            town.sim.automatic = False
            sent = await hotline.send(hotline.open_case(OPENING), wait="ack")
            await town.wind(3600)
            home = partition_for(sent.subject, 2)
            submit_again(town, said(town, sent.id), partition=1 - home)
            town.sim._lanes[1 - home].step(None, [])
            await town.settle()

            assert hotline.status().clock_offset_ms == 0

    async def test_a_thousand_copies_leave_little_in_their_senders_store(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline:
            sent = await hotline.send(hotline.open_case(OPENING))
            for _ in range(1000):
                submit_again(town, said(town, sent.id))
            await town.until(lambda: len(town.codes()) == 1001)
            await hotline.caught_up()
            (kept,) = hotline._engine.home.store.db.execute("SELECT count(*) FROM verdicts").fetchone()

            assert kept < 10


class TestLaidIntoAnInboxAgain:
    async def test_an_old_answer_does_not_hold_up_what_was_postponed(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with town.bus("hotline-111") as hotline:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            monkeypatch.setattr(fold, "MAX_CLAIMS", 2)
            sent = await hotline.send(hotline.note(subject, {"ward-a": [NOTE]}), wait=False)
            await town.until(lambda: Code.TOO_MANY in town.codes())
            await town.settle()
            answer = town.sim.broker.records(inbox("hotline-111"))[-1]
            monkeypatch.setattr(fold, "MAX_CLAIMS", 128)
            for _ in range(30):
                town.sim.broker.append(inbox("hotline-111"), 0, answer.key, answer.value, answer.headers)
                await town.wind(60)

            assert dict(answer.headers)["kind"] == topics.KIND_VERDICT
            assert states(hotline, sent) == [EntryState.ACCEPTED]

    async def test_what_is_kept_for_a_later_version_is_kept_once(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            told = Event(
                town=town, source="hotline-111", verb=Verb.CASE_NOTED, subject=subject, recipients=("ward-a",)
            ).envelope()
            value = told.model_copy(update={"type": "vn.referral-bus.case.remembered.v1"}).encode()
            record = Copy(town=town, value=value, recipient="ward-a", counter=2, signer=KEYS["hotline-111"]).write()
            for number in range(50):
                # Its signature is not looked at before its words are understood: any will do.
                changed = with_headers(record, signature=b"%d" % number)
                town.sim.broker.append(inbox("ward-a"), 0, record.key, record.value, changed.headers)
            await ward.caught_up()
            (kept,) = ward._engine.home.store.db.execute("SELECT count(*) FROM garbage").fetchone()

            assert kept == 1
            assert [(alarm.code, alarm.count) for alarm in ward.alarms()] == [(Code.UNKNOWN_TYPE, 1)]

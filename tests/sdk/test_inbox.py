"""The inbox: everything once, nothing that was not said, and a person is told of what is strange."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from referral_bus import AgencyKeys, Code, Delivery, LocalError
from referral_bus.testing import DEFAULT_POLICY
from referral_contracts import topics
from referral_contracts.decisions import verify_leaf
from referral_contracts.directory_model import MayKnow
from referral_contracts.lifecycle import Receipt, State
from referral_contracts.payloads.handoff import Unreadable
from referral_contracts.records import Record
from referral_contracts.topics import inbox
from referral_contracts.verbs import Verb
from tests.sdk.forging import Copy, Event, plaintext, with_headers
from tests.sdk.town import (
    ACCEPTANCE,
    CRIME,
    DECLINE,
    KEYS,
    MEDICAL,
    NOTE,
    OPENING,
    REQUEST,
    Town,
    case_with,
    change_sealing_key,
)

pytestmark = pytest.mark.asyncio
DESKS = AgencyKeys.generate("ward-a", desks=["night"])


def lay(town: Town, agency: str, record: Record) -> None:
    """Lay a record into an inbox, as whoever can write to it might."""
    town.sim.broker.append(inbox(agency), 0, record.key, record.value, record.headers, fault=record.fault)


def first(town: Town, agency: str, kind: bytes) -> Record:
    """Return the first record of a kind in an inbox."""
    records = town.sim.broker.records(inbox(agency))
    return next(record for record in records if dict(record.headers)["kind"] == kind)


class TestGarbage:
    async def test_forged_records_are_counted_kept_and_passed_and_nothing_of_them_is_opened(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            genuine = first(town, "ward-a", topics.KIND_DELIVERY)
            forged = Event(town=town, source="hotline-111", verb=Verb.OFFERED, subject=subject, recipients=("ward-a",))
            unsigned = Copy(
                town=town, value=forged.envelope().encode(), recipient="ward-a", counter=1, signer=KEYS["police-b"]
            )
            unsigned.write()
            for record in (
                replace(genuine, value=None),
                replace(genuine, headers=()),
                replace(genuine, value=b"{}"),
                replace(genuine, fault=Code.MALFORMED_RECORD),
                with_headers(genuine, root=None),
                with_headers(genuine, path=b"\x00" * 8),
                with_headers(genuine, kind=b"advice"),
            ):
                lay(town, "ward-a", record)
            assert (await hotline.send(hotline.notify(subject, {"ward-a": [NOTE]}))).accepted
        async with town.bus("ward-a") as ward:
            heard = [await ward.next(timeout_s=30) for _ in range(2)]
            codes = {alarm.code: alarm.count for alarm in ward.alarms()}
            kept = ward._engine.home.store.db.execute("SELECT count(*) FROM garbage").fetchone()[0]

            assert [delivery.verb for delivery in heard] == [Verb.ASSIGNED, Verb.NOTIFIED]
            assert codes == {
                Code.UNKNOWN_KEY: 1,
                Code.NULL_VALUE: 1,
                Code.MISSING_HEADER: 2,
                Code.BAD_DECISION: 2,
                Code.MALFORMED_RECORD: 1,
                Code.UNEXPECTED_HEADER: 1,
            }
            assert kept == 8
            assert len(list(ward.deliveries())) == 2

    async def test_a_flood_of_garbage_is_one_alarm_and_little_on_the_disk(self, town: Town) -> None:
        for number in range(500):
            lay(town, "ward-a", Record(0, 0, 0, None, str(number).encode()))
        async with town.bus("ward-a") as ward:
            await town.until(lambda: ward.alarms() and ward.alarms()[0].count == 500)
            kept = ward._engine.home.store.db.execute("SELECT count(*) FROM garbage").fetchone()[0]

            assert [alarm.code for alarm in ward.alarms()] == [Code.MISSING_HEADER]
            assert kept == 100
            ward.clear_alarm(ward.alarms()[0].number)
            assert ward.alarms() == ()

    async def test_a_verdict_on_what_was_never_sent_from_here_is_an_alarm(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline:
            sent = await hotline.send(hotline.open_case(OPENING))
        async with town.bus("hotline-111", store="another.db") as hotline:
            await town.until(hotline.alarms)
            (alarm,) = hotline.alarms()

            assert (alarm.code, alarm.subject) == (Code.NOT_FOUND, sent.subject)


class TestOnce:
    async def test_a_copy_of_a_delivery_is_one_delivery(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            await case_with(town, hotline, {"ward-a": [REQUEST]})
            delivery = await ward.next(timeout_s=30)
            for _ in range(3):
                lay(town, "ward-a", first(town, "ward-a", topics.KIND_DELIVERY))
            await town.settle()

            assert [found.id for found in ward.deliveries()] == [delivery.id]
            assert ward.alarms() == ()
            assert len(town.routed(Verb.RECEIVED)) == 1

    async def test_another_event_under_a_delivered_id_is_an_alarm_and_a_delivery_and_opens_nothing_again(
        self, town: Town
    ) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            delivery = await ward.next(timeout_s=30)
            other = Event(
                town=town,
                source="hotline-111",
                verb=Verb.ASSIGNED,
                subject=subject,
                recipients=("ward-a",),
                id=delivery.id,
            )
            Copy(
                town=town,
                value=other.envelope().encode(),
                recipient="ward-a",
                counter=2,
                signer=KEYS["hotline-111"],
            ).write()
            await town.until(ward.alarms)

            assert [alarm.code for alarm in ward.alarms()] == [Code.ID_REUSED]
            assert len(list(ward.deliveries())) == 2
            assert [entry.verb for entry in ward.outbox()] == [Verb.RECEIVED]

    async def test_a_withheld_delivery_is_seen_by_the_gap_in_the_count(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            for _ in range(2):
                await hotline.send(hotline.notify(subject, {"ward-a": [NOTE]}))
        held = town.sim.broker._partition(inbox("ward-a"), 0).records
        del held[1]
        async with town.bus("ward-a") as ward:
            counters = [(await ward.next(timeout_s=30)).counter for _ in range(2)]
            (alarm,) = ward.alarms()

            assert counters == [1, 3]
            assert (alarm.code, alarm.subject) == (Code.COUNTER_GAP, subject)
            assert alarm.detail == "delivery 3 came after delivery 1"

    async def test_an_inbox_that_lost_what_was_not_read_is_an_alarm_and_goes_on(self, town: Town) -> None:
        async with town.bus("ward-a") as ward:
            await ward.caught_up()
        async with town.bus("hotline-111") as hotline:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            town.sim.broker.trim(inbox("ward-a"), 0, town.sim.broker.bounds(inbox("ward-a"), 0)[1])
            await hotline.send(hotline.notify(subject, {"ward-a": [NOTE]}))
        async with town.bus("ward-a") as ward:
            delivery = await ward.next(timeout_s=30)

            assert delivery.verb is Verb.NOTIFIED
            assert {alarm.code for alarm in ward.alarms()} == {Code.POSITION_LOST, Code.COUNTER_GAP}


class TestHandingOut:
    async def test_what_was_not_acknowledged_comes_again_and_says_so(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            await hotline.send(hotline.notify(subject, {"ward-a": [NOTE]}))
        async with town.bus("ward-a") as ward:
            one, two = [await ward.next(timeout_s=30) for _ in range(2)]
            await one.ack()
            assert (one.redelivered, two.redelivered) == (False, False)
            assert (one.acknowledged, two.acknowledged) == (True, False)
            assert ward.status().unacknowledged == 1
        async with town.bus("ward-a") as ward:
            again = await ward.next(timeout_s=30)
            assert (again.id, again.redelivered) == (two.id, True)
            assert again.payloads == (NOTE,)
            await again.ack()
        async with town.bus("ward-a") as ward:
            await ward.caught_up()
            assert ward.status().unacknowledged == 0

    async def test_a_new_iterator_begins_with_what_was_not_acknowledged(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            await case_with(town, hotline, {"ward-a": [REQUEST]})
            seen = []
            for _ in range(2):
                async for delivery in ward.inbox():
                    seen.append((delivery.verb, delivery.redelivered))
                    break

            assert seen == [(Verb.ASSIGNED, False), (Verb.ASSIGNED, True)]

    async def test_an_iterator_ends_when_the_client_is_closed(self, town: Town) -> None:
        bus = town.bus("ward-a")
        heard: list[Delivery] = []

        async def listen() -> None:
            heard.extend([delivery async for delivery in bus.inbox()])

        async with bus:
            listening = asyncio.ensure_future(listen())
            await town.settle()
            assert not listening.done()
        await listening

        assert heard == []

    async def test_a_wait_for_the_next_ends_in_time(self, town: Town) -> None:
        async with town.bus("ward-a") as ward:
            waiting = asyncio.ensure_future(ward.next(timeout_s=5))
            await town.wind(6)
            with pytest.raises(LocalError) as refusal:
                await waiting

            assert refusal.value.code is Code.TIMED_OUT


class TestEffects:
    async def test_a_block_that_fails_leaves_no_reply_and_the_delivery_comes_again(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            await case_with(town, hotline, {"ward-a": [REQUEST]})
            delivery = await ward.next(timeout_s=30)
            with pytest.raises(ZeroDivisionError):
                await accept_and_fail(delivery)
            await town.settle()
            assert town.routed(Verb.ACCEPTED) == []
            assert not delivery.acknowledged
        async with town.bus("ward-a") as ward:
            delivery = await ward.next(timeout_s=30)
            async with delivery:
                sent = await delivery.accept(ACCEPTANCE)

            assert delivery.redelivered
            assert delivery.acknowledged
            assert (await ward.wait(sent)).accepted

    async def test_a_second_block_over_the_same_delivery_says_nothing_twice(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            await case_with(town, hotline, {"ward-a": [REQUEST]})
            delivery = await ward.next(timeout_s=30)
            async with delivery:
                await delivery.accept(ACCEPTANCE)
            with pytest.raises(LocalError) as refusal:
                async with delivery:
                    await delivery.accept(ACCEPTANCE)
            await town.settle()

            assert refusal.value.code is Code.DUPLICATE
            assert len(town.routed(Verb.ACCEPTED)) == 1

    async def test_a_reply_that_the_lifecycle_does_not_allow_is_told_by_the_verdict(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            await case_with(town, hotline, {"ward-a": [REQUEST]})
            delivery = await ward.next(timeout_s=30)
            sent = await ward.wait(await delivery.decline(DECLINE))

            # A statutory duty cannot be declined.
            assert sent.code is Code.ILLEGAL_TRANSITION
            assert sent.verdict is not None
            assert sent.verdict.state is State.ASSIGNED

    async def test_what_is_about_no_hand_off_cannot_be_accepted(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            await hotline.send(hotline.note(subject, {"ward-a": [NOTE]}))
            delivery = await ward.next(timeout_s=30)
            while delivery.verb is not Verb.CASE_NOTED:
                delivery = await ward.next(timeout_s=30)
            with pytest.raises(LocalError) as refusal:
                await delivery.accept(ACCEPTANCE)

            assert refusal.value.code is Code.NOT_FOUND


async def accept_and_fail(delivery: Delivery) -> None:
    async with delivery:
        await delivery.accept(ACCEPTANCE)
        raise ZeroDivisionError


class TestUnreadable:
    async def test_a_section_for_a_key_that_we_lost_is_answered_unreadable(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline:
            await case_with(town, hotline, {"ward-a": [REQUEST]})
            renewed = KEYS["ward-a"].renewed()
            change_sealing_key(town, "ward-a", renewed)
            lost = replace(renewed, sealing={"ward-a": renewed.sealing["ward-a"][:1]})
            async with town.bus("ward-a", lost) as ward:
                delivery = await ward.next(timeout_s=30)
                assert delivery.payloads == ()
                assert delivery.unreadable is not None
                assert (delivery.unreadable.name, delivery.unreadable.code) == ("s0", Code.NOT_A_READER)
                answer = await hotline.next(timeout_s=30)
                told = answer.payload(Unreadable)

                assert answer.verb is Verb.UNREADABLE
                assert told is not None
                assert (told.code, told.section) == ("not-a-reader", "s0")
                assert answer.handoff is not None
                view = hotline.handoff(answer.handoff)
                assert view is not None
                assert view.receipt is Receipt.UNREADABLE

    async def test_an_old_key_opens_what_was_sealed_before_it_was_replaced(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline:
            await case_with(town, hotline, {"ward-a": [REQUEST]})
        renewed = KEYS["ward-a"].renewed()
        change_sealing_key(town, "ward-a", renewed)
        async with town.bus("ward-a", renewed) as ward:
            assert (await ward.next(timeout_s=30)).payloads == (REQUEST,)

    @pytest.mark.parametrize(
        ("section", "sealed_as", "code"),
        [
            (plaintext("future/9.0", {"hope": "yes"}), 0, Code.UNKNOWN_SCHEMA),
            (plaintext("note/1.0", {"text": 7}), 0, Code.MALFORMED_SECTION),
            (b"not json", 0, Code.MALFORMED_JSON),
            (plaintext("note/1.0", {}), 5, Code.WRONG_COMMITMENT),
        ],
    )
    async def test_what_cannot_be_understood_is_shown_as_far_as_it_goes_and_answered(
        self, town: Town, section: bytes, sealed_as: int, code: Code
    ) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            opened = hotline.open_case(OPENING)
            await hotline.send(opened)
            Event(
                town=town,
                source="hotline-111",
                verb=Verb.OFFERED,
                subject=opened.subject,
                recipients=("ward-a",),
                plaintexts=(section,),
                sealed_as=(sealed_as,),
            ).submit()
            delivery = await ward.next(timeout_s=30)
            assert delivery.unreadable is not None
            assert delivery.unreadable.code is code
            raw = delivery.unreadable.read
            await town.until(lambda: town.routed(Verb.UNREADABLE))

            assert (raw is not None) == (code in {Code.UNKNOWN_SCHEMA, Code.MALFORMED_SECTION})
            assert town.routed(Verb.RECEIVED) == []
            assert delivery.payloads == ()


class TestAddresses:
    async def test_two_desks_of_ours_get_a_copy_each_and_answer_each_for_itself(self, tmp_path: Path) -> None:
        policy = DEFAULT_POLICY.model_copy(update={"may_know": (MayKnow(roles=("commune",)),)})
        town = Town(tmp_path, keys={**KEYS, "ward-a": DESKS}, policy=policy)
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            opened = hotline.open_case(OPENING)
            await hotline.send(opened)
            draft = hotline.offer(opened.subject, {"ward-a": [CRIME], "ward-a/night": [MEDICAL]})
            sent = await hotline.send(draft)
            copies = [await ward.next(timeout_s=30) for _ in range(2)]
            await town.until(lambda: len(town.routed(Verb.RECEIVED)) == 2)
            accepted = await ward.wait(await copies[1].accept(ACCEPTANCE))

            assert len(sent.entries) == 1
            assert [(copy.recipient, copy.payloads) for copy in copies] == [
                ("ward-a", (CRIME,)),
                ("ward-a/night", (MEDICAL,)),
            ]
            assert accepted.accepted
            states = {key.recipient: view.state for key in sent.handoffs if (view := ward.handoff(key)) is not None}
            assert states == {"ward-a": State.OFFERED, "ward-a/night": State.ACCEPTED}


async def test_the_evidence_of_every_verdict_is_kept_and_holds(town: Town) -> None:
    async with town.bus("hotline-111") as hotline:
        await case_with(town, hotline, {"ward-a": [REQUEST]})
        rows = hotline._engine.home.store.db.execute("SELECT leaf, path, root FROM verdicts").fetchall()
        verdicts = [entry.verdict for entry in hotline.outbox()]
    key = KEYS["router"].signing.verify_key

    assert len(rows) == 2
    for row, verdict in zip(rows, verdicts, strict=True):
        assert verdict is not None
        verify_leaf(row["leaf"], row["path"], row["root"], bus="training", partition=verdict.partition, key=key)

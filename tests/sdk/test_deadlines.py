"""Deadlines, as an agency hears of them: from the watcher alone, and what it may say of them itself."""

import pytest

from referral_bus import Code, LocalError
from referral_contracts.payloads.clock_answer import (
    ClockConfirmation,
    ClockDispute,
    ClockExtension,
    ConfirmationBasis,
    DisputeReason,
)
from referral_contracts.payloads.deadline import DeadlineNotice, Standing
from referral_contracts.verbs import Verb
from tests.sdk.forging import Copy
from tests.sdk.town import KEYS, NOTE, OPENING, REQUEST, Town, case_with, heard
from tests.sdk.watching import CLOCK, SYSTEM, Watcher, at

pytestmark = pytest.mark.asyncio

DISPUTE = ClockDispute(actor=SYSTEM, clock=CLOCK, reason=DisputeReason.DONE_IN_TIME, text="Đã tách trẻ lúc 9 giờ")
CONFIRMATION = ClockConfirmation(actor=SYSTEM, clock=CLOCK, basis=ConfirmationBasis.PAPERS_SEEN)


def extension(until_ms: int) -> ClockExtension:
    return ClockExtension(actor=SYSTEM, clock=CLOCK, until=at(until_ms), authority="UBND tỉnh", document="7/QĐ")


async def test_what_the_watcher_tells_is_a_delivery_with_the_due_instant(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
        said = Watcher(town.sim).say(Verb.DEADLINE_MISSED, subject, "ward-a", standing=Standing.MISSED)

        delivery = await heard(ward, Verb.DEADLINE_MISSED)
        notice = delivery.payload(DeadlineNotice)
        assert (delivery.id, delivery.handoff) == (said.id, None)
        assert notice is not None
        assert (notice.clock, notice.responsible, notice.standing) == (CLOCK, "ward-a", Standing.MISSED)
        assert town.codes()[-1] is Code.ACCEPTED


async def test_it_moves_neither_case_nor_handoff(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
        await heard(hotline, Verb.RECEIVED)
        before = hotline.case(subject), ward.case(subject)
        watcher = Watcher(town.sim)
        for agency, bus in (("hotline-111", hotline), ("ward-a", ward)):
            watcher.say(Verb.DEADLINE_ARMED, subject, agency)
            await heard(bus, Verb.DEADLINE_ARMED)

        assert (hotline.case(subject), ward.case(subject)) == before


async def test_a_notice_that_is_not_the_watchers_is_an_alarm_and_no_delivery(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
        await (await heard(ward, Verb.ASSIGNED)).ack()
        forged = Watcher(town.sim, source="police-b")
        value = forged.envelope(Verb.DEADLINE_MISSED, subject, "ward-a", forged.notice()).encode()
        # As if the router had let it pass.
        Copy(town=town, value=value, recipient="ward-a", counter=2, signer=KEYS["police-b"]).write()
        assert (await hotline.send(hotline.notify(subject, {"ward-a": [NOTE]}))).accepted
        await heard(ward, Verb.NOTIFIED)

        assert [delivery.verb for delivery in ward.deliveries()] == [Verb.ASSIGNED, Verb.NOTIFIED]
        assert Code.WRONG_PARTY in {alarm.code for alarm in ward.alarms()}


@pytest.mark.parametrize("source", ["ward-a", "police-b", "hotline-111"])
async def test_nobody_but_the_watcher_says_it(town: Town, source: str) -> None:
    async with town.bus("hotline-111") as hotline:
        subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
        to = "police-b" if source == "ward-a" else "ward-a"
        Watcher(town.sim, source=source).say(Verb.DEADLINE_MISSED, subject, to)
        await town.settle()

        # A stranger learns nothing of a case by it.
        assert town.codes()[-1] is (Code.NOT_FOUND if source == "police-b" else Code.WRONG_PARTY)


async def test_what_was_said_twice_is_one_notice(town: Town) -> None:
    async with town.bus("hotline-111") as hotline:
        subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
        watcher = Watcher(town.sim)
        first = watcher.say(Verb.DEADLINE_REMINDED, subject, "ward-a", step=1)
        again = watcher.say(Verb.DEADLINE_REMINDED, subject, "ward-a", step=1)
        other = watcher.say(Verb.DEADLINE_REMINDED, subject, "ward-a", step=2)
        await town.settle()

        assert first.id == again.id != other.id
        assert town.codes()[-3:] == [Code.ACCEPTED, Code.ID_REUSED, Code.ACCEPTED]


class TestSaying:
    async def test_who_is_responsible_disputes_it_and_the_watcher_is_told(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            Watcher(town.sim).say(Verb.DEADLINE_ARMED, subject, "ward-a")
            await heard(ward, Verb.DEADLINE_ARMED)
            draft = ward.dispute_clock(subject, DISPUTE)
            (event,) = ward.plan(draft).events

            assert (await ward.send(draft)).accepted
            assert event.recipients == ()
            assert [section.readers for section in event.sections] == [("ward-a",), ("watcher", "ward-a")]
            told = {row.path: row.value for row in event.sections[1].rows}
            assert told["about_clock.clock"] == CLOCK
            assert told["about_clock.said"] == "Có ý kiến khác về thời hạn / disputed"
            assert "text" not in {row.path for row in event.sections[1].rows}

    async def test_what_is_not_for_an_agency_to_say_is_told_at_once(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            watcher = Watcher(town.sim)
            for agency, bus in (("hotline-111", hotline), ("ward-a", ward)):
                watcher.say(Verb.DEADLINE_MISSED, subject, agency, standing=Standing.MISSED)
                await heard(bus, Verb.DEADLINE_MISSED)

            wrong = (
                (hotline, hotline.dispute_clock(subject, DISPUTE), "only that agency can dispute it"),
                (hotline, hotline.extend_clock(subject, extension(watcher.started_ms)), "or one above it"),
                (ward, ward.confirm_clock(subject, CONFIRMATION), "only an agency above it"),
            )
            for bus, draft, hint in wrong:
                with pytest.raises(LocalError, match=hint) as caught:
                    bus.plan(draft)
                assert caught.value.code is Code.NOT_PERMITTED

    async def test_one_above_confirms_and_extends(self, town: Town) -> None:
        found = town.sim.directory.member("ward-a")
        assert found is not None
        town.sim.change_directory(agencies=[found.entry.model_copy(update={"parent": "hotline-111"})])
        async with town.bus("hotline-111") as hotline:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            watcher = Watcher(town.sim)
            watcher.say(Verb.DEADLINE_ESCALATED, subject, "hotline-111", standing=Standing.MISSED, level=1)
            await heard(hotline, Verb.DEADLINE_ESCALATED)
            until = watcher.started_ms + 10**8

            assert (await hotline.send(hotline.confirm_clock(subject, CONFIRMATION, to=["ward-a"]))).accepted
            extend = hotline.extend_clock(subject, extension(until))
            (event,) = hotline.plan(extend).events
            told = {row.path: row.value for row in event.sections[1].rows}
            assert (told["about_clock.authority"], told["about_clock.document"]) == ("UBND tỉnh", "7/QĐ")
            assert "about_clock.until" in told
            assert (await hotline.send(extend)).accepted

    async def test_a_clock_is_named(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline:
            opened = hotline.open_case(OPENING)
            assert (await hotline.send(opened)).accepted

            with pytest.raises(LocalError, match="clock-dispute") as caught:
                hotline.plan(hotline.dispute_clock(opened.subject, NOTE))
            assert caught.value.code is Code.INCOMPLETE_INPUT

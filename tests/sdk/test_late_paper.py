"""By telephone first and on the bus later: both moments are kept, shown, and told to the deadline watcher."""

from datetime import UTC, datetime

import pytest

from referral_bus import ReferralBus
from referral_contracts.payloads.actor import Actor, Channel, Happening, Role
from referral_contracts.payloads.clock import Trigger
from referral_contracts.payloads.handoff import Acceptance, Progress
from referral_contracts.payloads.measure import Measure, MeasureKind
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.request import HandoffRequest, Service
from referral_contracts.verbs import Verb
from tests.sdk.test_links import watched
from tests.sdk.town import HOUR_S, OPENING, REQUEST, Town, heard

pytestmark = pytest.mark.asyncio

WHO = Actor(role=Role.DUTY_OFFICER)
LEGAL_AID = HandoffRequest(actor=WHO, service=Service.LEGAL_AID, reason="Cần luật sư khi lấy lời khai")


def moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC)


async def asked(hotline: ReferralBus, *payloads: Payload) -> None:
    opened = hotline.open_case(OPENING)
    await hotline.send(opened)
    assert (await hotline.send(hotline.offer(opened.subject, {"ward-a": list(payloads)}))).accepted


def triggers(town: Town, verb: Verb) -> tuple[Trigger, ...]:
    (said,) = town.routed(verb)
    return watched(town, said).listed


@pytest.mark.parametrize("channel", [Channel.PHONE, Channel.IN_PERSON, Channel.MESSAGE, Channel.PAPER, Channel.BUS])
async def test_an_answer_of_two_o_clock_that_is_on_the_bus_the_next_morning(town: Town, channel: Channel) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        await asked(hotline, LEGAL_AID)
        offer = await heard(ward, Verb.OFFERED)
        told = town.sim.clock.now_ms()
        await town.wind(18 * HOUR_S)
        written = town.sim.clock.now_ms()
        happened = Happening(
            occurred_at=moment(told),
            recorded_at=moment(written),
            channel=channel,
            person="Chị Lan, văn thư",
            paper_number="12/UBND" if channel is Channel.PAPER else None,
        )
        answer = Acceptance(actor=WHO, contact="Chị Lan", happened=happened)
        assert (await ward.wait(await offer.accept(answer))).accepted
        heard_of = await heard(hotline, Verb.ACCEPTED)
        (section,) = heard_of.sections
        assert section.read is not None
        shown = {row.path: row.value for row in section.read.rows()}
        (told_watcher,) = triggers(town, Verb.ACCEPTED)

        # The envelope's own time is the moment of sending; the acts of people are in the form.
        assert heard_of.envelope.time_ms >= written
        assert heard_of.payloads == (answer,)
        assert {"happened.occurred_at", "happened.recorded_at", "happened.channel"} <= shown.keys()
        assert shown["happened.channel"] == f"{channel.vi} / {channel.en}"
        assert shown.get("happened.paper_number") == happened.paper_number
        assert told_watcher == Trigger(
            trigger="legal-aid-answered",
            occurred_at=happened.occurred_at,
            recorded_at=happened.recorded_at,
            channel=channel,
            whose="ward-a",
        )


async def test_what_was_done_in_time_and_written_down_late_tells_the_watcher_both(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        await asked(hotline, REQUEST)
        offer = await heard(ward, Verb.OFFERED)
        await ward.wait(await offer.accept(Acceptance(actor=WHO)))
        done = moment(town.sim.clock.now_ms() + 3 * HOUR_S * 1000)
        await town.wind(30 * HOUR_S)
        late = moment(town.sim.clock.now_ms())
        progress = Progress(
            actor=WHO,
            happened=Happening(recorded_at=late, channel=Channel.PAPER, paper_number="13/UBND"),
            summary="Đã áp dụng biện pháp khẩn cấp",
            measures=(Measure(kind=MeasureKind.EMERGENCY_MEASURES_APPLIED, done_at=done),),
        )
        assert offer.handoff is not None
        assert (await ward.send(ward.progress(offer.handoff, progress))).accepted
        (said,) = triggers(town, Verb.PROGRESSED)

        assert said.trigger == "emergency-measures-applied"
        assert (said.occurred_at, said.recorded_at, said.channel) == (done, late, Channel.PAPER)

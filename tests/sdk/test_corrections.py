"""What was wrong is corrected beside the record: both are kept, and its recipient is told which is which."""

from datetime import UTC, datetime

import pytest

from referral_bus import Code, Corrects, Delivery, LocalError, ReferralBus
from referral_contracts.encoding import event_hash
from referral_contracts.envelope import EventData, EventRef
from referral_contracts.lifecycle import State
from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.clock import ClockSection
from referral_contracts.payloads.mau01 import Mau01
from referral_contracts.payloads.mistake import Corrected, Correction
from referral_contracts.payloads.place import Place
from referral_contracts.verbs import Verb
from tests.sdk.forging import Event, submit
from tests.sdk.test_turns import stands
from tests.sdk.town import ACCEPTANCE, NOTE, REQUEST, Town, case_with, heard

pytestmark = pytest.mark.asyncio

WHO = Actor(role=Role.DUTY_OFFICER)
RECEIVED_AT = datetime(2026, 3, 14, 2, 20, tzinfo=UTC)
WRONG = Mau01(
    actor=WHO, child_name="Lê Thị Bưởi", received_at=RECEIVED_AT, incident_place=Place(province="01", commune="00001")
)
RIGHT_PLACE = WRONG.model_copy(update={"incident_place": Place(province="01", commune="00004")})
RIGHT_TIME = WRONG.model_copy(update={"received_at": RECEIVED_AT.replace(hour=1)})
RIGHT_NAME = WRONG.model_copy(update={"child_name": "Lê Thị Bười"})


def why(what: Corrected) -> Correction:
    return Correction(actor=WHO, what=what, reason="Nghe nhầm qua điện thoại")


def clock_of(delivery: Delivery) -> ClockSection:
    """Return what a delivery tells the watcher, which is also for whoever's clock it is."""
    found = (section.read.payload for section in delivery.sections if section.read is not None)
    return next(payload for payload in found if isinstance(payload, ClockSection))


async def assigned_with(town: Town, hotline: ReferralBus, ward: ReferralBus) -> Delivery:
    await case_with(town, hotline, {"ward-a": [REQUEST, WRONG]})
    return await heard(ward, Verb.ASSIGNED)


class TestHandoff:
    @pytest.mark.parametrize(
        ("what", "right"),
        [
            (Corrected.COMMUNE, RIGHT_PLACE),
            (Corrected.NAME, RIGHT_NAME),
            (Corrected.RECEIPT_TIME, RIGHT_TIME),
        ],
    )
    async def test_both_are_kept_and_each_shows_the_other(self, town: Town, what: Corrected, right: Mau01) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            assigned = await assigned_with(town, hotline, ward)
            key = assigned.handoff
            assert key is not None
            assert assigned.corrections == ()
            sent = await hotline.send(hotline.correct(key, assigned.id, why(what), right))
            correction = await heard(ward, Verb.CORRECTED)
            original = correction.original

            assert sent.accepted
            assert correction.payloads == (why(what), right)
            assert correction.corrects is Corrects.HELD
            assert original is not None
            assert (original.id, original.payloads) == (assigned.id, (REQUEST, WRONG))
            assert [(one.id, one.corrects) for one in original.corrections] == [(correction.id, Corrects.HELD)]
            # Its sender sees it beside its own.
            said = hotline.entry(assigned.id)
            assert said is not None
            assert (said.corrected_by, said.voided_by) == ((correction.id,), ())
            assert {one.id for one in hotline.outbox() if one.corrected_by} == {assigned.id}
            # It has moved nothing: the assignment is still what is answered.
            assert stands(key, hotline, ward) == [State.ASSIGNED] * 2
            assert (await ward.wait(await assigned.accept(ACCEPTANCE))).accepted

    async def test_its_recipient_corrects_what_it_answered(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            assigned = await assigned_with(town, hotline, ward)
            assert assigned.handoff is not None
            said = await ward.wait(await assigned.accept(ACCEPTANCE))
            accepted = await heard(hotline, Verb.ACCEPTED)
            right = ACCEPTANCE.model_copy(update={"contact": "Chị Hoa"})
            await ward.send(ward.correct(assigned.handoff, said.id, why(Corrected.NAME), right))
            correction = await heard(hotline, Verb.CORRECTED)

            assert correction.payloads == (why(Corrected.NAME), right)
            assert [one.id for one in accepted.corrections] == [correction.id]

    async def test_the_watcher_is_told_what_stands_in_the_place_of_what_it_was_told(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            assigned = await assigned_with(town, hotline, ward)
            assert assigned.handoff is not None
            draft = hotline.correct(assigned.handoff, assigned.id, why(Corrected.COMMUNE), RIGHT_PLACE)
            (event,) = hotline.plan(draft).events
            clock = next(section for section in event.sections if section.schema == ClockSection.schema_id())
            shown = {row.value for row in clock.rows}

            assert "watcher" in clock.readers
            assert {"00004", "information-forwarded"} <= shown
            assert "00001" not in shown

    async def test_a_correction_of_a_correction_names_what_was_wrong_at_first(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            assigned = await assigned_with(town, hotline, ward)
            key = assigned.handoff
            assert key is not None
            first = await hotline.send(hotline.correct(key, assigned.id, why(Corrected.NAME), RIGHT_NAME))
            await heard(ward, Verb.CORRECTED)
            with pytest.raises(LocalError) as refused:
                hotline.correct(key, first.id, why(Corrected.NAME), RIGHT_NAME)
            await hotline.send(hotline.correct(key, assigned.id, why(Corrected.COMMUNE), RIGHT_PLACE))
            await heard(ward, Verb.CORRECTED)

            assert refused.value.code is Code.ILLEGAL_TRANSITION
            assert [one.payloads[1] for one in assigned.corrections] == [RIGHT_NAME, RIGHT_PLACE]

    async def test_nobody_corrects_what_it_has_not_said_there(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            assigned = await assigned_with(town, hotline, ward)
            key = assigned.handoff
            assert key is not None
            for bus, event_id in ((ward, assigned.id), (hotline, hotline.outbox()[0].id)):
                with pytest.raises(LocalError) as refused:
                    bus.correct(key, event_id, why(Corrected.NAME), RIGHT_NAME)

                assert refused.value.code is Code.NOT_FOUND

    async def test_only_what_the_bus_has_accepted_is_corrected(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            assigned = await assigned_with(town, hotline, ward)
            assert assigned.handoff is not None
            town.sim.automatic = False
            accepted = await assigned.accept(ACCEPTANCE)
            with pytest.raises(LocalError) as early:
                ward.correct(assigned.handoff, accepted.id, why(Corrected.NAME), ACCEPTANCE)
            town.sim.automatic = True

            assert early.value.code is Code.ILLEGAL_TRANSITION
            assert early.value.detail == "it has no verdict yet: wait for that, then correct it"
            assert (await ward.wait(accepted)).accepted
            assert (
                await ward.send(ward.correct(assigned.handoff, accepted.id, why(Corrected.NAME), ACCEPTANCE))
            ).accepted

    async def test_what_was_refused_is_not_corrected_but_said_anew(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            assigned = await assigned_with(town, hotline, ward)
            assert assigned.handoff is not None
            await ward.wait(await assigned.accept(ACCEPTANCE))
            again = await ward.send(ward.accept(assigned.handoff, ACCEPTANCE))
            assert not again.accepted
            with pytest.raises(LocalError, match="it does not stand: say it anew") as refused:
                ward.correct(assigned.handoff, again.id, why(Corrected.NAME), ACCEPTANCE)

            assert refused.value.code is Code.ILLEGAL_TRANSITION

    async def test_a_correction_says_what_was_wrong_and_carries_what_the_wrong_one_could(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            assigned = await assigned_with(town, hotline, ward)
            key = assigned.handoff
            assert key is not None
            for payloads, code in [
                ((RIGHT_NAME,), Code.INCOMPLETE_INPUT),
                ((why(Corrected.NAME), ACCEPTANCE), Code.UNKNOWN_SCHEMA),
            ]:
                with pytest.raises(LocalError) as refused:
                    await hotline.send(hotline.correct(key, assigned.id, *payloads))

                assert refused.value.code is code


class TestCase:
    async def test_a_note_is_corrected_to_those_who_are_named(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            noted = await hotline.send(hotline.note(subject, {"ward-a": [NOTE]}))
            note = await heard(ward, Verb.CASE_NOTED)
            right = NOTE.model_copy(update={"text": "Gia đình chưa chuyển đi"})
            draft = hotline.correct_case(subject, noted.id, why(Corrected.UNKNOWN), right, to=["ward-a"])
            assert (await hotline.send(draft)).accepted
            correction = await heard(ward, Verb.CASE_CORRECTED)

            assert correction.corrects is Corrects.HELD
            assert [one.id for one in note.corrections] == [correction.id]

    async def test_who_never_had_the_wrong_one_is_told_so(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("police-b") as police:
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            noted = await hotline.send(hotline.note(subject, {"ward-a": [NOTE]}))
            await hotline.send(hotline.correct_case(subject, noted.id, why(Corrected.NAME), NOTE, to=["police-b"]))
            correction = await heard(police, Verb.CASE_CORRECTED)

            assert (correction.corrects, correction.original) == (Corrects.NOT_HELD, None)

    async def test_the_intake_form_is_corrected_for_the_watcher_alone(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline:
            opened = hotline.open_case(WRONG)
            await hotline.send(opened)
            draft = hotline.correct_case(opened.subject, opened.id, why(Corrected.COMMUNE), RIGHT_PLACE)
            (event,) = hotline.plan(draft).events
            sent = await hotline.send(draft)
            (corrected,) = town.routed(Verb.CASE_CORRECTED)

            assert sent.accepted
            assert event.recipients == ()
            assert [section.readers for section in event.sections] == [
                ("hotline-111",),
                ("hotline-111",),
                ("watcher", "hotline-111"),
            ]
            assert corrected.data.supersedes is not None
            assert corrected.data.supersedes.id == opened.id


class TestOthers:
    async def test_who_says_that_it_corrects_what_another_said_is_shown_as_correcting_nothing(self, town: Town) -> None:
        async with (
            town.bus("hotline-111") as hotline,
            town.bus("ward-a") as ward,
            town.bus("police-b") as police,
        ):
            subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
            await hotline.send(hotline.note(subject, {"ward-a": [NOTE]}))
            note = await heard(ward, Verb.CASE_NOTED)
            # The police are a party of the case, and were not asked.
            await hotline.send(hotline.note(subject, {"police-b": [NOTE]}))
            await heard(police, Verb.CASE_NOTED)
            forged = Event(
                town=town, source="police-b", verb=Verb.CASE_CORRECTED, subject=subject, recipients=("ward-a",)
            ).envelope()
            named = EventRef(id=note.id, sha256=event_hash(note.value))
            submit(town, forged.model_copy(update={"data": EventData(**{**dict(forged.data), "supersedes": named})}))
            correction = await heard(ward, Verb.CASE_CORRECTED)

            assert (correction.corrects, correction.original) == (Corrects.ELSEWHERE, None)
            assert note.corrections == ()

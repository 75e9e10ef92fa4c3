"""An agency's own keys, as the directory has them and as it has them no more."""

from dataclasses import replace

import pytest

from referral_bus import AgencyKeys, Code, LocalError
from referral_contracts.verbs import Verb
from tests.sdk.town import (
    CRIME,
    KEYS,
    OPENING,
    REQUEST,
    WINDOW_S,
    Town,
    case_with,
    change_sealing_key,
    change_signing_key,
)

pytestmark = pytest.mark.asyncio


class TestKeys:
    async def test_a_key_that_the_directory_does_not_list_sends_nothing_and_says_so(self, town: Town) -> None:
        strange = AgencyKeys.generate("hotline-111")
        mixed = replace(strange, sealing=KEYS["hotline-111"].sealing)
        async with town.bus("hotline-111", mixed) as bus:
            with pytest.raises(LocalError) as refusal:
                await bus.ready()
            assert refusal.value.code is Code.UNKNOWN_KEY
            await bus.send(bus.open_case(OPENING), wait=False)
            await town.settle()

            assert bus.status().sending is Code.UNKNOWN_KEY
            assert town.submitted() == []

    async def test_a_sealing_key_that_the_key_file_lacks_is_told_before_anything_is_sealed(self, town: Town) -> None:
        strange = replace(AgencyKeys.generate("hotline-111"), signing=KEYS["hotline-111"].signing)
        async with town.bus("hotline-111", strange) as bus:
            with pytest.raises(LocalError) as refusal:
                await bus.send(bus.open_case(OPENING))

            assert refusal.value.code is Code.UNKNOWN_KEY
            assert bus.outbox() == ()

    @pytest.mark.parametrize(
        ("mine", "missing"),
        [("signing", "lacks the sealing key"), ("sealing", "does not list the signing key"), ("", "signing key")],
    )
    async def test_what_came_while_the_key_file_was_wrong_is_not_called_unreadable(
        self, town: Town, mine: str, missing: str
    ) -> None:
        keys = AgencyKeys.generate("ward-a")
        wrong = replace(keys, **{mine: getattr(KEYS["ward-a"], mine)}) if mine else keys
        async with town.bus("hotline-111") as hotline:
            async with town.bus("ward-a", wrong) as ward:
                subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
                with pytest.raises(LocalError, match=missing) as refusal:
                    await ward.ready()
                assert refusal.value.code is Code.UNKNOWN_KEY
                await ward.caught_up()
                await town.wind(60)
            assert {event.verb for event in town.routed()} == {Verb.CASE_OPENED, Verb.ASSIGNED}
            async with town.bus("ward-a") as ward:
                await ward.ready()
                (delivery,) = ward.deliveries()
                await town.wind(600)

                assert (delivery.subject, delivery.payloads) == (subject, (REQUEST,))
                assert [event.verb for event in town.routed() if event.source == "ward-a"] == [Verb.RECEIVED]
                assert [entry.verb for entry in ward.outbox()] == [Verb.RECEIVED]

    async def test_the_keys_of_another_agency_open_nothing(self, town: Town) -> None:
        with pytest.raises(LocalError) as refusal:
            async with town.bus("hotline-111", KEYS["ward-a"]):
                pass

        assert refusal.value.code is Code.UNKNOWN_KEY

    async def test_what_waited_longer_than_a_readers_key_lived_is_sealed_again(self, town: Town) -> None:
        async with town.bus("hotline-111") as bus:
            opened = bus.open_case(OPENING)
            await bus.send(opened)
            town.sim.broker.away = True
            await town.settle()
            sent = await bus.send(bus.offer(opened.subject, {"police-b": [CRIME]}), wait=False)
            await town.wind(10)
            renewed = KEYS["police-b"].renewed()
            change_sealing_key(town, "police-b", renewed)
            town.sim.broker.away = False
            await town.wind(10)
            assert (await bus.wait(sent)).accepted
        async with town.bus("police-b", renewed) as police:
            delivery = await police.next(timeout_s=5)

            assert delivery.payloads == (CRIME,)
            kids = {reader.kid for section in delivery.envelope.data.sections for reader in section.readers}
            assert renewed.sealing["police-b"][0].kid in kids
            assert renewed.sealing["police-b"][1].kid not in kids

    async def test_old_bytes_under_a_key_that_was_taken_away_are_signed_afresh(self, town: Town) -> None:
        async with town.bus("hotline-111") as bus:
            town.sim.automatic = False
            sent = await bus.send(bus.open_case(OPENING), wait="ack")
        fresh = replace(KEYS["hotline-111"], signing=AgencyKeys.generate("hotline-111").signing)
        change_signing_key(town, "hotline-111", fresh)
        async with town.bus("hotline-111", fresh) as bus:
            await town.wind(WINDOW_S + 60)
            town.sim.automatic = True
            await town.wind(60)
            sent = await bus.wait(sent)

            assert sent.accepted
            # The old bytes were nobody's by the time the router came to them: no verdict, no event.
            assert town.codes() == [Code.KEY_NOT_VALID, Code.ACCEPTED]
            assert {event.id for event in town.submitted()} == {sent.id}

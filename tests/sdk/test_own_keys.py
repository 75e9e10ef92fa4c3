"""An agency's own keys, as the directory has them and as it has them no more."""

from dataclasses import replace

import pytest

from referral_bus import AgencyKeys, Code, LocalError
from tests.sdk.town import CRIME, KEYS, OPENING, WINDOW_S, Town, change_sealing_key, change_signing_key

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

"""What a newer version of the bus delivers is kept until this one is replaced by one that understands it."""

import json

import pytest

from referral_bus import Code
from referral_contracts import verbs
from referral_contracts.encoding import jcs
from referral_contracts.verbs import Verb
from tests.sdk.forging import Copy, Event
from tests.sdk.town import KEYS, REQUEST, Town, case_with

pytestmark = pytest.mark.asyncio
NEWER = "vn.referral-bus.case.remembered.v1"


async def test_a_delivery_with_a_word_that_we_do_not_know_is_kept_and_read_by_the_next_version(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
        told = Event(town=town, source="hotline-111", verb=Verb.CASE_NOTED, subject=subject, recipients=("ward-a",))
        value = jcs({**json.loads(told.envelope().encode()), "type": NEWER})
        Copy(town=town, value=value, recipient="ward-a", counter=2, signer=KEYS["hotline-111"]).write()
        await ward.next(timeout_s=30)
        await town.until(ward.alarms)
        (alarm,) = ward.alarms()

        assert (alarm.code, alarm.subject) == (Code.UNKNOWN_TYPE, subject)
        assert len(list(ward.deliveries())) == 1

        later = Event(town=town, source="hotline-111", verb=Verb.CASE_NOTED, subject=subject, recipients=("ward-a",))
        value = later.envelope().encode()
        Copy(town=town, value=value, recipient="ward-a", counter=3, signer=KEYS["hotline-111"]).write()
        await ward.next(timeout_s=30)

        # It counts as delivered: what comes after it shows no gap.
        assert [alarm.code for alarm in ward.alarms()] == [Code.UNKNOWN_TYPE]

    monkeypatch.setitem(verbs._BY_TYPE, NEWER, Verb.CASE_NOTED)
    for _ in range(2):
        async with town.bus("ward-a") as ward:
            await ward.caught_up()
            deliveries = list(ward.deliveries())

            assert [delivery.counter for delivery in deliveries] == [1, 3, 2]
            assert deliveries[-1].envelope.type == NEWER
            assert [alarm.code for alarm in ward.alarms()] == [Code.UNKNOWN_TYPE]


async def test_what_is_not_understood_yet_is_not_pushed_out_by_garbage(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with town.bus("hotline-111") as hotline:
        subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
    told = Event(town=town, source="hotline-111", verb=Verb.CASE_NOTED, subject=subject, recipients=("ward-a",))
    value = jcs({**json.loads(told.envelope().encode()), "type": NEWER})
    Copy(town=town, value=value, recipient="ward-a", counter=2, signer=KEYS["hotline-111"]).write()
    for _ in range(300):
        town.sim.broker.append("inbox.ward-a", 0, None, b"garbage")
    async with town.bus("ward-a") as ward:
        await ward.caught_up()
    monkeypatch.setitem(verbs._BY_TYPE, NEWER, Verb.CASE_NOTED)
    async with town.bus("ward-a") as ward:
        await ward.caught_up()

        assert {delivery.envelope.type for delivery in ward.deliveries()} == {Verb.ASSIGNED.type, NEWER}

"""A duty that is passed on arrives with what was asked, and with nothing for the one that assigned it."""

import pytest

from referral_contracts.directory_model import Delivery as Reach
from referral_contracts.payloads.mau01 import Mau01
from referral_contracts.payloads.place import Place
from referral_contracts.payloads.relay import Relay
from referral_contracts.verbs import Verb
from tests.sdk.test_addresses import reach
from tests.sdk.test_links import watched
from tests.sdk.town import CRIME, FORWARDING, REQUEST, Town, case_with, heard

pytestmark = pytest.mark.asyncio

FORM = Mau01(actor=REQUEST.actor, incident_place=Place(province="99", commune="99001"))


def told_watcher(town: Town, verb: Verb) -> list[list[tuple[str, str | None, str | None]]]:
    return [[(one.trigger, one.commune, one.whose) for one in watched(town, said).listed] for said in town.routed(verb)]


async def test_the_next_gets_what_was_asked_and_the_assigner_no_copy(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward, town.bus("ward-z") as following:
        await case_with(town, hotline, {"ward-a": [REQUEST, FORM]})
        assigned = await heard(ward, Verb.ASSIGNED)
        assert assigned.handoff is not None
        (event,) = ward.plan(ward.forward(assigned.handoff, "ward-z", FORWARDING)).events
        await ward.wait(await assigned.forward("ward-z", FORWARDING))
        passed, told = await heard(following, Verb.FORWARDED), await heard(hotline, Verb.FORWARDED)
        await heard(ward, Verb.RECEIVED)

        assert (told.payloads, passed.payloads) == ((FORWARDING,), (FORWARDING, REQUEST, FORM))
        assert [part.readers for part in event.sections if part.schema == "mau01/1.0"] == [("ward-z", "ward-a")]
        assert told_watcher(town, Verb.FORWARDED) == [[("information-forwarded", "99001", "ward-a")]]
        assert told_watcher(town, Verb.RECEIVED)[-1] == [
            ("commune-informed", None, "ward-z"),
            ("form-received", "99001", "ward-z"),
        ]


async def test_what_was_asked_goes_all_the_way_and_each_forwarding_one_step(town: Town) -> None:
    async with (
        town.bus("hotline-111") as hotline,
        town.bus("ward-a") as ward,
        town.bus("ward-z") as between,
        town.bus("police-b") as last,
    ):
        await case_with(town, hotline, {"ward-a": [CRIME]})
        await ward.wait(await (await heard(ward, Verb.ASSIGNED)).forward("ward-z", FORWARDING))
        here = FORWARDING.model_copy(update={"forwarded_to": "police-b"})
        await between.wait(await (await heard(between, Verb.FORWARDED)).forward("police-b", here))

        assert (await heard(last, Verb.FORWARDED)).payloads == (here, CRIME)
        await heard(between, Verb.RECEIVED)
        assert [one[0][0] for one in told_watcher(town, Verb.RECEIVED)][-1] == "report-received"


async def test_what_was_asked_through_another_is_passed_on_in_the_askers_own_words(town: Town) -> None:
    reach(town, "school-d", Reach(kind="via", agency="ward-a"))
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward, town.bus("ward-z") as following:
        await case_with(town, hotline, {"school-d": [REQUEST]})
        assigned = await heard(ward, Verb.ASSIGNED)
        await ward.wait(await assigned.forward("ward-z", FORWARDING))
        passed = await heard(following, Verb.FORWARDED)

        forwarding, request = passed.payloads
        assert (forwarding.actor.acting_for, request) == ("school-d", REQUEST)
        assert not any(isinstance(payload, Relay) for payload in passed.payloads)

"""A receipt finds whoever stands on the sender's side now, and is said by whoever stands on the recipient's."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from referral_bus import Code, ReferralBus
from referral_bus.sent import EntryState
from referral_contracts.envelope import HandoffKey
from referral_contracts.lifecycle import Receipt, State
from referral_contracts.verbs import Verb
from tests.sdk.test_succession import MERGED, end
from tests.sdk.town import HOUR_S, NOTE, OPENING, REQUEST, Town, case_with, heard

pytestmark = pytest.mark.asyncio


def receipts(town: Town) -> list[tuple[str, Verb, tuple[str, ...]]]:
    """Return who said which receipt to whom, as the router let them."""
    said = [*town.routed(Verb.RECEIVED), *town.routed(Verb.UNREADABLE)]
    return [(one.source, one.verb, one.data.recipients) for one in said]


def receipt(bus: ReferralBus, key: HandoffKey) -> Receipt | None:
    """Return what *bus* knows of the receipt of a hand-off."""
    found = bus.handoff(key)
    assert found is not None
    return found.receipt


async def assigned(town: Town, hotline: ReferralBus) -> HandoffKey:
    subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
    (view,) = (hotline.case(subject) or pytest.fail("no case")).handoffs
    return view.key


class TestSendersSide:
    async def test_it_goes_to_whom_the_senders_side_was_moved_before_it_was_made(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-z") as after:
            key = await assigned(town, hotline)
            end(town, "hotline-111", "ward-z")
            await town.settle()
            assert (await hotline.send(hotline.move(key, "ward-z", MERGED))).accepted
            async with town.bus("ward-a") as ward:
                await heard(after, Verb.RECEIVED)

                assert receipts(town) == [("ward-a", Verb.RECEIVED, ("ward-z",))]
                assert {receipt(bus, key) for bus in (ward, after)} == {Receipt.RECEIVED}

    async def test_it_is_entered_anew_when_the_senders_side_was_moved_first(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-z") as after:
            key = await assigned(town, hotline)
            end(town, "hotline-111", "ward-z")
            await town.settle()
            town.sim.automatic = False
            moved = await hotline.send(hotline.move(key, "ward-z", MERGED), wait="ack")
            async with town.bus("ward-a") as ward:
                await town.until(lambda: [one for one in town.submitted() if one.verb is Verb.RECEIVED])
                town.sim.automatic = True
                await hotline.wait(moved)
                await heard(after, Verb.RECEIVED)
                entries = [entry for entry in ward.outbox() if entry.verb is Verb.RECEIVED]

                assert [(entry.state, entry.code) for entry in entries] == [
                    (EntryState.REFUSED, Code.WRONG_RECIPIENTS),
                    (EntryState.ACCEPTED, None),
                ]
                assert receipts(town) == [("ward-a", Verb.RECEIVED, ("ward-z",))]
                assert receipt(after, key) is Receipt.RECEIVED


def forget_what_it_owes(town: Town, agency: str) -> None:
    """Let *agency*'s store forget its receipts, as a system has that says none by itself."""
    store = sqlite3.connect(town.folder / f"{agency}.db")
    with store:
        store.execute("DELETE FROM outbox WHERE verb = 'handoff.received'")
    store.close()


@asynccontextmanager
async def cut_off(town: Town) -> AsyncIterator[tuple[ReferralBus, HandoffKey]]:
    """Give the hotline, and a duty that the ward has heard of without getting a word out."""
    async with town.bus("hotline-111") as hotline:
        key = await assigned(town, hotline)
        async with town.bus("ward-a") as ward:
            town.sim.faults["ward-a"].lost_submits = 1_000
            await heard(ward, Verb.ASSIGNED)
        town.sim.faults["ward-a"].lost_submits = 0
        yield hotline, key


class TestRecipientsSide:
    async def test_the_successor_says_it_of_what_came_with_the_side(self, town: Town) -> None:
        async with cut_off(town) as (hotline, key), town.bus("ward-z") as after:
            forget_what_it_owes(town, "ward-a")
            end(town, "ward-a", "ward-z")
            async with town.bus("ward-a") as ward:
                await ward.ready()
                assert (await ward.send(ward.move(key, "ward-z", MERGED))).accepted
            await heard(hotline, Verb.RECEIVED)

            assert receipts(town) == [("ward-z", Verb.RECEIVED, ("hotline-111",))]
            assert {receipt(bus, key) for bus in (hotline, after)} == {Receipt.RECEIVED}

    async def test_a_notice_ends_though_its_recipient_was_succeeded(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-z") as after:
            opened = hotline.open_case(OPENING)
            await hotline.send(opened)
            (key,) = (await hotline.send(hotline.notify(opened.subject, {"ward-a": [NOTE]}))).handoffs
            async with town.bus("ward-a") as ward:
                town.sim.faults["ward-a"].lost_submits = 1_000
                await heard(ward, Verb.NOTIFIED)
            town.sim.faults["ward-a"].lost_submits = 0
            forget_what_it_owes(town, "ward-a")
            end(town, "ward-a", "ward-z")
            async with town.bus("ward-a") as ward:
                await ward.ready()
                assert (await ward.send(ward.move(key, "ward-z", MERGED))).accepted
            await heard(hotline, Verb.RECEIVED)

            assert [bus.handoff(key).state for bus in (hotline, after)] == [State.RECEIVED] * 2  # type: ignore[union-attr]

    async def test_who_adopts_a_store_says_what_that_one_could_not_say_any_more(self, town: Town) -> None:
        async with cut_off(town) as (hotline, key), town.bus("ward-z") as after:
            end(town, "ward-a", "ward-z")
            await town.wind(HOUR_S + 1)
            assert after.adopt("ward-a", town.folder / "ward-a.db") == 1
            await heard(hotline, Verb.RECEIVED)

            assert receipts(town) == [("ward-z", Verb.RECEIVED, ("hotline-111",))]
            assert receipt(hotline, key) is Receipt.RECEIVED

    async def test_a_successor_that_was_given_nothing_to_read_says_so(self, town: Town) -> None:
        async with cut_off(town) as (hotline, key), town.bus("ward-z") as after, town.bus("school-d") as second:
            forget_what_it_owes(town, "ward-a")
            end(town, "ward-a", "ward-z", "school-d")
            await town.wind(HOUR_S + 1)
            assert after.adopt("ward-a", town.folder / "ward-a.db") == 1
            assert (await after.send(after.move(key, "school-d", MERGED))).accepted
            await heard(hotline, Verb.UNREADABLE)

            assert receipts(town) == [("school-d", Verb.UNREADABLE, ("hotline-111",))]
            assert {receipt(bus, key) for bus in (hotline, second)} == {Receipt.UNREADABLE}

    async def test_what_was_received_is_not_receipted_again(self, town: Town) -> None:
        async with town.bus("hotline-111") as hotline, town.bus("ward-z") as after:
            key = await assigned(town, hotline)
            async with town.bus("ward-a") as ward:
                await heard(hotline, Verb.RECEIVED)
                end(town, "ward-a", "ward-z")
                await town.settle()
                assert (await ward.send(ward.move(key, "ward-z", MERGED))).accepted
            await heard(after, Verb.MOVED)
            await town.settle()

            assert receipts(town) == [("ward-a", Verb.RECEIVED, ("hotline-111",))]

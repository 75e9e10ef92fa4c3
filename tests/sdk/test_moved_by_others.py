"""What a mover says in a sealed section does not outweigh what shows in the clear: it may be mistaken, or lie."""

from typing import Any

import pytest

from referral_bus import _drafts
from referral_contracts.directory_model import Delivery as Reach
from referral_contracts.lifecycle import State
from referral_contracts.payloads.moving import Moving, Side
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.relay import Relay
from referral_contracts.verbs import Verb
from tests.sdk.test_succession import MERGED, accepted_work, end
from tests.sdk.town import ACCEPTANCE, OUTCOME, REQUEST, Town, case_with, heard

pytestmark = pytest.mark.asyncio

OTHER = {Side.SENDER: Side.RECIPIENT, Side.RECIPIENT: Side.SENDER}


@pytest.fixture
def lies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Movers name the other side, and say that the work is over."""
    told = _drafts._stands

    def stands(payload: Payload, known: Any, side: Side) -> Payload:
        found = told(payload, known, side)
        if not isinstance(found, Moving):
            return found
        return found.model_copy(update={"side": OTHER[side], "state": State.CLOSED.value})

    monkeypatch.setattr(_drafts, "_stands", stands)


@pytest.mark.usefixtures("lies")
async def test_who_asked_knows_that_the_recipients_side_was_moved(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-z") as after, town.bus("ward-a") as ward:
        subject, key = await accepted_work(town, hotline, ward)
        end(town, "ward-a", "ward-z")
        await town.settle()
        assert (await ward.send(ward.move(key, "ward-z", MERGED))).accepted
        await heard(hotline, Verb.MOVED)
        await heard(after, Verb.MOVED)

        views = [bus.handoff(key, subject=subject) for bus in (hotline, after)]

        assert [(view.sender, view.holder) for view in views if view] == [("hotline-111", "ward-z")] * 2
        # What is over is moved by nobody: the successor sees that there is something to do.
        assert [view.state for view in views if view] == [State.ACCEPTED] * 2
        assert (await after.send(after.complete(key, OUTCOME))).accepted


@pytest.mark.usefixtures("lies")
async def test_who_does_the_work_knows_that_the_senders_side_was_moved(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-z") as after, town.bus("ward-a") as ward:
        subject, key = await accepted_work(town, hotline, ward)
        end(town, "hotline-111", "ward-z")
        await town.settle()
        assert (await hotline.send(hotline.move(key, "ward-z", MERGED))).accepted
        await heard(ward, Verb.MOVED)
        await heard(after, Verb.MOVED)

        views = [bus.handoff(key, subject=subject) for bus in (ward, after)]

        assert [(view.sender, view.holder) for view in views if view] == [("ward-z", "ward-a")] * 2
        assert (await ward.send(ward.complete(key, OUTCOME))).accepted


async def test_nobody_is_made_to_answer_in_anothers_name(town: Town) -> None:
    agency = town.sim.directory.member("school-d")
    assert agency is not None
    not_ours = agency.entry.model_copy(update={"delivery": Reach(kind="via", agency="ward-z")})
    town.sim.change_directory(agencies=[not_ours])
    town.sim.step()
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        relay = Relay(actor=REQUEST.actor, for_agency="school-d")
        await case_with(town, hotline, {"ward-a": [relay, REQUEST]})
        assigned = await heard(ward, Verb.ASSIGNED)
        assert (await ward.wait(await assigned.accept(ACCEPTANCE))).accepted

        assert (await heard(hotline, Verb.ACCEPTED)).claims == ()

"""An exercise, as agencies' own systems live through it: nobody sets it twice, and it survives an agency's end."""

import pytest

from referral_bus import Code
from referral_contracts.lifecycle import CaseState
from referral_contracts.verbs import Verb
from tests.sdk.test_succession import end
from tests.sdk.town import (
    ACCEPTANCE,
    CASE_CLOSING,
    CLOSING,
    HOUR_S,
    MEDICAL,
    NOTE,
    OPENING,
    OUTCOME,
    REQUEST,
    Town,
    heard,
)

pytestmark = pytest.mark.asyncio


async def test_whoever_speaks_and_whatever_is_said_it_stays_an_exercise(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward, town.bus("hospital-c") as hospital:
        opened = hotline.open_case(OPENING, exercise=True)
        await hotline.ready()
        assert hotline.plan(opened).exercise
        assert (await hotline.send(opened)).exercise
        (key,) = (await hotline.send(hotline.assign(opened.subject, {"ward-a": [REQUEST]}))).handoffs
        duty = await heard(ward, Verb.ASSIGNED)
        assert duty.exercise
        await ward.wait(await duty.accept(ACCEPTANCE))
        assert (await ward.send(ward.offer(opened.subject, {"hospital-c": [MEDICAL]}))).accepted
        asked = await heard(hospital, Verb.OFFERED)
        assert asked.exercise
        assert (await hospital.send(hospital.note(opened.subject, {"ward-a": [NOTE]}))).accepted
        await hospital.wait(await asked.accept(ACCEPTANCE))
        views = [bus.handoff(key) for bus in (hotline, ward)]

        assert [view.exercise for view in views if view is not None] == [True, True]
        assert all(entry.exercise for bus in (hotline, ward, hospital) for entry in bus.outbox())
        assert {event.exercise for event in town.submitted()} == {True}
        assert set(town.codes()) == {Code.ACCEPTED}


async def test_what_a_successor_takes_up_from_the_old_store_is_the_exercise_that_it_was(town: Town) -> None:
    async with town.bus("hotline-111") as hotline:
        opened = hotline.open_case(OPENING, exercise=True)
        await hotline.send(opened)
        async with town.bus("ward-a") as ward:
            (key,) = (await hotline.send(hotline.assign(opened.subject, {"ward-a": [REQUEST]}))).handoffs
            await ward.wait(await (await heard(ward, Verb.ASSIGNED)).accept(ACCEPTANCE))
        await heard(hotline, Verb.ACCEPTED)
        end(town, "ward-a", "ward-z")
        await town.wind(HOUR_S + 1)
        async with town.bus("ward-z") as after:
            await after.ready()
            assert after.adopt("ward-a", town.folder / "ward-a.db") == 1
            assert (await after.send(after.complete(key, OUTCOME))).accepted
            done = await heard(hotline, Verb.COMPLETED)
            assert done.exercise
            assert (await hotline.wait(await done.close(CLOSING))).accepted
        assert (await hotline.send(hotline.close_case(opened.subject, CASE_CLOSING))).accepted
        case = hotline.case(opened.subject)

        assert case is not None
        assert (case.exercise, case.state) == (True, CaseState.CLOSED)

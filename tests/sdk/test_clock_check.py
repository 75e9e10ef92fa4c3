"""What an event tells the deadline watcher is held against its form by whose clock it is."""

from collections.abc import Callable, Iterable

import pytest

from referral_bus import Code
from referral_contracts import clocks
from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.base import Answer
from referral_contracts.payloads.clock import ClockSection, Trigger
from referral_contracts.payloads.mistake import Disposal, Misdirection
from referral_contracts.verbs import Verb
from tests.sdk.town import REQUEST, Town, case_with, heard

pytestmark = pytest.mark.asyncio

ASTRAY = Misdirection(actor=Actor(role=Role.DUTY_OFFICER), opened=Answer.YES, disposal=Disposal.DESTROYED)
ACCUSING = Trigger(trigger="report-received", whose="ward-a")

Lie = Callable[[ClockSection], ClockSection]


def lying(monkeypatch: pytest.MonkeyPatch, lie: Lie) -> None:
    """Let every client tell the watcher what *lie* makes of the truth; what is checked is not changed by it."""
    honest = clocks.join_clocks

    def join(told: Iterable[ClockSection]) -> ClockSection:
        return lie(honest(told))

    monkeypatch.setattr("referral_bus._compose.join_clocks", join)


def accusing(clock: ClockSection) -> ClockSection:
    return clock.model_copy(update={"triggers": (*clock.listed, ACCUSING)})


def silent(clock: ClockSection) -> ClockSection:
    told = tuple(one.model_copy(update={"trigger": "record-kept"}) for one in clock.listed)
    return clock.model_copy(update={"triggers": told or "none"})


async def test_who_reads_both_and_finds_them_alike_is_told_nothing(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        await case_with(town, hotline, {"ward-a": [REQUEST]})
        await (await heard(ward, Verb.ASSIGNED)).report_misdirected(ASTRAY)
        delivery = await heard(hotline, Verb.MISDIRECTED)

        # The hotline sent it astray, so the clock of the notice is the hotline's.
        assert [section.read.schema for section in delivery.sections if section.read] == [
            "misdirection/1.0",
            "clock/1.0",
        ]
        assert delivery.clock_differs == ()
        assert hotline.alarms() == ()


async def test_a_clock_that_the_form_knows_nothing_of_is_an_alarm(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    lying(monkeypatch, accusing)
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
        delivery = await heard(ward, Verb.ASSIGNED)

        assert delivery.clock_differs == ("report-received",)
        (alarm,) = ward.alarms()
        assert (alarm.code, alarm.subject) == (Code.CLOCK_DIFFERS, subject)
        # Sealed things stay sealed in the store.
        assert delivery.id in alarm.detail
        assert "report-received" not in alarm.detail


async def test_a_happening_that_the_watcher_is_not_told_is_an_alarm(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        await case_with(town, hotline, {"ward-a": [REQUEST]})
        assigned = await heard(ward, Verb.ASSIGNED)
        lying(monkeypatch, silent)
        await assigned.report_misdirected(ASTRAY)
        delivery = await heard(hotline, Verb.MISDIRECTED)

        assert delivery.clock_differs == ("data-misdirected",)
        assert [alarm.code for alarm in hotline.alarms()] == [Code.CLOCK_DIFFERS]

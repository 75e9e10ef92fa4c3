"""Which clocks an agency knows of: those that the watcher told it of, and its own, worked out by a pack."""

from datetime import timedelta
from typing import Final

import pytest

from referral_bus.views import Rules
from referral_contracts.payloads.deadline import Delivered, Found, Standing
from referral_contracts.rules.book import RuleBook
from referral_contracts.rules.calendar import Calendar
from referral_contracts.rules.loading import load_packs
from referral_contracts.verbs import Verb
from tests.contracts.rules.packs import head, rule
from tests.sdk.town import ACCEPTANCE, MEDICAL, REQUEST, Town, case_with, heard
from tests.sdk.watching import CLOCK, Watcher, at

pytestmark = pytest.mark.asyncio

HALF_AN_HOUR_MS: Final = 1_800_000
ACCEPTED_IN_TIME: Final = rule(
    id='"accept-in-time"',
    trigger='["handoff.assigned"]',
    required='["handoff.accepted"]',
    role='"*"',
    scope='"handoff"',
    limit='"PT30M"',
)
RULES: Final = Rules(
    book=RuleBook(load_packs({"policy.toml": head("policy", settle='"PT1H"') + ACCEPTED_IN_TIME})),
    calendar=Calendar("none", frozenset(range(2020, 2040))),
)


async def test_a_clock_stands_as_the_watcher_told_last(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
        watcher = Watcher(town.sim)
        watcher.say(Verb.DEADLINE_ARMED, subject, "ward-a")
        await heard(ward, Verb.DEADLINE_ARMED)
        (armed,) = ward.clocks()
        due_ms = watcher.started_ms + 12 * 3_600_000
        assert (armed.clock, armed.subject, armed.responsible) == (CLOCK, subject, "ward-a")
        assert (armed.standing, armed.due_ms, armed.told_by_watcher) == (Standing.RUNNING, due_ms, True)
        assert armed.runs
        assert not armed.late(due_ms)
        assert armed.late(due_ms + 1)
        assert not armed.overdue

        proven = {"standing": Standing.MISSED, "delivery": Delivered.PROVEN}
        watcher.say(Verb.DEADLINE_MISSED, subject, "ward-a", **proven)
        await heard(ward, Verb.DEADLINE_MISSED)
        (missed,) = ward.clocks(subject)
        assert missed.overdue
        assert missed.late(0)
        assert not missed.runs
        assert missed.delivery is Delivered.PROVEN

        done = at(watcher.started_ms) + timedelta(hours=11)
        claimed = {"standing": Standing.MET_AS_CLAIMED, "found": Found.DONE_IN_TIME}
        watcher.say(Verb.DEADLINE_EXPLAINED, subject, "ward-a", done_at=done, **claimed)
        await heard(ward, Verb.DEADLINE_EXPLAINED)
        (explained,) = ward.clocks()
        assert explained.standing is Standing.MET_AS_CLAIMED
        assert not explained.overdue
        assert ward.clocks("0" * 32) == ()
        assert hotline.clocks() == ()


async def test_an_agency_works_out_its_own_clocks_and_nobody_elses(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward, town.bus("hospital-c") as hospital:
        subject = await case_with(town, hotline, {"ward-a": [REQUEST], "hospital-c": [MEDICAL]})
        duty = await heard(ward, Verb.ASSIGNED)
        await heard(hospital, Verb.ASSIGNED)

        assert hotline.clocks(rules=RULES) == ward.clocks() == ()
        (ours,) = ward.clocks(rules=RULES)
        (theirs,) = hospital.clocks(subject, rules=RULES)
        assert (ours.rule, ours.responsible, ours.standing) == ("accept-in-time", "ward-a", Standing.RUNNING)
        assert ours.due_ms == ours.started_ms + HALF_AN_HOUR_MS
        assert not ours.told_by_watcher
        assert theirs.responsible == "hospital-c"
        assert ours.clock != theirs.clock

        await duty.accept(ACCEPTANCE)
        await town.settle()
        (done,) = ward.clocks(rules=RULES)
        assert (done.clock, done.standing, done.runs) == (ours.clock, Standing.MET, False)
        assert done.done_ms is not None


async def test_the_watchers_word_goes_before_what_is_worked_out(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
        await heard(ward, Verb.ASSIGNED)
        (ours,) = ward.clocks(rules=RULES)
        Watcher(town.sim).say(Verb.DEADLINE_MISSED, subject, "ward-a", clock=ours.clock, standing=Standing.MISSED)
        await heard(ward, Verb.DEADLINE_MISSED)

        (told,) = ward.clocks(rules=RULES)
        assert (told.clock, told.told_by_watcher, told.standing) == (ours.clock, True, Standing.MISSED)


async def test_what_was_done_late_runs_no_more_and_is_called_missed_by_nobody_here(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        await case_with(town, hotline, {"ward-a": [REQUEST]})
        duty = await heard(ward, Verb.ASSIGNED)
        await town.wind(HALF_AN_HOUR_MS / 1000 + 3600)
        (late,) = ward.clocks(rules=RULES)
        assert late.late(town.sim.clock.now_ms())
        assert not late.overdue

        await duty.accept(ACCEPTANCE)
        await town.settle()
        (done,) = ward.clocks(rules=RULES)
        assert done.standing is Standing.RUNNING
        assert not done.runs
        assert not done.late(town.sim.clock.now_ms())

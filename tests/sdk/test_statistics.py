"""What the statistics agency is told, and what it makes of it: children once, exercises not at all."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from referral_bus import AgencyKeys, Code, LocalError, ReferralBus
from referral_bus.views import Rules
from referral_contracts.indicators import Indicators
from referral_contracts.payloads.deadline import Standing
from referral_contracts.payloads.link import Link, Relation
from referral_contracts.payloads.mau01 import ChildCategory, Mau01
from referral_contracts.payloads.place import Place, Sex
from referral_contracts.payloads.stats import AgeBand, Form, Stats, Timeliness
from referral_contracts.rules.book import RuleBook
from referral_contracts.rules.calendar import Calendar
from referral_contracts.rules.loading import load_packs
from referral_contracts.verbs import Verb
from tests.contracts.rules.packs import head, rule
from tests.sdk.town import ACCEPTANCE, AGENCIES, KEYS, OPENING, REQUEST, Town, case_with, heard
from tests.sdk.watching import SYSTEM, Watcher, at

pytestmark = pytest.mark.asyncio

RULES: Final = Rules(
    book=RuleBook(
        load_packs(
            {
                "here.toml": head()
                + rule(trigger='["handoff.assigned"]', required='["handoff.accepted"]', role='"*"', scope='"handoff"')
            }
        )
    ),
    calendar=Calendar("none", frozenset(range(2020, 2040))),
)
COUNTS: Final = {**AGENCIES, "so-lieu": ["statistics"]}
OURS: Final = {**KEYS, "so-lieu": AgencyKeys.generate("so-lieu")}
FORM: Final = Mau01(
    actor=SYSTEM,
    child_name="Trần Thị Ví Dụ",
    child_category=ChildCategory.ABUSED,
    estimated_age=9,
    sex=Sex.FEMALE,
    incident_place=Place(address="thôn Một", province="99", commune="99001"),
)


@pytest_asyncio.fixture
async def town(tmp_path: Path) -> Town:
    return Town(tmp_path, agencies=COUNTS, keys=OURS)


@pytest_asyncio.fixture
async def both(town: Town) -> AsyncIterator[tuple[ReferralBus, ReferralBus]]:
    async with AsyncExitStack() as stack:
        hotline = await stack.enter_async_context(town.bus("hotline-111"))
        counting = await stack.enter_async_context(town.bus("so-lieu"))
        await hotline.ready()
        await counting.ready()
        yield hotline, counting


async def opened(hotline: ReferralBus, form: Mau01 | None = FORM, *, exercise: bool = False) -> str:
    draft = hotline.open_case(OPENING, *([] if form is None else [form]), exercise=exercise)
    assert (await hotline.send(draft)).accepted
    return draft.subject


async def told(hotline: ReferralBus, counting: ReferralBus, form: Mau01 = FORM) -> str:
    subject = await opened(hotline, form)
    assert (await hotline.send(hotline.statistics.draft(subject))).accepted
    await (await heard(counting, Verb.CASE_NOTED)).ack()
    return subject


def counted(town: Town, counting: ReferralBus) -> Indicators:
    today = at(town.sim.clock.now_ms()).date()
    return counting.statistics.indicators(today - timedelta(days=2), today + timedelta(days=2))


async def test_bands_and_codes_go_to_the_statistics_agency_alone(
    both: tuple[ReferralBus, ReferralBus],
) -> None:
    hotline, counting = both
    subject = await opened(hotline)
    draft = hotline.statistics.draft(subject)
    (event,) = hotline.plan(draft).events
    assert event.recipients == ("so-lieu",)
    assert (await hotline.send(draft)).accepted

    delivery = await heard(counting, Verb.CASE_NOTED)
    stats = delivery.payload(Stats)
    assert stats is not None
    assert (stats.form, stats.age_band, stats.sex) == (Form.ABUSED, AgeBand.TO_10, Sex.FEMALE)
    assert (stats.province, stats.commune) == ("99", "99001")
    assert "Ví Dụ" not in stats.model_dump_json()


async def test_what_waits_in_the_outbox_is_counted_by_its_last_form(
    town: Town, both: tuple[ReferralBus, ReferralBus]
) -> None:
    hotline, _ = both
    town.sim.broker.away = True
    draft = hotline.open_case(OPENING, FORM)
    await hotline.send(draft, wait=False)

    (told_,) = hotline.statistics.draft(draft.subject).parts["so-lieu"]

    assert isinstance(told_, Stats)
    assert told_.commune == "99001"


@pytest.mark.parametrize(
    ("form", "exercise", "code"), [(None, False, Code.NOT_FOUND), (FORM, True, Code.WRONG_EXERCISE)]
)
async def test_without_a_form_or_for_an_exercise_nothing_is_told(
    both: tuple[ReferralBus, ReferralBus], form: Mau01 | None, exercise: bool, code: Code
) -> None:
    hotline, _ = both
    subject = await opened(hotline, form, exercise=exercise)

    with pytest.raises(LocalError) as refused:
        hotline.statistics.draft(subject)
    assert refused.value.code is code


async def test_a_bus_without_a_statistics_agency_says_so(tmp_path: Path) -> None:
    async with Town(tmp_path).bus("hotline-111") as hotline:
        subject = await opened(hotline)

        with pytest.raises(LocalError) as refused:
            hotline.statistics.draft(subject)
        assert refused.value.code is Code.UNKNOWN_RECIPIENT


async def test_a_child_of_two_reports_is_counted_once(town: Town, both: tuple[ReferralBus, ReferralBus]) -> None:
    hotline, counting = both
    one, other = await told(hotline, counting), await told(hotline, counting)
    assert (counted(town, counting).cases, counted(town, counting).children) == (2, 2)

    link = Link(actor=SYSTEM, relation=Relation.SAME_CHILD, others=(other,))
    assert (await hotline.send(hotline.link_case(one, link, to=["so-lieu"]))).accepted
    await heard(counting, Verb.CASE_LINKED)

    assert (counted(town, counting).cases, counted(town, counting).children) == (2, 1)


async def test_a_case_that_is_told_again_counts_as_it_was_told_last(
    town: Town, both: tuple[ReferralBus, ReferralBus]
) -> None:
    hotline, counting = both
    subject = await told(hotline, counting)
    again = FORM.model_copy(update={"sex": Sex.MALE})
    assert (await hotline.send(hotline.note(subject, {"ward-a": [again]}))).accepted
    assert (await hotline.send(hotline.statistics.draft(subject))).accepted
    await heard(counting, Verb.CASE_NOTED)

    assert counted(town, counting).by["sex"] == {"male": 1}


async def test_how_clocks_end_is_taken_from_the_watchers_word(
    town: Town, both: tuple[ReferralBus, ReferralBus]
) -> None:
    hotline, counting = both
    subject = await told(hotline, counting)
    watcher = Watcher(town.sim)
    watcher.say(Verb.DEADLINE_MISSED, subject, "so-lieu", standing=Standing.MISSED)
    await heard(counting, Verb.DEADLINE_MISSED)
    missed = counted(town, counting)
    assert (missed.backlog, missed.timely) == (1, 0.0)
    assert [(rate.rule, rate.role, rate.missed) for rate in missed.rates] == [("emergency-measures-12h", "commune", 1)]

    done = at(watcher.started_ms) + timedelta(hours=13)
    watcher.say(Verb.DEADLINE_EXPLAINED, subject, "so-lieu", standing=Standing.MISSED, done_at=done)
    await heard(counting, Verb.DEADLINE_EXPLAINED)
    late = counted(town, counting)
    assert (late.backlog, late.late_measure, late.waiting) == (0, 1, ())


async def test_what_lies_outside_the_period_is_not_counted(town: Town, both: tuple[ReferralBus, ReferralBus]) -> None:
    hotline, counting = both
    await told(hotline, counting)

    assert counting.statistics.indicators(date(2020, 1, 1), date(2020, 12, 31)).cases == 0
    assert counted(town, counting).cases == 1


async def test_an_agency_tells_whether_its_measure_was_in_time(
    town: Town, both: tuple[ReferralBus, ReferralBus]
) -> None:
    hotline, counting = both
    async with town.bus("ward-a") as ward:
        subject = await case_with(town, hotline, {"ward-a": [REQUEST, FORM]})
        duty = await heard(ward, Verb.ASSIGNED)

        def measure(rules: Rules | None) -> Timeliness | None:
            (told_,) = ward.statistics.draft(subject, rules=rules).parts["so-lieu"]
            assert isinstance(told_, Stats)
            return told_.measure

        assert measure(None) is None
        assert measure(RULES) is Timeliness.NOT_YET
        await duty.accept(ACCEPTANCE)
        await town.settle()
        assert measure(RULES) is Timeliness.IN_TIME
        assert (await ward.send(ward.statistics.draft(subject, rules=RULES))).accepted
        await heard(counting, Verb.CASE_NOTED)

        found = counted(town, counting)
        assert (found.children, found.with_measure, found.claimed_measure, found.waiting) == (1, 0, 1, ())

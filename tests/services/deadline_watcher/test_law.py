"""The watcher by the rules that the repository ships: each can be named in a notice, and none of them stalls it."""

from typing import Final

import pytest

import deadline_watcher.core
from referral_bus.testing import Rules
from referral_contracts.clocks import TRIGGERS
from referral_contracts.payloads.deadline import Ground, RuleNamed
from referral_contracts.rules.book import RuleBook, RuleInForce
from referral_contracts.rules.clock import Outcome
from referral_contracts.rules.days import read_calendar
from referral_contracts.rules.loading import load_packs
from referral_contracts.rules.pack import Basis
from referral_contracts.verbs import Verb
from tests.contracts.rules.packs import SHELF, shelved
from tests.stories.deadlines import PROVINCE_OFFICE, Watched, clock, duty, trigger
from tests.stories.world import HOTLINE, WARD

LAW: Final = RuleBook(load_packs({name: text for name, text in shelved().items() if name != "demo.toml"}))
CALENDAR: Final = read_calendar("vn.toml", (SHELF / "calendar" / "vn.toml").read_text("utf-8"))


@pytest.mark.parametrize("found", list(LAW.every()), ids=lambda found: found.ref)
def test_every_rule_can_be_named_in_a_notice(found: RuleInForce) -> None:
    rule = found.rule
    named = RuleNamed(
        id=found.id,
        vi=rule.vi,
        en=rule.en,
        ground=Ground.LAW if found.basis is Basis.LAW else Ground.POLICY,
        source=rule.source,
        quote=rule.quote,
        confidence=rule.confidence,
        pack=found.pack,
        version=str(found.version),
    )

    assert named.source == rule.source


def test_a_case_in_which_everything_happens_stalls_nothing() -> None:
    world = Watched(law=Rules(core=deadline_watcher.core, book=LAW, calendar=CALENDAR))
    case, _ = duty(world)
    for name in sorted(TRIGGERS):
        world.say(HOTLINE, Verb.CASE_NOTED, case=case.case, to=[WARD], clock=clock(trigger(name)))
    for _ in range(40):
        world.wind(24)
    outcomes = {found.id: world.outcome(case, found.rule.id) for found in world.clocks(case) if not found.scope}

    assert len(outcomes) > 5
    assert set(outcomes.values()) <= {outcome.value for outcome in Outcome} | {None}
    # A notice for each miss, and one level up for each: by the packs as they are.
    assert world.verbs(WARD).count("missed") == world.verbs(PROVINCE_OFFICE).count("escalated")
    assert [found for found in world.clocks(case) if not found.rule.rule.verified and found.accuses] == []

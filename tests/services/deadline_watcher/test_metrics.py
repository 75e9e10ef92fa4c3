"""What the watcher shows before anything has happened: zeros, of which a rise can be told."""

from prometheus_client import CollectorRegistry, generate_latest

from deadline_watcher.core.tally import Label, Tally
from deadline_watcher.metrics import ClockMetrics
from referral_contracts.rules.clock import Outcome

RULE = Label("emergency-measures-12h", "commune", "law")
LABELS = 'basis="law",role="commune",rule="emergency-measures-12h"'


def shown(registry: CollectorRegistry) -> dict[str, float]:
    lines = [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_each_rule_begins_at_zero() -> None:
    registry = CollectorRegistry()
    ClockMetrics(registry, lambda: 0, [RULE])

    found = shown(registry)

    for name in ("clocks_armed_total", "clocks_missed_total", "clocks_overdue", "clock_answer_seconds_count"):
        assert found[f"referral_bus_{name}{{{LABELS}}}"] == 0
    for how in ("in-time", "claimed"):
        assert found[f'referral_bus_clocks_met_total{{basis="law",how="{how}",role="commune",rule="{RULE.rule}"}}'] == 0
    assert found['referral_bus_watcher_notices_total{kind="missed",result="given-up"}'] == 0
    assert found['referral_bus_watcher_clock_sections_total{result="malformed"}'] == 0


def test_what_a_step_did_is_counted_on_top() -> None:
    registry = CollectorRegistry()
    metrics = ClockMetrics(registry, lambda: 0, [RULE])
    tally = Tally()
    tally.outcomes[RULE, Outcome.CLAIMED] += 2

    metrics.took(tally)

    assert (
        shown(registry)[f'referral_bus_clocks_met_total{{basis="law",how="claimed",role="commune",rule="{RULE.rule}"}}']
        == 2
    )

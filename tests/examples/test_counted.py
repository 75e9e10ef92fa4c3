"""What the demonstration reads off the deadline watcher's metrics page."""

import io
from pathlib import Path

import pytest

import counted
from counted import Became, Counted
from office import NotAsTold
from service_process import ServiceProcess
from telling import Teller

PAGE = b"""
# TYPE referral_bus_clocks_armed counter
referral_bus_clocks_armed_total{basis="policy",role="any",rule="a"} 3.0
# TYPE referral_bus_clocks_met counter
referral_bus_clocks_met_total{basis="policy",how="in-time",role="any",rule="a"} 1.0
referral_bus_clocks_met_total{basis="policy",how="claimed",role="any",rule="a"} 1.0
# TYPE referral_bus_clocks_missed counter
referral_bus_clocks_missed_total{basis="policy",role="any",rule="a"} 1.0
referral_bus_clocks_missed_total{basis="policy",role="any",rule="b"} 7.0
# TYPE referral_bus_clocks_overdue gauge
referral_bus_clocks_overdue{basis="policy",role="any",rule="a"} 1.0
# TYPE referral_bus_clock_lateness_seconds histogram
referral_bus_clock_lateness_seconds_bucket{basis="policy",le="+Inf",role="any",rule="a"} 2.0
referral_bus_clock_lateness_seconds_count{basis="policy",role="any",rule="a"} 2.0
referral_bus_clock_lateness_seconds_sum{basis="policy",role="any",rule="a"} 5.0
"""


def test_the_counts_of_a_rule_are_its_own_whatever_their_other_labels() -> None:
    found = Counted(PAGE)

    assert found.of("a") == Became(armed=3, met=2, missed=1, overdue=1)
    assert found.of("c") == Became(armed=0, met=0, missed=0, overdue=0)
    assert found.mean_s("clock_lateness_seconds", "a") == 2.5
    assert found.mean_s("clock_lateness_seconds", "b") is None


@pytest.mark.asyncio
async def test_counts_that_do_not_come_out_stop_the_story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted, "_WAIT_S", 0.0)
    silent, out = ServiceProcess(tmp_path, "watcher", "deadline_watcher", {}), io.StringIO()

    with pytest.raises(NotAsTold, match="the watcher has counted demo-emergency-measures: "):
        await counted.show_clocks(silent, 10, Teller({}, out), restarted=False)
    assert out.getvalue() == ""

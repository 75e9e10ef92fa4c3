"""The alert rules, by Prometheus' own tool: they say what they should, and their tests see each of them broken."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.house.tree import ROOT
from tests.interop.readers import found

pytestmark = pytest.mark.interop

PLACE: Final = ROOT / "deploy" / "prometheus"
RULES: Final = yaml.safe_load((PLACE / "alerts.yaml").read_text())
ALERTS: Final[list[dict[str, Any]]] = [rule for group in RULES["groups"] for rule in group["rules"]]
DIACRITICS: Final = re.compile("[ạảãàáậầấẩẫăặằắẳẵệềếểễêịìỉĩíọỏõòóộồốổỗôợờớởỡơụủũùúựừứửữưỵỳỷỹýđ]", re.IGNORECASE)
BROKEN: Final[Mapping[str, Mapping[str, Any]]] = {
    "never": {"expr": "vector(0) > 1"},
    "always": {"expr": "vector(1)", "for": "0s"},
    "at once": {"for": "0s"},
}


def promtool(*arguments: str) -> "subprocess.CompletedProcess[str]":
    tool = found("promtool", "Prometheus (on Debian and Ubuntu: apt install prometheus)")
    return subprocess.run([tool, *arguments], capture_output=True, text=True, timeout=60, check=False)


def broken() -> Iterator[Any]:
    """Yield each alert with each way to break it that makes another rule of it."""
    for alert in ALERTS:
        for name, change in BROKEN.items():
            if name != "at once" or "for" in alert:
                yield pytest.param(alert["alert"], change, id=f"{alert['alert']} {name}")


def test_prometheus_takes_the_configuration_and_the_rules() -> None:
    run = promtool("check", "config", str(PLACE / "prometheus.yaml"))

    assert run.returncode == 0, run.stdout + run.stderr


def test_the_rules_say_what_their_tests_expect() -> None:
    run = promtool("test", "rules", str(PLACE / "alerts.test.yaml"))

    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(("alert", "change"), list(broken()))
def test_a_broken_rule_fails_its_tests(alert: str, change: Mapping[str, Any], tmp_path: Path) -> None:
    rules = yaml.safe_load((PLACE / "alerts.yaml").read_text())
    (rule,) = (rule for group in rules["groups"] for rule in group["rules"] if rule["alert"] == alert)
    rule.update(change)
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(rules))
    shutil.copy(PLACE / "alerts.test.yaml", tmp_path)

    run = promtool("test", "rules", str(tmp_path / "alerts.test.yaml"))

    assert run.returncode == 1, run.stdout
    assert f'alertname="{alert}"' in run.stderr


@pytest.mark.parametrize("alert", ALERTS, ids=[alert["alert"] for alert in ALERTS])
def test_an_alert_tells_in_both_languages_what_it_is_and_what_to_do(alert: Mapping[str, Any]) -> None:
    notes = alert["annotations"]

    assert set(notes) == {"summary_vi", "summary_en", "runbook_vi", "runbook_en"}
    assert DIACRITICS.search(notes["summary_vi"])
    assert DIACRITICS.search(notes["runbook_vi"])
    assert not DIACRITICS.search(notes["summary_en"] + notes["runbook_en"])
    assert not any("\n" in note for note in notes.values())
    assert alert["labels"]["severity"] in {"page", "ticket"}

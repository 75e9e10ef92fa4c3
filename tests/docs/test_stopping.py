"""What `docs/audit-log.md` says of when the log stops and when it waits, the alerts say too."""

import re
from typing import Any, Final

import pytest
import yaml

from referral_contracts.codes import Code
from tests.house.tree import ROOT

SECTION: Final = (
    (ROOT / "docs/audit-log.md").read_text("utf-8").split("## When it waits, when it stops")[1].split("\n## ")[0]
)
STOPS: Final = set(re.findall(r"^\| `([a-z-]+)` \|", SECTION, re.MULTILINE))
WAITS: Final = set(re.findall(r"`([a-z-]+)`", SECTION.split("It waits and goes on by itself:")[1].split(".")[0]))


def alert(name: str) -> Any:
    groups = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text("utf-8"))["groups"]
    (found,) = (rule for group in groups for rule in group["rules"] if rule["alert"] == name)
    return found


def test_who_stopped_is_told_from_who_waits() -> None:
    (stopped,) = re.findall(r'code=~"([^"]+)"', alert("LogStopped")["expr"])

    assert {"log-gap", "position-lost"} <= STOPS <= set(Code)
    assert {"disk-full", "store-away"} <= WAITS <= set(Code)
    assert [code for code in STOPS if not re.fullmatch(stopped, code)] == []
    assert [code for code in WAITS if re.fullmatch(stopped, code)] == []


@pytest.mark.parametrize("name", ["LogStopped", "LogNotReady"])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_who_is_called_is_sent_to_the_table(name: str, language: str) -> None:
    text = alert(name)["annotations"][f"runbook_{language}"]
    named = {code for code in re.findall(r"[a-z]+(?:-[a-z]+)+", text) if code in set(Code)}

    assert "docs/audit-log.md" in text
    assert named <= WAITS

"""The AsyncAPI document, read by AsyncAPI's own parser."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from tests.house.tree import ROOT
from tests.interop.readers import CONTRACTS, node

pytestmark = pytest.mark.interop

ERROR: Final = 0
MESSAGES: Final = {
    "directory": ["entry", "head", "policy"],
    "directory.submissions": ["directoryChange"],
    "inbox.{agency}": ["delivery", "verdict"],
    "referral.ledger": ["ledgerEvent", "ledgerTick"],
    "referral.submissions": ["submission", "tick"],
}


def parsed(page: Path) -> dict[str, Any]:
    run = subprocess.run(
        [node(), "asyncapi.js", page], cwd=ROOT / "tests/interop/node", capture_output=True, timeout=120, check=True
    )
    told: dict[str, Any] = json.loads(run.stdout)
    return told


def errors(told: dict[str, Any]) -> list[str]:
    return [found["message"] for found in told["diagnostics"] if found["severity"] == ERROR]


def test_its_own_parser_finds_nothing_wrong_and_every_message() -> None:
    told = parsed(CONTRACTS / "asyncapi.yaml")

    assert errors(told) == []
    assert told["channels"] == MESSAGES


def test_its_own_parser_would_find_a_fault(tmp_path: Path) -> None:
    shutil.copytree(CONTRACTS / "schemas", tmp_path / "schemas")
    page = tmp_path / "asyncapi.yaml"
    page.write_text((CONTRACTS / "asyncapi.yaml").read_text().replace("action: receive", "action: recieve"))

    assert errors(parsed(page)) != []

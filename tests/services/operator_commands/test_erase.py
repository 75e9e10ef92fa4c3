"""What is typed on the log's host about erasing: what is due and by which rule, what waits, how long bytes live."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.log.test_retaining import rule
from tests.services.audit_log.erased import REGISTRAR, WAIT_DAYS
from tests.services.audit_log.test_erase_commands import Typed
from tests.stories.world import HOTLINE, WARD

ENDS = '["case.closed", "case.voided"]'


class Host(Typed):
    """The log's host, beside the agencies' machines."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(home, capsys)
        monkeypatch.setenv("REFERRAL_BUS_LOG_WAIT_DAYS", str(WAIT_DAYS))
        self.rules = home / "retention.toml"
        self.rules.write_text(rule(ends=ENDS, days="30"))

    def operator(self, *words: object) -> tuple[int, list[dict[str, Any]], str]:
        code, out, err = self.types(REGISTRAR, *words, "--json")
        return code, [json.loads(line) for line in out.splitlines()], err

    def due(self, *words: object) -> list[dict[str, Any]]:
        store = ("--store", self.case.url, "--trust", self.home / WARD / "trust.json")
        code, found, err = self.operator("erase", "due", "--rules", self.rules, *store, *words)
        assert code == 0, err
        return found


@pytest.fixture
def host(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(tmp_path, capsys, monkeypatch)


def test_what_is_due_is_listed_with_its_rule_and_turned_into_requests_by_its_owner(host: Host) -> None:
    assert host.due() == []
    host.case.wait(31)
    out = host.home / "due.jsonl"
    (found,) = host.due("--out", out)
    assert (found["case"], found["owner"]) == (host.case.case, WARD)
    assert [(one["id"], one["basis"], one["applies"]) for one in found["rules"]] == [("two-years", "policy", True)]

    folder = host.home / "requests"
    folder.mkdir()
    assert "no case on the list is" in host.types(HOTLINE, "erase", "requests", out, "--out", folder)[2]
    assert host.types(WARD, "erase", "requests", out, "--out", folder)[0] == 0
    path = folder / f"{host.case.case}.json"
    assert host.types(REGISTRAR, "erase", "sign", path)[0] == 0
    assert host.types(WARD, "erase", "submit", path)[0] == 0
    # Asked for, it is due no more.
    assert host.due() == []


def test_by_a_rule_that_nobody_verified_a_case_is_shown_and_nothing_is_asked_for(host: Host) -> None:
    host.rules.write_text(rule(ends=ENDS, days="30", basis='"law"', confidence='"N"'))
    host.case.wait(31)
    out = host.home / "due.jsonl"
    (found,) = host.due("--out", out)

    assert (found["ground"], found["rules"][0]["applies"]) == (None, False)
    assert out.read_bytes() == b""


def test_what_is_held_is_not_due(host: Host) -> None:
    host.case.state("hold", REGISTRAR)
    host.case.wait(31)

    assert host.due() == []


def test_what_waits_is_listed_with_what_would_become_of_it(host: Host) -> None:
    words = ("erase", "waiting", "--store", host.case.url, "--trust", host.home / WARD / "trust.json")
    leaf = host.case.ask()
    ((_, (found,), _)) = host.operator(*words)
    assert (found["leaf"], found["case"], found["code"]) == (leaf, host.case.case, "too-early")
    host.case.wait(WAIT_DAYS)
    ((_, (found,), _)) = host.operator(*words)
    assert (found["leaves"], found["code"]) == (40, None)
    host.case.run()

    assert host.operator(*words)[1] == []


def test_how_long_bytes_live_is_told_from_the_services_settings(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    _, (usual,), _ = host.operator("erase", "lives")
    monkeypatch.setenv("REFERRAL_BUS_LOG_KEEP_DAYS", "0")
    _, (kept,), _ = host.operator("erase", "lives")
    monkeypatch.setenv("REFERRAL_BUS_LOG_KEEP_DAYS", "10")
    monkeypatch.setenv("REFERRAL_BUS_LOG_BACKUP_DAYS", "400")
    monkeypatch.setenv("REFERRAL_BUS_LOG_RETENTION", str(host.rules))
    _, (longer,), _ = host.operator("erase", "lives")

    assert (usual["longest"], kept["longest"], longer["longest"]) == (45, None, 415)
    assert longer["places"][0]["days"] == 45
    assert "for ever" in host.types(WARD, "erase", "lives")[1]


def test_what_cannot_be_read_is_told(host: Host, tmp_path: Path) -> None:
    host.rules.write_text("x")
    store = ("--store", host.case.url, "--trust", host.home / WARD / "trust.json")

    assert "malformed-pack" in host.types(WARD, "erase", "due", "--rules", host.rules, *store)[2]
    assert "the log's retention is not named" in host.types(WARD, "erase", "due", *store)[2]

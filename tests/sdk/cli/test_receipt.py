"""A receipt, from the agency that sent to whoever checks it elsewhere, offline."""

import json
from pathlib import Path

import pytest

from tests.sdk.cli.terminal import EXAMPLES, Terminal


@pytest.fixture
def logged(terminal: Terminal) -> Terminal:
    """Give a terminal whose hotline knows the log."""
    terminal.environ["REFERRAL_BUS_HOME"] = "hotline-111"
    home = Path("hotline-111")
    (home / "log.policy").write_bytes(terminal.simulator.log.policy.format())
    with (home / "bus.toml").open("a") as told:
        told.write('log = "http://log.example:8083"\n')
    return terminal


def opened(terminal: Terminal) -> str:
    """Open a case; return the event's id."""
    ended, _, err = terminal.type("send", "open", str(EXAMPLES / "mau01.json"))
    assert ended == 0, err
    told: str = json.loads(terminal.type("outbox", "list", "--all", "--json")[1].splitlines()[0])["id"]
    return told


def test_what_it_writes_can_be_checked_offline(logged: Terminal) -> None:
    event = opened(logged)
    files = ("--event", "event.json", "--signature", "event.sig")
    ended, out, err = logged.type("receipt", event[:30], "--out", "case.tlog-proof", *files)
    assert ended == 0, err
    assert "✓ training.log: " in out
    assert "accepted" in out
    assert "case.tlog-proof is written" in err

    Path("known").write_bytes(logged.simulator.log.policy.format())
    logged.environ.clear()
    check = ("verify", "case.tlog-proof", "--policy", "known", *files, "--json")
    ended, out, _ = logged.type(*check)
    assert ended == 0
    assert json.loads(out)["code"] == "accepted"

    data = bytearray(Path("event.json").read_bytes())
    data[20] ^= 1
    Path("event.json").write_bytes(data)
    ended, out, _ = logged.type(*check)
    assert (ended, json.loads(out)["error"]) == (4, "bad-proof")


def test_a_log_that_is_away_is_told_and_waited_for_no_longer_than_asked(logged: Terminal) -> None:
    event = opened(logged)
    logged.simulator.log.away = True
    ended, out, err = logged.type("receipt", event, "--timeout", "5")

    assert (ended, out) == (3, "")
    assert "error: log-away: the log is away" in err


def test_one_that_is_not_there_yet_is_asked_for_later(logged: Terminal) -> None:
    event = opened(logged)
    logged.simulator.log.covered = 0
    ended, _, err = logged.type("receipt", event, "--timeout", "5")

    assert ended == 3
    assert "error: log-away: the log has no receipt of it yet" in err
    logged.simulator.log.covered = None
    assert logged.type("receipt", event, "--timeout", "5")[0] == 0


def test_what_this_agency_does_not_know_has_none(logged: Terminal) -> None:
    ended, _, err = logged.type("receipt", "01890000")

    assert ended == 2
    assert "this agency knows no such event" in err


def test_an_agency_without_a_log_is_told_what_it_needs(terminal: Terminal) -> None:
    ended, _, err = terminal.type("receipt", "0189", "--home", "cong-an")

    assert ended == 2
    assert "no log is known" in err
    assert "log.policy" in err


def test_a_policy_that_cannot_be_used_is_named_by_its_line(logged: Terminal) -> None:
    Path("hotline-111/log.policy").write_text("quorum none\nlogs x\n")
    ended, _, err = logged.type("status")

    assert ended == 2
    assert "bad-log-policy" in err
    assert "line 2" in err

"""An agency that closes, at the terminal: what is open, moving it, and taking up what was left."""

import json
import re

import pytest

from referral_bus._cli.directory_changing import ending
from referral_contracts.directory_model import Duty, Entry
from referral_contracts.encoding import format_time
from tests.sdk.cli.terminal import EXAMPLES, Terminal

HOUR_S = 3600


def end(terminal: Terminal, agency: str, *successors: str) -> Entry:
    """Let the registrar write down that *agency* ends in an hour."""
    simulator = terminal.simulator
    found = simulator.directory.member(agency)
    assert found is not None
    ends_at = format_time(simulator.clock.now_ms() + HOUR_S * 1000)
    changed = found.entry.model_copy(
        update={"ends_at": ends_at, "successors": successors, "duty": Duty(phone="0900 000 011", hours="24/7")}
    )
    simulator.change_directory(agencies=[changed])
    return changed


def as_(terminal: Terminal, agency: str, *arguments: str, code: int = 0) -> str:
    terminal.environ["REFERRAL_BUS_HOME"] = str(terminal.folder / agency)
    ended, out, err = terminal.type(*arguments)
    assert ended == code, f"{out}{err}"
    return out + err


def assigned(terminal: Terminal) -> tuple[str, str]:
    """Return a case of the hotline, and a duty in it that the commune has read."""
    told = as_(terminal, "hotline-111", "send", "open", str(EXAMPLES / "case-opening.json"), "--json")
    case = re.findall(r'"subject":"([0-9a-f]{32})"', told)[0]
    to = f"xa-thi-du={EXAMPLES / 'commune.json'}"
    told = as_(terminal, "hotline-111", "send", "assign", "--case", case, "--to", to, "--json")
    duty = re.findall(r'"opening":"([0-9a-f-]{36})"', told)[0]
    as_(terminal, "xa-thi-du", "inbox", "list")
    return case, duty


def test_what_is_open_is_listed_moved_and_then_no_more(terminal: Terminal) -> None:
    case, duty = assigned(terminal)
    end(terminal, "xa-thi-du", "xa-vi-du", "truong")

    told = as_(terminal, "xa-thi-du", "agency", "open")
    assert f"{duty}@xa-thi-du" in told
    assert "lượt chuyển gửi đã nhận: làm xong hoặc bàn giao / received: finish or move" in told
    assert "xa-vi-du speaks for: referral-bus agency adopt; to truong it has to be moved" in told

    as_(terminal, "xa-thi-du", "move", duty, str(EXAMPLES / "moving.json"), "--to", "truong")
    assert "nothing is open" in as_(terminal, "xa-thi-du", "agency", "open")
    assert "nay do / now with truong" in as_(terminal, "hotline-111", "case", "show", case)
    opened = as_(terminal, "truong", "inbox", "list", "--json")
    assert '"schema":"moving/1.0"' in opened
    assert '"schema":"handoff-request/1.0"' in opened
    as_(terminal, "truong", "accept", duty, str(EXAMPLES / "commune-accepted.json"))


def test_what_was_left_is_taken_up(terminal: Terminal) -> None:
    case, duty = assigned(terminal)
    end(terminal, "xa-thi-du", "xa-vi-du")
    terminal.simulator.clock.wind(HOUR_S)

    store = str(terminal.folder / "xa-thi-du" / "store.db")
    assert "not-permitted" in as_(terminal, "truong", "agency", "adopt", "xa-thi-du", store, code=2)
    told = as_(terminal, "xa-vi-du", "agency", "adopt", "xa-thi-du", store, "--json")
    assert json.loads(told) == {"agency": "xa-thi-du", "taken": 1}
    as_(terminal, "xa-vi-du", "accept", duty, str(EXAMPLES / "commune-accepted.json"))
    told = as_(terminal, "xa-thi-du", "complete", duty, str(EXAMPLES / "commune-completed.json"), code=2)
    assert "agency-ended" in told
    assert case in as_(terminal, "xa-vi-du", "case", "list")


def test_whoever_waits_for_an_answer_is_told_whom_to_call(terminal: Terminal) -> None:
    _, duty = assigned(terminal)
    end(terminal, "xa-thi-du", "xa-vi-du")

    told = as_(terminal, "hotline-111", "handoff", "show", duty)
    assert re.search(r"trực / on duty: xa-thi-du +0900 000 011  24/7", told)
    told = as_(terminal, "hotline-111", "directory", "show", "xa-thi-du")
    assert re.search(r"^on duty +0900 000 011  24/7$", told, re.MULTILINE)
    assert re.search(r"^ends +2026-09-21 22:13:", told, re.MULTILINE)
    assert re.search(r"^successors +xa-vi-du$", told, re.MULTILINE)


@pytest.mark.parametrize(
    ("successors", "told"),
    [
        ((), "nobody is named to follow it"),
        (("xa-vi-du",), "what it leaves, xa-vi-du speaks for: referral-bus agency adopt"),
        (("xa-vi-du", "truong"), "; to truong it has to be moved"),
    ],
)
def test_the_registrar_is_told_what_has_to_be_done_before(
    successors: tuple[str, ...], told: str, terminal: Terminal
) -> None:
    entry = end(terminal, "xa-thi-du", *successors)
    (terminal.folder / "entry.json").write_bytes(entry.encode())

    said = as_(terminal, "registrar", "directory", "publish", "entry.json")
    assert ending(entry) in said
    assert told in said
    assert "before, it ends or moves what referral-bus agency open lists" in said

"""A commune without a system, at the terminal: it is written to through another, and what that one says is a claim."""

import json
import re

import pytest

from referral_contracts.directory_model import Delivery
from tests.sdk.cli.terminal import EXAMPLES, Terminal
from tests.sdk.cli.test_agency import as_

ACCEPTED = {
    "schema": "acceptance/1.0",
    "body": {
        "actor": {"role": "duty_officer"},
        "happened": {"channel": "phone", "person": "Anh Hùng, Chủ tịch xã", "paper_number": "7/UBND"},
    },
}


@pytest.fixture
def duty(terminal: Terminal) -> str:
    """Return a duty of xa-vi-du, which is reached through xa-thi-du."""
    found = terminal.simulator.directory.member("xa-vi-du")
    assert found is not None
    through = found.entry.model_copy(update={"delivery": Delivery(kind="via", agency="xa-thi-du")})
    terminal.simulator.change_directory(agencies=[through])
    told = as_(terminal, "hotline-111", "send", "open", str(EXAMPLES / "case-opening.json"), "--json")
    case = re.findall(r'"subject":"([0-9a-f]{32})"', told)[0]
    to = f"xa-vi-du={EXAMPLES / 'commune.json'}"
    assert "xa-thi-du (xa-thi-du) đọc" in as_(terminal, "hotline-111", "plan", "assign", "--case", case, "--to", to)
    told = as_(terminal, "hotline-111", "send", "assign", "--case", case, "--to", to, "--json")
    (found_duty,) = set(re.findall(r'"opening":"([0-9a-f-]{36})"', told))
    return str(found_duty)


def accepted(terminal: Terminal, duty: str) -> str:
    """Let the agency in between accept by telephone; return the id of what the hotline was delivered."""
    as_(terminal, "xa-thi-du", "inbox", "list")
    (terminal.folder / "accepted.json").write_text(json.dumps(ACCEPTED, ensure_ascii=False), "utf-8")
    as_(terminal, "xa-thi-du", "accept", duty, "accepted.json")
    told = as_(terminal, "hotline-111", "inbox", "list", "--json")
    return next(one["id"] for one in map(json.loads, told.splitlines()) if one["verb"] == "handoff.accepted")  # type: ignore[no-any-return]


def test_the_one_in_between_sees_for_whom_it_is(terminal: Terminal, duty: str) -> None:
    as_(terminal, "xa-thi-du", "inbox", "list")
    told = as_(terminal, "xa-thi-du", "open", duty)

    assert re.search(r"Gửi cho cơ quan / for agency +for_agency +xa-vi-du", told)


def test_its_answer_is_shown_as_a_claim(terminal: Terminal, duty: str) -> None:
    answer = accepted(terminal, duty)
    told = as_(terminal, "hotline-111", "open", answer)

    assert (
        "thông tin do xa-thi-du ghi thay, chưa được xa-vi-du xác nhận / claimed by xa-thi-du for xa-vi-du"
        in " ".join(told.split())
    )
    assert "Anh Hùng, Chủ tịch xã" in told
    sections = json.loads(as_(terminal, "hotline-111", "open", answer, "--json"))["sections"]
    assert sections[0]["claim"] == {
        "agency": "xa-vi-du",
        "by": "xa-thi-du",
        "channel": "phone",
        "person": "Anh Hùng, Chủ tịch xã",
        "paper_number": "7/UBND",
        "speaks_itself": False,
    }


def test_a_claim_for_an_agency_that_can_speak_itself_is_marked(terminal: Terminal, duty: str) -> None:
    answer = accepted(terminal, duty)
    found = terminal.simulator.directory.member("xa-vi-du")
    assert found is not None
    joined = found.entry.model_copy(update={"delivery": Delivery(kind="bus")})
    terminal.simulator.change_directory(agencies=[joined])

    told = as_(terminal, "hotline-111", "open", answer)
    assert "is on the bus and can say it itself" in " ".join(told.split())

"""What a person at a terminal is told of a deadline: when, whose, and what to do next, in both languages."""

import json
from pathlib import Path

import pytest

from referral_contracts.directory_model import Duty
from referral_contracts.payloads.deadline import Delivered, Standing
from referral_contracts.verbs import Verb
from tests.sdk.cli.terminal import EXAMPLES, Terminal
from tests.sdk.watching import CLOCK, Watcher


def as_agency(terminal: Terminal, folder: Path, agency: str) -> None:
    terminal.environ["REFERRAL_BUS_HOME"] = str(folder / agency)


@pytest.fixture
def subject(terminal: Terminal, tmp_path: Path) -> str:
    as_agency(terminal, tmp_path, "hotline-111")
    code, out, _ = terminal.type("send", "open", str(EXAMPLES / "case-opening.json"), "--json")
    assert code == 0
    found: str = json.loads(out)["subject"]
    return found


def test_who_is_responsible_is_told_when_it_is_due_and_what_to_do(
    terminal: Terminal, tmp_path: Path, subject: str
) -> None:
    watcher = Watcher(terminal.simulator)
    said = watcher.say(Verb.DEADLINE_REMINDED, subject, "xa-thi-du", responsible="xa-thi-du", step=1)
    as_agency(terminal, tmp_path, "xa-thi-du")

    _, out, _ = terminal.type("inbox", "list")
    # 12 hours after 14:13:20 UTC, as a clock in Viet Nam shows it.
    assert "nhắc thời hạn / deadline is near" in out
    assert "hạn / due 2026-09-22 09:13:20 (+07:00)" in out

    _, out, _ = terminal.type("open", said.id)
    assert "hạn / due: 2026-09-22 09:13:20 (+07:00)  Đang tính thời hạn / running" in out
    assert "việc cần làm / what to do next: sắp đến hạn: thực hiện ngay" in out
    assert "do it now and say so on the bus" in out
    assert "emergency-measures-12h" in out

    told = json.loads(terminal.type("open", said.id, "--json")[1])
    assert told["deadline"]["clock"] == CLOCK
    assert (told["deadline"]["due"], told["deadline"]["standing"]) == ("2026-09-22T02:13:20.000Z", "running")
    assert told["deadline"]["next"].keys() == {"vi", "en"}


def test_who_is_above_is_told_whom_to_call(terminal: Terminal, tmp_path: Path, subject: str) -> None:
    sim = terminal.simulator
    found = sim.directory.member("xa-thi-du")
    assert found is not None
    sim.change_directory(agencies=[found.entry.model_copy(update={"duty": Duty(phone="0243 111 222")})])
    said = Watcher(sim).say(
        Verb.DEADLINE_ESCALATED,
        subject,
        "hotline-111",
        responsible="xa-thi-du",
        standing=Standing.MISSED,
        delivery=Delivered.NOT_PROVEN,
        level=1,
    )

    _, out, _ = terminal.type("open", said.id)
    assert "trực / on duty: xa-thi-du  0243 111 222" in out
    assert "Chưa có xác nhận nhận được / delivery not proven" in out
    assert "liên hệ cơ quan chịu thời hạn" in out
    assert "referral-bus clocks confirm" in out


def test_nobody_is_accused_of_a_clock_that_is_nobodys(terminal: Terminal, subject: str) -> None:
    said = Watcher(terminal.simulator).say(Verb.DEADLINE_ARMED, subject, "hotline-111", responsible=None)

    assert "nobody is responsible so far" in terminal.type("open", said.id)[1]


def test_whose_clock_section_cannot_be_read_is_told_to_correct_it(terminal: Terminal, subject: str) -> None:
    watcher = Watcher(terminal.simulator)
    said = watcher.cannot_read(
        subject, "hotline-111", watcher.envelope(Verb.DEADLINE_ARMED, subject, "hotline-111", watcher.notice())
    )

    _, out, _ = terminal.type("open", said.id)
    assert "không đọc được phần tính thời hạn / clock section unreadable" in out
    assert "no clock is started or stopped by that event" in out


def test_what_is_no_deadline_has_none(terminal: Terminal, tmp_path: Path, subject: str) -> None:
    to = f"xa-thi-du={EXAMPLES / 'commune.json'}"
    assert terminal.type("send", "assign", "--case", subject, "--to", to)[0] == 0
    as_agency(terminal, tmp_path, "xa-thi-du")
    told = json.loads(terminal.type("inbox", "list", "--json")[1].splitlines()[-1])

    told = json.loads(terminal.type("open", told["id"], "--json")[1])
    assert (told["deadline"], told["clock_differs"]) == (None, [])


def test_a_dispute_is_typed_and_refused_where_it_is_not_ours(terminal: Terminal, tmp_path: Path, subject: str) -> None:
    sim = terminal.simulator
    for agency in ("hotline-111", "xa-thi-du"):
        Watcher(sim).say(Verb.DEADLINE_MISSED, subject, agency, responsible="xa-thi-du", standing=Standing.MISSED)
    file = tmp_path / "dispute.json"
    body = {"actor": {"role": "commune_chair"}, "clock": CLOCK, "reason": "done_in_time", "text": "Đã làm lúc 9 giờ"}
    file.write_text(json.dumps({"schema": "clock-dispute/1.0", "body": body}), "utf-8")
    assert terminal.type("inbox", "list")[0] == 0

    ended, _, err = terminal.type("clocks", "dispute", subject, str(file))
    assert ended == 2
    assert "not-permitted: the clock is of xa-thi-du: only that agency can dispute it" in err

    as_agency(terminal, tmp_path, "xa-thi-du")
    assert terminal.type("inbox", "list")[0] == 0
    ended, out, _ = terminal.type("clocks", "dispute", subject, str(file))
    assert ended == 0
    assert "có ý kiến khác về thời hạn / clock disputed" in out

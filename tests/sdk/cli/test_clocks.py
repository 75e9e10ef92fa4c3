"""What is overdue, as the watcher told it, with the number to call."""

import json
import re
from pathlib import Path
from typing import Any

from referral_contracts.directory_model import Duty
from referral_contracts.payloads.deadline import Standing
from referral_contracts.verbs import Verb
from tests.sdk.cli.terminal import EXAMPLES, Terminal
from tests.sdk.watching import Watcher


def missed(terminal: Terminal, folder: Path, **told: Any) -> str:
    """Open a case, have the watcher tell the hotline that the commune has missed a deadline; return the case."""
    sim = terminal.simulator
    found = sim.directory.member("xa-thi-du")
    assert found is not None
    duty = Duty(phone="0243 111 222", hours="24/7")
    sim.change_directory(agencies=[found.entry.model_copy(update={"duty": duty})])
    terminal.environ["REFERRAL_BUS_HOME"] = str(folder / "hotline-111")
    code, out, _ = terminal.type("send", "open", str(EXAMPLES / "case-opening.json"), "--json")
    assert code == 0
    subject: str = json.loads(out)["subject"]
    Watcher(sim).say(
        Verb.DEADLINE_MISSED, subject, "hotline-111", responsible="xa-thi-du", standing=Standing.MISSED, **told
    )
    return subject


def test_what_is_overdue_is_told_with_the_duty_phone(terminal: Terminal, tmp_path: Path) -> None:
    subject = missed(terminal, tmp_path)

    code, out, _ = terminal.type("clocks", "overdue")
    assert code == 0
    rows = [[cell.strip() for cell in re.split(r"\s{2,}", line)] for line in out.splitlines()]
    assert "xa-thi-du" in rows[1]
    assert rows[1][0] == "2026-09-22"
    assert {"0243 111 222", subject[:8]} <= {*rows[2]}
    assert {"Quá hạn", "emergency-measures-12h (law)", "24/7"} <= {*rows[3]}
    assert "không có thời hạn nào" in terminal.type("clocks", "overdue", "xa-vi-du")[1]
    assert "emergency-measures-12h" not in terminal.type("clocks", "next")[1]
    told = json.loads(terminal.type("clocks", "overdue", "xa-thi-du", "--json")[1])
    assert (told["phone"], told["hours"], told["overdue"]) == ("0243 111 222", "24/7", True)


def test_what_was_done_late_is_not_overdue_any_more(terminal: Terminal, tmp_path: Path) -> None:
    started = Watcher(terminal.simulator).notice().started_at
    subject = missed(terminal, tmp_path, done_at=started)

    assert "không có thời hạn nào" in terminal.type("clocks", "overdue")[1]
    assert re.search(r" đã làm .*\n.* done .*\n.* Quá hạn ", terminal.type("clocks", "show", subject)[1])


def test_the_table_fits_a_narrow_terminal(terminal: Terminal, tmp_path: Path) -> None:
    subject = missed(terminal, tmp_path)
    terminal.environ["COLUMNS"] = "80"

    _, out, _ = terminal.type("clocks", "show", subject)

    assert max(map(len, out.splitlines())) <= 80
    # Nothing that somebody has to type or dial is broken in two.
    assert [word for word in ("2026-09-22", "xa-thi-du", "0243 111 222", subject[:8]) if word not in out] == []

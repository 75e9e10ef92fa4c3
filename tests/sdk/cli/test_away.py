"""A broker that does not answer is told in seconds; only who says how long to wait is kept longer."""

import pytest

from tests.sdk.cli.terminal import EXAMPLES, Terminal

TOLD_S = 5.0
TO = f"xa-thi-du={EXAMPLES / 'commune.json'}"


@pytest.fixture
def subject(terminal: Terminal) -> str:
    terminal.environ["REFERRAL_BUS_HOME"] = "hotline-111"
    _, out, _ = terminal.type("send", "open", str(EXAMPLES / "case-opening.json"))
    terminal.simulator.broker.away = True
    return out.split()[1]


def timed(terminal: Terminal, *arguments: str) -> tuple[float, int, str, str]:
    """Run a command; return how long it took by the bus's clock before what `Terminal.type` returns."""
    began_ms = terminal.simulator.clock.now_ms()
    ended, out, err = terminal.type(*arguments)
    return (terminal.simulator.clock.now_ms() - began_ms) / 1000, ended, out, err


@pytest.mark.parametrize(
    "typed", ["status", "inbox list", "outbox list", "outbox wait", "case list", "case show {}", "send open {file}"]
)
def test_every_command_tells_where_it_looked(typed: str, subject: str, terminal: Terminal) -> None:
    terminal.type("send", "assign", "--case", subject, "--to", TO)
    words = typed.format(subject, file=EXAMPLES / "case-opening.json").split()

    took_s, ended, _, err = timed(terminal, *words)

    assert ended == 3
    assert took_s <= TOLD_S
    assert "the broker at hotline-111:9092 does not answer" in err


def test_what_is_sent_waits_in_the_outbox_and_goes_out_later(subject: str, terminal: Terminal) -> None:
    took_s, ended, out, err = timed(terminal, "send", "assign", "--case", subject, "--to", TO)

    assert (took_s <= TOLD_S, ended) == (True, 3)
    assert "waiting to go out" in out
    assert "kết nối được trục / nothing is lost: it is in the outbox and goes out later" in err

    terminal.simulator.broker.away = False
    ended, out, _ = terminal.type("outbox", "wait")
    assert (ended, "accepted by the bus" in out) == (0, True)


def test_who_says_how_long_to_wait_is_kept_so_long(subject: str, terminal: Terminal) -> None:
    took_s, ended, _, _ = timed(terminal, "send", "assign", "--case", subject, "--to", TO, "--timeout", "60")

    assert (took_s >= 60, ended) == (True, 3)


def test_an_agency_that_has_heard_nothing_yet_is_told_that_nothing_was_said(terminal: Terminal) -> None:
    terminal.environ["REFERRAL_BUS_HOME"] = "hotline-111"
    terminal.simulator.broker.away = True

    took_s, ended, out, err = timed(terminal, "send", "open", str(EXAMPLES / "case-opening.json"))

    assert (took_s <= TOLD_S, ended, out) == (True, 3, "")
    assert "referral-bus: error: broker-away: hotline-111:9092: no answer, and nothing can be sealed" in err

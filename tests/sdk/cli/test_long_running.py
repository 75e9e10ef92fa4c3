import json
import os
import signal

from tests.sdk.cli.terminal import EXAMPLES, Terminal


def opened(terminal: Terminal) -> str:
    terminal.environ["REFERRAL_BUS_HOME"] = "hotline-111"
    _, out, _ = terminal.type("send", "open", str(EXAMPLES / "case-opening.json"), "--json")
    subject: str = json.loads(out)["subject"]
    return subject


def assign(terminal: Terminal, subject: str) -> None:
    terminal.type("send", "assign", "--case", subject, "--to", f"xa-thi-du={EXAMPLES / 'commune.json'}")


class Term:
    """Sends this process SIGTERM, or another signal, once, when the clock has been wound often enough."""

    def __init__(self, after: int, number: signal.Signals = signal.SIGTERM) -> None:
        self.left = after
        self.number = number

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), self.number)


def test_a_watch_writes_what_comes_and_ends_on_sigterm(terminal: Terminal) -> None:
    subject = opened(terminal)
    assign(terminal, subject)
    terminal.environ["REFERRAL_BUS_HOME"] = "xa-thi-du"

    ended, out, err = terminal.type("inbox", "watch", "--json", meanwhile=Term(30))

    assert (ended, err) == (0, "")
    assert [json.loads(line)["verb"] for line in out.splitlines()] == ["handoff.assigned"]


def test_who_gives_up_waiting_is_told_that_it_goes_out_all_the_same(terminal: Terminal) -> None:
    subject = opened(terminal)
    terminal.simulator.broker.away = True
    to = f"xa-thi-du={EXAMPLES / 'commune.json'}"
    give_up = Term(30, signal.SIGINT)

    ended, out, err = terminal.type(
        "send", "assign", "--case", subject, "--to", to, "--timeout", "900", meanwhile=give_up
    )
    assert (ended, out) == (130, "")
    assert "sẽ được gửi khi có thể: referral-bus outbox wait / what was sent stays in the outbox" in err
    assert err.endswith("referral-bus: interrupted\n")

    terminal.simulator.broker.away = False
    ended, out, _ = terminal.type("outbox", "wait")
    assert (ended, "accepted by the bus" in out) == (0, True)


def test_what_a_watch_acknowledges_does_not_come_again(terminal: Terminal) -> None:
    assign(terminal, opened(terminal))
    terminal.environ["REFERRAL_BUS_HOME"] = "xa-thi-du"

    terminal.type("inbox", "watch", "--ack", "--count", "1")

    assert terminal.type("inbox", "watch", meanwhile=Term(30)) == (0, "", "")


def test_a_watch_outlives_an_outage_and_tells_of_it(terminal: Terminal) -> None:
    subject = opened(terminal)
    broker = terminal.simulator.broker
    turns = iter(range(10**6))

    def meanwhile() -> None:
        turn = next(turns)
        broker.away = 10 <= turn < 60
        if turn == 61:
            hotline.submit()

    class hotline:  # noqa: N801 - says what the commune hears from
        @staticmethod
        def submit() -> None:
            terminal.simulator.broker.append("inbox.xa-thi-du", 0, None, b"garbage")

    del subject
    terminal.environ["REFERRAL_BUS_HOME"] = "xa-thi-du"
    term = Term(150)

    def both() -> None:
        meanwhile()
        term()

    ended, out, err = terminal.type("inbox", "watch", meanwhile=both)

    assert (ended, out) == (0, "")
    assert "referral-bus: nothing can be heard: broker-away\n" in err
    assert "referral-bus: all is well again\n" in err
    assert "referral-bus: alarms are raised: 1\n" in err


def test_the_directory_is_renewed_again_and_again_until_sigterm(terminal: Terminal) -> None:
    terminal.environ["REFERRAL_BUS_HOME"] = "registrar"
    renew = ("directory", "renew", "--every", "600", "--json")

    ended, out, err = terminal.type(*renew, meanwhile=Term(20))
    versions = [json.loads(line)["version"] for line in out.splitlines()]

    assert (ended, err) == (0, "")
    assert len(versions) > 3
    assert versions == list(range(2, len(versions) + 2))


def test_a_renewal_that_fails_is_tried_again(terminal: Terminal) -> None:
    terminal.environ["REFERRAL_BUS_HOME"] = "registrar"
    terminal.simulator.broker.away = True
    turns = iter(range(10**6))
    term = Term(60)

    def meanwhile() -> None:
        if next(turns) == 20:
            terminal.simulator.broker.away = False
        term()

    renew = ("directory", "renew", "--every", "600", "--timeout", "7")
    ended, out, err = terminal.type(*renew, meanwhile=meanwhile)

    assert ended == 0
    assert err.startswith("referral-bus: error: broker-away")
    assert "referral-bus: trying again in 7 s\n" in err
    assert out.startswith("directory version 2, good until ")

"""`make up` and `make down`, as a person calls them: in processes of their own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.demo_run import processes_of

pytestmark = pytest.mark.kafka

PROGRAM = Path(__file__).parents[2] / "deploy" / "bus.py"


def start(home: Path, verb: str, **environ: str) -> "subprocess.Popen[str]":
    """Start the command, without the caller's KAFKA_BOOTSTRAP."""
    own = {name: value for name, value in os.environ.items() if name != "KAFKA_BOOTSTRAP"} | environ
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), verb, "--home", str(home)],
        env=own,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def call(home: Path, verb: str, **environ: str) -> tuple[int, str, str]:
    """Run the command; return what it ends with and what it writes."""
    process = start(home, verb, **environ)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "bus"

    call(tmp_path / "bus", "down")


def test_a_bus_stays_until_it_is_stopped_and_carries_no_other(home: Path, tmp_path: Path) -> None:
    code, out, err = call(home, "up")
    assert (code, err) == (0, f"bus: starting Kafka and the router in {home}\n")
    assert "ubnd-xa-thi-du" in out
    assert "audit-log" not in out
    assert call(home, "up") == (0, out, "")
    code, told, _ = call(home, "status")
    assert (code, told) == (0, f"{out.splitlines()[0]}\n")

    code, out, err = call(tmp_path / "another", "up", KAFKA_BOOTSTRAP=told.split()[-1])
    assert (code, out) == (1, "")
    assert f"bus: the broker at {told.split()[-1]} carries another bus than " in err

    assert call(home, "down") == (0, "", "bus: stopped\n")
    assert call(home, "down") == (0, "", "bus: nothing runs\n")
    assert call(home, "status") == (3, "", "bus: nothing runs\n")
    assert processes_of(tmp_path) == []


def test_a_broker_that_is_not_there_is_said_in_one_line(home: Path) -> None:
    code, out, err = call(home, "up", KAFKA_BOOTSTRAP="127.0.0.1:1")

    assert (code, out) == (1, "")
    assert err.splitlines()[1:] == [
        "bus: Kafka at 127.0.0.1:1 does not answer (KafkaConnectionError): is KAFKA_BOOTSTRAP right?"
    ]
    assert processes_of(home) == []


def test_ctrl_c_ends_what_was_started(home: Path) -> None:
    going_up = start(home, "up")
    assert going_up.stderr is not None
    assert going_up.stderr.readline().startswith("bus: starting ")
    while not (home / "pid").exists():
        time.sleep(0.05)
    going_up.send_signal(signal.SIGINT)
    out, err = going_up.communicate(timeout=120)

    assert (going_up.returncode, out, err) == (130, "", "bus: ending what was started\nbus: interrupted\n")
    assert processes_of(home) == []
    # What was begun is gone on with.
    assert call(home, "up")[0] == 0

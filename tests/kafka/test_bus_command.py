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

PACKS = Path(__file__).parents[2] / "contracts" / "packs"
PROGRAM = Path(__file__).parents[2] / "deploy" / "bus.py"


def start(home: Path, verb: str, **environ: str) -> "subprocess.Popen[str]":
    """Start the command, without the caller's KAFKA_BOOTSTRAP."""
    own = {name: value for name, value in os.environ.items() if name not in {"KAFKA_BOOTSTRAP", "KAFKA_PKI"}} | environ
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
    parts = "Kafka, the router, the deadline watcher, the audit log and its witnesses"
    assert (code, err) == (0, f"bus: starting {parts} in {home}\n")
    assert "ubnd-xa-thi-du" in out
    assert "audit-log" not in out
    assert call(home, "up") == (0, out, "")
    code, told, _ = call(home, "status")
    assert (code, told) == (0, f"{out.splitlines()[0]}\n")

    there = {"KAFKA_BOOTSTRAP": told.split()[-1], "KAFKA_PKI": str(home / "pki")}
    code, out, err = call(tmp_path / "another", "up", **there)
    assert (code, out) == (1, "")
    assert f"bus: the broker at {told.split()[-1]} carries another bus than " in err
    # Without the authority that it believes nobody gets as far as that.
    code, _, err = call(tmp_path / "stranger", "up", KAFKA_BOOTSTRAP=told.split()[-1])
    assert (code, "does not answer (KafkaConnectionError)" in err) == (1, True)

    assert call(home, "down") == (0, "", "bus: stopped\n")
    assert call(home, "down") == (0, "", "bus: nothing runs\n")
    assert call(home, "status") == (3, "", "bus: nothing runs\n")
    assert processes_of(tmp_path) == []


def watched_by(home: Path) -> list[str]:
    """Return the packs that the deadline watcher of *home* watches by."""
    (settings,) = (
        (folder / "environ").read_bytes().decode()
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit() and _is_watcher(folder, home)
    )
    (listed,) = (line for line in settings.split("\0") if line.startswith("REFERRAL_BUS_PACKS="))
    return [Path(name).name for name in listed.partition("=")[2].split(":")]


def _is_watcher(folder: Path, home: Path) -> bool:
    try:
        mine = os.fsencode(home) in (folder / "environ").read_bytes()
        return mine and b"deadline_watcher" in (folder / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False


def test_the_watcher_watches_by_the_law_or_by_the_packs_it_is_given(home: Path) -> None:
    code, _, err = call(home, "up", REFERRAL_BUS_PACKS=f"{PACKS}/missing.toml")
    assert (code, "no pack of rules" in err, "missing.toml" in err) == (1, True, True)

    assert call(home, "up")[0] == 0
    assert watched_by(home) == ["national.toml", "policy.toml"]
    call(home, "down")

    packs = [f"{PACKS}/{name}.toml" for name in ("national", "policy", "local/quang-trung")]
    assert call(home, "up", REFERRAL_BUS_PACKS=":".join(packs))[0] == 0
    assert watched_by(home) == ["national.toml", "policy.toml", "quang-trung.toml"]


def test_a_broker_that_is_not_there_is_said_in_one_line(home: Path) -> None:
    code, out, err = call(home, "up", KAFKA_BOOTSTRAP="127.0.0.1:1")

    assert (code, out) == (1, "")
    assert err.splitlines()[1:] == [
        "bus: Kafka at 127.0.0.1:1 does not answer (KafkaConnectionError): is KAFKA_BOOTSTRAP right, and KAFKA_PKI?"
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

"""The command, as a person or a Makefile calls it: in processes of its own."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kafka_node.background import StateFolder
from kafka_node.probe import cluster_at
from tests.kafka.conftest import LAUNCHER
from tests.kafka.processes import Watched
from tests.kafka.records import consume, make_topic, operator, produce

pytestmark = pytest.mark.kafka

COMMAND = [sys.executable, str(LAUNCHER / "launch.py")]


def launch(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, without the caller's KAFKA_BOOTSTRAP."""
    own = {name: value for name, value in os.environ.items() if name != "KAFKA_BOOTSTRAP"} | environ
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False, env=own)


def address(output: str) -> str:
    """Return what follows KAFKA_BOOTSTRAP= on the only line."""
    (line,) = output.splitlines()
    name, _, value = line.partition("=")
    assert name == "KAFKA_BOOTSTRAP"
    return value


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[str]:
    yield str(tmp_path / "kafka")

    launch("down", "--state-dir", str(tmp_path / "kafka"))


def test_a_background_node_is_found_again_and_keeps_its_data(state_dir: str) -> None:
    first = launch("up", "--state-dir", state_dir)
    asyncio.run(make_topic(address(first.stdout), "kept"))
    asyncio.run(produce(address(first.stdout), "kept", [b"yesterday"]))

    assert first.stdout == launch("status", "--state-dir", state_dir).stdout
    assert first.stdout == launch("up", "--state-dir", state_dir).stdout

    assert launch("down", "--state-dir", state_dir).returncode == 0
    assert launch("status", "--state-dir", state_dir).returncode == 3
    assert launch("down", "--state-dir", state_dir).returncode == 0

    again = address(launch("up", "--state-dir", state_dir).stdout)

    assert asyncio.run(consume(again, "kept", 1)) == [b"yesterday"]


def test_a_background_node_survives_the_session_of_its_shell(state_dir: str) -> None:
    shell = ["sh", "-c", '"$@"; echo; kill -KILL 0', "sh", *COMMAND, "up", "--state-dir", state_dir]
    with subprocess.Popen(shell, stdout=subprocess.PIPE, text=True, start_new_session=True) as session:
        assert session.stdout is not None
        port = int(address(session.stdout.readline()).rpartition(":")[2])
        session.wait()

    assert session.returncode == -signal.SIGKILL
    assert cluster_at(port, operator()) is not None


def test_after_its_launcher_was_killed_a_background_node_can_be_started_again(state_dir: str) -> None:
    launch("up", "--state-dir", state_dir)
    launcher_pid = int((Path(state_dir) / "pid").read_text())
    launcher = Watched(launcher_pid)
    os.kill(launcher_pid, signal.SIGKILL)

    assert launcher.has_ended()
    assert launch("down", "--state-dir", state_dir).returncode == 0
    assert not StateFolder(Path(state_dir)).held()
    assert launch("up", "--state-dir", state_dir).returncode == 0
    launcher.close()


def test_two_who_start_the_same_background_node_get_one(state_dir: str) -> None:
    both = [
        subprocess.Popen([*COMMAND, "up", "--state-dir", state_dir], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = {process.communicate()[0] for process in both}

    assert len(said) == 1
    assert cluster_at(int(address(said.pop()).rpartition(":")[2]), operator()) is not None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_foreground_node_ends_when_it_is_asked_to(number: signal.Signals) -> None:
    with subprocess.Popen([*COMMAND, "run"], stdout=subprocess.PIPE, text=True) as foreground:
        assert foreground.stdout is not None
        port = int(address(foreground.stdout.readline()).rpartition(":")[2])

        assert cluster_at(port, operator()) is not None

        foreground.send_signal(number)

        assert foreground.wait() == 0
        assert cluster_at(port, operator()) is None


def test_a_foreground_node_listens_where_it_is_told(tmp_path: Path) -> None:
    command = [*COMMAND, "run", "--port", "20999", "--state-dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as foreground:
        assert foreground.stdout is not None
        assert address(foreground.stdout.readline()) == "127.0.0.1:20999"
        foreground.terminate()


def test_a_broker_that_ends_by_itself_is_reported(tmp_path: Path) -> None:
    command = [*COMMAND, "run", "--state-dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as foreground:
        assert foreground.stdout is not None
        assert foreground.stderr is not None
        foreground.stdout.readline()
        os.kill(_broker_below(foreground.pid), signal.SIGKILL)

        assert foreground.wait() == 1
        assert "the broker ended by itself" in foreground.stderr.read()


@pytest.mark.parametrize("command", ["run", "up", "status"])
def test_an_existing_broker_is_named_and_none_started(command: str) -> None:
    run = launch(command, KAFKA_BOOTSTRAP="bus.example:9092", PATH="")

    assert (run.returncode, address(run.stdout)) == (0, "bus.example:9092")


@pytest.mark.parametrize("command", ["run", "up", "fetch"])
def test_without_java_there_is_one_sentence_and_exit_code_2(command: str, tmp_path: Path) -> None:
    run = launch(command, PATH=str(tmp_path), JAVA_HOME="")

    assert (run.returncode, run.stdout) == (2, "")
    assert [
        line.partition(":")[0] + ":" + line.partition(":")[2].partition(":")[0] for line in run.stderr.splitlines()
    ] == ["kafka: Kafka needs Java 17 or newer and there is none on the PATH"]


def _broker_below(launcher: int) -> int:
    (supervisor,) = Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()
    (broker,) = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    return int(broker)

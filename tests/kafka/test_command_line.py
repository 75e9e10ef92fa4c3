import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kafka_node import KafkaNode, NotInstalled
from running import RunningBus

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAM = (sys.executable, "-c", "import sys; from referral_bus_command import main; sys.exit(main())")
COMMUNE = "ubnd-xa-thi-du"


@dataclass(frozen=True, slots=True)
class Town:
    """Agencies on a real bus, each command a process of its own."""

    home: Path

    def start(self, agency: str, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command."""
        environ = {**os.environ, "REFERRAL_BUS_HOME": str(self.home / "agencies" / agency)}
        return subprocess.Popen(
            [*PROGRAM, *arguments],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def type(self, agency: str, *arguments: str) -> tuple[int, str, str]:
        """Run a command; return what it ends with and what it writes."""
        process = self.start(agency, *arguments)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    # A broker of its own: a bus has topics of fixed names.
    home = tmp_path_factory.mktemp("town")
    try:
        with KafkaNode.start() as node, RunningBus(home, say=lambda _text: None, bootstrap=node.bootstrap):
            yield Town(home)
    except NotInstalled as error:
        pytest.exit(f"kafka: {error}", returncode=2)


@pytest.mark.kafka
def test_what_people_type_goes_over_a_real_broker(town: Town) -> None:
    code, out, err = town.type("hotline-111", "send", "open", str(EXAMPLES / "case-opening.json"), "--json")
    assert (code, err) == (0, "")
    subject = json.loads(out)["subject"]

    # Somebody listens; nobody else has that agency's store as long as it does.
    watch = town.start(COMMUNE, "inbox", "watch", "--json", "--ack")
    to = f"{COMMUNE}={EXAMPLES / 'commune.json'},{EXAMPLES / 'mau01.json'}"
    assert town.type("hotline-111", "send", "assign", "--case", subject[:8], "--to", to)[0] == 0
    assert watch.stdout is not None
    told = json.loads(watch.stdout.readline())
    assert (told["verb"], told["sealed"]) == ("handoff.assigned", ["s2"])
    assert town.type(COMMUNE, "status")[0] == 5
    watch.send_signal(signal.SIGTERM)
    out, err = watch.communicate(timeout=60)
    assert (watch.returncode, out, err) == (0, "", "")

    code, out, _ = town.type(COMMUNE, "open", told["id"])
    assert code == 0
    assert "Trần Thị Ví Dụ" in out
    assert town.type(COMMUNE, "accept", told["id"], str(EXAMPLES / "commune-accepted.json"))[0] == 0
    code, out, _ = town.type("hotline-111", "handoff", "show", told["id"], "--json")
    assert (code, json.loads(out)["state"], json.loads(out)["receipt"]) == (0, "accepted", "received")


@pytest.mark.kafka
def test_a_registrar_keeps_a_real_directory_fresh(town: Town) -> None:
    renewing = town.start("registrar", "directory", "renew", "--every", "1", "--json")
    assert renewing.stdout is not None
    versions = [json.loads(renewing.stdout.readline())["version"] for _ in range(2)]
    renewing.send_signal(signal.SIGTERM)
    renewing.communicate(timeout=60)

    assert (renewing.returncode, versions) == (0, [2, 3])
    code, out, _ = town.type("bv-nhi-minh-hoa", "directory", "show", "--json")
    assert code == 0
    assert json.loads(out)["version"] >= 3


@pytest.mark.kafka
def test_a_broker_that_is_not_there_is_said_in_time(town: Town) -> None:
    code, _, err = town.type("hotline-111", "directory", "show", "--bootstrap", "127.0.0.1:1", "--timeout", "2")

    assert code == 3
    assert "referral-bus: error: broker-away" in err
    assert "Traceback" not in err
